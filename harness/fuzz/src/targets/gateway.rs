//! The gateway: whatever a candidate's client sends, it answers, and what it sends is a stanza.

use countersign_contract::UserId;
use countersign_contract::claims::Suite;
use countersign_contract::portable::{Enlisted, Stanza};
use countersign_gateway::{Effect, Gateway, HttpReply, HttpRequest};
use uuid::Uuid;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
/// Most steps of one input.
const MOST_STEPS: usize = 64;

/// Each line is a step: a frame, or a request as `METHOD PATH BODY`. Two users of the candidate and one of ours are known.
pub(super) fn gateway(input: &[u8]) {
    let mut gateway = Gateway::new([7; 32], Suite::SignalPq);
    gateway.register_reference(UserId(Uuid::from_u128(0xAAAA_0003)));
    let mut token: Option<String> = None;
    let mut channel = 0;
    for (number, line) in (1..).zip(input.split(|byte| *byte == b'\n').take(MOST_STEPS)) {
        let text = String::from_utf8_lossy(line);
        let mut words = text.splitn(3, ' ');
        let effects = match (words.next(), words.next()) {
            (Some(method), Some(path)) if METHODS.contains(&method) => {
                let body = words.next().unwrap_or_default().as_bytes().to_vec().into();
                let (method, path) = (method.to_owned(), path.to_owned());
                let effects = gateway.http(number, HttpRequest { method, path, token: token.clone(), body });
                let reply = only_reply(&effects);
                if let Ok(enlisted) = serde_json::from_slice::<Enlisted>(&reply.body) {
                    token = Some(enlisted.token);
                }
                effects
            }
            (Some("open"), _) => {
                channel += 1;
                gateway.chat_opened(channel, token.as_deref()).unwrap_or_default()
            }
            (Some("close"), _) => gateway.chat_closed(channel),
            (Some("later"), _) => gateway.advance(86_400_000),
            _ => gateway.frame(channel, line),
        };
        for effect in &effects {
            if let Effect::Frame { text, .. } = effect {
                assert!(Stanza::from_gateway(text).is_ok(), "the gateway sent what no client can read: {text}");
            }
        }
    }
}

/// Every request has one answer.
fn only_reply(effects: &[Effect]) -> &HttpReply {
    let mut replies = effects.iter().filter_map(|effect| match effect {
        Effect::Reply { reply, .. } => Some(reply),
        _ => None,
    });
    let reply = replies.next().expect("an answer");
    assert!(replies.next().is_none(), "two answers to one request");
    reply
}
