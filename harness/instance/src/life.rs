//! The life of users and sessions: a candidate's user created anew, many messages, requests without end, and a newer gateway.

use crate::Instance;
use crate::script::Action;
use countersign_contract::Call;
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_scenarios::language::{AskAgain, ContentSpec, Many, Send, UnknownStanza};
use serde_json::json;

impl Instance {
    /// The candidate creates a user anew, and brings it online.
    pub(crate) fn reinstall_candidate(&mut self, name: &str) {
        let Some(member) = self.members.get_mut(name) else { return };
        // A new client, with a new log; what went to the old one is not settled any more.
        (member.cursor, member.delivered, member.settled, member.deleted) = (0, None, None, false);
        let (cast, user) = (member.cast.clone(), member.user);
        let create = self.creation(&cast, user);
        self.actions.push_back(Action::Call(Call::CreateUser(create)));
        self.actions.push_back(Action::Connect(name.to_owned()));
    }

    /// Sends all of them.
    pub(crate) fn many(&mut self, many: &Many) {
        for number in 1..=many.messages {
            let content = ContentSpec::Text(format!("message {number}"));
            let plain = Send::plain(&many.from, &many.to, format!("{}{number}", many.name), content);
            self.send(&Send { network: many.network.clone(), fresh_session: many.fresh_session, ..plain });
        }
    }

    /// Asks for one message again and again, counting as a receiver does.
    pub(crate) fn ask_again_often(&mut self, ask: &AskAgain) {
        let found = (self.user(&ask.from), self.user(&ask.to), self.names.get(&ask.of).copied());
        let (Some(from), Some(to), Some(of)) = found else { return self.skip(format!("the message {}", ask.of)) };
        for count in 1..=ask.times {
            let id = self.fresh_id();
            self.name(format!("{}/retry", ask.of), id);
            let retry = Stanza::Receipt { id, to: Some(to), from: None, r#type: ReceiptType::Retry, of, count: Some(count) };
            self.reference_sends_stanza(from, &retry);
        }
    }

    /// The gateway sends a stanza of a kind that does not exist yet.
    pub(crate) fn say_unknown(&mut self, step: &UnknownStanza) {
        let Some(to) = self.user(&step.to) else { return self.skip(format!("the user {}", step.to)) };
        let id = self.fresh_id();
        self.name(step.name.clone(), id);
        let text = json!({ "kind": "announcement", "id": id, "text": "something new" }).to_string();
        let effects = self.gateway.say(to, id, text);
        self.apply(effects);
    }
}
