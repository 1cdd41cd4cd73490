//! Sessions of a user: set up from a bundle, put aside.

use super::library::ParsedBundle;
use super::{ReferenceUser, name_in, store_name};
use crate::points;
use crate::refusal::Refusal;
use countersign_adversary::Alteration;
use countersign_contract::portable::{KeyBundle, SignedKey};
use countersign_contract::{Reason, UserId};
use countersign_trace::Digest;
use countersign_trace::observation::Observation;
use libsignal_protocol::{IdentityKey, PublicKey};

impl ReferenceUser {
    /// Whether the user has a session to send with, under the newest identity key known of the peer.
    #[must_use]
    pub fn has_session(&self, peer: UserId) -> bool {
        let stack = self.stack.get();
        let Some(known) = stack.known().get(name_in(&mut [0; 36], peer)) else { return false };
        // Behind the type byte, of which there is one kind.
        let newest = known.newest.public_key().public_key_bytes();
        stack.session_identity(peer).is_some_and(|key| key.get(1..) == Some(newest))
    }

    /// Puts the current session with a peer aside: what was sent in it can still be read, but nothing is sent in it any more, and
    /// the next bundle starts a new one.
    pub fn reset_session(&mut self, peer: UserId) {
        self.stack.get_mut().reset_session(peer);
    }

    /// Checks a peer's bundle and sets up a session from it.
    ///
    /// # Errors
    /// In this order: `wrong-recipient` for the user's own bundle, `bad-key`, `bad-signature`, and `untrusted-identity` if the
    /// peer's identity key changed: it is then the newest known one, and [`Self::accept_identity`] makes the next attempt succeed.
    pub fn process_bundle(&mut self, bundle: &KeyBundle, now_ms: u64) -> Result<Observation, Refusal> {
        self.process_bundle_wrongly(bundle, &[], now_ms)
    }

    /// Likewise, and does these things wrongly; none of them, if the list is empty.
    ///
    /// # Errors
    /// Those of [`Self::process_bundle`], and `unsupported` for an alteration that cannot be made: any, on Signal's library.
    pub fn process_bundle_wrongly(
        &mut self,
        bundle: &KeyBundle,
        alterations: &[Alteration],
        now_ms: u64,
    ) -> Result<Observation, Refusal> {
        let mut rng = self.next_draw();
        if bundle.user == self.config.user {
            return Err(Refusal::new(Reason::WrongRecipient, "the bundle is the user's own"));
        }
        let parsed = self.parse(bundle)?;
        self.meet(bundle, parsed.identity)?;
        self.stack.get_mut().set_up(bundle, &parsed, alterations, now_ms, &mut rng)?;
        Ok(Observation::SessionFrom {
            peer: bundle.user,
            identity: Digest::of(&bundle.identity_key.0),
            one_time_prekey: bundle.one_time_prekey.as_ref().map(|prekey| prekey.id),
            kyber_prekey: self.kyber_prekey(bundle)?.map(|prekey| prekey.id),
        })
    }

    fn parse(&self, bundle: &KeyBundle) -> Result<ParsedBundle, Refusal> {
        let identity = points::curve(&bundle.identity_key.0, "identity key")?;
        let signed = points::curve(&bundle.signed_prekey.key.0, "signed prekey")?;
        let one_time = match &bundle.one_time_prekey {
            Some(prekey) => Some((prekey.id.into(), points::curve(&prekey.key.0, "one-time prekey")?)),
            None => None,
        };
        let kyber = match self.kyber_prekey(bundle)? {
            Some(prekey) => Some(points::kyber(&prekey.key.0, "Kyber prekey")?),
            None => None,
        };
        Ok(ParsedBundle { identity: IdentityKey::new(identity), signed, one_time, kyber })
    }

    /// Notes which identity key a genuine bundle is under, before anything is sent to it, and refuses one that is not accepted.
    fn meet(&mut self, bundle: &KeyBundle, identity: IdentityKey) -> Result<(), Refusal> {
        let kyber = self.kyber_prekey(bundle)?;
        let known = self.stack.get_mut().known_mut().get_mut(&store_name(bundle.user));
        // Otherwise there is nothing to note, and the stack checks the signatures itself.
        let Some(known) = known.filter(|known| known.trusted != identity || known.is_pending()) else { return Ok(()) };
        verify(identity.public_key(), &bundle.signed_prekey, "signed prekey")?;
        if let Some(kyber) = kyber {
            verify(identity.public_key(), kyber, "Kyber prekey")?;
        }
        known.newest = identity;
        if known.is_pending() {
            return Err(Refusal::new(Reason::UntrustedIdentity, "the peer's identity key changed and was not accepted"));
        }
        Ok(())
    }

    /// The Kyber prekey of a bundle; `None` in a suite without one. A bundle that lacks it is one of another suite.
    fn kyber_prekey<'a>(&self, bundle: &'a KeyBundle) -> Result<Option<&'a SignedKey>, Refusal> {
        if !self.stack.get().needs_kyber() {
            return Ok(None);
        }
        let missing = || Refusal::new(Reason::Malformed, "the bundle has no Kyber prekey");
        bundle.kyber_prekey.as_ref().map(Some).ok_or_else(missing)
    }
}

fn verify(identity: &PublicKey, key: &SignedKey, what: &str) -> Result<(), Refusal> {
    if identity.verify_signature(&key.key.0, &key.signature.0) {
        return Ok(());
    }
    Err(Refusal::new(Reason::BadSignature, format!("{what}: the signature does not verify under the identity key")))
}
