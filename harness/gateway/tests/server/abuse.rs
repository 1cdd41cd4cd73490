//! Clients that are slow, greedy, broken or hostile. Each test ends by the server's own limits or not at all.

use crate::client::{answer, connect, head, patient, refused, response, rest, server, write};
use countersign_contract::Reason;
use countersign_gateway::server::{Limits, ServerEvent};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

const SOON: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let (server, _socket) = server(Limits { head_time: SOON, ..patient() }).await;
    for begun in ["", "G", "PRI * HT", &head("GET", "/keys/x")] {
        let mut stream = connect(&server).await;
        write(&mut stream, begun).await;
        rest(&mut stream).await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_cut_off() {
    let (server, mut socket) = server(Limits { body_time: SOON, ..patient() }).await;
    let mut stream = connect(&server).await;
    write(&mut stream, head("PUT", "/keys") + "Content-Length: 5\r\n\r\nab").await;
    assert_eq!(refused(&mut socket).await.1.reason, Reason::Timeout);
    assert_eq!(response(&mut stream).await.0, 408);
    assert_eq!(rest(&mut stream).await, b"");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let (server, mut socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    write(&mut stream, head("PUT", "/keys") + "Content-Length: 1048577\r\n\r\n").await;
    let (what, problem) = refused(&mut socket).await;
    assert_eq!((what.as_str(), problem.reason), ("PUT /keys", Reason::TooLarge));
    assert_eq!(response(&mut stream).await.0, 413);
    assert_eq!(rest(&mut stream).await, b"");
}

#[tokio::test]
async fn a_chunked_body_is_cut_at_the_limit() {
    let (server, mut socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    write(&mut stream, head("PUT", "/keys") + "Transfer-Encoding: chunked\r\n\r\n").await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let flood = async {
        // Ends when the server closes.
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    };
    let (_, (_, problem)) = tokio::join!(flood, refused(&mut socket));
    assert_eq!(problem.reason, Reason::TooLarge);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (server, _socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    let long = format!("X: {}\r\n", "x".repeat(40_000));
    // The server may close before it has read all of it.
    let _ = stream.write_all((head("GET", "/keys/x") + &long + "\r\n").as_bytes()).await;
    let said = rest(&mut stream).await;
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&said));
    let mut stream = connect(&server).await;
    let many = (0..100).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    write(&mut stream, head("GET", "/keys/x") + &many + "\r\n").await;
    assert!(rest(&mut stream).await.starts_with(b"HTTP/1.1 431"));
}

#[tokio::test]
async fn garbage_and_half_requests_end_their_own_connection_only() {
    let (server, mut socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    write(&mut stream, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").await;
    assert!(rest(&mut stream).await.starts_with(b"HTTP/1.1 400"));
    let mut stream = connect(&server).await;
    write(&mut stream, head("PUT", "/keys") + "Content-Length: 10\r\n\r\nhalf").await;
    stream.shutdown().await.unwrap();
    rest(&mut stream).await;
    let mut stream = connect(&server).await;
    write(&mut stream, head("GET", "/keys/x") + "\r\n").await;
    loop {
        // The half request may be reported or, if its connection was gone first, not.
        match socket.events.recv().await.unwrap() {
            ServerEvent::BrokenOff { what } => assert_eq!(what, "PUT /keys"),
            ServerEvent::Request { http, .. } => break assert_eq!(http.path, "/keys/x"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn more_connections_than_granted_wait_for_a_place() {
    let (server, mut socket) = server(Limits { connections: 1, ..patient() }).await;
    let mut first = connect(&server).await;
    write(&mut first, head("GET", "/first") + "\r\n").await;
    assert_eq!(answer(&mut socket, "").await.path, "/first");
    let mut second = connect(&server).await;
    write(&mut second, head("GET", "/second") + "\r\n").await;
    response(&mut first).await;
    for _ in 0..20 {
        write(&mut first, head("GET", "/first") + "\r\n").await;
        assert_eq!(answer(&mut socket, "").await.path, "/first", "the second has no place yet");
        response(&mut first).await;
    }
    drop(first);
    assert_eq!(answer(&mut socket, "").await.path, "/second");
}

#[tokio::test]
async fn a_websocket_keeps_its_place_among_the_connections() {
    let (server, mut socket) = server(Limits { connections: 1, ..patient() }).await;
    let mut chat = connect(&server).await;
    write(&mut chat, crate::websocket::handshake()).await;
    let Some(ServerEvent::ChatOpened { accept, frames, .. }) = socket.events.recv().await else { panic!() };
    accept.send(Ok(())).unwrap();
    assert_eq!(response(&mut chat).await.0, 101);
    let mut second = connect(&server).await;
    write(&mut second, head("GET", "/second") + "\r\n").await;
    // A masked text frame, so that there is an event to see before the second connection gets its place.
    write(&mut chat, [0x81, 0x81, 0, 0, 0, 0, b'x']).await;
    assert!(matches!(socket.events.recv().await, Some(ServerEvent::ChatFrame { text, .. }) if text == b"x"));
    drop(chat);
    assert!(matches!(socket.events.recv().await, Some(ServerEvent::ChatClosed { .. })));
    assert_eq!(answer(&mut socket, "").await.path, "/second");
    assert!(frames.send(String::new()).is_err());
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_connection() {
    let (server, mut socket) = server(Limits { write_time: SOON, ..patient() }).await;
    let mut chat = connect(&server).await;
    write(&mut chat, crate::websocket::handshake()).await;
    let Some(ServerEvent::ChatOpened { accept, frames, .. }) = socket.events.recv().await else { panic!() };
    accept.send(Ok(())).unwrap();
    let mut gone = false;
    while !gone {
        gone = frames.send("x".repeat(1 << 20)).is_err();
    }
    assert!(matches!(socket.events.recv().await, Some(ServerEvent::ChatClosed { .. })));
    rest(&mut chat).await;
}
