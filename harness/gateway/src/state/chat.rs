//! The chat channel: stanzas in both directions.

use super::disturbance::Endpoint;
use super::effect::{ChannelId, Effect, HttpReply, bounded};
use super::gateway::{Gateway, NOT_ENLISTED, StoredStanza, disturbed};
use super::limits::{MOST_STANZA_BYTES, MOST_STANZAS};
use super::mailbox::Acked;
use super::transit::Transit;
use countersign_contract::portable::{LARGEST_STANZA, ReceiptType, Stanza};
use countersign_contract::{Problem, Reason, StanzaId, UserId};
use serde::Deserialize;
use std::str::FromStr as _;
use std::sync::Arc;

/// Where a stanza comes from, and so where its answer goes.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    Candidate(UserId, ChannelId),
    Reference(UserId),
}

impl Origin {
    pub(crate) const fn user(self) -> UserId {
        match self {
            Self::Candidate(user, _) | Self::Reference(user) => user,
        }
    }

    pub(crate) fn answer(self, stanza: Stanza) -> Effect {
        match self {
            Self::Candidate(_, channel) => Effect::Frame { channel, text: stanza.to_json() },
            Self::Reference(user) => Effect::ToReference { user, stanza },
        }
    }
}

/// A stanza that is not taken: why, under which id, and whether the sender broke the binding by sending it.
pub(crate) struct Refusal {
    id: StanzaId,
    problem: Problem,
    invalid: bool,
}

impl Refusal {
    pub(crate) fn invalid(id: StanzaId, reason: Reason, detail: impl AsRef<str>) -> Self {
        Self { id, problem: Problem::new(reason, bounded(detail.as_ref())), invalid: true }
    }

    pub(crate) fn plain(id: StanzaId, reason: Reason, detail: &str) -> Self {
        Self { id, problem: Problem::new(reason, detail), invalid: false }
    }
}

/// Just enough of a stanza to name it in a refusal.
#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Gateway {
    /// A client asks for its chat channel. It gets all that waits in its mailbox, in order; a channel that was open ends first.
    ///
    /// # Errors
    /// The answer to give in place of a channel: `unauthorized` if the token is absent, wrong, replaced, or a reference user's;
    /// `not-enlisted` if its user is not enlisted any more; `internal` if the caller used this channel number before.
    pub fn chat_opened(&mut self, channel: ChannelId, token: Option<&str>) -> Result<Vec<Effect>, HttpReply> {
        if self.last_channel.is_some_and(|last| channel <= last) {
            return Err(HttpReply::refuse(Reason::Internal, "channel numbers must rise"));
        }
        let name = token.and_then(|t| self.tokens.get(t)).copied().filter(|user| !self.references.contains_key(user));
        let Some((name, user)) = name.and_then(|name| Some((name, self.users.get_mut(&name)?))) else {
            return Err(match token {
                Some(token) if self.is_un_enlisted(token) => HttpReply::refuse(Reason::NotEnlisted, NOT_ENLISTED),
                _ => HttpReply::refuse(Reason::Unauthorized, "no valid token"),
            });
        };
        self.last_channel = Some(channel);
        let mut out = Vec::new();
        if let Some(old) = user.channel.replace(channel) {
            self.channels.remove(&old);
            out.push(Effect::CloseChannel { channel: old });
        }
        user.seen_ms = self.now_ms;
        self.channels.insert(channel, name);
        let waiting = user.mailbox.give_all();
        out.extend(waiting.iter().map(|stanza| Effect::Frame { channel, text: stanza.to_json() }));
        Ok(out)
    }

    /// A frame of a client. A frame on a channel that ended is lost, as one that was under way when the channel ended.
    pub fn frame(&mut self, channel: ChannelId, text: &[u8]) -> Vec<Effect> {
        let Some(user) = self.channels.get(&channel).copied() else { return Vec::new() };
        self.arrive(Origin::Candidate(user, channel), text)
    }

    /// A client's channel is gone. What was not acknowledged stays in the mailbox.
    pub fn chat_closed(&mut self, channel: ChannelId) -> Vec<Effect> {
        if let Some(user) = self.channels.remove(&channel).and_then(|name| self.users.get_mut(&name)) {
            user.channel = None;
            user.seen_ms = self.now_ms;
        }
        Vec::new()
    }

    /// A stanza of a reference user. It passes through the same codec and the same checks as one of the candidate; the answer
    /// (`accepted` or `refused`) comes as [`Effect::ToReference`].
    pub fn reference_stanza(&mut self, from: UserId, stanza: &Stanza) -> Vec<Effect> {
        if !self.references.contains_key(&from) || !self.users.contains_key(&from) {
            return vec![Effect::Invalid {
                what: format!("stanza {}", stanza.id()),
                detail: format!("{from} is no enlisted reference user"),
            }];
        }
        self.arrive(Origin::Reference(from), stanza.to_json().as_bytes())
    }

    fn arrive(&mut self, origin: Origin, text: &[u8]) -> Vec<Effect> {
        let mut out = Vec::new();
        if let Err(refusal) = self.accept(origin, text, &mut out) {
            let Refusal { id, problem, invalid } = refusal;
            if invalid {
                out.push(Effect::Invalid { what: format!("stanza {id}"), detail: problem.detail.clone() });
            }
            out.push(origin.answer(Stanza::Refused { id, problem }));
        }
        out
    }

    fn accept(&mut self, origin: Origin, text: &[u8], out: &mut Vec<Effect>) -> Result<(), Refusal> {
        match read(text)? {
            Stanza::Ack { id } => self.acknowledge(origin, id),
            Stanza::Message { id, to, from, r#type, body } => {
                let to = addressed(id, to, from)?;
                let stanza = Stanza::Message { id, to: None, from: Some(origin.user()), r#type, body };
                self.take_in(origin, to, stanza, text.len(), out)
            }
            // Whoever sent it is not told on: that is what the client seals for.
            Stanza::SealedMessage { id, to, body } => {
                let to = addressed(id, to, None)?;
                self.take_in(origin, to, Stanza::SealedMessage { id, to: None, body }, text.len(), out)
            }
            Stanza::Receipt { id, to, from, r#type, of, count } => {
                let to = addressed(id, to, from)?;
                match (r#type, count) {
                    (ReceiptType::Retry, None | Some(0)) => {
                        return Err(Refusal::invalid(id, Reason::Malformed, "a retry receipt counts from 1"));
                    }
                    (ReceiptType::Delivered, Some(_)) => {
                        return Err(Refusal::invalid(id, Reason::Malformed, "only retry receipts have a count"));
                    }
                    _ => {}
                }
                let stanza = Stanza::Receipt { id, to: None, from: Some(origin.user()), r#type, of, count };
                self.take_in(origin, to, stanza, text.len(), out)
            }
            Stanza::GroupMessage { id, group, version, from, body } => {
                if from.is_some() {
                    return Err(Refusal::invalid(id, Reason::Malformed, "`from` is for the gateway to set"));
                }
                let stanza = Stanza::GroupMessage { id, group, version: None, from: Some(origin.user()), body };
                self.take_in_group(origin, stanza, version, text.len(), out)
            }
            Stanza::Group { id, .. } | Stanza::Accepted { id } | Stanza::Refused { id, .. } | Stanza::KeysLow { id, .. } => {
                Err(Refusal::invalid(id, Reason::Malformed, "only the gateway sends stanzas of this kind"))
            }
        }
    }

    fn acknowledge(&mut self, origin: Origin, id: StanzaId) -> Result<(), Refusal> {
        match self.users.get_mut(&origin.user()).map(|user| user.mailbox.ack(id)) {
            Some(Acked::Removed | Acked::Again) => Ok(()),
            Some(Acked::Unknown) | None => {
                Err(Refusal::invalid(id, Reason::Malformed, "acknowledges a stanza that was not delivered"))
            }
        }
    }

    /// Takes a stanza in, tells the sender, and sends it on its way.
    fn take_in(&mut self, origin: Origin, to: UserId, stanza: Stanza, size: usize, out: &mut Vec<Effect>) -> Result<(), Refusal> {
        let id = stanza.id();
        self.admit(origin, id, size, out)?;
        let Some(recipient) = self.users.get(&to) else {
            // The same answer for a name that never was, was deleted, or was un-enlisted (META-05).
            return Err(Refusal::plain(id, Reason::UnknownUser, "no such user"));
        };
        if recipient.mailbox.is_full() {
            return Err(Refusal::plain(id, Reason::Busy, "the recipient's mailbox is full"));
        }
        self.stanza_bytes += size;
        let mut rest = self.armed.take(&stanza);
        let sealed = matches!(stanza, Stanza::SealedMessage { .. });
        if sealed || matches!(stanza, Stanza::Message { .. }) {
            rest.extend(self.armed.take_next(origin.user(), to));
        }
        let stanza = Arc::new(stanza);
        let stored =
            StoredStanza { from: Some(origin.user()), to, also: Vec::new(), stanza: Arc::clone(&stanza), at_ms: self.now_ms };
        self.stanzas.insert(id, stored);
        out.push(origin.answer(Stanza::Accepted { id }));
        if !sealed && self.users.get(&to).is_some_and(|user| user.blocked.contains(&origin.user())) {
            // The sender is told nothing. What is under way already is not looked at again: its receiver has to.
            out.push(disturbed(id, "not delivered: its recipient has blocked its sender"));
            return Ok(());
        }
        self.proceed(Transit { to, stanza, rest }, out);
        Ok(())
    }

    /// Whether a new stanza of this id and size can be taken in at all.
    pub(crate) fn admit(&mut self, origin: Origin, id: StanzaId, size: usize, out: &mut Vec<Effect>) -> Result<(), Refusal> {
        if id.0.is_nil() {
            return Err(Refusal::invalid(id, Reason::Malformed, "the nil UUID names no stanza"));
        }
        if self.stanzas.contains_key(&id) {
            return Err(Refusal::invalid(id, Reason::Malformed, "this stanza id was used before"));
        }
        if matches!(origin, Origin::Candidate(..))
            && let Some(fault) = self.armed.fault(Endpoint::Stanza)
        {
            // The id stays unused: the sender is to send the very same stanza again.
            out.push(Effect::Disturbed { stanza: Some(id), how: format!("refused with {}", fault.reason()) });
            return Err(Refusal::plain(id, fault.reason(), "try again"));
        }
        if self.stanzas.len() >= MOST_STANZAS || self.stanza_bytes.saturating_add(size) > MOST_STANZA_BYTES {
            return Err(Refusal::invalid(id, Reason::TooLarge, "this instance takes no more stanzas"));
        }
        Ok(())
    }
}

fn read(text: &[u8]) -> Result<Stanza, Refusal> {
    let nil = StanzaId(uuid::Uuid::nil());
    if text.len() > LARGEST_STANZA {
        return Err(Refusal::invalid(
            nil,
            Reason::TooLarge,
            format!("a stanza of {} bytes; {LARGEST_STANZA} at most", text.len()),
        ));
    }
    let text = std::str::from_utf8(text).map_err(|e| Refusal::invalid(nil, Reason::Malformed, format!("not UTF-8: {e}")))?;
    Stanza::from_json(text).map_err(|e| {
        let named = serde_json::from_str::<Named>(text).ok().and_then(|n| StanzaId::from_str(&n.id).ok());
        Refusal::invalid(named.unwrap_or(nil), Reason::Malformed, format!("not a stanza: {e}"))
    })
}

fn addressed(id: StanzaId, to: Option<UserId>, from: Option<UserId>) -> Result<UserId, Refusal> {
    if from.is_some() {
        return Err(Refusal::invalid(id, Reason::Malformed, "`from` is for the gateway to set"));
    }
    to.ok_or_else(|| Refusal::invalid(id, Reason::Malformed, "`to` is missing"))
}
