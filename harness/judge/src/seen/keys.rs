//! Keys at the gateway: what was published and accepted, and what was handed out.

use super::Seen;
use countersign_contract::portable::{Enlist, KeyBundle, Prekey, PublishKeys, SignedKey};
use countersign_contract::{Bytes, UserId};
use std::collections::BTreeSet;

/// Keys that a candidate's user published, and that the gateway accepted.
pub(crate) struct Publication {
    pub(crate) at: usize,
    pub(crate) user: UserId,
    /// The identity key, if the user enlisted with this: everything from before is void.
    pub(crate) identity: Option<Bytes>,
    pub(crate) signed: Option<SignedKey>,
    pub(crate) kyber: Option<SignedKey>,
    pub(crate) one_time: Vec<Prekey>,
    pub(crate) one_time_kyber: Vec<SignedKey>,
}

impl Publication {
    pub(crate) fn enlisted(at: usize, keys: Enlist) -> Self {
        Self {
            at,
            user: keys.user,
            identity: Some(keys.identity_key),
            signed: Some(keys.signed_prekey),
            kyber: keys.kyber_prekey,
            one_time: keys.one_time_prekeys,
            one_time_kyber: keys.one_time_kyber_prekeys,
        }
    }

    pub(crate) fn put(at: usize, user: UserId, keys: PublishKeys) -> Self {
        Self {
            at,
            user,
            identity: None,
            signed: keys.signed_prekey,
            kyber: keys.kyber_prekey,
            one_time: keys.one_time_prekeys,
            one_time_kyber: keys.one_time_kyber_prekeys,
        }
    }
}

/// A bundle that the gateway handed out.
pub(crate) struct Handed {
    pub(crate) at: usize,
    /// To whom.
    pub(crate) to: Option<UserId>,
    pub(crate) bundle: KeyBundle,
    /// Whether the disturbance layer bent it.
    pub(crate) bent: bool,
}

/// One-time prekeys of a user that were published and not handed out: EC and Kyber.
pub(crate) struct Left {
    pub(crate) ec: usize,
    pub(crate) kyber: usize,
    /// Position of the last publication that counts.
    pub(crate) since: Option<usize>,
}

impl Seen<'_> {
    /// What is left of a user's one-time prekeys at a position.
    pub(crate) fn keys_left(&self, user: UserId, end: usize) -> Left {
        let published = || self.publications.iter().filter(|p| p.user == user && p.at < end);
        let begin = published().rfind(|p| p.identity.is_some()).map_or(0, |p| p.at);
        let (mut ec, mut kyber) = (BTreeSet::new(), BTreeSet::new());
        for publication in published().filter(|p| p.at >= begin) {
            ec.extend(publication.one_time.iter().map(|k| k.id));
            kyber.extend(publication.one_time_kyber.iter().map(|k| (k.id, &k.key)));
        }
        for handed in self.handed.iter().filter(|h| h.bundle.user == user && (begin..end).contains(&h.at)) {
            if let Some(prekey) = &handed.bundle.one_time_prekey {
                ec.remove(&prekey.id);
            }
            // Ids of one-time and last-resort Kyber prekeys are one series only in some clients: the key decides, unless it was bent.
            let Some(key) = &handed.bundle.kyber_prekey else { continue };
            kyber.retain(|(id, bytes)| *id != key.id || !(handed.bent || **bytes == key.key));
        }
        Left { ec: ec.len(), kyber: kyber.len(), since: published().next_back().map(|p| p.at) }
    }

    /// The keys that a user enlisted with last, before a position.
    pub(crate) fn enlisted(&self, user: UserId, end: usize) -> Option<&Publication> {
        self.publications.iter().rfind(|p| p.user == user && p.identity.is_some() && p.at < end)
    }
}
