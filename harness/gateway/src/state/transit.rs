//! Stanzas between their acceptance and their delivery: where the disturbance takes place.

use super::disturbance::Rule;
use super::effect::Effect;
use super::gateway::{Gateway, StoredStanza, disturbed};
use super::limits::MOST_REPEATS;
use countersign_contract::portable::Stanza;
use countersign_contract::{StanzaId, UserId};
use std::collections::VecDeque;
use std::sync::Arc;

/// A stanza that is under way, and what is still to happen to it.
#[derive(Clone)]
pub(crate) struct Transit {
    pub(crate) to: UserId,
    pub(crate) stanza: Arc<Stanza>,
    pub(crate) rest: VecDeque<Rule>,
}

impl Gateway {
    /// Lets a held, delayed or bent stanza go on as it is. What was armed for it after the rule that held it takes effect now.
    pub fn release(&mut self, stanza: StanzaId) -> Vec<Effect> {
        let mut out = Vec::new();
        let copies = self.transit.keys().filter(|(id, _)| *id == stanza).count().max(1);
        for _ in 0..copies {
            match self.take_held(stanza, "released") {
                Ok((transit, effect)) => {
                    out.push(effect);
                    self.proceed(transit, &mut out);
                }
                Err(nothing) => out.push(nothing),
            }
        }
        out
    }

    /// Forgets a held, delayed or bent stanza: it never arrives.
    pub fn drop_held(&mut self, stanza: StanzaId) -> Vec<Effect> {
        let copies = self.transit.keys().filter(|(id, _)| *id == stanza).count().max(1);
        let taken = (0..copies).map(|_| self.take_held(stanza, "dropped"));
        taken.map(|taken| taken.map_or_else(|nothing| nothing, |(_, effect)| effect)).collect()
    }

    /// Lets a stanza of [`Rule::Bend`] go on with another body.
    pub fn release_bent(&mut self, stanza: StanzaId, body: Vec<u8>) -> Vec<Effect> {
        self.take_held(stanza, "tampered with, and released").map_or_else(
            |nothing| vec![nothing],
            |(mut transit, effect)| {
                let mut out = vec![effect];
                transit.stanza = with_body(&transit.stanza, body);
                self.proceed(transit, &mut out);
                out
            },
        )
    }

    /// Delivers a stanza of before once more, as it first arrived, under its own or a new id. No rule applies to it.
    pub fn redeliver(&mut self, stanza: StanzaId, under: Option<StanzaId>) -> Vec<Effect> {
        let Some(stored) = self.stanzas.get(&stanza).cloned() else {
            return vec![disturbed(stanza, "cannot be delivered again: never seen")];
        };
        let (copy, how) = match under {
            None => (stored.stanza, "delivered again".to_owned()),
            Some(new) => (with_id(&stored.stanza, new), format!("delivered again as {new}")),
        };
        let mut out = vec![disturbed(stanza, how)];
        for to in std::iter::once(stored.to).chain(stored.also) {
            self.pass_in(to, stored.from, Arc::clone(&copy), &mut out);
        }
        out
    }

    /// Delivers anything to anybody: `stanza` has `from` set as the recipient is to see it. No rule applies to it.
    pub fn inject(&mut self, to: UserId, stanza: Stanza) -> Vec<Effect> {
        let from = match &stanza {
            Stanza::Message { from, .. } | Stanza::Receipt { from, .. } | Stanza::GroupMessage { from, .. } => *from,
            _ => None,
        };
        let mut out = vec![disturbed(stanza.id(), format!("injected for {to}"))];
        self.pass_in(to, from, Arc::new(stanza), &mut out);
        out
    }

    /// Delivers a stanza that no sender just sent. Its id counts as used from now on.
    fn pass_in(&mut self, to: UserId, from: Option<UserId>, stanza: Arc<Stanza>, out: &mut Vec<Effect>) {
        let at_ms = self.now_ms;
        self.stanzas.entry(stanza.id()).or_insert_with(|| StoredStanza {
            from,
            to,
            also: Vec::new(),
            stanza: Arc::clone(&stanza),
            at_ms,
        });
        self.hand_over(to, &stanza, out);
    }

    fn take_held(&mut self, stanza: StanzaId, how: &str) -> Result<(Transit, Effect), Effect> {
        // Copies of a group message go on in the order of their recipients, which is that in which they were held.
        let held = self.transit.keys().find(|(id, _)| *id == stanza).copied();
        match held.and_then(|key| self.transit.remove(&key)) {
            Some(transit) => Ok((transit, disturbed(stanza, how))),
            None => Err(disturbed(stanza, format!("cannot be {how}: not held"))),
        }
    }

    /// Carries a stanza on, rule by rule.
    pub(crate) fn proceed(&mut self, mut transit: Transit, out: &mut Vec<Effect>) {
        let id = transit.stanza.id();
        let mut copies: u32 = 0;
        while let Some(rule) = transit.rest.pop_front() {
            match rule {
                Rule::Hold | Rule::Delay => {
                    out.push(disturbed(id, if rule == Rule::Hold { "held" } else { "delayed" }));
                    return self.keep(transit, copies);
                }
                Rule::Drop => return out.push(disturbed(id, "dropped")),
                Rule::Repeat(more) => {
                    let more = more.min(MOST_REPEATS);
                    copies = copies.saturating_add(more).min(MOST_REPEATS);
                    out.push(disturbed(id, format!("repeated {more} times")));
                }
                Rule::FlipByte { offset, bit } => {
                    let how = match flipped(&transit.stanza, offset, bit) {
                        Some(stanza) => {
                            transit.stanza = stanza;
                            format!("bit {} of byte {offset} flipped", bit & 7)
                        }
                        None => format!("there is no byte {offset} to flip"),
                    };
                    out.push(disturbed(id, how));
                }
                Rule::Replace { body } => {
                    transit.stanza = with_body(&transit.stanza, body);
                    out.push(disturbed(id, "body replaced"));
                }
                Rule::Redirect(other) => {
                    transit.to = other;
                    out.push(disturbed(id, format!("delivered to {other} in place of its recipient")));
                }
                Rule::Bend => {
                    let (body, r#type) = match transit.stanza.as_ref() {
                        Stanza::Message { body, r#type, .. } => (body, Some(*r#type)),
                        Stanza::GroupMessage { body, .. } | Stanza::SealedMessage { body, .. } => (body, None),
                        _ => {
                            out.push(disturbed(id, "has no body to tamper with"));
                            continue;
                        }
                    };
                    out.push(disturbed(id, "held to be tampered with"));
                    out.push(Effect::Bend { stanza: id, body: body.0.clone(), r#type });
                    return self.keep(transit, copies);
                }
            }
        }
        for _ in 0..=copies {
            self.hand_over(transit.to, &transit.stanza, out);
        }
    }

    fn keep(&mut self, mut transit: Transit, copies: u32) {
        if copies > 0 {
            transit.rest.push_back(Rule::Repeat(copies));
        }
        self.transit.insert((transit.stanza.id(), transit.to), transit);
    }

    fn hand_over(&mut self, to: UserId, stanza: &Arc<Stanza>, out: &mut Vec<Effect>) {
        if !self.deliver(to, stanza, out) {
            out.push(disturbed(stanza.id(), "lost: its recipient is not enlisted, or the mailbox is full"));
        }
    }
}

fn with_id(stanza: &Stanza, new: StanzaId) -> Arc<Stanza> {
    let mut copy = stanza.clone();
    match &mut copy {
        Stanza::Message { id, .. }
        | Stanza::SealedMessage { id, .. }
        | Stanza::Receipt { id, .. }
        | Stanza::GroupMessage { id, .. }
        | Stanza::Group { id, .. }
        | Stanza::Ack { id }
        | Stanza::Accepted { id }
        | Stanza::Refused { id, .. }
        | Stanza::KeysLow { id, .. } => *id = new,
    }
    Arc::new(copy)
}

fn with_body(stanza: &Stanza, new: Vec<u8>) -> Arc<Stanza> {
    let mut copy = stanza.clone();
    if let Stanza::Message { body, .. } | Stanza::SealedMessage { body, .. } | Stanza::GroupMessage { body, .. } = &mut copy {
        *body = new.into();
    }
    Arc::new(copy)
}

fn flipped(stanza: &Stanza, offset: usize, bit: u8) -> Option<Arc<Stanza>> {
    let (Stanza::Message { body, .. } | Stanza::SealedMessage { body, .. } | Stanza::GroupMessage { body, .. }) = stanza else {
        return None;
    };
    let mut bytes = body.0.clone();
    *bytes.get_mut(offset)? ^= 1 << (bit & 7);
    Some(with_body(stanza, bytes))
}
