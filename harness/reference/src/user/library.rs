//! Signal's library.

use super::stack::{Made, Plain, PublicKeys, Speaker};
use super::{address, at_once, name_in, store_name, time};
use crate::keys::{Installation, sign};
use crate::refusal::Refusal;
use crate::stores::Known;
use crate::wire::Message;
use countersign_adversary::Alteration;
use countersign_contract::portable::{KeyBundle, MOST_PREKEYS, MessageType, PublishKeys, SignedKey};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{
    CiphertextMessage, IdentityKey, PreKeyBundle, PreKeyId, PreKeySignalMessage, ProtocolAddress, PublicKey,
    SessionUsabilityRequirements, SignalMessage, kem, message_decrypt_prekey, message_decrypt_signal, message_encrypt,
    process_prekey_bundle,
};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

/// The high half of the version byte: PQXDH and the triple ratchet.
const VERSION: u8 = 4;

/// The public keys of a bundle, none of low order. Their signatures are not checked yet.
pub(crate) struct ParsedBundle {
    pub(crate) identity: IdentityKey,
    pub(crate) signed: PublicKey,
    pub(crate) one_time: Option<(PreKeyId, PublicKey)>,
    /// There where the suite has such a key.
    pub(crate) kyber: Option<kem::PublicKey>,
}

impl Speaker for Installation {
    fn version(&self) -> Option<u8> {
        Some(VERSION)
    }

    fn identity(&self) -> Result<IdentityKey, Refusal> {
        Ok(*self.identities.own.identity_key())
    }

    fn public_keys(&self) -> PublicKeys {
        PublicKeys {
            registration_id: self.identities.registration_id,
            signed: self.published.signed.clone(),
            last_resort: Some(self.published.last_resort.clone()),
            one_time: self.published.one_time.values().take(MOST_PREKEYS).cloned().collect(),
            one_time_kyber: self.published.one_time_kyber.values().take(MOST_PREKEYS).cloned().collect(),
        }
    }

    fn add_one_time(&mut self, count: u32, kyber_too: bool, rng: &mut ChaCha20Rng) -> PublishKeys {
        Self::add_one_time(self, count, kyber_too, rng)
    }

    fn renew_signed(&mut self, rng: &mut ChaCha20Rng) -> SignedKey {
        Self::renew_signed(self, rng)
    }

    fn renew_last_resort(&mut self, rng: &mut ChaCha20Rng) -> Option<SignedKey> {
        Some(Self::renew_last_resort(self, rng))
    }

    fn sign(&self, bytes: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
        sign(self.identities.own.private_key(), bytes, rng)
    }

    fn known(&self) -> &BTreeMap<String, Known> {
        &self.identities.known
    }

    fn known_mut(&mut self) -> &mut BTreeMap<String, Known> {
        &mut self.identities.known
    }

    fn session_identity(&self, peer: UserId) -> Option<Vec<u8>> {
        let session = self.sessions.by_name.get(name_in(&mut [0; 36], peer))?;
        // Without requirements the time is not looked at.
        let usable = session.has_usable_sender_chain(SystemTime::UNIX_EPOCH, SessionUsabilityRequirements::empty());
        session.remote_identity_key_bytes().ok().flatten().filter(|_| usable.unwrap_or(false))
    }

    fn reset_session(&mut self, peer: UserId) {
        if let Some(session) = self.sessions.by_name.get_mut(&store_name(peer)) {
            // The present library never fails here; a session that could not be put aside would be unusable anyway.
            let archived = session.archive_current_state();
            debug_assert!(archived.is_ok(), "a session that was stored can be archived");
        }
    }

    fn needs_kyber(&self) -> bool {
        true
    }

    fn set_up(
        &mut self,
        bundle: &KeyBundle,
        parsed: &ParsedBundle,
        alterations: &[Alteration],
        now_ms: u64,
        rng: &mut ChaCha20Rng,
    ) -> Result<(), Refusal> {
        unaltered(alterations)?;
        let missing = || Refusal::new(Reason::Malformed, "the bundle has no Kyber prekey");
        let (Some(signed_kyber), Some(kyber)) = (&bundle.kyber_prekey, &parsed.kyber) else { return Err(missing()) };
        let peer = address(bundle.user)?;
        let keys = PreKeyBundle::new(
            bundle.registration_id,
            peer.device_id(),
            parsed.one_time,
            bundle.signed_prekey.id.into(),
            parsed.signed,
            bundle.signed_prekey.signature.0.clone(),
            signed_kyber.id.into(),
            kyber.clone(),
            signed_kyber.signature.0.clone(),
            parsed.identity,
        )?;
        at_once(process_prekey_bundle(&peer, &mut self.sessions, &mut self.identities, &keys, time(now_ms), rng))
    }

    fn encrypt(
        &mut self,
        to: UserId,
        padded: &[u8],
        alterations: &[Alteration],
        now_ms: u64,
        rng: &mut ChaCha20Rng,
    ) -> Result<Made, Refusal> {
        unaltered(alterations)?;
        let peer = address(to)?;
        let message = at_once(message_encrypt(padded, &peer, &mut self.sessions, &mut self.identities, time(now_ms), rng))?;
        let (kind, ratchet_key, body) = match &message {
            CiphertextMessage::PreKeySignalMessage(m) => (MessageType::Prekey, m.message().sender_ratchet_key(), m.serialized()),
            CiphertextMessage::SignalMessage(m) => (MessageType::Normal, m.sender_ratchet_key(), m.serialized()),
            _ => return Err(Refusal::new(Reason::Internal, "the library made a message of another kind")),
        };
        Ok(Made { kind, ratchet_key: ratchet_key.serialize().into_vec(), body: body.to_vec() })
    }

    // Keeps what libsignal would let an unauthenticated field change.
    fn open(
        &mut self,
        from: UserId,
        message: &Message<'_>,
        kind: MessageType,
        body: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Plain, Refusal> {
        let peer = address(from)?;
        let name = peer.name();
        let known_before = self.identities.known.get(name).copied();
        self.sessions.begin();
        self.kyber.marked = None;
        // What is refused before is all that is known to make the library panic; if there is more, it must not end the run.
        let called = catch_unwind(AssertUnwindSafe(|| self.call_library(&peer, kind, body, rng)));
        let called = called.unwrap_or_else(|_| Err(Refusal::new(Reason::Internal, "the library panicked")));
        let outcome = called.and_then(|padded| {
            let starts_session = self.kyber.marked.is_some();
            self.check_outer_identity(name, message, starts_session)?;
            Ok((padded, starts_session))
        });
        let known = &mut self.identities.known;
        match outcome {
            Ok((padded, starts_session)) => {
                // A late message of a session under a former identity key must not bring that key back.
                if let (false, Some(before), Some(now)) = (starts_session, known_before, known.get_mut(name)) {
                    *now = before;
                }
                let newest = known.get(name).map(|known| known.newest);
                let identity_changed = known_before.is_some_and(|before| newest != Some(before.newest));
                self.sessions.keep();
                // Only the first message of a session uses any prekeys.
                if starts_session {
                    self.forget_used();
                }
                let used_one_time_prekey = message.outer().filter(|_| starts_session).and_then(|outer| outer.prekey_id);
                Ok(Plain { padded, used_one_time_prekey, identity_changed })
            }
            Err(refusal) => {
                // libsignal stores the identity before it asks whether the Kyber prekey may be used.
                match known_before {
                    Some(before) => known.insert(name.to_owned(), before),
                    None => known.remove(name),
                };
                self.sessions.undo(name);
                Err(refusal)
            }
        }
    }
}

impl Installation {
    fn call_library(
        &mut self,
        peer: &ProtocolAddress,
        kind: MessageType,
        body: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Refusal> {
        match kind {
            MessageType::Prekey => {
                let message = PreKeySignalMessage::try_from(body)?;
                at_once(message_decrypt_prekey(
                    &message,
                    peer,
                    &mut self.sessions,
                    &mut self.identities,
                    &mut self.one_time,
                    &self.signed,
                    &mut self.kyber,
                    rng,
                ))
            }
            MessageType::Normal => {
                let message = SignalMessage::try_from(body)?;
                at_once(message_decrypt_signal(&message, peer, &mut self.sessions, &mut self.identities, rng))
            }
        }
    }

    /// In a prekey message of a session that exists already, libsignal looks at nothing outside the embedded message but the base
    /// key, and yet stores the identity key that stands there. So it must be the session's.
    fn check_outer_identity(&self, name: &str, message: &Message<'_>, starts_session: bool) -> Result<(), Refusal> {
        let Some(outer) = message.outer().filter(|_| !starts_session) else { return Ok(()) };
        let session = self.sessions.by_name.get(name);
        let identity = session.and_then(|session| session.remote_identity_key_bytes().ok().flatten());
        if identity.as_deref() == Some(outer.identity_key) {
            return Ok(());
        }
        Err(Refusal::new(Reason::BadMac, "the identity key is not the one that the session was made under"))
    }
}

/// The library makes nothing wrong.
pub(super) fn unaltered(alterations: &[Alteration]) -> Result<(), Refusal> {
    match alterations {
        [] => Ok(()),
        _ => Err(Refusal::new(Reason::Unsupported, "the library cannot be told to misbehave")),
    }
}
