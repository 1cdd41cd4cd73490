//! Sessions of a user: set up from a bundle, put aside.

use super::{ReferenceUser, address, at_once, store_name, time};
use crate::points;
use crate::refusal::Refusal;
use countersign_contract::portable::{KeyBundle, SignedKey};
use countersign_contract::{Reason, UserId};
use countersign_trace::Digest;
use countersign_trace::observation::Observation;
use libsignal_protocol::{IdentityKey, PreKeyBundle, PublicKey, SessionUsabilityRequirements, process_prekey_bundle};
use std::time::SystemTime;

impl ReferenceUser {
    /// Whether the user has a session to send with, under the newest identity key known of the peer.
    #[must_use]
    pub fn has_session(&self, peer: UserId) -> bool {
        self.has_session_with(&store_name(peer))
    }

    /// The same, by the name under which libsignal knows the peer.
    pub(super) fn has_session_with(&self, name: &str) -> bool {
        let Some(known) = self.installation.identities.known.get(name) else { return false };
        let Some(session) = self.installation.sessions.by_name.get(name) else { return false };
        // Without requirements the time is not looked at.
        let usable = session.has_usable_sender_chain(SystemTime::UNIX_EPOCH, SessionUsabilityRequirements::empty());
        usable.unwrap_or(false)
            && session.remote_identity_key_bytes().ok().flatten().is_some_and(|key| {
                // Behind the type byte, of which there is one kind.
                key.get(1..) == Some(known.newest.public_key().public_key_bytes())
            })
    }

    /// Puts the current session with a peer aside: what was sent in it can still be read, but nothing is sent in it any more, and
    /// the next bundle starts a new one.
    pub fn reset_session(&mut self, peer: UserId) {
        if let Some(session) = self.installation.sessions.by_name.get_mut(&store_name(peer)) {
            // The present library never fails here; a session that could not be put aside would be unusable anyway.
            let archived = session.archive_current_state();
            debug_assert!(archived.is_ok(), "a session that was stored can be archived");
        }
    }

    /// Checks a peer's bundle and sets up a session from it.
    ///
    /// # Errors
    /// In this order: `wrong-recipient` for the user's own bundle, `bad-key`, `bad-signature`, and `untrusted-identity` if the
    /// peer's identity key changed: it is then the newest known one, and [`Self::accept_identity`] makes the next attempt succeed.
    pub fn process_bundle(&mut self, bundle: &KeyBundle, now_ms: u64) -> Result<Observation, Refusal> {
        let mut rng = self.next_draw();
        if bundle.user == self.config.user {
            return Err(Refusal::new(Reason::WrongRecipient, "the bundle is the user's own"));
        }
        let identity = points::curve(&bundle.identity_key.0, "identity key")?;
        let signed = points::curve(&bundle.signed_prekey.key.0, "signed prekey")?;
        let one_time = match &bundle.one_time_prekey {
            Some(prekey) => Some((prekey.id.into(), points::curve(&prekey.key.0, "one-time prekey")?)),
            None => None,
        };
        let kyber = points::kyber(&bundle.kyber_prekey.key.0, "Kyber prekey")?;
        let identity = IdentityKey::new(identity);
        self.meet(bundle, identity)?;

        let peer = address(bundle.user)?;
        let device = peer.device_id();
        let parsed = PreKeyBundle::new(
            bundle.registration_id,
            device,
            one_time,
            bundle.signed_prekey.id.into(),
            signed,
            bundle.signed_prekey.signature.0.clone(),
            bundle.kyber_prekey.id.into(),
            kyber,
            bundle.kyber_prekey.signature.0.clone(),
            identity,
        )?;
        let installation = &mut self.installation;
        at_once(process_prekey_bundle(
            &peer,
            &mut installation.sessions,
            &mut installation.identities,
            &parsed,
            time(now_ms),
            &mut rng,
        ))?;
        Ok(Observation::SessionFrom {
            peer: bundle.user,
            identity: Digest::of(&bundle.identity_key.0),
            one_time_prekey: bundle.one_time_prekey.as_ref().map(|prekey| prekey.id),
            kyber_prekey: bundle.kyber_prekey.id,
        })
    }

    /// Notes which identity key a genuine bundle is under, before anything is sent to it, and refuses one that is not accepted.
    fn meet(&mut self, bundle: &KeyBundle, identity: IdentityKey) -> Result<(), Refusal> {
        let known = self.installation.identities.known.get_mut(&store_name(bundle.user));
        // Otherwise there is nothing to note, and libsignal checks the signatures itself.
        let Some(known) = known.filter(|known| known.trusted != identity || known.is_pending()) else { return Ok(()) };
        verify(identity.public_key(), &bundle.signed_prekey, "signed prekey")?;
        verify(identity.public_key(), &bundle.kyber_prekey, "Kyber prekey")?;
        known.newest = identity;
        if known.is_pending() {
            return Err(Refusal::new(Reason::UntrustedIdentity, "the peer's identity key changed and was not accepted"));
        }
        Ok(())
    }
}

fn verify(identity: &PublicKey, key: &SignedKey, what: &str) -> Result<(), Refusal> {
    if identity.verify_signature(&key.key.0, &key.signature.0) {
        return Ok(());
    }
    Err(Refusal::new(Reason::BadSignature, format!("{what}: the signature does not verify under the identity key")))
}
