use crate::client::{INSTANCE, connect, head, patient, refused, response, server, write};
use countersign_contract::Reason;
use countersign_contract::portable::LARGEST_STANZA;
use countersign_gateway::HttpReply;
use countersign_gateway::server::{ChatSender, InstanceSocket, Server, ServerEvent, base_path};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) fn handshake() -> String {
    head("GET", "/chat")
        + "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
           Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer t0k\r\n\r\n"
}

/// A client with an open channel.
async fn chat(server: &Server, socket: &mut InstanceSocket) -> (Client, ChatSender, u64) {
    let mut request = format!("ws://{}{}/chat", server.local_addr(), base_path(INSTANCE)).into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Bearer t0k".parse().unwrap());
    let accepting = async {
        let Some(ServerEvent::ChatOpened { token, channel_key, frames, accept }) = socket.events.recv().await else { panic!() };
        assert_eq!(token.as_deref(), Some("t0k"));
        accept.send(Ok(())).unwrap();
        (frames, channel_key)
    };
    let (connected, (frames, key)) = tokio::join!(connect_async(request), accepting);
    (connected.unwrap().0, frames, key)
}

async fn frame(socket: &mut InstanceSocket) -> Vec<u8> {
    match socket.events.recv().await {
        Some(ServerEvent::ChatFrame { text, .. }) => text,
        other => panic!("{other:?}"),
    }
}

async fn closed(socket: &mut InstanceSocket, key: u64) {
    match socket.events.recv().await {
        Some(ServerEvent::ChatClosed { channel_key }) => assert_eq!(channel_key, key),
        other => panic!("{other:?}"),
    }
}

async fn close_code(client: &mut Client) -> CloseCode {
    loop {
        match client.next().await {
            Some(Ok(Message::Close(Some(close)))) => return close.code,
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn frames_pass_both_ways_in_order_until_the_client_closes() {
    let (server, mut socket) = server(patient()).await;
    let (mut client, frames, key) = chat(&server, &mut socket).await;
    for n in 0..200 {
        client.send(Message::text(format!("up {n}"))).await.unwrap();
        frames.send(format!("down {n}")).unwrap();
    }
    for n in 0..200 {
        assert_eq!(frame(&mut socket).await, format!("up {n}").into_bytes());
        assert_eq!(client.next().await.unwrap().unwrap().into_text().unwrap(), format!("down {n}"));
    }
    client.close(None).await.unwrap();
    closed(&mut socket, key).await;
}

#[tokio::test]
async fn the_gateway_ends_a_channel_after_the_frames_in_it() {
    let (server, mut socket) = server(patient()).await;
    let (mut client, frames, key) = chat(&server, &mut socket).await;
    frames.send("last".into()).unwrap();
    drop(frames);
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("last"));
    assert_eq!(close_code(&mut client).await, CloseCode::Normal);
    closed(&mut socket, key).await;
}

#[tokio::test]
async fn a_closed_instance_and_a_stopped_server_end_the_channel() {
    let (server, mut socket) = server(patient()).await;
    let (mut client, _frames, _) = chat(&server, &mut socket).await;
    drop(socket);
    assert_eq!(close_code(&mut client).await, CloseCode::Away);
    let mut socket = server.register(INSTANCE);
    let (mut client, _frames, key) = chat(&server, &mut socket).await;
    let stopping = tokio::spawn(server.shutdown());
    assert_eq!(close_code(&mut client).await, CloseCode::Away);
    closed(&mut socket, key).await;
    drop(client);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_ping_is_answered_and_is_no_event() {
    let (server, mut socket) = server(patient()).await;
    let (mut client, _frames, _) = chat(&server, &mut socket).await;
    client.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::Pong("are you there".into()));
    client.send(Message::text("x")).await.unwrap();
    assert_eq!(frame(&mut socket).await, b"x");
}

#[tokio::test]
async fn fragments_are_put_together() {
    let (server, mut socket) = server(patient()).await;
    let (mut client, _frames, _) = chat(&server, &mut socket).await;
    let part = |text: &'static str, code, last| Message::Frame(Frame::message(text, OpCode::Data(code), last));
    client.send(part("one ", Data::Text, false)).await.unwrap();
    client.send(Message::Ping("between".into())).await.unwrap();
    client.send(part("two ", Data::Continue, false)).await.unwrap();
    client.send(part("three", Data::Continue, true)).await.unwrap();
    assert_eq!(frame(&mut socket).await, b"one two three");
}

#[tokio::test]
async fn what_is_no_text_frame_of_a_stanzas_size_ends_the_channel() {
    let (server, mut socket) = server(patient()).await;
    let part = |text: Vec<u8>, code, last| Message::Frame(Frame::message(text, OpCode::Data(code), last));
    let half = vec![b'x'; LARGEST_STANZA / 2 + 1];
    for (sent, code, reason) in [
        (vec![Message::binary(b"{}".to_vec())], CloseCode::Unsupported, Reason::Malformed),
        (vec![Message::text("x".repeat(LARGEST_STANZA + 1))], CloseCode::Size, Reason::TooLarge),
        (vec![part(half.clone(), Data::Text, false), part(half, Data::Continue, true)], CloseCode::Size, Reason::TooLarge),
        (vec![part(vec![0xff], Data::Text, true)], CloseCode::Invalid, Reason::Malformed),
        (vec![part(vec![b'x'], Data::Continue, true)], CloseCode::Protocol, Reason::Malformed),
    ] {
        let (mut client, _frames, key) = chat(&server, &mut socket).await;
        for message in sent {
            client.send(message).await.unwrap();
        }
        assert_eq!(refused(&mut socket).await.1.reason, reason);
        closed(&mut socket, key).await;
        assert_eq!(close_code(&mut client).await, code);
    }
}

#[tokio::test]
async fn a_refused_handshake_carries_the_gateways_answer() {
    let (server, mut socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    write(&mut stream, handshake()).await;
    let Some(ServerEvent::ChatOpened { accept, .. }) = socket.events.recv().await else { panic!() };
    accept.send(Err(HttpReply::refuse(Reason::Unauthorized, "no"))).unwrap();
    let (status, head, body) = response(&mut stream).await;
    assert_eq!(status, 401);
    assert!(head.contains("application/problem+json") && String::from_utf8(body).unwrap().contains("unauthorized"));
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let (server, mut socket) = server(patient()).await;
    for (from, to) in [("Version: 13", "Version: 8"), ("dGhlIHNhbXBsZSBub25jZQ==", "short"), (", Upgrade", "")] {
        let mut stream = connect(&server).await;
        write(&mut stream, handshake().replace(from, to)).await;
        assert_eq!(refused(&mut socket).await.1.reason, Reason::Malformed);
        assert_eq!(response(&mut stream).await.0, 400);
    }
    // Without an upgrade it is a request like any other: the gateway says what is wrong with it.
    let mut stream = connect(&server).await;
    write(&mut stream, head("GET", "/chat") + "\r\n").await;
    assert_eq!(crate::client::answer(&mut socket, "").await.path, "/chat");
}

#[tokio::test]
async fn a_client_that_goes_during_the_handshake_is_still_reported_as_gone() {
    let (server, mut socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    write(&mut stream, handshake()).await;
    let Some(ServerEvent::ChatOpened { accept, channel_key, .. }) = socket.events.recv().await else { panic!() };
    drop(stream);
    accept.send(Ok(())).unwrap();
    closed(&mut socket, channel_key).await;
}

#[tokio::test]
async fn an_abrupt_end_loses_nothing_that_was_sent_before() {
    let (server, mut socket) = server(patient()).await;
    let (mut client, frames, key) = chat(&server, &mut socket).await;
    for n in 0..50 {
        client.feed(Message::text(n.to_string())).await.unwrap();
    }
    client.flush().await.unwrap();
    drop(client);
    let _ = frames.send("into the void".into());
    for n in 0..50 {
        assert_eq!(frame(&mut socket).await, n.to_string().into_bytes());
    }
    closed(&mut socket, key).await;
}
