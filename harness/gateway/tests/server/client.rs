//! A server with one instance, and a client that writes bytes of its own making.

use countersign_contract::{InstanceId, Problem};
use countersign_gateway::server::{InstanceSocket, Limits, Server, ServerEvent, base_path};
use countersign_gateway::{HttpReply, HttpRequest};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

/// Long enough never to pass in a test that does not wait for it.
const NEVER: Duration = Duration::from_secs(600);

pub(crate) fn patient() -> Limits {
    Limits { head_time: NEVER, body_time: NEVER, write_time: NEVER, ..Limits::default() }
}

pub(crate) const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(0xC0FFEE));

pub(crate) async fn server(limits: Limits) -> (Server, InstanceSocket) {
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), limits).await.unwrap();
    let socket = server.register(INSTANCE);
    (server, socket)
}

pub(crate) async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.local_addr()).await.unwrap()
}

/// A request's head up to its last header, without the empty line.
pub(crate) fn head(method: &str, path: &str) -> String {
    format!("{method} {}{path} HTTP/1.1\r\nHost: test\r\n", base_path(INSTANCE))
}

pub(crate) async fn write(stream: &mut TcpStream, text: impl AsRef<[u8]>) {
    stream.write_all(text.as_ref()).await.unwrap();
}

/// One response: status, head, body as its `content-length` says.
pub(crate) async fn response(stream: &mut TcpStream) -> (u16, String, Vec<u8>) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(bytes).unwrap().to_lowercase();
    let status = head[9..12].parse().unwrap();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (status, head, body)
}

/// Reads to the end of the connection, however that comes.
pub(crate) async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    all
}

pub(crate) fn reply(body: &str) -> HttpReply {
    HttpReply {
        status: 200,
        content_type: "application/json",
        body: body.to_owned().into(),
        retry_after_s: Some(3),
        file: None,
        breaks_off: None,
    }
}

/// The next request of the instance, answered with `body`.
pub(crate) async fn answer(socket: &mut InstanceSocket, body: &str) -> HttpRequest {
    let Some(ServerEvent::Request { http, reply: to }) = socket.events.recv().await else { panic!("not a request") };
    to.send(reply(body)).unwrap();
    http
}

pub(crate) async fn refused(socket: &mut InstanceSocket) -> (String, Problem) {
    match socket.events.recv().await {
        Some(ServerEvent::Refused { what, problem }) => (what, problem),
        other => panic!("{other:?}"),
    }
}
