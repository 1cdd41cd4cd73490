//! A peer's prekey bundle, as this stack takes it.

use crate::curve::PublicKey;
use crate::profile::WireProfile;
use crate::refusal::Refusal;
use crate::session::CheckedBundle;
use countersign_contract::portable::{KeyBundle, Prekey, SignedKey};
use countersign_contract::{Bytes, Reason};
use serde::{Deserialize, Serialize};

/// The public keys that a session is set up from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The peer's registration id.
    pub registration_id: u32,
    /// The peer's identity key, 33 bytes.
    pub identity_key: Bytes,
    /// Its signed prekey.
    pub signed_prekey: SignedKey,
    /// One of its one-time prekeys, if one was left.
    pub one_time_prekey: Option<Prekey>,
    /// A Kyber prekey, one-time or last-resort; there where the wire profile needs one.
    pub kyber_prekey: Option<SignedKey>,
}

impl From<&KeyBundle> for Bundle {
    fn from(bundle: &KeyBundle) -> Self {
        Self {
            registration_id: bundle.registration_id,
            identity_key: bundle.identity_key.clone(),
            signed_prekey: bundle.signed_prekey.clone(),
            one_time_prekey: bundle.one_time_prekey.clone(),
            kyber_prekey: bundle.kyber_prekey.clone(),
        }
    }
}

impl Bundle {
    /// Reads all keys, then checks all signatures.
    pub(crate) fn check(&self, profile: WireProfile) -> Result<CheckedBundle<'_>, Refusal> {
        let identity = PublicKey::read(&self.identity_key.0, "identity key")?;
        let signed = PublicKey::read(&self.signed_prekey.key.0, "signed prekey")?;
        let one_time = match &self.one_time_prekey {
            Some(prekey) => Some(PublicKey::read(&prekey.key.0, "one-time prekey")?),
            None => None,
        };
        let kyber = self.kyber_prekey.as_ref().filter(|_| profile.has_kyber());
        match kyber {
            None if profile.has_kyber() => {
                return Err(Refusal::new(
                    Reason::Unsupported,
                    format!("a bundle without a Kyber prekey is not enough for {profile}"),
                ));
            }
            None => {}
            Some(key) => crate::kem::check_public(&key.key.0, "Kyber prekey")?,
        }
        for (key, what) in [(Some(&self.signed_prekey), "signed prekey"), (kyber, "Kyber prekey")] {
            if key.is_some_and(|key| !identity.verifies(&key.key.0, &key.signature.0)) {
                let detail = format!("{what}: the signature does not verify under the identity key");
                return Err(Refusal::new(Reason::BadSignature, detail));
            }
        }
        Ok(CheckedBundle { identity, signed, one_time, kyber })
    }
}
