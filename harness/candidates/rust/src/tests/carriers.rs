use crate::{Defect, Honest, Sample, network_wire, serve_http, serve_stdio};
use countersign_contract::carrier::{LONGEST_LINE, Reply};
use countersign_contract::portable::{LARGEST_BODY, Stanza};
use countersign_contract::{InstanceId, Reason, StanzaId};
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

fn sample() -> Sample {
    Sample::new(network_wire(), Arc::new(Honest))
}

/// The replies to these lines, in whatever order they came.
async fn lines(sample: Sample, input: &[u8]) -> Vec<Reply> {
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let (output, mut replies) = tokio::io::duplex(64 * 1024);
    let serving = tokio::spawn(serve_stdio(sample, far, output));
    let text = tokio::spawn(async move {
        let mut text = String::new();
        replies.read_to_string(&mut text).await.unwrap();
        text
    });
    near.write_all(input).await.unwrap();
    drop(near);
    serving.await.unwrap().unwrap();
    text.await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn reason(replies: &[Reply], id: u64) -> Option<Reason> {
    replies.iter().find(|reply| reply.id == id).unwrap().problem.as_ref().map(|problem| problem.reason)
}

#[tokio::test]
async fn noise_on_standard_input_is_answered_and_survived() {
    let unknown = Uuid::new_v4();
    let input = format!(
        "no json\n{{\"id\":2,\"op\":\"teleport\",\"args\":{{}}}}\n\n{{\"id\":3,\"op\":\"describe\",\"args\":{{\"x\":1}}}}\n\
         {{\"id\":4,\"extra\":1}}\n{{\"id\":5,\"op\":\"close\",\"args\":{{\"instance\":\"{unknown}\"}}}}\n\
         {{\"id\":6,\"op\":\"describe\",\"args\":{{}}}}"
    );
    let replies = lines(sample(), input.as_bytes()).await;
    assert_eq!(replies.iter().filter(|reply| reply.id == 0).count(), 2, "the noise and the empty line");
    let reasons: Vec<_> = (2..=6).map(|id| reason(&replies, id)).collect();
    let (bad, gone) = (Some(Reason::Malformed), Some(Reason::UnknownInstance));
    assert_eq!(reasons, [Some(Reason::Unsupported), bad, bad, gone, None]);
}

#[tokio::test]
async fn a_line_without_end_is_not_kept() {
    let mut input = vec![b'x'; LONGEST_LINE + 10];
    input.extend_from_slice(b"\n{\"id\":1,\"op\":\"describe\",\"args\":{}}\n");
    let replies = lines(sample(), &input).await;
    assert_eq!(reason(&replies, 0), Some(Reason::TooLarge));
    assert_eq!(reason(&replies, 1), None);
}

#[tokio::test]
async fn an_invented_operation_succeeds_with_the_defect_only() {
    let call = b"{\"id\":1,\"op\":\"teleport\",\"args\":{}}\n";
    let inventive = Sample::new(network_wire(), Arc::new(Defect::InventsOperation));
    assert_eq!(reason(&lines(inventive, call).await, 1), None);
    assert_eq!(reason(&lines(sample(), call).await, 1), Some(Reason::Unsupported));
}

#[tokio::test]
async fn calls_over_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve_http(sample(), listener));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |path: &str, body: &'static str| client.post(format!("{base}/{path}")).body(body).send();
    let good = post("describe", "{}").await.unwrap();
    assert_eq!(good.status(), 200);
    assert_eq!(good.json::<serde_json::Value>().await.unwrap()["contract"], countersign_contract::CONTRACT_VERSION);
    for (path, body, status) in
        [("teleport", "{}", 501), ("describe", "{", 400), ("describe", "{\"x\":1}", 400), ("a/b", "", 501)]
    {
        let bad = post(path, body).await.unwrap();
        assert_eq!(bad.status(), status, "{path}");
        assert_eq!(bad.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn the_chat_channel_over_a_web_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let gateway = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let ack = socket.next().await.unwrap().unwrap().into_text().unwrap();
        socket.send(Message::text("not a stanza")).await.unwrap();
        socket.send(Message::text(ack.as_str())).await.unwrap();
        // The client closes; what it sent last still arrives.
        let last = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
        (ack.to_string(), last.to_string())
    });
    let wire = network_wire()(InstanceId(Uuid::new_v4()), &base, None).unwrap();
    let mut chat = wire.chat("token").await.unwrap();
    let ack = Stanza::Ack { id: StanzaId(Uuid::new_v4()) }.to_json();
    chat.frames_out.send(ack.clone()).await.unwrap();
    assert_eq!(chat.frames_in.recv().await.unwrap(), "not a stanza");
    assert_eq!(chat.frames_in.recv().await.unwrap(), ack);
    chat.frames_out.send("last words".into()).await.unwrap();
    drop(chat.frames_out);
    assert_eq!(gateway.await.unwrap(), (ack, "last words".to_owned()));
    assert_eq!(chat.frames_in.recv().await, None);
}

/// Answers one HTTP request with these bytes, and gives back its head.
async fn answer_once(response: Vec<u8>) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let head = tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        let mut head = String::new();
        let mut reader = BufReader::new(&mut stream);
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).await.unwrap();
        }
        // The client may stop reading what is too long.
        let _ = stream.write_all(&response).await;
        head.to_lowercase()
    });
    (base, head)
}

#[tokio::test]
async fn requests_are_bounded_and_follow_nothing() {
    let ask = |base: String| async move {
        let wire = network_wire()(InstanceId(Uuid::new_v4()), &base, None).unwrap();
        let path = "/keys/x".to_owned();
        let request =
            crate::WireRequest { method: "GET", path, token: Some("secret".into()), content_type: "", body: bytes::Bytes::new() };
        wire.request(request).await
    };
    let redirect = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n";
    let (base, head) = answer_once(redirect.into()).await;
    let reply = ask(base).await.unwrap();
    assert_eq!((reply.status, reply.retry_after_s), (302, Some(2)));
    assert!(head.await.unwrap().contains("authorization: bearer secret"));

    let mut flood = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    flood.resize(LARGEST_BODY + 4096, b'x');
    let (base, _) = answer_once(flood).await;
    assert_eq!(ask(base).await, Err(crate::WireError::TooLarge(LARGEST_BODY)));
}

#[tokio::test]
async fn a_refused_chat_channel_carries_the_gateways_problem() {
    let response = "HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n{}";
    let (base, _) = answer_once(response.into()).await;
    let wire = network_wire()(InstanceId(Uuid::new_v4()), &base, None).unwrap();
    match wire.chat("token").await {
        Err(crate::WireError::Refused(reply)) => assert_eq!((reply.status, reply.retry_after_s), (503, Some(1))),
        other => panic!("{other:?}"),
    }
    for address in ["memory:", "https://", "ftp://x", ""] {
        let wire = network_wire()(InstanceId(Uuid::new_v4()), address, None);
        assert!(matches!(wire.map(drop), Err(crate::WireError::Address(_))), "{address}");
    }
}
