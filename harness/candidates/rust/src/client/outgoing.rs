//! Sending, and the session that it needs.

use super::User;
use super::gateway::{json, parse};
use super::link::Link;
use crate::defect::Defect;
use crate::limits;
use crate::vault::{Readiness, Started};
use countersign_contract::content::{Content, LARGEST_CONTENT, PADDING_BLOCK, content::Body, pad};
use countersign_contract::media::is_media_type;
use countersign_contract::portable::{JSON, KeyBundle, Stanza};
use countersign_contract::seen::UserContent;
use countersign_contract::{Problem, Reason, StanzaId, UserId};
use prost::Message as _;
use std::sync::Arc;

/// Unused one-time prekeys that are enough for the defect `refills-by-own-count`.
const ENOUGH: usize = 2;

/// Number and length of the field in which the defect `signs-its-messages` puts a signature: 19, and 64 bytes.
const SIGNATURE_FIELD: [u8; 3] = [0x9a, 0x01, 64];

/// How a content goes out.
#[derive(Clone, Copy, Default)]
pub(super) struct Way {
    /// In a new session, even if there is one.
    pub(super) renew: bool,
    /// As a sealed message.
    pub(super) sealed: bool,
}

impl User {
    /// Sends content and waits until the gateway has accepted it.
    ///
    /// # Errors
    /// `unsupported` for a sealed message where there are none; `not-connected`, `blocked`, what the conversation does not permit, `untrusted-identity`, `too-large`, what is wrong with the peer's bundle, and what the gateway answered.
    pub(crate) async fn send(&self, to: UserId, stanza: StanzaId, content: &UserContent, sealed: bool) -> Result<(), Problem> {
        let sealed = self.seals(sealed)?;
        let link = self.online()?;
        self.may_send(to, content)?;
        let said = content;
        let attachment = match content {
            UserContent::Media { media, mime, name, file } => {
                if !self.is_file_name(name, Defect::SendsPathInFileName) {
                    return Err(Problem::new(Reason::Malformed, "a file name has no path"));
                }
                if !is_media_type(mime) {
                    return Err(Problem::new(Reason::Malformed, "not a media type"));
                }
                Some(self.upload(*media, mime, name, file).await?)
            }
            UserContent::Text { text } | UserContent::Reply { text, .. } | UserContent::Edit { text, .. }
                if text.len() > limits::TEXT_BYTES =>
            {
                return Err(Problem::new(Reason::TooLarge, format!("a text is at most {} bytes", limits::TEXT_BYTES)));
            }
            _ => None,
        };
        let content = Content::from_user(stanza, self.clock(), content, attachment);
        let content = content.ok_or_else(|| Problem::new(Reason::Internal, "making a content"))?;
        if content.encoded_len() > LARGEST_CONTENT {
            return Err(Problem::new(Reason::TooLarge, format!("a content is at most {LARGEST_CONTENT} bytes")));
        }
        self.note_sent(to, stanza, said, false);
        let outcome = self.transmit(&link, to, stanza, &content, Way { renew: false, sealed }).await;
        match &outcome {
            Ok(()) => self.note_sent(to, stanza, said, true),
            Err(_) => self.note_unsent(to, stanza),
        }
        if self.has(Defect::SendsToChangedIdentity)
            && outcome.as_ref().is_err_and(|problem| problem.reason == Reason::UntrustedIdentity)
        {
            self.state().vault.accept(to);
            return self.transmit(&link, to, stanza, &content, Way { renew: false, sealed }).await;
        }
        match outcome {
            Err(problem) if problem.reason == Reason::UnknownUser && self.has(Defect::ReportsRefusedAsSent) => Ok(()),
            Err(problem)
                if problem.reason == Reason::UnknownUser
                    && self.has(Defect::TellsDeletedFromUnknown)
                    && self.state().vault.has_met(to) =>
            {
                Err(Problem::new(Reason::DeletedUser, format!("{to} was deleted")))
            }
            outcome => outcome,
        }
    }

    /// Encrypts a content and sends it under a stanza id.
    pub(super) async fn transmit(
        &self,
        link: &Arc<Link>,
        to: UserId,
        stanza: StanzaId,
        content: &Content,
        way: Way,
    ) -> Result<(), Problem> {
        let certificate = if way.sealed { Some(self.certificate().await?) } else { None };
        let (text, word) = {
            let _turn = self.turn.lock().await;
            self.session_with(to, way.renew).await?;
            let padded = self.padded(content);
            let now = self.now();
            let text = {
                let mut state = self.state();
                let (r#type, body) =
                    state.vault.seal(to, &padded, now).map_err(|reason| Problem::new(reason, format!("encrypting to {to}")))?;
                state.kept.answered(to);
                state.sent.note(to, stanza, content, &body, way.sealed);
                if let Some(certificate) = &certificate {
                    let body = self.seal(&mut state, to, (r#type, body), certificate)?;
                    Stanza::SealedMessage { id: stanza, to: Some(to), body: body.into() }.to_json()
                } else {
                    let message = Stanza::Message { id: stanza, to: Some(to), from: None, r#type, body: body.into() };
                    if self.has(Defect::PlaintextInHeader) { with_preview(&message, content) } else { message.to_json() }
                }
            };
            let word = link.post(stanza, text.clone()).await?;
            (text, word)
        };
        let outcome = link.word(stanza, &text, word, self.defects.clone()).await;
        if outcome.is_err() {
            self.state().sent.forget(stanza);
        }
        outcome
    }

    /// A content as it is encrypted.
    fn padded(&self, content: &Content) -> Vec<u8> {
        if self.has(Defect::NoPadding) {
            return content.encode_to_vec();
        }
        if let Some(Body::Text(text)) = &content.body
            && self.has(Defect::SignsItsMessages)
            && let Ok(signature) = self.state().vault.sign(text.text.as_bytes())
        {
            return pad([content.encode_to_vec(), SIGNATURE_FIELD.to_vec(), signature].concat());
        }
        let mut padded = content.to_padded();
        if self.has(Defect::PadsWithoutMarker) && content.encoded_len().is_multiple_of(PADDING_BLOCK) {
            padded.truncate(content.encoded_len() + 1);
        }
        padded
    }

    /// Fetches a peer's bundle and sets up a session from it: the peer's identity key.
    ///
    /// # Errors
    /// `untrusted-identity`, what is wrong with the bundle, and what the gateway answered.
    pub(crate) async fn fetch_keys(&self, of: UserId) -> Result<Vec<u8>, Problem> {
        let _turn = self.turn.lock().await;
        self.fetch(of).await
    }

    /// Sets up a new session with a peer, even if there is one.
    ///
    /// # Errors
    /// As for [`Self::fetch_keys`].
    pub(super) async fn renew_session(&self, with: UserId) -> Result<(), Problem> {
        let _turn = self.turn.lock().await;
        self.session_with(with, true).await
    }

    /// Publishes another batch of one-time prekeys.
    ///
    /// # Errors
    /// What the gateway answered.
    pub(super) async fn refill(&self) -> Result<(), Problem> {
        // A user without one-time prekeys has none to refill, and would be told so for ever.
        if self.batch == 0 || self.has(Defect::NeverRefills) {
            return Ok(());
        }
        if self.has(Defect::RefillsByOwnCount) && self.state().vault.one_time_prekeys_left() >= ENOUGH {
            return Ok(());
        }
        let clock = self.clock();
        let keys = self.state().vault.rotate(false, false, self.batch, clock);
        let keys = keys.map_err(|reason| Problem::new(reason, "making keys"))?;
        if self.has(Defect::GivesRefillUp) {
            return self.gateway.attempt("PUT", "/keys".into(), Some(&self.token), JSON, json(&keys)?).await.map(drop);
        }
        self.gateway.request("PUT", "/keys".into(), Some(&self.token), JSON, json(&keys)?).await.map(drop)
    }

    /// Sees to it that a message can be encrypted to `to`. The caller holds the turn.
    async fn session_with(&self, to: UserId, renew: bool) -> Result<(), Problem> {
        let now = self.now();
        let readiness = self.state().vault.readiness(to, now);
        match readiness {
            Readiness::Untrusted => Err(untrusted(to)),
            Readiness::Ready if !renew => Ok(()),
            _ => self.fetch(to).await.map(drop),
        }
    }

    async fn fetch(&self, of: UserId) -> Result<Vec<u8>, Problem> {
        let answer = self.gateway.request("GET", format!("/keys/{of}"), Some(&self.token), "", Vec::new()).await?;
        let bundle = parse(&answer);
        if bundle.is_err() && self.has(Defect::ForgetsSessionOnBadBundle) {
            self.state().vault.forget_session(of);
        }
        let bundle: KeyBundle = bundle?;
        let now = self.now();
        let started = self.state().vault.start(of, &bundle, now);
        match started {
            Ok(Started::Session) => Ok(bundle.identity_key.0),
            Ok(Started::Untrusted { tell }) => {
                if tell {
                    self.tell_of_identity(of);
                }
                Err(untrusted(of))
            }
            Err(reason) => Err(Problem::new(reason, format!("the prekey bundle of {of}"))),
        }
    }
}

fn untrusted(peer: UserId) -> Problem {
    Problem::new(Reason::UntrustedIdentity, format!("the identity key of {peer} changed and is not accepted"))
}

/// The defect `plaintext-in-header`.
fn with_preview(message: &Stanza, content: &Content) -> String {
    let mut value = serde_json::to_value(message).unwrap_or_default();
    if let (Some(members), Some(Body::Text(text))) = (value.as_object_mut(), &content.body) {
        members.insert("preview".into(), text.text.clone().into());
    }
    value.to_string()
}
