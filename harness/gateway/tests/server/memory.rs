//! In memory: the same events as over a socket.

use crate::client::INSTANCE;
use countersign_contract::{Problem, Reason};
use countersign_gateway::memory::{MemoryChat, MemoryClient, pair};
use countersign_gateway::server::{ChatSender, InstanceSocket, ServerEvent};
use countersign_gateway::{HttpReply, HttpRequest};

fn request(path: &str, body: Vec<u8>) -> HttpRequest {
    HttpRequest { method: "PUT".into(), path: path.into(), token: Some("t0k".into()), body: body.into() }
}

fn reason(reply: &HttpReply) -> Reason {
    serde_json::from_slice::<Problem>(&reply.body).unwrap().reason
}

#[tokio::test]
async fn a_request_and_its_answer() {
    let (client, mut socket) = pair(INSTANCE);
    let answered = crate::client::answer(&mut socket, "{}");
    let (reply, seen) = tokio::join!(client.request(request("/keys?x", b"body".to_vec())), answered);
    assert_eq!(reply, crate::client::reply("{}"));
    assert_eq!(seen, request("/keys", b"body".to_vec()));
}

#[tokio::test]
async fn an_instance_that_is_gone_says_so() {
    let (client, socket) = pair(INSTANCE);
    drop(socket);
    assert_eq!(reason(&client.request(request("/keys", vec![])).await), Reason::UnknownInstance);
    assert_eq!(reason(&client.chat(None).await.unwrap_err()), Reason::UnknownInstance);
}

#[tokio::test]
async fn bodies_are_limited_as_on_a_socket() {
    let (client, mut socket) = pair(INSTANCE);
    let (reply, seen) = tokio::join!(client.request(request("/keys", vec![0; 1024 * 1024 + 1])), socket.events.recv());
    assert_eq!(reason(&reply), Reason::TooLarge);
    assert!(matches!(seen, Some(ServerEvent::Refused { .. })));
}

type Opened = (Result<MemoryChat, HttpReply>, ChatSender, u64);

async fn open(client: &MemoryClient, socket: &mut InstanceSocket, answer: Result<(), HttpReply>) -> Opened {
    let accepting = async {
        let Some(ServerEvent::ChatOpened { token, channel_key, frames, accept }) = socket.events.recv().await else { panic!() };
        assert_eq!(token.as_deref(), Some("t0k"));
        accept.send(answer).unwrap();
        (frames, channel_key)
    };
    let (opened, (frames, key)) = tokio::join!(client.chat(Some("t0k")), accepting);
    (opened, frames, key)
}

#[tokio::test]
async fn frames_pass_both_ways_and_what_was_sent_arrives_before_the_end() {
    let (client, mut socket) = pair(INSTANCE);
    let (chat, frames, key) = open(&client, &mut socket, Ok(())).await;
    let (up, mut down) = chat.unwrap();
    frames.send("down".into()).unwrap();
    assert_eq!(down.recv().await.as_deref(), Some("down"));
    up.send("one".into()).await.unwrap();
    up.send("two".into()).await.unwrap();
    drop((up, down));
    for expected in ["one", "two"] {
        assert!(
            matches!(socket.events.recv().await, Some(ServerEvent::ChatFrame { channel_key, text }) if channel_key == key && text == expected.as_bytes())
        );
    }
    assert!(matches!(socket.events.recv().await, Some(ServerEvent::ChatClosed { channel_key }) if channel_key == key));
}

#[tokio::test]
async fn the_gateway_ends_a_channel_or_refuses_it() {
    let (client, mut socket) = pair(INSTANCE);
    let (chat, frames, first) = open(&client, &mut socket, Ok(())).await;
    let (_up, mut down) = chat.unwrap();
    frames.send("last".into()).unwrap();
    drop(frames);
    assert_eq!(down.recv().await.as_deref(), Some("last"));
    assert_eq!(down.recv().await, None);
    assert!(matches!(socket.events.recv().await, Some(ServerEvent::ChatClosed { .. })));
    let (refused, _, second) = open(&client, &mut socket, Err(HttpReply::refuse(Reason::Unauthorized, ""))).await;
    assert_eq!(reason(&refused.unwrap_err()), Reason::Unauthorized);
    assert_ne!(first, second);
}
