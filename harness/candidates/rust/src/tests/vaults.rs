//! Vaults that talk to each other, without clients and a gateway between them.

use crate::Defects;
use crate::vault::{Opened, Readiness, Started, Vault};
use countersign_contract::claims::Suite;
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{Enlist, KeyBundle, MessageType, PublishKeys};
use countersign_contract::{Reason, UserId};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// An encrypted message.
pub(super) type Sealed = (MessageType, Vec<u8>);

pub(super) const SUITES: [Suite; 2] = [Suite::SignalPq, Suite::SignalClassic];

/// A user with the keys that it published and that were not handed out yet.
pub(super) struct Party {
    pub(super) user: UserId,
    pub(super) vault: Vault,
    pub(super) keys: Enlist,
    pub(super) now: SystemTime,
}

impl Party {
    pub(super) fn new(suite: Suite, defects: impl Defects, one_time_prekeys: u32) -> Self {
        let user = UserId(Uuid::new_v4());
        let mut vault = Vault::new(suite, user, Arc::new(defects));
        let keys = vault.enlist(one_time_prekeys, 0).unwrap();
        Self { user, vault, keys, now: SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 50) }
    }

    pub(super) fn imported(suite: Suite, keys: &ImportedKeys) -> Result<Self, Reason> {
        let user = UserId(Uuid::new_v4());
        let mut vault = Vault::new(suite, user, Arc::new(crate::Honest));
        let keys = vault.import(keys, 0)?;
        Ok(Self { user, vault, keys, now: SystemTime::UNIX_EPOCH })
    }

    /// Hands out a bundle as the gateway does.
    pub(super) fn bundle(&mut self) -> KeyBundle {
        let keys = &mut self.keys;
        let kyber = &mut keys.one_time_kyber_prekeys;
        KeyBundle {
            user: self.user,
            registration_id: keys.registration_id,
            identity_key: keys.identity_key.clone(),
            signed_prekey: keys.signed_prekey.clone(),
            one_time_prekey: (!keys.one_time_prekeys.is_empty()).then(|| keys.one_time_prekeys.remove(0)),
            kyber_prekey: if kyber.is_empty() { keys.kyber_prekey.clone() } else { Some(kyber.remove(0)) },
        }
    }

    pub(super) fn published(&mut self, more: PublishKeys) {
        self.keys.signed_prekey = more.signed_prekey.unwrap_or_else(|| self.keys.signed_prekey.clone());
        self.keys.kyber_prekey = more.kyber_prekey.or_else(|| self.keys.kyber_prekey.take());
        self.keys.one_time_prekeys.extend(more.one_time_prekeys);
        self.keys.one_time_kyber_prekeys.extend(more.one_time_kyber_prekeys);
    }

    /// Sets up a session from a bundle of the peer's.
    pub(super) fn start(&mut self, peer: &mut Party) {
        let bundle = peer.bundle();
        assert_eq!(self.vault.start(peer.user, &bundle, self.now), Ok(Started::Session));
    }

    pub(super) fn seal(&mut self, to: &Party, text: &str) -> Sealed {
        self.vault.seal(to.user, text.as_bytes(), self.now).unwrap()
    }

    pub(super) fn open(&mut self, from: &Party, sealed: &Sealed) -> Result<Opened, Reason> {
        self.vault.open(from.user, sealed.0, &sealed.1)
    }

    /// The text of a message, or why there is none.
    pub(super) fn read(&mut self, from: &Party, sealed: &Sealed) -> Result<String, Reason> {
        self.open(from, sealed).map(|opened| String::from_utf8(opened.plaintext).unwrap())
    }

    pub(super) fn is_ready(&self, to: &Party) -> bool {
        self.vault.readiness(to.user, self.now) == Readiness::Ready
    }
}

/// Sends a text that must be read.
pub(super) fn say(from: &mut Party, to: &mut Party, text: &str) {
    let sealed = from.seal(to, text);
    assert_eq!(to.read(from, &sealed), Ok(text.to_owned()));
}

/// Two users, of whom the first has set up a session and was answered.
pub(super) fn talking(suite: Suite, alice: impl Defects, bob: impl Defects) -> (Party, Party) {
    let (mut alice, mut bob) = (Party::new(suite, alice, 3), Party::new(suite, bob, 3));
    alice.start(&mut bob);
    say(&mut alice, &mut bob, "first");
    say(&mut bob, &mut alice, "answer");
    (alice, bob)
}

/// Where the registration id stands in a first message: between the numbers of its field and of the next.
pub(super) fn registration_id_in(first: &[u8], id: u32) -> std::ops::Range<usize> {
    let id = if id < 0x80 { vec![id as u8] } else { vec![id as u8 | 0x80, (id >> 7) as u8] };
    let field = [&[0x28], id.as_slice(), &[0x30]].concat();
    let place = first.windows(field.len()).rposition(|window| window == field).unwrap() + 1;
    place..place + id.len()
}
