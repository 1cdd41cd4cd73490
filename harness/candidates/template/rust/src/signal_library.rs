//! Here your Signal library takes over: one object for each user, and nothing else of this skeleton knows about keys.
//!
//! All bytes are as they go on the wire: EC keys 33 bytes (0x05 first), Kyber keys 1569 (0x08 first), signatures 64 (XEdDSA by
//! the identity key over all bytes of the key). Both addresses of a session are the user's UUID and device 1. Refuse with a
//! `Problem` and the contract's reason, and change nothing then. Calls for one user never overlap.

use crate::contract::{Outcome, Problem};

/// A public prekey as it is published.
pub struct PublicPrekey {
    pub id: u32,
    pub key: Vec<u8>,
    /// Of a signed prekey, and of a Kyber prekey.
    pub signature: Option<Vec<u8>>,
}

/// A prekey bundle as the gateway hands it out.
pub struct Bundle {
    pub registration_id: u32,
    pub identity_key: Vec<u8>,
    pub signed_prekey: PublicPrekey,
    pub one_time_prekey: Option<PublicPrekey>,
    pub kyber_prekey: PublicPrekey,
}

/// An encrypted message: whether it sets up a session, and its serialised form.
pub struct Encrypted {
    pub prekey: bool,
    pub body: Vec<u8>,
}

/// What the library needs of the client around it.
pub trait Surroundings: Send + Sync {
    /// The instance's time in milliseconds since the Unix epoch: give it to the library wherever that asks for the time.
    fn now_ms(&self) -> u64;
    /// A peer's identity key is another one than before: say so before you do anything else.
    fn identity_changed(&self, peer: &str);
}

pub struct Signal {
    // Your stores.
}

fn missing<T>(what: &str) -> Outcome<T> {
    Err(Problem::new("unsupported", format!("{what}: here your Signal library, in src/signal_library.rs")))
}

#[allow(unused_variables, reason = "until it is filled in")]
impl Signal {
    pub fn new(user: &str, surroundings: Box<dyn Surroundings>) -> Outcome<Self> {
        missing("no user without an identity key pair and a registration id (1 to 16380)")
    }

    // Step 1: own keys. Ids are unique among keys of one kind, and never used again.

    /// The public identity key.
    pub fn identity_key(&self) -> Outcome<Vec<u8>> {
        missing("identity key")
    }

    pub fn registration_id(&self) -> Outcome<u32> {
        missing("registration id")
    }

    /// Earlier ones stay usable for messages that are under way.
    pub fn new_signed_prekey(&mut self) -> Outcome<PublicPrekey> {
        missing("signed prekey")
    }

    /// A one-time one is deleted when it was used. A last-resort one stays, and the same use of it again (same signed prekey, same
    /// base key) is `duplicate`.
    pub fn new_kyber_prekey(&mut self, last_resort: bool) -> Outcome<PublicPrekey> {
        missing("Kyber prekey")
    }

    /// Without a signature. It is deleted when it was used.
    pub fn new_one_time_prekey(&mut self) -> Outcome<PublicPrekey> {
        missing("one-time prekey")
    }

    // Step 1: sessions.

    /// Whether there is a current session to send in.
    pub fn has_session(&self, peer: &str) -> Outcome<bool> {
        missing("sessions")
    }

    /// Checks a bundle and sets up a session from it, even if there is one. Answers the peer's identity key. `bad-signature`;
    /// `bad-key` for a key of wrong type or length, all zero or of low order; `malformed` for a registration id out of range;
    /// `untrusted-identity`, after `identity_changed`, for an identity key that the user has not accepted. The first one is
    /// accepted as it comes.
    pub fn establish(&mut self, peer: &str, bundle: &Bundle) -> Outcome<Vec<u8>> {
        missing("sessions from a bundle")
    }

    /// `untrusted-identity` while a changed key is not accepted.
    pub fn encrypt(&mut self, peer: &str, plaintext: &[u8]) -> Outcome<Encrypted> {
        missing("encryption")
    }

    /// The plaintext; a message under a new identity key is read, after `identity_changed`. Else one of `malformed`, `bad-version`,
    /// `bad-mac`, `no-session`, `unknown-prekey`, `duplicate`, `too-old`, `bad-key`, `wrong-recipient`.
    pub fn decrypt(&mut self, peer: &str, message: &Encrypted) -> Outcome<Vec<u8>> {
        missing("decryption")
    }

    // Step 3.

    /// 60 digits: displayable fingerprint, version 2, 5200 iterations, identifiers: the 16 bytes of the users' UUIDs. `no-session`
    /// if the peer's identity key is not known yet.
    pub fn safety_number(&self, peer: &str) -> Outcome<String> {
        missing("safety number")
    }

    /// The user accepts the peer's newest identity key.
    pub fn accept_identity(&mut self, peer: &str) -> Outcome<()> {
        missing("accepting an identity key")
    }
}
