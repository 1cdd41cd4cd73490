//! What reference users do: enlist, fetch keys, receive, acknowledge, ask again and answer such requests.

use crate::effects::receipt_name;
use crate::wrongly::Manner;
use crate::{Instance, derive};
use countersign_contract::content::content::Body as ContentBody;
use countersign_contract::content::{Attachment, Content};
use countersign_contract::media::{is_file_name, is_media_type};
use countersign_contract::portable::{KeyBundle, MOST_RETRIES, ReceiptType, Stanza};
use countersign_contract::{Reason, StanzaId, UserId};
use countersign_reference::{Alteration, Signature, media};
use countersign_scenarios::language::{ForgeRetry, RotateKeys};
use countersign_trace::event::Event;
use countersign_trace::{Body, Digest, KeyMark, Observation};

impl Instance {
    pub(crate) fn enlist(&mut self, name: &str) {
        let Some(user) = self.user(name) else { return };
        let stored = self.members.get(name).and_then(|m| m.cast.fixed.as_ref()).and_then(|fixed| fixed.enlist.clone());
        let Some(enlistment) = stored.or_else(|| self.with_reference(name, |r| r.enlistment())) else { return };
        let body = serde_json::to_vec(&enlistment).unwrap_or_default();
        if self.reference_asks(user, "POST", "/enlist", body).is_none() {
            return self.abandon(&format!("the enlistment of {name}"));
        }
        if self.members.get(name).is_some_and(|m| m.cast.online) {
            self.reference_online(name, true);
        }
    }

    pub(crate) fn reference_online(&mut self, name: &str, online: bool) {
        if let Some(user) = self.user(name) {
            let effects = self.gateway.set_reference_online(user, online);
            self.apply(effects);
        }
    }

    pub(crate) fn reinstall(&mut self, name: &str) {
        if self.with_reference(name, countersign_reference::ReferenceUser::reinstall).is_none() {
            return self.skip(format!("the reference user {name}"));
        }
        if let Some(member) = self.members.get_mut(name) {
            member.talks.clear();
            member.blocked.clear();
        }
        self.enlist(name);
    }

    pub(crate) fn reference_delete(&mut self, name: &str) {
        if let Some(user) = self.user(name) {
            self.reference_asks(user, "DELETE", "/user", Vec::new());
        }
    }

    pub(crate) fn reference_rotate(&mut self, rotate: &RotateKeys) {
        let Some(user) = self.user(&rotate.user) else { return };
        let Some(keys) = self.with_reference(&rotate.user, |r| r.rotate(rotate.signed, rotate.kyber, rotate.one_time_prekeys))
        else {
            return;
        };
        let body = serde_json::to_vec(&keys).unwrap_or_default();
        self.reference_asks(user, "PUT", "/keys", body);
    }

    /// Fetches a peer's bundle and sets up a session from it. False if that could not be done; the trace says why.
    pub(crate) fn reference_fetch(&mut self, name: &str, of: UserId, alter: &[Alteration]) -> bool {
        let Some(user) = self.user(name) else { return false };
        let answer = self.reference_asks(user, "GET", &format!("/keys/{of}"), Vec::new());
        let Some(bundle) = answer.and_then(|body| serde_json::from_slice::<KeyBundle>(&body).ok()) else {
            let detail = "the gateway has no bundle of the peer".to_owned();
            self.observe(
                Some(user),
                Observation::Failed { what: format!("fetch the keys of {of}"), reason: Reason::UnknownUser, detail },
            );
            return false;
        };
        let now_ms = self.now_ms;
        match self.with_reference(name, |r| r.process_bundle_wrongly(&bundle, alter, now_ms)) {
            Some(Ok(observation)) => {
                self.observe(Some(user), observation);
                true
            }
            Some(Err(refusal)) => {
                let what = format!("set up a session with {of}");
                self.observe(Some(user), Observation::Failed { what, reason: refusal.reason, detail: refusal.detail });
                false
            }
            None => false,
        }
    }

    /// A stanza arrives at a reference user.
    pub(crate) fn receive(&mut self, user: UserId, stanza: Stanza) {
        let body = Body::new(stanza.to_json().as_bytes(), &mut self.blobs);
        self.log(Event::ToReference { user, what: "stanza".into(), body });
        let Some(name) = self.name_of(user) else { return };
        let id = stanza.id();
        match stanza {
            Stanza::Message { id, from: Some(from), .. } if self.has_blocked(&name, from) => {
                let detail = "its sender is blocked".to_owned();
                self.observe(Some(user), Observation::Refused { stanza: id, reason: Reason::Blocked, detail });
            }
            Stanza::Message { id, from: Some(from), r#type, body, .. } => {
                let now_ms = self.now_ms;
                let opened = self.with_reference(&name, |r| r.decrypt(from, r#type, &body.0, now_ms));
                match opened {
                    Some(Ok(opened)) => {
                        self.note_secrets(&name, user, from, id);
                        self.note_signature(user, from, id, opened.signature);
                        self.receive_pairwise(&name, user, from, id, &opened.content, opened.padded);
                    }
                    Some(Err(refusal)) => {
                        self.observe(
                            Some(user),
                            Observation::Refused { stanza: id, reason: refusal.reason, detail: refusal.detail },
                        );
                        self.ask_again(&name, user, from, id, refusal.reason);
                    }
                    None => {}
                }
            }
            Stanza::SealedMessage { body, .. } => self.receive_sealed(&name, user, id, &body.0),
            Stanza::GroupMessage { id, from: Some(from), .. } if self.has_blocked(&name, from) => {
                let detail = "its sender is blocked".to_owned();
                self.observe(Some(user), Observation::Refused { stanza: id, reason: Reason::Blocked, detail });
            }
            Stanza::GroupMessage { id, group, from: Some(from), body, .. } => {
                self.receive_group_message(&name, user, from, group, id, &body.0);
            }
            Stanza::Group { group, version, members, .. } => {
                self.take_group(&name, &countersign_contract::portable::GroupList { group, version, members });
            }
            Stanza::Receipt { id, from: Some(from), r#type, of, .. } => {
                let receipt = match r#type {
                    ReceiptType::Delivered => "delivered",
                    ReceiptType::Retry => "retry",
                };
                self.observe(Some(user), Observation::Receipt { stanza: id, from, receipt: receipt.to_owned(), of });
                if r#type == ReceiptType::Retry {
                    self.answer_retry(&name, user, from, of);
                }
            }
            Stanza::KeysLow { .. } => {
                let count = self.members.get(&name).map_or(0, |m| m.cast.one_time_prekeys);
                if let Some(keys) = self.with_reference(&name, |r| r.refill(count)) {
                    let body = serde_json::to_vec(&keys).unwrap_or_default();
                    self.reference_asks(user, "PUT", "/keys", body);
                }
            }
            // The gateway's answers to the user's own stanzas are not acknowledged.
            _ => return,
        }
        self.reference_sends_stanza(user, &Stanza::Ack { id });
    }

    /// A signature that was found in what somebody said stands in the trace.
    pub(crate) fn note_signature(&mut self, user: UserId, from: UserId, stanza: StanzaId, signature: Option<Signature>) {
        if let Some(Signature { place, over }) = signature {
            self.observe(Some(user), Observation::Signed { stanza, from, place, over: over.to_owned() });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that is known of a message that was decrypted")]
    pub(crate) fn shown(
        &mut self,
        name: &str,
        user: UserId,
        from: UserId,
        stanza: StanzaId,
        content: &Content,
        padded: u64,
        group: Option<countersign_contract::GroupId>,
    ) {
        let Some(message) = content.message() else { return };
        if message != stanza
            && let Some(original) = self.named.get(&message).cloned()
        {
            self.name(format!("{original}/resend"), stanza);
        }
        let refused = |reason, detail: &str| Observation::Refused { stanza, reason, detail: detail.to_owned() };
        if self.members.get(name).is_some_and(|m| m.shown.contains(&message)) {
            return self.observe(Some(user), refused(Reason::Duplicate, "a message with this id was shown before"));
        }
        let plaintext = match &content.body {
            Some(ContentBody::Attachment(attachment)) if !is_file_name(&attachment.name) => {
                return self.observe(Some(user), refused(Reason::Malformed, "the name of the file"));
            }
            Some(ContentBody::Attachment(attachment)) if !is_media_type(&attachment.mime) => {
                return self.observe(Some(user), refused(Reason::Malformed, "the media type of the file"));
            }
            Some(ContentBody::Attachment(attachment)) => match self.download(user, stanza, attachment) {
                Ok(plaintext) => Some(plaintext),
                Err(reason) => return self.observe(Some(user), refused(reason, "the file of the message")),
            },
            _ => None,
        };
        let Some(shown) = content.shown(plaintext.map(|d| d.0)) else {
            return self.observe(Some(user), refused(Reason::Malformed, "the content of the message"));
        };
        // What is said in a group belongs to no conversation of two.
        let examined = if group.is_some() { Ok(true) } else { self.examine(name, from, message, &shown) };
        let has_receipt = match examined {
            Ok(has_receipt) => has_receipt,
            Err(reason) => return self.observe(Some(user), refused(reason, "what it says of another message")),
        };
        if let Some(member) = self.members.get_mut(name) {
            member.shown.push(message);
        }
        self.observe(Some(user), Observation::Shown { stanza, message, from, group, content: shown, padded });
        if has_receipt {
            self.receipt(user, from, stanza, ReceiptType::Delivered, None);
        }
    }

    /// Fetches, checks and opens the file of a message.
    fn download(&mut self, user: UserId, stanza: StanzaId, attachment: &Attachment) -> Result<Digest, Reason> {
        let kind = attachment.media_kind().ok_or(Reason::Malformed)?;
        let key: [u8; 32] = attachment.key.as_slice().try_into().map_err(|_| Reason::Malformed)?;
        // The candidate wrote this path: only downloads, and nothing that leaves the folder.
        if !attachment.url.starts_with("/media/") || attachment.url.contains("..") || attachment.url.len() > 200 {
            return Err(Reason::Malformed);
        }
        let blob = self.reference_asks(user, "GET", &attachment.url, Vec::new()).ok_or(Reason::MediaMissing)?;
        let begin = (self.plan.meter)();
        let media::Examined { digest_ok, mac_ok, plaintext } =
            media::examine(kind, &key, &attachment.digest, attachment.length, &blob);
        self.crypto_us += (self.plan.meter)().saturating_sub(begin);
        let plaintext = plaintext.map(Digest);
        let shown = plaintext.as_ref().ok().copied();
        self.observe(Some(user), Observation::Media { stanza, key: KeyMark::of(&key), digest_ok, mac_ok, plaintext: shown });
        plaintext
    }

    fn receipt(&mut self, user: UserId, to: UserId, of: StanzaId, r#type: ReceiptType, count: Option<u32>) {
        let label = format!("{} {user} {of} {}", receipt_name(r#type), count.unwrap_or(0));
        let id = StanzaId(derive::uuid(&self.plan.seed, &["receipt", &label]));
        if let Some(name) = self.named.get(&of).cloned() {
            self.name(format!("{name}/{}", receipt_name(r#type)), id);
        }
        self.reference_sends_stanza(user, &Stanza::Receipt { id, to: Some(to), from: None, r#type, of, count });
    }

    /// Asks for a message again, if it could be readable when sent anew.
    pub(crate) fn ask_again(&mut self, name: &str, user: UserId, from: UserId, stanza: StanzaId, reason: Reason) {
        if !matches!(reason, Reason::BadMac | Reason::NoSession | Reason::UnknownPrekey) {
            return;
        }
        let Some(member) = self.members.get_mut(name).filter(|m| m.cast.asks_again) else { return };
        let count = member.asked.entry(stanza).or_insert(0);
        if *count >= MOST_RETRIES {
            return;
        }
        *count += 1;
        let count = Some(*count);
        self.receipt(user, from, stanza, ReceiptType::Retry, count);
    }

    /// Sends a message again, in a new session, to the user to whom it went.
    fn answer_retry(&mut self, name: &str, user: UserId, from: UserId, of: StanzaId) {
        if !self.members.get(name).is_some_and(|m| m.cast.answers_retries) {
            return;
        }
        if self.sent.get(&of).is_some_and(|sent| sent.group.is_some()) {
            return self.answer_group_retry(name, user, from, of);
        }
        let original = self.sent.get(&of).filter(|m| m.from == user && m.to == from);
        let Some((content, sealed)) = original.map(|m| (m.content.clone(), m.sealed)) else { return };
        let seal = if sealed { self.seal_of(name, user) } else { None };
        if sealed && seal.is_none() {
            return;
        }
        let stanza = self.fresh_id();
        if let Some(original) = self.named.get(&of).cloned() {
            self.name(format!("{original}/resend"), stanza);
        }
        self.with_reference(name, |r| r.reset_session(from));
        self.encrypt_and_send(name, user, from, stanza, &content, Manner { seal: seal.as_ref(), ..Manner::default() });
    }

    pub(crate) fn forge_retry(&mut self, step: &ForgeRetry) {
        let found = (self.user(&step.from), self.user(&step.to), self.names.get(&step.of).copied());
        let (Some(from), Some(to), Some(of)) = found else { return self.skip(format!("the message {}", step.of)) };
        let id = self.fresh_id();
        self.name(step.name.clone(), id);
        self.reference_sends_stanza(
            from,
            &Stanza::Receipt { id, to: Some(to), from: None, r#type: ReceiptType::Retry, of, count: Some(1) },
        );
    }
}
