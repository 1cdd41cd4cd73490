//! How members send: reference users by themselves, users of the candidate by a call.

use crate::content::{self, Made};
use crate::instance::{MOST_KEPT, SentMessage};
use crate::wrongly::Manner;
use crate::{Instance, derive};
use countersign_contract::content::{Attachment, Content, attachment, pad};
use countersign_contract::media::MAC_BYTES;
use countersign_contract::portable::{MessageType, Stanza};
use countersign_contract::seen::{MediaKind, UserContent};
use countersign_contract::{Bytes, StanzaId, UserId, operations};
use countersign_gateway::HttpRequest;
use countersign_reference::alter::{Part, Refusal, edited, edits};
use countersign_reference::{Alteration, media};
use countersign_scenarios::language::{BendContent, Send};
use countersign_trace::event::Event;
use countersign_trace::{Body, Digest, KeyMark, MadeFile, Observation};
use prost::Message as _;

impl Instance {
    pub(crate) fn send(&mut self, send: &Send) {
        let (Some(from), Some(to)) = (self.user(&send.from), self.user(&send.to)) else {
            return self.skip(format!("the users {} and {}", send.from, send.to));
        };
        let made = match content::make(&self.plan.seed, &send.name, &send.content, &self.names) {
            Ok(made) => made,
            Err(message) => return self.skip(format!("the message {message}")),
        };
        let stanza = self.fresh_id();
        self.name(send.name.clone(), stanza);
        if let Some(text) = made.canary.clone() {
            self.observe(Some(from), Observation::Canary { text });
        }
        if let Some(network) = &send.network {
            self.arm_network(stanza, network);
        }
        if self.members.get(&send.from).is_some_and(crate::members::Member::is_candidate) {
            self.candidate_sends(from, to, stanza, made, send.sealed);
        } else {
            self.reference_sends(send, from, to, stanza, made);
        }
    }

    fn candidate_sends(&mut self, user: UserId, to: UserId, stanza: StanzaId, made: Made, sealed: bool) {
        let content = self.offer_file(user, stanza, made);
        let instance = self.plan.instance;
        self.call_send(operations::Send { instance, user, to, stanza, content, sealed });
    }

    /// The content that a candidate's user is to send; a file in it is where the candidate can fetch it.
    pub(crate) fn offer_file(&mut self, user: UserId, stanza: StanzaId, made: Made) -> UserContent {
        let Made { mut content, file, .. } = made;
        if let (UserContent::Media { file: reference, .. }, Some(file)) = (&mut content, file) {
            // Under a name that says nothing.
            let name = derive::uuid(&self.plan.seed, &["file", &stanza.to_string()]).to_string();
            let path = format!("/files/{name}");
            reference.url = Some(path.clone());
            if file.length > MOST_KEPT as u64 {
                self.observe(Some(user), Observation::Made { path, file: file.clone() });
            }
            self.gateway.put_file(&name);
            self.files.insert(name, file);
        }
        content
    }

    fn reference_sends(&mut self, send: &Send, from: UserId, to: UserId, stanza: StanzaId, made: Made) {
        let Made { content: user_content, file, .. } = made;
        let attachment = match (&user_content, file) {
            (UserContent::Media { media, mime, name, .. }, Some(file)) => {
                let Some(made) = self.upload(&send.from, from, stanza, *media, &file, (send.bend, &send.alter)) else { return };
                Some(Attachment { mime: mime.clone(), name: name.clone(), ..made })
            }
            _ if edits(Part::Blob, &send.alter) => return self.skip(format!("a file in {} to edit", send.name)),
            _ => None,
        };
        let media_key = attachment.as_ref().map(|a| KeyMark::of(&a.key));
        let Some(content) = Content::from_user(stanza, self.now_ms, &user_content, attachment) else {
            return self.skip("a content that can be sent");
        };
        self.note_sent(&send.from, to, stanza, &user_content);
        self.observe(Some(from), Observation::Sent { stanza, to, content: user_content, media_key });
        self.sent.insert(stanza, SentMessage { from, to, content: content.clone(), group: None, sealed: send.sealed });
        let Some(alter) = self.alterations(send) else { return };
        let seal = if send.sealed { self.seal_for(send, from) } else { None };
        if send.sealed && seal.is_none() {
            return;
        }
        let has_session = self.with_reference(&send.from, |r| r.has_session(to)) == Some(true);
        if alter.iter().any(Alteration::at_set_up) {
            // A former base key is that of the session before, so that one stays until the new one takes its place.
            if has_session && !send.fresh_session {
                return self.skip("a session to be set up wrongly: one is there already");
            }
            if !self.reference_fetch(&send.from, to, &alter) {
                return;
            }
        } else if send.fresh_session {
            self.with_reference(&send.from, |r| r.reset_session(to));
        }
        self.encrypt_and_send(
            &send.from,
            from,
            to,
            stanza,
            &content,
            Manner { bend: send.bend, alter: &alter, seal: seal.as_ref() },
        );
    }

    /// Encrypts for a peer, with a session from its bundle if there is none, and hands the stanza to the gateway.
    pub(crate) fn encrypt_and_send(
        &mut self,
        name: &str,
        from: UserId,
        to: UserId,
        stanza: StanzaId,
        content: &Content,
        how: Manner<'_>,
    ) {
        if self.with_reference(name, |r| r.has_session(to)) == Some(false) && !self.reference_fetch(name, to, &[]) {
            return;
        }
        let now_ms = self.now_ms;
        let bent = match edits(Part::Content, how.alter) {
            true => match edited(Part::Content, how.alter, content.encode_to_vec()) {
                Ok(content) => Some(pad(content)),
                Err(Refusal { reason, detail }) => {
                    return self.observe(Some(from), Observation::Failed { what: format!("encrypt for {to}"), reason, detail });
                }
            },
            false => how.bend.and_then(|bend| bent_plaintext(content, bend)),
        };
        let encrypted = match bent.or_else(|| (!how.alter.is_empty()).then(|| content.to_padded())) {
            Some(plaintext) => self.with_reference(name, |r| r.encrypt_wrongly(to, &plaintext, how.alter, now_ms)),
            None => self.with_reference(name, |r| r.encrypt(to, content, now_ms)),
        };
        match encrypted {
            Some(Ok(made)) => {
                self.note_secrets(name, from, to, stanza);
                match how.seal {
                    Some(seal) => self.hand_over_sealed(name, to, stanza, made, seal, how.alter),
                    None => self.hand_over(from, to, stanza, made.0, made.1),
                }
            }
            Some(Err(refusal)) => {
                let what = format!("encrypt for {to}");
                self.observe(Some(from), Observation::Failed { what, reason: refusal.reason, detail: refusal.detail });
            }
            None => self.skip(format!("the reference user {name}")),
        }
    }

    fn hand_over(&mut self, from: UserId, to: UserId, id: StanzaId, r#type: MessageType, body: Vec<u8>) {
        self.reference_sends_stanza(from, &Stanza::Message { id, to: Some(to), from: None, r#type, body: Bytes(body) });
    }

    pub(crate) fn reference_sends_stanza(&mut self, from: UserId, stanza: &Stanza) {
        let body = Body::new(stanza.to_json().as_bytes(), &mut self.blobs);
        self.log(Event::FromReference { user: from, what: "stanza".into(), body });
        let effects = self.gateway.reference_stanza(from, stanza);
        self.apply(effects);
    }

    /// A request of a reference user, through the same codecs; `None` if the gateway refused it.
    pub(crate) fn reference_asks(
        &mut self,
        user: UserId,
        method: &str,
        path: &str,
        body: impl Into<bytes::Bytes>,
    ) -> Option<bytes::Bytes> {
        let mut body = body.into();
        let what = format!("{method} {path}");
        let kept = self.ours(&mut body);
        self.log(Event::FromReference { user, what: what.clone(), body: kept });
        let request = HttpRequest { method: method.to_owned(), path: path.to_owned(), token: None, body };
        let (mut reply, effects) = self.gateway.reference_request(user, request);
        let kept = self.ours(&mut reply.body);
        self.log(Event::ToReference { user, what: format!("{what}: {}", reply.status), body: kept });
        self.apply(effects);
        (reply.status == 200).then_some(reply.body)
    }

    pub(crate) fn upload(
        &mut self,
        name: &str,
        from: UserId,
        stanza: StanzaId,
        kind: MediaKind,
        file: &MadeFile,
        (bend, alter): (Option<BendContent>, &[Alteration]),
    ) -> Option<Attachment> {
        // Bent downloads concern one file: the next one is whole again.
        match self.media_armed.as_mut() {
            Some(0) => self.media_armed = Some(1),
            Some(_) => {
                self.media_armed = None;
                self.gateway.clear_media_rules();
            }
            None => {}
        }
        let key = derive::digest(&self.plan.seed, &["media key", name, &stanza.to_string()]);
        let begin = (self.plan.meter)();
        let sealed_as = if bend == Some(BendContent::WrongKind) { other_kind(kind) } else { kind };
        let mut blob = file.whole(media::OVERHEAD).unwrap_or_default();
        let mut digest = media::seal_in_place(sealed_as, &key, &mut blob).to_vec();
        self.crypto_us += (self.plan.meter)().saturating_sub(begin);
        if edits(Part::Blob, alter) {
            let ciphertext = blob.len().saturating_sub(MAC_BYTES);
            match edited(Part::Blob, alter, blob.get(..ciphertext).unwrap_or_default().to_vec()) {
                Ok(ciphertext) => digest = media::authenticate(sealed_as, &key, ciphertext, &mut blob).to_vec(),
                Err(Refusal { reason, detail }) => {
                    let what = "encrypt a file".to_owned();
                    self.observe(Some(from), Observation::Failed { what, reason, detail });
                    return None;
                }
            }
        }
        let (mut stated_key, mut length) = (key.to_vec(), file.length);
        match bend {
            Some(BendContent::WrongDigest) => digest.iter_mut().take(1).for_each(|b| *b ^= 1),
            Some(BendContent::CiphertextFlipped) => {
                blob.iter_mut().take(1).for_each(|b| *b ^= 1);
                digest = Digest::of(&blob).0.to_vec();
            }
            Some(BendContent::MacFlipped) => {
                blob.iter_mut().rev().take(1).for_each(|b| *b ^= 1);
                digest = Digest::of(&blob).0.to_vec();
            }
            Some(BendContent::WrongLength) => length += 1,
            Some(BendContent::ShorterLength) => length = length.saturating_sub(1),
            Some(BendContent::HugeLength) => length = u64::MAX,
            Some(BendContent::WrongKey) => stated_key.iter_mut().take(1).for_each(|b| *b ^= 1),
            _ => {}
        }
        let answer = self.reference_asks(from, "PUT", "/media", blob);
        let uploaded = answer.and_then(|body| serde_json::from_slice::<countersign_contract::portable::Uploaded>(&body).ok());
        let Some(uploaded) = uploaded else {
            self.skip("an upload of the reference user");
            return None;
        };
        Some(Attachment {
            kind: attachment::Kind::from(kind).into(),
            url: uploaded.url,
            key: stated_key,
            digest,
            length,
            mime: String::new(),
            name: String::new(),
        })
    }
}

/// The kind as which a file is encrypted if it is to be encrypted as another.
const fn other_kind(kind: MediaKind) -> MediaKind {
    match kind {
        MediaKind::Image => MediaKind::File,
        _ => MediaKind::Image,
    }
}

/// The plaintext of a content that is wrong on purpose; `None` if what is wrong concerns its file.
pub(crate) fn bent_plaintext(content: &Content, bend: BendContent) -> Option<Vec<u8>> {
    match bend {
        BendContent::NoPadding => Some(content.encode_to_vec()),
        BendContent::WrongPadding => {
            let mut padded = content.to_padded();
            // Zeros up to the end, and then something that is neither zero nor the marker.
            padded.extend(vec![0; countersign_contract::content::PADDING_BLOCK]);
            *padded.last_mut()? = 0x01;
            Some(padded)
        }
        BendContent::NotProtobuf => Some(countersign_contract::content::pad(vec![0xff; 40])),
        BendContent::NoBody => Some(Content { body: None, ..content.clone() }.to_padded()),
        BendContent::WrongDigest
        | BendContent::CiphertextFlipped
        | BendContent::MacFlipped
        | BendContent::WrongLength
        | BendContent::ShorterLength
        | BendContent::HugeLength
        | BendContent::WrongKey
        | BendContent::WrongKind => None,
    }
}
