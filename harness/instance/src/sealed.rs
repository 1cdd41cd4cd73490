//! Sealed messages: who certifies senders, how reference users seal, and what they make of what arrives without a sender.

use crate::{Instance, derive};
use countersign_contract::portable::{MessageType, SenderCertificate, Stanza};
use countersign_contract::sealed::VALID_MS;
use countersign_contract::{Bytes, Reason, StanzaId, UserId};
use countersign_reference::alter::{Part, edited, edits};
use countersign_reference::{Alteration, CertificateAuthority, OtherIdentity, Refusal, Sealing, WrongCertificate};
use countersign_scenarios::language::{BendCertificate, Send};
use countersign_trace::Observation;
use std::sync::Arc;

/// How long before its use a certificate ended that is over, in milliseconds: more than any two clocks differ.
const OVER_SINCE_MS: u64 = 60 * 60 * 1000;

/// How one message is sealed.
#[derive(Clone)]
pub(crate) struct Seal {
    certificate: Vec<u8>,
    /// Until when the honest one holds.
    expires: u64,
    as_other: Option<OtherIdentity>,
}

/// Who certifies the senders of an instance.
pub(crate) fn authority(seed: &[u8; 32]) -> CertificateAuthority {
    CertificateAuthority::new(derive::digest(seed, &["certificates"]), "the gateway's")
}

/// The public key to which the certificates of an instance with this seed lead, 33 bytes.
#[must_use]
pub fn trust_root(seed: &[u8; 32]) -> Bytes {
    Bytes(authority(seed).trust_root())
}

impl Instance {
    /// Lets the gateway certify users from now on: the trust root.
    pub(crate) fn found(&mut self, authority: CertificateAuthority, now_ms: u64) -> Bytes {
        let root = Bytes(authority.trust_root());
        self.gateway.certify_by(Arc::new(move |user, key, passed_ms| {
            let expires = now_ms.saturating_add(passed_ms).saturating_add(VALID_MS);
            let certificate = Bytes(authority.certify(user, key, expires).ok()?);
            Some(SenderCertificate { certificate, expires })
        }));
        root
    }

    /// How a reference user seals honestly. `None` if the gateway does not certify it; the trace says so.
    pub(crate) fn seal_of(&mut self, name: &str, from: UserId) -> Option<Seal> {
        let answer = self.reference_asks(from, "GET", "/certificate", Vec::new());
        let Some(SenderCertificate { certificate, expires }) = answer.and_then(|body| serde_json::from_slice(&body).ok()) else {
            self.skip(format!("a certificate of {name}"));
            return None;
        };
        Some(Seal { certificate: certificate.0, expires, as_other: None })
    }

    /// How a reference user seals a message of the scenario. `None` if that could not be prepared; the trace says why.
    pub(crate) fn seal_for(&mut self, send: &Send, from: UserId) -> Option<Seal> {
        let seal = self.seal_of(&send.from, from)?;
        let made = match &send.certificate {
            Some(bend) => self.bent(seal, send, from, bend),
            None if edits(Part::Certificate, &send.alter) => self.edited(seal, send, from),
            None => return Some(seal),
        };
        match made {
            Ok(seal) => Some(seal),
            Err(refusal) => {
                let what = format!("make a wrong certificate of {}", send.from);
                self.observe(Some(from), Observation::Failed { what, reason: refusal.reason, detail: refusal.detail });
                None
            }
        }
    }

    /// Under a certificate whose statement was edited before the server signed it.
    fn edited(&mut self, seal: Seal, send: &Send, from: UserId) -> Result<Seal, Refusal> {
        let missing = || Refusal::new(Reason::Internal, "no such reference user, or nobody who certifies");
        let authority = self.authority.clone().ok_or_else(missing)?;
        let key = self.with_reference(&send.from, |r| r.identity_key()).ok_or_else(missing)?;
        let change = |statement| Ok(edited(Part::Certificate, &send.alter, statement)?);
        Ok(Seal { certificate: authority.certify_changed(from, &key, seal.expires, change)?, ..seal })
    }

    fn bent(&mut self, seal: Seal, send: &Send, from: UserId, bend: &BendCertificate) -> Result<Seal, Refusal> {
        let missing = || Refusal::new(Reason::Internal, "no such reference user, or nobody who certifies");
        let (authority, until) = (self.authority.clone().ok_or_else(missing)?, seal.expires);
        let key = self.with_reference(&send.from, |r| r.identity_key()).ok_or_else(missing)?;
        let mut as_other = None;
        let certificate = match bend {
            BendCertificate::WrongRoot => {
                let seed = derive::digest(&self.plan.seed, &["other certificates"]);
                CertificateAuthority::new(seed, "somebody else's").certify(from, &key, until)?
            }
            BendCertificate::OtherServer => authority.certify_wrongly(from, &key, until, WrongCertificate::OtherServer)?,
            BendCertificate::OtherDevice => authority.certify_wrongly(from, &key, until, WrongCertificate::OtherDevice)?,
            BendCertificate::Expired => authority.certify(from, &key, self.now_ms.saturating_sub(OVER_SINCE_MS))?,
            BendCertificate::OtherKey => {
                let other = OtherIdentity::new(&self.plan.seed, &send.name);
                let made = authority.certify(from, &other.key(), until)?;
                as_other = Some(other);
                made
            }
            BendCertificate::Of(name) => {
                let user = self.user(name).ok_or_else(missing)?;
                let key = self.with_reference(name, |r| r.identity_key()).ok_or_else(missing)?;
                authority.certify(user, &key, until)?
            }
        };
        Ok(Seal { certificate, as_other, ..seal })
    }

    /// Seals what is encrypted already and hands it to the gateway.
    pub(crate) fn hand_over_sealed(
        &mut self,
        name: &str,
        to: UserId,
        id: StanzaId,
        (kind, body): (MessageType, Vec<u8>),
        seal: &Seal,
        alter: &[Alteration],
    ) {
        let how = Sealing { certificate: &seal.certificate, as_other: seal.as_other.as_ref(), alter };
        let Some(from) = self.user(name) else { return };
        match self.with_reference(name, |r| r.seal_message(to, kind, body, how)) {
            Some(Ok(body)) => {
                self.reference_sends_stanza(from, &Stanza::SealedMessage { id, to: Some(to), body: Bytes(body) });
            }
            Some(Err(refusal)) => {
                let what = format!("seal for {to}");
                self.observe(Some(from), Observation::Failed { what, reason: refusal.reason, detail: refusal.detail });
            }
            None => self.skip(format!("the reference user {name}")),
        }
    }

    /// A sealed message arrives at a reference user.
    pub(crate) fn receive_sealed(&mut self, name: &str, user: UserId, id: StanzaId, body: &[u8]) {
        let refused = |refusal: &Refusal| {
            let (reason, detail) = (refusal.reason, refusal.detail.clone());
            Observation::Refused { stanza: id, reason, detail }
        };
        let Some(root) = self.authority.as_ref().map(CertificateAuthority::trust_root) else { return };
        let now_ms = self.now_ms;
        let unsealed = match self.with_reference(name, |r| r.unwrap_sealed(body, &root, now_ms)) {
            Some(Ok(unsealed)) => unsealed,
            Some(Err(refusal)) => return self.observe(Some(user), refused(&refusal)),
            None => return,
        };
        let from = unsealed.from;
        if self.has_blocked(name, from) {
            return self.observe(Some(user), refused(&Refusal::new(Reason::Blocked, "its certified sender is blocked")));
        }
        match self.with_reference(name, |r| r.decrypt_certified(&unsealed, now_ms)) {
            Some(Ok(opened)) => {
                self.note_signature(user, from, id, opened.signature);
                self.receive_pairwise(name, user, from, id, &opened.content, opened.padded);
            }
            Some(Err(refusal)) => {
                self.observe(Some(user), refused(&refusal));
                self.ask_again(name, user, from, id, refusal.reason);
            }
            None => {}
        }
    }
}
