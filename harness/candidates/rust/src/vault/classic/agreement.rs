//! X3DH: the secret that begins a session, from either end.

use super::chain::{self, Key};
use countersign_contract::Reason;
use libsignal_protocol::{IdentityKey, IdentityKeyPair, KeyPair, PrivateKey, PublicKey};

/// What stands before the agreed secrets: it keeps the input apart from any encoding of a key.
pub(super) const PREFIX: [u8; 32] = [0xff; 32];

/// The keys of a responder, as its bundle names them.
pub(super) struct Theirs {
    pub(super) identity: IdentityKey,
    pub(super) signed_prekey: PublicKey,
    pub(super) one_time_prekey: Option<PublicKey>,
}

/// The keys of a responder, as it holds them.
pub(super) struct Ours {
    pub(super) signed_prekey: KeyPair,
    pub(super) one_time_prekey: Option<KeyPair>,
}

/// Root key and chain key for the one who starts a session.
pub(super) fn initiate(own: &IdentityKeyPair, base: &KeyPair, theirs: &Theirs) -> Result<(Key, Key), Reason> {
    let mut secrets = PREFIX.to_vec();
    secrets.extend(agree(own.private_key(), &theirs.signed_prekey)?);
    secrets.extend(agree(&base.private_key, theirs.identity.public_key())?);
    secrets.extend(agree(&base.private_key, &theirs.signed_prekey)?);
    if let Some(one_time) = &theirs.one_time_prekey {
        secrets.extend(agree(&base.private_key, one_time)?);
    }
    chain::from_agreement(&secrets)
}

/// Root key and chain key for the one who answers; `prefix` is [`PREFIX`] but for a defect.
pub(super) fn respond(
    prefix: &[u8],
    own: &IdentityKeyPair,
    ours: &Ours,
    identity: &IdentityKey,
    base: &PublicKey,
) -> Result<(Key, Key), Reason> {
    let mut secrets = prefix.to_vec();
    secrets.extend(agree(&ours.signed_prekey.private_key, identity.public_key())?);
    secrets.extend(agree(own.private_key(), base)?);
    secrets.extend(agree(&ours.signed_prekey.private_key, base)?);
    if let Some(one_time) = &ours.one_time_prekey {
        secrets.extend(agree(&one_time.private_key, base)?);
    }
    chain::from_agreement(&secrets)
}

/// X25519. That a key is not of low order is for the caller to see to.
pub(super) fn agree(own: &PrivateKey, theirs: &PublicKey) -> Result<Box<[u8]>, Reason> {
    own.calculate_agreement(theirs).map_err(|_| Reason::BadKey)
}
