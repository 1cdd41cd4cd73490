//! One user's keys: checked for form when they are published, handed out, counted.
//!
//! Signatures are not verified here. That is the duty of whoever uses a bundle, and what we test.

use super::disturbance::BundleRule;
use super::limits::{MOST_KEPT_PREKEYS, MOST_PUBLISHED_PREKEYS};
use countersign_contract::claims::Suite;
use countersign_contract::portable::{Enlist, KeyBundle, KeyCount, MOST_PREKEYS, Prekey, PublishKeys, SignedKey};
use countersign_contract::{Bytes, Problem, Reason, UserId};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, VecDeque};

const EC_BYTES: usize = 33;
const EC_TYPE: u8 = 0x05;
const KYBER_BYTES: usize = 1569;
const KYBER_TYPE: u8 = 0x08;
const SIGNATURE_BYTES: usize = 64;
const HIGHEST_REGISTRATION_ID: u32 = 16_380;

/// A user's place in the key directory.
#[derive(Clone)]
pub(crate) struct Keys {
    suite: Suite,
    registration_id: u32,
    identity_key: Bytes,
    signed_prekey: SignedKey,
    /// There in suites with Kyber keys.
    last_resort: Option<SignedKey>,
    one_time: VecDeque<Prekey>,
    one_time_kyber: VecDeque<SignedKey>,
    published: Published,
    published_kyber: Published,
    /// The one-time prekeys of the last answer, for [`BundleRule::ServeAgain`].
    last: Option<(Option<Prekey>, Option<SignedKey>)>,
}

/// Ids and keys that were ever published: a one-time prekey that comes again under the same or another id is not one.
#[derive(Clone, Default)]
struct Published {
    ids: BTreeSet<u32>,
    keys: BTreeSet<[u8; 32]>,
}

/// A bundle, what was done to it, and whether a kind of one-time prekeys ran out by it.
pub(crate) struct HandedOut {
    pub(crate) bundle: KeyBundle,
    pub(crate) bent: Vec<&'static str>,
    pub(crate) ran_out: bool,
}

impl Keys {
    /// Reads an enlistment for a suite.
    pub(crate) fn enlist(suite: Suite, body: Enlist) -> Result<Self, Problem> {
        if !(1..=HIGHEST_REGISTRATION_ID).contains(&body.registration_id) {
            return Err(malformed(format!("registration id {} is not in 1 to {HIGHEST_REGISTRATION_ID}", body.registration_id)));
        }
        check_ec("identity key", &body.identity_key)?;
        check_signed("signed prekey", &body.signed_prekey)?;
        match (&body.kyber_prekey, suite) {
            (Some(key), Suite::SignalPq) => check_kyber("Kyber prekey", key)?,
            (None, Suite::SignalPq) => return Err(malformed("no Kyber prekey, which this suite needs".to_owned())),
            // Refused with everything else of its kind below.
            (_, Suite::SignalClassic) => {}
        }
        let mut keys = Self {
            suite,
            registration_id: body.registration_id,
            identity_key: body.identity_key,
            signed_prekey: body.signed_prekey,
            last_resort: None,
            one_time: VecDeque::new(),
            one_time_kyber: VecDeque::new(),
            published: Published::default(),
            published_kyber: Published::default(),
            last: None,
        };
        keys.publish(PublishKeys {
            signed_prekey: None,
            kyber_prekey: body.kyber_prekey,
            one_time_prekeys: body.one_time_prekeys,
            one_time_kyber_prekeys: body.one_time_kyber_prekeys,
        })?;
        Ok(keys)
    }

    /// Adds or replaces what `body` holds: all of it, or nothing if anything in it is wrong.
    pub(crate) fn publish(&mut self, body: PublishKeys) -> Result<(), Problem> {
        if self.suite == Suite::SignalClassic && (body.kyber_prekey.is_some() || !body.one_time_kyber_prekeys.is_empty()) {
            return Err(malformed("a Kyber prekey, which this suite does not have".to_owned()));
        }
        if let Some(key) = &body.signed_prekey {
            check_signed("signed prekey", key)?;
        }
        if let Some(key) = &body.kyber_prekey {
            check_kyber("Kyber prekey", key)?;
        }
        check_room("one-time prekeys", body.one_time_prekeys.len(), self.one_time.len(), &self.published)?;
        check_room(
            "one-time Kyber prekeys",
            body.one_time_kyber_prekeys.len(),
            self.one_time_kyber.len(),
            &self.published_kyber,
        )?;
        for key in &body.one_time_prekeys {
            check_ec("one-time prekey", &key.key)?;
        }
        for key in &body.one_time_kyber_prekeys {
            check_kyber("one-time Kyber prekey", key)?;
        }
        let ec = self.published.with("one-time prekey", body.one_time_prekeys.iter().map(|k| (k.id, &k.key)))?;
        let kyber =
            self.published_kyber.with("one-time Kyber prekey", body.one_time_kyber_prekeys.iter().map(|k| (k.id, &k.key)))?;
        self.published.add(ec);
        self.published_kyber.add(kyber);
        self.one_time.extend(body.one_time_prekeys);
        self.one_time_kyber.extend(body.one_time_kyber_prekeys);
        self.signed_prekey = body.signed_prekey.unwrap_or_else(|| self.signed_prekey.clone());
        self.last_resort = body.kyber_prekey.or_else(|| self.last_resort.take());
        Ok(())
    }

    pub(crate) fn identity_key(&self) -> &[u8] {
        &self.identity_key.0
    }

    pub(crate) fn left(&self) -> KeyCount {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        KeyCount { one_time_prekeys: count(self.one_time.len()), one_time_kyber_prekeys: count(self.one_time_kyber.len()) }
    }

    /// Hands out a bundle, bent by `rules`. A one-time prekey leaves the directory for good with the answer that carries it.
    pub(crate) fn hand_out(&mut self, user: UserId, rules: Vec<BundleRule>) -> HandedOut {
        let before = self.left();
        let mut bent = Vec::new();
        let whole =
            rules.iter().find_map(|r| if let BundleRule::Whole(bundle) = r { Some(bundle.as_ref().clone()) } else { None });
        let mut bundle = if let Some(whole) = whole {
            bent.push("another bundle in its place");
            whole
        } else {
            let (one_time_prekey, kyber_prekey) = self.prekeys(&rules, &mut bent);
            KeyBundle {
                user,
                registration_id: self.registration_id,
                identity_key: self.identity_key.clone(),
                signed_prekey: self.signed_prekey.clone(),
                one_time_prekey,
                kyber_prekey,
            }
        };
        bent.extend(rules.into_iter().filter_map(|rule| bend(&mut bundle, rule)));
        let after = self.left();
        let ran_out = (before.one_time_prekeys > 0 && after.one_time_prekeys == 0)
            || (before.one_time_kyber_prekeys > 0 && after.one_time_kyber_prekeys == 0);
        HandedOut { bundle, bent, ran_out }
    }

    fn prekeys(&mut self, rules: &[BundleRule], bent: &mut Vec<&'static str>) -> (Option<Prekey>, Option<SignedKey>) {
        if rules.contains(&BundleRule::ServeAgain)
            && let Some(last) = &self.last
        {
            bent.push("one-time prekeys of the answer before");
            return last.clone();
        }
        if rules.contains(&BundleRule::WithoutOneTime) {
            bent.push("no one-time prekey, and the last-resort Kyber prekey");
            return (None, self.last_resort.clone());
        }
        let kyber = self.one_time_kyber.pop_front().or_else(|| self.last_resort.clone());
        let taken = (self.one_time.pop_front(), kyber);
        self.last = Some(taken.clone());
        taken
    }
}

fn bend(bundle: &mut KeyBundle, rule: BundleRule) -> Option<&'static str> {
    Some(match rule {
        BundleRule::ReplaceSignedPrekey(key) => {
            bundle.signed_prekey = key;
            "another signed prekey"
        }
        BundleRule::ReplaceKyber(key) => {
            bundle.kyber_prekey = Some(key);
            "another Kyber prekey"
        }
        BundleRule::ReplaceOneTime(key) => {
            let how = if key.is_some() { "another one-time prekey" } else { "one-time prekey left out" };
            bundle.one_time_prekey = key;
            how
        }
        BundleRule::ReplaceIdentity(key) => {
            bundle.identity_key = key;
            "another identity key"
        }
        BundleRule::FlipSignedSignature => {
            flip_first(&mut bundle.signed_prekey.signature);
            "signature of the signed prekey flipped in one bit"
        }
        BundleRule::FlipKyberSignature => {
            flip_first(&mut bundle.kyber_prekey.as_mut()?.signature);
            "signature of the Kyber prekey flipped in one bit"
        }
        BundleRule::ServeAgain | BundleRule::WithoutOneTime | BundleRule::Whole(_) => return None,
    })
}

/// In the first byte, since in the last one XEdDSA keeps a sign bit that not every verifier reads.
fn flip_first(signature: &mut Bytes) {
    if let Some(byte) = signature.0.first_mut() {
        *byte ^= 1;
    }
}

impl Published {
    /// What would be new, or the problem if an id or key is not.
    fn with<'a>(&self, what: &str, keys: impl Iterator<Item = (u32, &'a Bytes)>) -> Result<Self, Problem> {
        let mut new = Self::default();
        for (id, key) in keys {
            if self.ids.contains(&id) || !new.ids.insert(id) {
                return Err(malformed(format!("{what} {id} was published before")));
            }
            let digest: [u8; 32] = Sha256::digest(&key.0).into();
            if self.keys.contains(&digest) || !new.keys.insert(digest) {
                return Err(malformed(format!("{what} {id} is a key that was published before under another id")));
            }
        }
        Ok(new)
    }

    fn add(&mut self, new: Self) {
        self.ids.extend(new.ids);
        self.keys.extend(new.keys);
    }
}

fn malformed(detail: String) -> Problem {
    Problem::new(Reason::Malformed, detail)
}

fn check_room(what: &str, added: usize, kept: usize, published: &Published) -> Result<(), Problem> {
    if added > MOST_PREKEYS {
        return Err(Problem::new(Reason::TooLarge, format!("{added} {what} in one request; {MOST_PREKEYS} at most")));
    }
    if kept + added > MOST_KEPT_PREKEYS || published.ids.len() + added > MOST_PUBLISHED_PREKEYS {
        return Err(Problem::new(Reason::TooLarge, format!("more {what} than the directory keeps")));
    }
    Ok(())
}

fn check_key(what: &str, key: &Bytes, length: usize, kind: u8) -> Result<(), Problem> {
    if key.0.len() != length {
        return Err(malformed(format!("{what} has {} bytes, not {length}", key.0.len())));
    }
    if key.0.first() != Some(&kind) {
        return Err(malformed(format!("{what} does not begin with 0x{kind:02x}")));
    }
    Ok(())
}

fn check_ec(what: &str, key: &Bytes) -> Result<(), Problem> {
    check_key(what, key, EC_BYTES, EC_TYPE)
}

fn check_signature(what: &str, signature: &Bytes) -> Result<(), Problem> {
    if signature.0.len() != SIGNATURE_BYTES {
        return Err(malformed(format!("signature of {what} has {} bytes, not {SIGNATURE_BYTES}", signature.0.len())));
    }
    Ok(())
}

fn check_signed(what: &str, key: &SignedKey) -> Result<(), Problem> {
    check_ec(what, &key.key)?;
    check_signature(what, &key.signature)
}

fn check_kyber(what: &str, key: &SignedKey) -> Result<(), Problem> {
    check_key(what, &key.key, KYBER_BYTES, KYBER_TYPE)?;
    check_signature(what, &key.signature)
}
