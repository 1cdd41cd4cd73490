//! Every file of ours, bit for bit from its seed: the kind's name, the group's and the vector's.
//!
//! What an honest peer sends of the suite `signal-pq` in the kinds about contents and files is made by Signal's library; what is
//! wrong on purpose, and everything of `signal-classic`, by our own stack, which can be told to misbehave.

mod agreement;
mod bundles;
mod contents;
mod files;
mod numbers;
mod ratchet;
mod room;
mod sealed;
mod sender_keys;
mod spqr;

use crate::file::{About, Flag, VERSION, VectorFile};
use crate::read::canonical;
use countersign_adversary::Refusal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Why a file could not be made: always a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// Our own stack refused what the generator asked of it.
    #[error("{what}: {refusal}")]
    Refused {
        /// What was asked.
        what: String,
        /// Why not.
        refusal: Refusal,
    },
    /// Signal's library did.
    #[error("{what}: {cause}")]
    Library {
        /// What was asked.
        what: String,
        /// Why not.
        cause: String,
    },
    /// A file could not be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The text of every file, by path: `double-ratchet/pq.json`.
///
/// # Errors
/// See [`GenerateError`]; a test says that there is none.
pub fn generate() -> Result<BTreeMap<String, String>, GenerateError> {
    let mut files = BTreeMap::new();
    bundles::files(&mut files)?;
    agreement::files(&mut files)?;
    ratchet::files(&mut files)?;
    spqr::files(&mut files)?;
    sender_keys::files(&mut files)?;
    sealed::files(&mut files)?;
    numbers::files(&mut files)?;
    contents::files(&mut files)?;
    files::files(&mut files)?;
    Ok(files)
}

/// A file before it has its flags and its digest.
struct Sheet<G> {
    kind: &'static str,
    name: &'static str,
    title: &'static str,
    source: &'static str,
    flags: Vec<(&'static str, &'static str, &'static str)>,
    groups: Vec<G>,
}

impl<G: Clone + Serialize> Sheet<G> {
    /// Without flags that no vector has.
    fn only_used(mut self, abouts: impl Fn(&G) -> Vec<&About>) -> Self {
        let used: BTreeSet<&str> =
            self.groups.iter().flat_map(&abouts).flat_map(|about| about.flags.iter().map(String::as_str)).collect();
        self.flags.retain(|(flag, _, _)| used.contains(flag));
        self
    }

    fn write(self, files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
        let explained = |(name, bug, effect): &(&str, &str, &str)| {
            ((*name).to_owned(), Flag { bug: (*bug).to_owned(), effect: (*effect).to_owned() })
        };
        let file = VectorFile {
            version: VERSION,
            kind: self.kind.to_owned(),
            title: self.title.to_owned(),
            source: self.source.to_owned(),
            seed: format!("{}/{}", self.kind, self.name),
            flags: self.flags.iter().map(explained).collect(),
            groups: self.groups,
            digest: String::new(),
        };
        files.insert(format!("{}/{}.json", self.kind, self.name), canonical(&file)?);
        Ok(())
    }
}
