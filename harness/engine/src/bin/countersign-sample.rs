//! The built-in sample candidate as a process of its own: `countersign-sample [DEFECT] [http ADDRESS]`.
//!
//! Without `http` it serves calls on standard input and output. With it, it listens on the address, says where on standard output,
//! and serves until it is ended.

use countersign_sample::{Defect, Defects, Honest, Sample, network_wire, serve_http, serve_stdio};
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut defects: Arc<dyn Defects> = Arc::new(Honest);
    let mut address = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "http" {
            address = Some(args.next().ok_or_else(|| usage("`http` needs an address"))?);
        } else {
            defects = Arc::new(arg.parse::<Defect>().map_err(|e| usage(&e.to_string()))?);
        }
    }
    let sample = Sample::new(network_wire(), defects);
    let Some(address) = address else {
        return serve_stdio(sample, tokio::io::stdin(), tokio::io::stdout()).await;
    };
    let listener = TcpListener::bind(&address).await?;
    let place = format!("http://{}\n", listener.local_addr()?);
    let mut out = tokio::io::stdout();
    out.write_all(place.as_bytes()).await?;
    out.flush().await?;
    serve_http(sample, listener).await
}

fn usage(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{what}; usage: countersign-sample [DEFECT] [http ADDRESS]"))
}
