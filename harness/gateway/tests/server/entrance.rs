//! TLS, the cap for one address, and the door for candidates that dial in.

use crate::client::{INSTANCE, answer, connect, head, patient, response, rest, write};
use countersign_gateway::server::{DIAL_PATH, Dial, Entrance, Server};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};

async fn server(entrance: Entrance) -> Server {
    Server::open(SocketAddr::from(([127, 0, 0, 1], 0)), patient(), entrance).await.unwrap()
}

#[tokio::test]
async fn connections_of_one_address_beyond_its_share_are_closed_and_counted() {
    let server = server(Entrance { per_address: 2, ..Entrance::default() }).await;
    let mut socket = server.register(INSTANCE);
    let (mut first, mut second) = (connect(&server).await, connect(&server).await);
    for stream in [&mut first, &mut second] {
        write(stream, head("GET", "/keys/x") + "\r\n").await;
        answer(&mut socket, "").await;
        response(stream).await;
    }
    assert_eq!(rest(&mut connect(&server).await).await, b"", "the third is closed at once");
    assert_eq!(server.turned_away(), 1);
    drop(first);
    // Its place is free as soon as the server has seen that; until then, others are turned away.
    loop {
        let mut next = connect(&server).await;
        let _ = next.write_all((head("GET", "/again") + "\r\n").as_bytes()).await;
        let mut byte = [0];
        tokio::select! {
            http = answer(&mut socket, "") => break assert_eq!(http.path, "/again"),
            _ = next.read(&mut byte) => {}
        }
    }
}

fn tls() -> (Arc<ServerConfig>, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["gateway.example".to_owned()]).unwrap();
    let provider = Arc::new(crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let chain = vec![made.cert.der().clone()];
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    (Arc::new(server), TlsConnector::from(Arc::new(client)))
}

#[tokio::test]
async fn requests_come_over_tls_and_what_is_none_holds_up_nobody() {
    let (config, connector) = tls();
    let server = server(Entrance { tls: Some(config), ..Entrance::default() }).await;
    let mut socket = server.register(INSTANCE);
    // Neither a client without TLS nor one that looks for another host gets in, and neither holds up the third.
    let mut clear = connect(&server).await;
    write(&mut clear, head("GET", "/keys/x") + "\r\n").await;
    rest(&mut clear).await;
    let other = ServerName::try_from("other.example").unwrap();
    assert!(connector.connect(other, connect(&server).await).await.is_err());
    let _silent = connect(&server).await;
    let name = ServerName::try_from("gateway.example").unwrap();
    let mut stream = connector.connect(name, connect(&server).await).await.unwrap();
    stream.write_all((head("GET", "/keys/x") + "\r\n").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut socket, "body").await.path, "/keys/x");
    let mut said = [0; 12];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut_off_and_counted() {
    let (config, _) = tls();
    let limits = countersign_gateway::server::Limits { head_time: Duration::from_millis(50), ..patient() };
    let entrance = Entrance { tls: Some(config), ..Entrance::default() };
    let server = Server::open(SocketAddr::from(([127, 0, 0, 1], 0)), limits, entrance).await.unwrap();
    for begun in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"] {
        let mut stream = connect(&server).await;
        write(&mut stream, begun).await;
        rest(&mut stream).await;
    }
    assert_eq!(server.broken_handshakes(), 3);
}

fn knock(key: &str) -> String {
    format!(
        "GET {DIAL_PATH} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

async fn status(server: &Server, request: &str) -> (u16, TcpStream) {
    let mut stream = connect(server).await;
    write(&mut stream, request).await;
    (response(&mut stream).await.0, stream)
}

#[tokio::test]
async fn the_door_opens_for_the_key_and_for_few_at_once() {
    let (came, mut inside) = mpsc::channel(1);
    let refused = Arc::new(AtomicU64::new(0));
    let dial = Dial { admits: Arc::new(|key| key == "right"), came, refused: Arc::clone(&refused) };
    let server = server(Entrance { dial: Some(dial), ..Entrance::default() }).await;
    assert_eq!(status(&server, &knock("wrong")).await.0, 401);
    assert_eq!(status(&server, &format!("GET {DIAL_PATH} HTTP/1.1\r\nHost: test\r\n\r\n")).await.0, 401);
    assert_eq!(refused.load(Ordering::Relaxed), 2);
    let no_handshake = format!("GET {DIAL_PATH} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer right\r\n\r\n");
    assert_eq!(status(&server, &no_handshake).await.0, 400);
    let (code, stream) = status(&server, &knock("right")).await;
    assert_eq!(code, 101);
    assert_eq!(status(&server, &knock("right")).await.0, 503, "the first was not taken yet");
    assert_eq!(inside.recv().await.unwrap().from, stream.local_addr().unwrap());
    assert_eq!(status(&server, &knock("right")).await.0, 101);
}

#[tokio::test]
async fn without_a_door_there_is_nothing_at_its_place() {
    let server = server(Entrance::default()).await;
    assert_eq!(status(&server, &knock("right")).await.0, 404);
}
