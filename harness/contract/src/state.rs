//! A test user's state: kept and put back, copied for a thief, and looked at. Three capabilities, none of which a candidate has to have.
//!
//! Two promises of an encrypted messenger do not show on the wire. *Forward secrecy*: whoever steals the keys today reads nothing of
//! what was received before. *Healing*, or post-compromise security: whoever stole them yesterday is locked out again once both users
//! have gone on. Both are tested with a copy of a test user's state. Without these capabilities they are reported as not shown.
//!
//! Users of a test hold nothing of worth; a build for real users must not have these operations.
//!
//! # What the state is
//! Everything of one user that the client keeps for longer than the handling of one stanza, and that has to do with keys: the identity,
//! all prekeys, all sessions with their ratchets and the keys of skipped messages, sender keys, and what is remembered so that nothing
//! is received twice. Wherever it lies: in a database with its journal and its deleted pages, in files, in memory. The **log** of what
//! was shown is not part of it: that a thief of a device reads what still stands in its log is no matter of keys.
//!
//! # Capability `snapshot`
//! [`Snapshot`](crate::Operation::Snapshot) keeps state *and* log under a handle, [`Restore`](crate::Operation::Restore) puts them back
//! as they were then. What the gateway has is untouched. A client is offline after a `restore`, until it is told to `connect`. Events
//! that were logged since the snapshot are gone, and their numbers are given again. What was shown by then is still known as shown.
//! A restored ratchet is an old one: what cannot be read with it is asked for again, as any message that cannot be read.
//!
//! # Capability `clone`
//! [`Clone`](crate::Operation::Clone) makes a detached copy of the state: what a thief takes away. It never connects and never sends.
//! [`Deliver`](crate::Operation::Deliver) feeds one stanza to it, and answers with what came of it, as events.
//!
//! * The copy has keys, and **no memory of what was shown**: whether a message can be read is for keys alone to say. A message that its
//!   user was shown long ago is shown again if a key for it is left, and must not be refused for its id.
//! * Each stanza is answered with what was shown or `refused`, with its reason; nothing is answered to the gateway for it.
//! * The copy goes on by itself with what it reads, and draws randomness of its own. The generator of a process is no stored state; if
//!   a client does store one, it is copied too.
//! * A message whose file would have to be fetched is refused as `media-missing`: nobody fetches it.
//!
//! # Capability `export`
//! [`Export`](crate::Operation::Export) answers with the stored bytes of the state, in named parts. They are searched for keys that
//! should be gone, and for keys that have to be there.
//!
//! * Keys stand in it as their bytes, one after another, or as text in hexadecimal digits or base64. What the client encrypts at rest
//!   is exported decrypted.
//! * Nothing is left out of the state as it is defined above, and nothing is cleaned for the occasion.
//! * Two exports between which nothing was sent, received or changed by the user have the same parts, byte for byte. A refused stanza
//!   is not received. Times, counters of attempts and such are left out.
//! * All parts together have no more than [`LARGEST_EXPORT`] bytes: in base64url, and with everything around it, that stays under the
//!   carriers' longest line ([`LONGEST_LINE`](crate::carrier::LONGEST_LINE)). There are [`MOST_PARTS`] parts at most. A state that is
//!   larger is answered `too-large`.

use crate::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most bytes of all parts of an export together: 2 MiB, which base64url makes to 2.7 of the 4 MiB of the longest line.
pub const LARGEST_EXPORT: usize = 2 * 1024 * 1024;
/// Most parts of an export.
pub const MOST_PARTS: usize = 256;
/// Longest name of a part, and longest handle, in bytes.
pub const LONGEST_NAME: usize = 128;

/// A snapshot or a copy, by a name of the candidate's choice: 1 to [`LONGEST_NAME`] visible ASCII characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 128, "pattern" = "^[!-~]+$"))]
pub struct Handle(String);

impl Handle {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Handle {
    type Error = BadState;

    fn try_from(name: String) -> Result<Self, BadState> {
        let fits = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(name)) } else { Err(BadState::Handle) }
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.0)
    }
}

/// One part of a stored state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is, such as `session 1b4e28ba…` or the name of a file: 1 to 128 bytes without control characters, and no two alike.
    pub name: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// All parts of a stored state, within the limits of this module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Part>", into = "Vec<Part>")]
#[schemars(with = "Vec<Part>")]
pub struct Parts(Vec<Part>);

impl Parts {
    /// The parts, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Part> {
        self.0.iter()
    }

    /// How many bytes there are in all parts together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|part| part.bytes.0.len()).sum()
    }
}

impl TryFrom<Vec<Part>> for Parts {
    type Error = BadState;

    fn try_from(parts: Vec<Part>) -> Result<Self, BadState> {
        if parts.len() > MOST_PARTS {
            return Err(BadState::TooManyParts(parts.len()));
        }
        let mut names = std::collections::BTreeSet::new();
        for part in &parts {
            let fits = (1..=LONGEST_NAME).contains(&part.name.len()) && !part.name.chars().any(char::is_control);
            if !fits || !names.insert(part.name.as_str()) {
                return Err(BadState::Name);
            }
        }
        let parts = Self(parts);
        match parts.bytes() {
            bytes if bytes > LARGEST_EXPORT => Err(BadState::TooLarge(bytes)),
            _ => Ok(parts),
        }
    }
}

impl From<Parts> for Vec<Part> {
    fn from(parts: Parts) -> Self {
        parts.0
    }
}

/// A handle or an export that breaks the rules of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadState {
    /// The handle is empty, too long, or holds something else than visible ASCII.
    #[error("a handle is 1 to {LONGEST_NAME} visible ASCII characters")]
    Handle,
    /// The name of a part is empty, too long, holds control characters, or came before.
    #[error("the name of a part is 1 to {LONGEST_NAME} bytes without control characters, and no two are alike")]
    Name,
    /// There are more parts than allowed.
    #[error("{0} parts; at most {MOST_PARTS} are allowed")]
    TooManyParts(usize),
    /// All parts together are larger than allowed.
    #[error("{0} bytes in all parts together; at most {LARGEST_EXPORT} are allowed")]
    TooLarge(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, length: usize) -> Part {
        Part { name: name.into(), bytes: vec![7; length].into() }
    }

    #[test]
    fn what_breaks_the_limits_is_not_read() {
        for bad in ["", "a b", "ä", "a\n", &"x".repeat(LONGEST_NAME + 1)] {
            assert!(serde_json::from_value::<Handle>(bad.into()).is_err(), "{bad:?}");
        }
        assert_eq!(serde_json::from_value::<Handle>("snapshot-1".into()).unwrap().as_str(), "snapshot-1");
        assert_eq!(Parts::try_from(vec![part("", 1)]), Err(BadState::Name));
        assert_eq!(Parts::try_from(vec![part("a\u{1b}", 1)]), Err(BadState::Name));
        assert_eq!(Parts::try_from(vec![part("a", 1), part("a", 2)]), Err(BadState::Name));
        assert_eq!(Parts::try_from(vec![part("a", LARGEST_EXPORT), part("b", 1)]), Err(BadState::TooLarge(LARGEST_EXPORT + 1)));
        let many: Vec<_> = (0..=MOST_PARTS).map(|n| part(&n.to_string(), 0)).collect();
        assert_eq!(Parts::try_from(many), Err(BadState::TooManyParts(MOST_PARTS + 1)));
    }

    #[test]
    fn the_largest_export_fits_into_a_line() {
        let parts = (0..MOST_PARTS).map(|n| part(&format!("{n:0>128}"), LARGEST_EXPORT / MOST_PARTS)).collect::<Vec<_>>();
        let parts = Parts::try_from(parts).unwrap();
        let line = serde_json::to_string(&crate::carrier::Reply {
            id: u64::MAX,
            ok: serde_json::to_value(crate::operations::Exported { parts }).ok(),
            problem: None,
        });
        assert!(line.unwrap().len() < crate::carrier::LONGEST_LINE);
    }
}
