//! Checking a prekey bundle and setting up a session from it.

use super::super::outcome::Started;
use super::agreement::Theirs;
use super::session::{Pending, Session, Slips};
use super::{Vault, is_low_order};
use crate::defect::Defect;
use countersign_contract::portable::{KeyBundle, SignedKey};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{IdentityKey, PublicKey};
use std::time::SystemTime;

impl Vault {
    /// Checks a bundle of `of` and sets up a session from it; see [`super::super::Vault::start`].
    pub(crate) fn start(&mut self, of: UserId, bundle: &KeyBundle, now: SystemTime) -> Result<Started, Reason> {
        if bundle.user != of || !(1..=16380).contains(&bundle.registration_id) {
            return Err(Reason::Malformed);
        }
        if of == self.user {
            return Err(Reason::WrongRecipient);
        }
        let identity = IdentityKey::new(key(bundle.identity_key.as_ref(), true)?);
        let check = !self.defects.has(Defect::AcceptsLowOrderSignedPrekey);
        let signed_prekey = key(bundle.signed_prekey.key.as_ref(), check)?;
        let check = !self.defects.has(Defect::AcceptsLowOrderOneTimePrekey);
        let one_time = match &bundle.one_time_prekey {
            Some(prekey) => Some((prekey.id, key(prekey.key.as_ref(), check)?)),
            None if self.defects.has(Defect::NeedsOneTimePrekey) => return Err(Reason::UnknownPrekey),
            None => None,
        };
        let one_time = if self.defects.has(Defect::IgnoresOneTimePrekey) { None } else { one_time };
        if !self.is_signed(&identity, &bundle.signed_prekey) {
            return Err(Reason::BadSignature);
        }

        // Only now is it known that the identity key belongs to whoever made the bundle.
        let name = of.to_string();
        self.identities.learn(&name, &identity);
        let tell = self.identities.take_changed();
        if !self.identities.is_accepted(&name) {
            return Ok(Started::Untrusted { tell });
        }
        let theirs = Theirs { identity, signed_prekey, one_time_prekey: one_time.map(|(_, key)| key) };
        let pending = Pending { one_time_prekey: one_time.map(|(id, _)| id), signed_prekey: bundle.signed_prekey.id, since: now };
        let mut session = Session::begin(&self.identities.own, &theirs, pending, &mut self.rng)?;
        session.slips = Slips::of(self.defects.as_ref());
        if self.defects.has(Defect::ForgetsOldSessionOnFetch) {
            self.sessions.remove(&of);
        }
        self.sessions.entry(of).or_default().begin(session);
        Ok(Started::Session)
    }

    fn is_signed(&self, identity: &IdentityKey, key: &SignedKey) -> bool {
        let by = |signer: &IdentityKey| signer.public_key().verify_signature(key.key.as_ref(), key.signature.as_ref());
        by(identity)
            || self.defects.has(Defect::SkipsSignedPrekeySignature)
            || self.defects.has(Defect::AcceptsSignatureOfAnyContact) && self.identities.known().any(by)
    }
}

/// A key of a bundle.
fn key(bytes: &[u8], check_order: bool) -> Result<PublicKey, Reason> {
    if bytes.len() != 33 {
        return Err(Reason::BadKey);
    }
    let key = PublicKey::deserialize(bytes).map_err(|_| Reason::BadKey)?;
    if check_order && is_low_order(&key) { Err(Reason::BadKey) } else { Ok(key) }
}
