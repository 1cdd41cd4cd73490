//! What the gateway wants done, and the disturbance between the parties.

use crate::Instance;
use crate::instance::MOST_KEPT;
use crate::plan::Output;
use crate::rewrite::rewritten;
use crate::script::StanzaBend;
use countersign_contract::portable::{MessageType, Prekey, ReceiptType, SignedKey, Stanza};
use countersign_contract::{Bytes, Reason, StanzaId, UserId};
use countersign_gateway::{BundleRule, Downloads, Effect, Endpoint, Fault, MediaBend, MediaRule, Rule};
use countersign_reference::wire;
use countersign_scenarios::language::{self, BundleBend, MediaStep, Misdeliver, Network, WeakKey};
use countersign_trace::event::Event;
use countersign_trace::{Body, Observation};

impl Instance {
    /// Carries out what the gateway wants done, in its order, with all that follows from it.
    pub(crate) fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Reply { request, mut reply, disturbed } => {
                    if disturbed {
                        self.note_fault(request, reply.status);
                    }
                    let disturbed = self.rewrite_bundle(request, &mut reply) || disturbed;
                    let mut file = reply.file.take().and_then(|name| self.files.get(&name).cloned());
                    if let Some(small) = file.take_if(|file| file.length <= MOST_KEPT as u64) {
                        reply.body = small.whole(0).unwrap_or_default().into();
                    }
                    let body = match &file {
                        Some(large) => Body::Stored { sha256: large.sha256, length: large.length },
                        None => self.ours(&mut reply.body),
                    };
                    let (status, content_type) = (reply.status, reply.content_type.to_owned());
                    self.log(Event::Reply { request, status, content_type, body, disturbed });
                    self.outputs.push(Output::Reply { request, reply, file });
                }
                Effect::Frame { channel, text } => {
                    self.note_delivery(channel, &text);
                    let text = if self.extra_members { with_extra_member(&text) } else { text };
                    let text = self.rewrite_stanza(text);
                    let body = Body::new(text.as_bytes(), &mut self.blobs);
                    self.log(Event::Frame { channel, text: body });
                    self.outputs.push(Output::Frame { channel, text });
                }
                Effect::CloseChannel { channel } => {
                    self.log(Event::Close { channel });
                    self.outputs.push(Output::CloseChannel { channel });
                }
                Effect::ToReference { user, stanza } => self.receive(user, stanza),
                Effect::Bend { stanza, body, r#type } => self.bend(stanza, &body, r#type),
                Effect::Disturbed { stanza, how } => self.log(Event::Disturbed { stanza, how }),
                Effect::Invalid { what, detail } => self.observe(None, Observation::Invalid { what, detail }),
            }
        }
    }

    /// A stanza as the scenario has the server write it.
    fn rewrite_stanza(&mut self, text: String) -> String {
        if self.rewrites.is_empty() {
            return text;
        }
        let Ok(stanza) = Stanza::from_json(&text).map(|stanza| stanza.id()) else { return text };
        let Some(rewrites) = self.rewrites.get(&stanza) else { return text };
        match rewritten(&text, rewrites) {
            Some(wrong) => {
                self.log(Event::Disturbed { stanza: Some(stanza), how: "rewritten by the server".to_owned() });
                wrong
            }
            None => {
                self.skip("a member to rewrite");
                text
            }
        }
    }

    /// Writes a bundle as the scenario has the server write it: whether it did.
    fn rewrite_bundle(&mut self, request: u64, reply: &mut countersign_gateway::HttpReply) -> bool {
        if self.bundle_rewrites.is_empty() || reply.status != 200 {
            return false;
        }
        let of = self.trace.iter().rev().find_map(|entry| match &entry.event {
            Event::Input(countersign_trace::event::Input::Request { request: r, method, path, .. }) if *r == request => {
                let of = path.strip_prefix("/keys/").filter(|_| method == "GET").and_then(|of| of.parse::<UserId>().ok());
                Some(of)
            }
            _ => None,
        });
        let Some(rewrites) = of.flatten().and_then(|of| self.bundle_rewrites.remove(&of)) else { return false };
        let wrong = std::str::from_utf8(&reply.body).ok().and_then(|text| rewritten(text, &rewrites));
        match wrong {
            Some(wrong) => {
                reply.body = wrong.into();
                true
            }
            None => {
                self.skip("a member to rewrite");
                false
            }
        }
    }

    /// Remembers the last stanza on a candidate user's channel: that is how far it has to settle.
    fn note_delivery(&mut self, channel: u64, text: &str) {
        let Some(user) = self.gateway.user_of(channel) else { return };
        let Ok(stanza) = Stanza::from_json(text) else { return };
        if let Stanza::Refused { id, problem } = &stanza
            && matches!(problem.reason, Reason::Busy | Reason::GatewayError)
        {
            self.count_fault(|on| on == language::Endpoint::Message, Some(*id));
        }
        if matches!(
            stanza,
            Stanza::Message { .. }
                | Stanza::SealedMessage { .. }
                | Stanza::Receipt { .. }
                | Stanza::GroupMessage { .. }
                | Stanza::Group { .. }
                | Stanza::KeysLow { .. }
        ) && let Some(member) = self.members.values_mut().find(|m| m.user == user)
        {
            member.delivered = Some(stanza.id());
            // The same stanza once more has to be settled once more.
            member.settled = None;
        }
    }

    /// Names a receipt of the candidate after the message that it is about.
    pub(crate) fn name_receipt(&mut self, frame: &[u8]) {
        let Some(Stanza::Receipt { id, r#type, of, .. }) =
            std::str::from_utf8(frame).ok().and_then(|t| Stanza::from_json(t).ok())
        else {
            return;
        };
        if let Some(name) = self.named.get(&of).cloned() {
            self.name(format!("{name}/{}", receipt_name(r#type)), id);
        }
    }

    /// A gateway error that a fault of the scenario caused.
    fn note_fault(&mut self, request: u64, status: u16) {
        if !matches!(status, 502 | 503) {
            return;
        }
        let path = self.trace.iter().rev().find_map(|entry| match &entry.event {
            Event::Input(countersign_trace::event::Input::Request { request: r, method, path, .. }) if *r == request => {
                Some(format!("{method} {path}"))
            }
            _ => None,
        });
        let Some(path) = path else { return };
        let meets = |on: language::Endpoint| match on {
            language::Endpoint::Enlist => path == "POST /enlist",
            language::Endpoint::GetKeys => path.starts_with("GET /keys/"),
            language::Endpoint::PutKeys => path == "PUT /keys",
            language::Endpoint::PutMedia => path == "PUT /media",
            language::Endpoint::GetMedia => path.starts_with("GET /media/"),
            language::Endpoint::Message => false,
        };
        self.count_fault(meets, None);
    }

    pub(crate) fn count_fault(&mut self, meets: impl Fn(language::Endpoint) -> bool, stanza: Option<StanzaId>) {
        if let Some((name, _, attempts)) = self.faults.iter_mut().find(|(_, on, _)| meets(*on)) {
            *attempts += 1;
            let how = format!("fault {name} attempt {attempts}");
            self.log(Event::Disturbed { stanza, how });
        }
    }

    pub(crate) fn arm_fault(&mut self, fault: &language::FaultStep) {
        let on = match fault.on {
            language::Endpoint::Enlist => Endpoint::Enlist,
            language::Endpoint::GetKeys => Endpoint::GetKeys,
            language::Endpoint::PutKeys => Endpoint::PutKeys,
            language::Endpoint::PutMedia => Endpoint::PutMedia,
            language::Endpoint::GetMedia => Endpoint::GetMedia,
            language::Endpoint::Message => Endpoint::Stanza,
        };
        self.faults.push((fault.name.clone(), fault.on, 0));
        self.gateway.arm_fault(Fault { on, status: 503, times: fault.times, retry_after_s: None });
    }

    pub(crate) fn arm_media(&mut self, step: &MediaStep) {
        let bend = match step {
            MediaStep::Flip(at) => MediaBend::Flip(*at),
            MediaStep::Cut(bytes) => MediaBend::Truncate(*bytes as usize),
            MediaStep::Missing => MediaBend::Missing,
            MediaStep::Extend(bytes) => MediaBend::Extend(*bytes as usize),
            MediaStep::BreakOff(broken) => MediaBend::BreakOff(broken.after as usize),
        };
        self.media_armed = Some(0);
        let on = match step {
            MediaStep::BreakOff(broken) => Downloads::First(broken.times.into()),
            _ => Downloads::All,
        };
        self.gateway.arm_media(MediaRule { on, bend });
    }

    /// Arms what the network does with a stanza that is about to be sent.
    pub(crate) fn arm_network(&mut self, stanza: StanzaId, network: &Network) {
        self.arm_network_for(stanza, None, network);
    }

    /// The same for one member's copy of a group message.
    pub(crate) fn arm_network_for(&mut self, stanza: StanzaId, copy_for: Option<UserId>, network: &Network) {
        let arm = |gateway: &mut countersign_gateway::Gateway, rule| match copy_for {
            Some(user) => gateway.arm_copy(stanza, user, rule),
            None => gateway.arm(stanza, rule),
        };
        let rule = match network {
            Network::Hold => Rule::Hold,
            Network::Drop => Rule::Drop,
            Network::Deliver(times) => Rule::Repeat(times.saturating_sub(1)),
            Network::Tamper(field) => {
                self.bends.insert(stanza, StanzaBend::Field(field.clone()));
                Rule::Bend
            }
            Network::Flip(at) => {
                self.bends.insert(stanza, StanzaBend::Flip(*at));
                Rule::Bend
            }
            Network::Cut(length) => {
                self.bends.insert(stanza, StanzaBend::Cut(*length as usize));
                Rule::Bend
            }
            Network::Rewrite(rewrites) => {
                self.rewrites.insert(stanza, rewrites.clone());
                return;
            }
            Network::DamagedEachTime(damage) => {
                arm(&mut self.gateway, Rule::Repeat(damage.times.saturating_sub(1)));
                self.bends.insert(stanza, StanzaBend::Field(damage.field.clone()));
                Rule::Bend
            }
        };
        arm(&mut self.gateway, rule);
    }

    fn bend(&mut self, stanza: StanzaId, body: &[u8], kind: Option<MessageType>) {
        // Each copy of a group message is bent alike.
        let bend = if kind.is_some() { self.bends.remove(&stanza) } else { self.bends.get(&stanza).cloned() };
        let Some(bend) = bend else { return };
        let (bent, how) = match bend {
            StanzaBend::Field(field) => {
                let bent = match kind {
                    Some(kind) => wire::tamper_named(body, kind, &field).map_err(|e| e.to_string()),
                    None => Self::bend_group_message(body, &field),
                };
                (bent, format!("tampered with {field}"))
            }
            StanzaBend::Cut(length) => {
                (Ok::<_, String>(body.get(..length).unwrap_or(body).to_vec()), format!("cut to {length} bytes"))
            }
            StanzaBend::Flip(at) => {
                let mut bent = body.to_vec();
                if let Some(byte) = offset(at, bent.len()).and_then(|i| bent.get_mut(i)) {
                    *byte ^= 1;
                }
                (Ok(bent), format!("flipped a bit at {at}"))
            }
        };
        match bent {
            Ok(bent) => {
                // What changes nothing tests nothing: the judge must not take it for a tampered message.
                if bent == body {
                    self.skip(format!("a message that can be bent ({how} changes nothing)"));
                }
                self.log(Event::Disturbed { stanza: Some(stanza), how });
                let effects = self.gateway.release_bent(stanza, bent);
                self.apply(effects);
            }
            Err(cause) => self.skip(format!("a message that can be bent: {how}: {cause}")),
        }
    }

    pub(crate) fn misdeliver(&mut self, step: &Misdeliver) {
        let found = (self.user(&step.to), self.user(&step.from), self.names.get(&step.stanza).copied());
        let (Some(to), Some(from), Some(original)) = found else { return self.skip(format!("the stanza {}", step.stanza)) };
        let stored = self.gateway.stanza(original).map(|stored| Stanza::clone(&stored.stanza));
        let id = self.fresh_id();
        let copy = match stored {
            Some(Stanza::Message { r#type, body, .. }) => Stanza::Message { id, to: None, from: Some(from), r#type, body },
            // It says nowhere who sent it.
            Some(Stanza::SealedMessage { body, .. }) => Stanza::SealedMessage { id, to: None, body },
            _ => return self.skip(format!("the stanza {}", step.stanza)),
        };
        self.name(step.name.clone(), id);
        self.log(Event::Disturbed {
            stanza: Some(id),
            how: format!("{} delivered to {} as if from {}", step.stanza, step.to, step.from),
        });
        let effects = self.gateway.inject(to, copy);
        self.apply(effects);
    }

    pub(crate) fn arm_bundle(&mut self, step: &language::Bundle) {
        let Some(of) = self.user(&step.of) else { return self.skip(format!("the user {}", step.of)) };
        if let BundleBend::Rewrite(rewrites) = &step.rule {
            self.bundle_rewrites.entry(of).or_default().extend(rewrites.iter().cloned());
            return;
        }
        match self.bundle_rule(&step.of, of, &step.rule) {
            Some(rule) => self.gateway.arm_bundle(of, rule),
            None => self.skip(format!("keys to bend the bundle of {} with", step.of)),
        }
    }

    fn bundle_rule(&mut self, owner: &str, of: UserId, bend: &BundleBend) -> Option<BundleRule> {
        Some(match bend {
            BundleBend::SignedPrekeySignature => BundleRule::FlipSignedSignature,
            BundleBend::KyberPrekeySignature => BundleRule::FlipKyberSignature,
            BundleBend::SignedPrekeyOf(other) => {
                BundleRule::ReplaceSignedPrekey(self.members.get(other)?.reference.as_ref()?.enlistment().signed_prekey)
            }
            BundleBend::KyberPrekeyOf(other) => {
                BundleRule::ReplaceKyber(self.members.get(other)?.reference.as_ref()?.enlistment().kyber_prekey?)
            }
            BundleBend::WeakSignedPrekey(weak) => {
                let key = ec_key(*weak);
                let signature = self.with_reference(owner, |r| r.sign(&key))?;
                let id = self.members.get(owner)?.reference.as_ref()?.enlistment().signed_prekey.id;
                BundleRule::ReplaceSignedPrekey(SignedKey { id, key: Bytes(key), signature: Bytes(signature) })
            }
            BundleBend::WeakOneTimePrekey(weak) => BundleRule::ReplaceOneTime(Some(Prekey { id: 1, key: Bytes(ec_key(*weak)) })),
            BundleBend::WeakIdentity(weak) => BundleRule::ReplaceIdentity(Bytes(ec_key(*weak))),
            BundleBend::ZeroKyberPrekey => {
                let mut key = vec![0; 1569];
                *key.first_mut()? = 0x08;
                let signature = self.with_reference(owner, |r| r.sign(&key))?;
                let id = self.members.get(owner)?.reference.as_ref()?.enlistment().kyber_prekey?.id;
                BundleRule::ReplaceKyber(SignedKey { id, key: Bytes(key), signature: Bytes(signature) })
            }
            BundleBend::NoOneTimePrekey => {
                let _ = of;
                BundleRule::WithoutOneTime
            }
            BundleBend::SameAgain => BundleRule::ServeAgain,
            // No rule of the gateway's: it is done to what it answers.
            BundleBend::Rewrite(_) => return None,
        })
    }
}

pub(crate) const fn receipt_name(kind: ReceiptType) -> &'static str {
    match kind {
        ReceiptType::Delivered => "receipt",
        ReceiptType::Retry => "retry",
    }
}

/// The stanza as a newer gateway may give it.
fn with_extra_member(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(mut members)) => {
            members.insert("added_later".to_owned(), serde_json::json!({ "version": 2 }));
            serde_json::Value::Object(members).to_string()
        }
        _ => text.to_owned(),
    }
}

/// A position from the beginning, or from the end if it is negative.
fn offset(at: i64, length: usize) -> Option<usize> {
    if at >= 0 { usize::try_from(at).ok() } else { length.checked_sub(usize::try_from(at.unsigned_abs()).ok()?) }
}

/// A Curve25519 key as it stands in a bundle.
fn ec_key(weak: WeakKey) -> Vec<u8> {
    [&[0x05][..], &weak.bytes()].concat()
}
