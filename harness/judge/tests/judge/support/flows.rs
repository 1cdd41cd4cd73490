//! What happens in most scenarios: messages in both directions, with all that follows from them.

use super::{World, bytes, id, text, user};
use countersign_contract::portable::{MessageType, ReceiptType, Stanza};
use countersign_contract::seen::UserContent;
use countersign_contract::{Bytes, Reason};
use countersign_trace::{Event, Observation, Outcome};
use serde_json::{Value, json};

pub(crate) fn message(name: &str, from: Option<&str>, to: Option<&str>, body: Vec<u8>) -> Stanza {
    Stanza::Message { id: id(name), from: from.map(user), to: to.map(user), r#type: MessageType::Normal, body: Bytes(body) }
}

pub(crate) fn receipt(of: &str, kind: ReceiptType, from: Option<&str>, to: Option<&str>) -> Stanza {
    let (word, count) = match kind {
        ReceiptType::Delivered => ("receipt", None),
        ReceiptType::Retry => ("retry", Some(1)),
    };
    Stanza::Receipt { id: id(&format!("{of}/{word}")), from: from.map(user), to: to.map(user), r#type: kind, of: id(of), count }
}

pub(crate) fn says(name: &str) -> String {
    format!("the words of {name}, long enough to be looked for")
}

pub(crate) fn content(name: &str) -> UserContent {
    UserContent::Text { text: says(name) }
}

pub(crate) fn shown(name: &str, from: &str) -> Value {
    json!({"kind": "message", "message": id(name), "from": user(from), "content": text(&says(name))})
}

pub(crate) fn refused(name: &str, reason: Reason) -> Value {
    json!({"kind": "refused", "stanza": id(name), "reason": reason})
}

impl World {
    /// A reference user makes a message and hands it to the gateway.
    pub(crate) fn reference_makes(&mut self, name: &str, from: &str, to: &str) {
        self.named(name);
        self.observed(from, Observation::Canary { text: format!("canary-{}", id(name)) });
        self.observed(from, Observation::Sent { stanza: id(name), to: user(to), content: content(name), media_key: None });
        let body = self.body(message(name, None, Some(to), vec![0x44; 40]).to_json().as_bytes());
        self.log(Event::FromReference { user: user(from), what: "stanza".into(), body });
    }

    /// The gateway delivers a stanza to a candidate's user.
    pub(crate) fn delivers(&mut self, stanza: &str, from: &str, to: &str) {
        self.frame_out(to, &message(stanza, Some(from), None, vec![0x44; 40]));
    }

    pub(crate) fn acks(&mut self, stanza: &str, who: &str) {
        self.frame_in(who, &Stanza::Ack { id: id(stanza) });
    }

    /// The candidate's user is shown a message, sends its receipt, and acknowledges.
    pub(crate) fn shows(&mut self, stanza: &str, message: &str, from: &str, to: &str) {
        self.sees(to, shown(message, from));
        self.receipt_in(stanza, from, to, ReceiptType::Delivered);
        self.acks(stanza, to);
    }

    pub(crate) fn receipt_in(&mut self, of: &str, from: &str, to: &str, kind: ReceiptType) {
        self.frame_in(to, &receipt(of, kind, None, Some(from)));
        let body = receipt(of, kind, Some(to), None);
        let word = if kind == ReceiptType::Retry { "retry" } else { "delivered" };
        self.observed(from, Observation::Receipt { stanza: body.id(), from: user(to), receipt: word.into(), of: id(of) });
    }

    /// The candidate's client refuses a stanza and acknowledges it.
    pub(crate) fn refuses(&mut self, stanza: &str, to: &str, reason: Reason) {
        self.sees(to, refused(stanza, reason));
        self.acks(stanza, to);
    }

    /// From a reference user to the candidate's, shown and asked for.
    pub(crate) fn arrives(&mut self, name: &str, from: &str, to: &str) {
        self.reference_makes(name, from, to);
        self.delivers(name, from, to);
        self.shows(name, name, from, to);
    }

    /// The `send` of a candidate's user, with the frame in between.
    pub(crate) fn candidate_sends(&mut self, name: &str, from: &str, to: &str) {
        self.counter += 1;
        let body = bytes::signal(&format!("{from} ratchet"), self.counter, &bytes::noise(name, 176), Some(1));
        self.candidate_sends_body(name, from, to, body);
    }

    pub(crate) fn send_args(name: &str, from: &str, to: &str) -> Value {
        json!({"user": user(from), "to": user(to), "stanza": id(name), "content": text(&says(name))})
    }

    pub(crate) fn candidate_sends_body(&mut self, name: &str, from: &str, to: &str, body: Vec<u8>) {
        self.named(name);
        let call = self.begin("send", &Self::send_args(name, from, to));
        self.frame_in(from, &message(name, None, Some(to), body));
        self.end(call, Outcome::Ok(json!({})));
    }

    /// A reference user shows a message of the candidate.
    pub(crate) fn reference_shows(&mut self, name: &str, from: &str, to: &str) {
        let body = self.body(message(name, Some(from), None, vec![0x44; 40]).to_json().as_bytes());
        self.log(Event::ToReference { user: user(to), what: "stanza".into(), body });
        self.observed(
            to,
            Observation::Shown {
                stanza: id(name),
                message: id(name),
                from: user(from),
                group: None,
                content: content(name),
                padded: 160,
            },
        );
    }
}
