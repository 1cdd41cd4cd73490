//! Checking a prekey bundle and setting up a session from it.

use super::super::outcome::Started;
use super::{REMEMBERED, Vault, address, is_low_order, reason_of, run};
use crate::defect::Defect;
use countersign_contract::portable::{DEVICE, KeyBundle, SignedKey};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{DeviceId, IdentityKey, PreKeyBundle, PublicKey, kem, process_prekey_bundle};
use std::time::SystemTime;

impl Vault {
    /// Checks a bundle of `of` and sets up a session from it, even if there is one.
    ///
    /// # Errors
    /// `malformed`, `bad-key` or `bad-signature`; the user is told nothing of an identity key that a bad bundle names.
    pub(crate) fn start(&mut self, of: UserId, bundle: &KeyBundle, now: SystemTime) -> Result<Started, Reason> {
        if bundle.user != of || !(1..=16380).contains(&bundle.registration_id) {
            return Err(Reason::Malformed);
        }
        if of == self.user {
            return Err(Reason::WrongRecipient);
        }
        let identity = IdentityKey::new(ec_key(bundle.identity_key.as_ref(), true)?);
        let check = !self.defects.has(Defect::AcceptsLowOrderSignedPrekey);
        let signed = ec_key(bundle.signed_prekey.key.as_ref(), check)?;
        let check = !self.defects.has(Defect::AcceptsLowOrderOneTimePrekey);
        let one_time = match &bundle.one_time_prekey {
            Some(prekey) => Some((prekey.id.into(), ec_key(prekey.key.as_ref(), check)?)),
            None if self.defects.has(Defect::NeedsOneTimePrekey) => return Err(Reason::UnknownPrekey),
            None => None,
        };
        let one_time = if self.defects.has(Defect::IgnoresOneTimePrekey) { None } else { one_time };
        let kyber_prekey = bundle.kyber_prekey.as_ref().ok_or(Reason::Malformed)?;
        let kyber = kyber_key(kyber_prekey.key.as_ref())?;
        let prekeys = PreKeyBundle::new(
            bundle.registration_id,
            u8::try_from(DEVICE).ok().and_then(|d| DeviceId::new(d).ok()).ok_or(Reason::Internal)?,
            one_time,
            bundle.signed_prekey.id.into(),
            signed,
            bundle.signed_prekey.signature.0.clone(),
            kyber_prekey.id.into(),
            kyber,
            kyber_prekey.signature.0.clone(),
            identity,
        )
        .map_err(|_| Reason::Malformed)?;

        let name = of.to_string();
        let changes = self.identities.peer(&name).is_some_and(|peer| peer.latest != identity);
        let checked_by_library = self.checks_all_signatures();
        if changes || !checked_by_library {
            self.check_signatures(&identity, &bundle.signed_prekey, kyber_prekey)?;
        }
        // Only now is it known that a changed identity key belongs to whoever made the bundle.
        if changes {
            self.identities.learn(&name, &identity);
        }
        let tell = self.identities.take_changed();
        if !self.identities.is_accepted(&name) {
            return Ok(Started::Untrusted { tell });
        }
        let to = address(of)?;
        if self.defects.has(Defect::ForgetsOldSessionOnFetch) {
            self.sessions.0.remove(&name);
        }
        if checked_by_library || right(&identity, &bundle.signed_prekey) && right(&identity, kyber_prekey) {
            run(process_prekey_bundle(&to, &mut self.sessions, &mut self.identities, &prekeys, now, &mut self.rng))
                .map_err(|error| reason_of(&error).unwrap_or(Reason::Malformed))?;
        } else {
            self.start_unchecked(&to, &prekeys, now)?;
        }
        if self.begun.len() < REMEMBERED {
            self.begun.insert(of);
        }
        Ok(Started::Session)
    }

    /// Whether this client takes no prekey without the owner's signature.
    fn checks_all_signatures(&self) -> bool {
        let lax = [Defect::SkipsSignedPrekeySignature, Defect::SkipsKyberPrekeySignature, Defect::AcceptsSignatureOfAnyContact];
        !lax.iter().any(|defect| self.defects.has(*defect))
    }

    /// The check that libsignal makes when it sets up a session: too late if the user is to hear of a new identity key first.
    fn check_signatures(&self, identity: &IdentityKey, signed: &SignedKey, kyber: &SignedKey) -> Result<(), Reason> {
        let by_contact = |key: &SignedKey| {
            self.defects.has(Defect::AcceptsSignatureOfAnyContact) && self.identities.known().any(|contact| right(contact, key))
        };
        let passes = |key: &SignedKey, skipped| right(identity, key) || by_contact(key) || self.defects.has(skipped);
        let signed = passes(signed, Defect::SkipsSignedPrekeySignature);
        let kyber = passes(kyber, Defect::SkipsKyberPrekeySignature);
        if signed && kyber { Ok(()) } else { Err(Reason::BadSignature) }
    }
}

/// Whether a key is signed by this identity.
fn right(identity: &IdentityKey, key: &SignedKey) -> bool {
    identity.public_key().verify_signature(key.key.as_ref(), key.signature.as_ref())
}

/// An EC key of a bundle. libsignal ignores bytes after the key, and accepts keys of low order: neither is for us to pass on.
fn ec_key(bytes: &[u8], check_order: bool) -> Result<PublicKey, Reason> {
    if bytes.len() != 33 {
        return Err(Reason::BadKey);
    }
    let key = PublicKey::deserialize(bytes).map_err(|_| Reason::BadKey)?;
    if check_order && is_low_order(&key) {
        return Err(Reason::BadKey);
    }
    Ok(key)
}

/// The Kyber key of a bundle. libsignal encapsulates to an all-zero key, which anybody can undo.
fn kyber_key(bytes: &[u8]) -> Result<kem::PublicKey, Reason> {
    let key = kem::PublicKey::deserialize(bytes).map_err(|_| Reason::BadKey)?;
    if key.key_type() != kem::KeyType::Kyber1024 || bytes.iter().skip(1).all(|byte| *byte == 0) {
        return Err(Reason::BadKey);
    }
    Ok(key)
}
