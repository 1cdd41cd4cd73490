//! What arrives on a user's chat channel: one stanza after another, each acknowledged when it is processed, whatever came of it.

use super::{lock, User};
use crate::content::{self, Attachment, Body};
use crate::contract::{decode, is_uuid, malformed, new_id, Outcome, Problem};
use crate::gateway::ChatWriter;
use crate::media::{self, Sealed};
use crate::signal_library::Encrypted;
use serde_json::{json, Value};
use std::sync::{Arc, PoisonError};

impl User {
    pub(super) fn process_stanzas(self: Arc<Self>, channel: &Arc<ChatWriter>) {
        loop {
            let stanza = {
                let current = |state: &super::State| state.channel.as_ref().is_some_and(|current| Arc::ptr_eq(current, channel));
                let mut state = self
                    .shared
                    .changed
                    .wait_while(lock(&self.shared.state), |state| current(state) && state.queue.is_empty())
                    .unwrap_or_else(PoisonError::into_inner);
                if !current(&state) {
                    return;
                }
                state.busy = true;
                state.queue.pop_front().unwrap_or_default()
            };
            let id = stanza["id"].as_str().unwrap_or_default().to_lowercase();
            let known = lock(&self.shared.state).unacknowledged.contains(&id);
            if !known {
                if let Err(problem) = self.process(&stanza, &id) {
                    self.shared.event(json!({ "kind": "refused", "stanza": id, "reason": problem.reason }));
                }
            }
            let said = self.write(&json!({ "kind": "ack", "id": id }));
            let mut state = lock(&self.shared.state);
            if said {
                state.unacknowledged.remove(&id);
            } else {
                state.unacknowledged.insert(id.clone());
            }
            state.processed.insert(id);
            state.busy = false;
            self.shared.changed.notify_all();
        }
    }

    fn process(self: &Arc<Self>, stanza: &Value, id: &str) -> Outcome<()> {
        let name = |member: &str| stanza[member].as_str().filter(|name| is_uuid(name)).map(str::to_lowercase).ok_or_else(|| malformed("not a stanza"));
        match (stanza["kind"].as_str(), stanza["type"].as_str()) {
            (Some("keys-low"), _) => self.rotate(false, false, self.batch),
            (Some("message"), Some(kind @ ("prekey" | "normal"))) => {
                let body = decode(stanza["body"].as_str().ok_or_else(|| malformed("a message without a body"))?)?;
                self.message(id, &name("from")?, &Encrypted { prekey: kind == "prekey", body })
            }
            (Some("receipt"), Some(kind)) => self.receipt(&name("from")?, kind, &name("of")?),
            (Some("message" | "receipt"), _) => Err(malformed("not a stanza")),
            // Of a newer gateway: acknowledged, and otherwise without effect.
            _ => Ok(()),
        }
    }

    fn message(self: &Arc<Self>, id: &str, from: &str, message: &Encrypted) -> Outcome<()> {
        if lock(&self.shared.state).decrypted.contains(id) {
            return Err(Problem::new("duplicate", "this stanza was delivered before"));
        }
        let decrypted = lock(&self.signal).decrypt(from, message);
        let plaintext = match decrypted {
            Ok(plaintext) => plaintext,
            Err(problem) => {
                if super::ASKED_AGAIN.contains(&problem.reason.as_str()) {
                    self.ask_again(id, from)?;
                }
                return Err(problem);
            }
        };
        lock(&self.shared.state).decrypted.insert(id.to_owned());
        let (message, body) = content::read(&plaintext)?;
        let shown = (from.to_owned(), message.clone());
        if lock(&self.shared.state).shown.contains(&shown) {
            return Err(Problem::new("duplicate", "this message was shown before"));
        }
        let content = match body {
            Body::Shown(content) => content,
            Body::File(file) => self.file(file)?,
        };
        lock(&self.shared.state).shown.insert(shown);
        self.shared.event(json!({ "kind": "message", "message": message, "from": from, "content": content }));
        self.answer(json!({ "kind": "receipt", "id": new_id(), "type": "delivered", "to": from, "of": id }))
    }

    fn ask_again(self: &Arc<Self>, id: &str, from: &str) -> Outcome<()> {
        let count = {
            let mut state = lock(&self.shared.state);
            let count = state.asked.entry(id.to_owned()).or_default();
            *count += 1;
            *count
        };
        if count == 1 {
            self.shared.notice("undecryptable", from);
        }
        if count > super::MOST_RETRIES {
            return Ok(());
        }
        self.answer(json!({ "kind": "receipt", "id": new_id(), "type": "retry", "to": from, "of": id, "count": count }))
    }

    fn answer(self: &Arc<Self>, receipt: Value) -> Outcome<()> {
        let submitted = self.submit(receipt, true)?;
        self.follow(submitted);
        Ok(())
    }

    fn file(&self, file: Attachment) -> Outcome<Value> {
        let blob = self.instance.gateway.download("media", &file.url, &self.token)?;
        let sealed = Sealed { blob, key: file.key.clone(), digest: file.digest.clone() };
        let plaintext = media::open(&file.kind, &sealed, file.length)?;
        Ok(file.seen(&media::sha256(&plaintext)?))
    }

    fn receipt(self: &Arc<Self>, from: &str, kind: &str, of: &str) -> Outcome<()> {
        // About a message that this user did not send to that peer: nothing to show, and nothing to send.
        let Some(message) = lock(&self.shared.state).sent.get(of).filter(|message| message.to == from).cloned() else { return Ok(()) };
        if kind == "retry" {
            return self.resend(&message);
        }
        if kind == "delivered" && !std::mem::replace(&mut lock(&message.progress).1, true) {
            self.shared.event(json!({ "kind": "receipt", "from": from, "of": [message.id] }));
        }
        Ok(())
    }
}
