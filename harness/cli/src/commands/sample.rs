//! `countersign sample`: the built-in candidate as a process of its own.

use crate::args::Sample as SampleArgs;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_sample::{Defect, Defects, Honest, Sample, network_wire, serve_http, serve_stdio};
use countersign_scenarios::nearest::nearest;
use std::sync::Arc;

pub(crate) fn sample(args: &SampleArgs) -> Result<Exit, Fault> {
    let defects: Arc<dyn Defects> = match &args.defect {
        None => Arc::new(Honest),
        Some(name) => Arc::new(name.parse::<Defect>().map_err(|_| Fault::Unknown {
            name: name.clone(),
            hint: match nearest(name, Defect::ALL.iter().map(ToString::to_string)).first() {
                Some(near) => format!("perhaps `{near}`; `countersign list candidates` shows all mutants"),
                None => "`countersign list candidates` shows all mutants".to_owned(),
            },
        })?),
    };
    let sample = Sample::new(network_wire(), defects);
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    let served = runtime.block_on(async {
        match args.http {
            None => serve_stdio(sample, tokio::io::stdin(), tokio::io::stdout()).await,
            Some(address) => {
                let listener = tokio::net::TcpListener::bind(address).await?;
                output::data(&format!("http://{}", listener.local_addr()?)).map_err(|e| std::io::Error::other(e.to_string()))?;
                if args.until_input_ends {
                    tokio::select! {
                        served = serve_http(sample, listener) => served,
                        ended = input_end() => ended,
                    }
                } else {
                    serve_http(sample, listener).await
                }
            }
        }
    });
    // Reading standard input cannot be cancelled; nothing is lost by not waiting for it.
    runtime.shutdown_background();
    served.map(|()| Exit::Conforms).map_err(Fault::Runtime)
}

/// Waits for the end of standard input, and takes no notice of what comes before.
async fn input_end() -> std::io::Result<()> {
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await.map(drop)
}
