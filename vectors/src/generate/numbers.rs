//! Safety numbers, by Signal's library.

use super::room::{keys, profile, rng, uuid};
use super::{GenerateError, Sheet};
use crate::file::{About, Outcome, SafetyNumberGroup, SafetyNumberTest};
use countersign_adversary::{Config, KeyPair, Party};
use countersign_contract::UserId;
use countersign_contract::claims::Suite;
use countersign_contract::portable::{SAFETY_NUMBER_ITERATIONS, SAFETY_NUMBER_VERSION};
use libsignal_protocol::{Fingerprint, IdentityKey};
use std::collections::BTreeMap;

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "number-order",
        "The two halves stand in the order of sender and receiver, not sorted.",
        "Two users compare different numbers, and learn to ignore that.",
    ),
    (
        "number-identifiers",
        "The number is made of the identity keys alone, or of other names of the users.",
        "One number fits several conversations.",
    ),
    (
        "number-iterations",
        "The hash is repeated less often, or starts otherwise.",
        "Whoever looks for a colliding key finds one sooner; and numbers differ between clients.",
    ),
];

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    for (name, suite, title) in [
        ("pq", Suite::SignalPq, "Safety numbers of one user with several peers, in the suite signal-pq."),
        ("classic", Suite::SignalClassic, "Safety numbers of one user with several peers, in the suite signal-classic."),
    ] {
        let user = UserId(uuid(&["safety-number", name, "alice"]));
        let keys = keys(suite, 0, &["safety-number", name, "alice"]);
        let private: [u8; 32] = keys.identity_private.0.as_slice().try_into().unwrap_or_default();
        let own = identity(&KeyPair::from_private(private).public.serialized())?;
        let mut tests = Vec::new();
        for number in 1..=6 {
            let label = number.to_string();
            let labels = ["safety-number", name, label.as_str()];
            let party = Party::new(Config::new(profile(suite)), &mut rng(&labels));
            let peer = UserId(uuid(&[&labels[..], &["name"]].concat()));
            let enlist = party.enlistment(peer);
            let digits = Fingerprint::new(
                SAFETY_NUMBER_VERSION,
                SAFETY_NUMBER_ITERATIONS,
                user.0.as_bytes(),
                &own,
                peer.0.as_bytes(),
                &identity(&party.identity_key())?,
            )
            .and_then(|fingerprint| fingerprint.display_string())
            .map_err(|cause| GenerateError::Library { what: "a safety number".to_owned(), cause: cause.to_string() })?;
            // Half of all pairs come sorted by themselves; among six of them are both.
            let flags = ["number-order", "number-identifiers", "number-iterations"];
            tests.push(SafetyNumberTest {
                about: About {
                    id: format!("{name}-{number}"),
                    comment: format!("The safety number with peer {number}."),
                    flags: flags.map(str::to_owned).to_vec(),
                    verifies: vec!["KEY-02".to_owned()],
                    features: Vec::new(),
                    result: Outcome::Valid,
                },
                peer: enlist,
                digits,
                reasons: Vec::new(),
            });
        }
        let group = SafetyNumberGroup { suite, user, keys, tests };
        Sheet {
            kind: "safety-number",
            name,
            title,
            source: "libsignal v0.85.3 (numeric fingerprints), with the identifiers and iterations of Countersign's contract",
            flags: FLAGS.to_vec(),
            groups: vec![group],
        }
        .write(files)?;
    }
    Ok(())
}

fn identity(key: &[u8]) -> Result<IdentityKey, GenerateError> {
    IdentityKey::decode(key)
        .map_err(|cause| GenerateError::Library { what: "an identity key".to_owned(), cause: cause.to_string() })
}
