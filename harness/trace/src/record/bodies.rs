//! The long bodies of a record, instance by instance: never all of them at once.

use super::{BLOBS_FOLDER, Record, RecordError, open_regular};
use crate::{Blobs, Body, Digest, Event, InstanceResult};
use countersign_contract::portable::OCTETS;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Texts up to this many bytes are kept whole for renderers: no stanza is longer.
const LONGEST_SHOWN: usize = 1024 * 1024;
/// Of longer ones, as much as a dump shows, and more.
const HEAD: usize = 4096;
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// Where the long bodies of an instance can be had.
pub trait Bodies {
    /// Those that the trace of an instance refers to.
    ///
    /// What the reference makes again from the seed may be missing: large files and their ciphertexts. What the candidate sent may
    /// not.
    ///
    /// # Errors
    /// [`RecordError::Blob`] for the first one that is missing or altered.
    fn of(&self, instance: &InstanceResult) -> Result<Blobs, RecordError>;
}

impl Bodies for Blobs {
    fn of(&self, instance: &InstanceResult) -> Result<Blobs, RecordError> {
        let known = |digest: Digest| self.get(&digest).map(|bytes| (digest, bytes.clone()));
        Ok(stored(instance).into_keys().filter_map(known).collect())
    }
}

/// The folder of long bodies beside a record. Whatever is read from it is held against its digest.
#[derive(Clone, Debug)]
pub struct BlobFolder(PathBuf);

impl BlobFolder {
    /// The one that belongs to the record at this path.
    #[must_use]
    pub fn beside(record: &Path) -> Self {
        Self(record.parent().unwrap_or(Path::new(".")).join(BLOBS_FOLDER))
    }

    /// What renderers show: texts up to 1 MiB, and the beginnings of all else. All are checked.
    ///
    /// # Errors
    /// As for [`Bodies::of`].
    pub fn shown(&self, record: &Record) -> Result<Blobs, RecordError> {
        let mut blobs = Blobs::new();
        for (digest, must) in record.instances.iter().flat_map(stored) {
            if !blobs.contains_key(&digest)
                && let Some(bytes) = self.read(digest, must, Some(LONGEST_SHOWN))?
            {
                blobs.insert(digest, shown(bytes.into()));
            }
        }
        Ok(blobs)
    }

    /// Reads a body and checks it. With `most`, no more than a byte beyond that is kept. `None` if it is not there and need not be.
    fn read(&self, digest: Digest, must: bool, most: Option<usize>) -> Result<Option<Vec<u8>>, RecordError> {
        let bad = RecordError::Blob { digest };
        let mut file = match open_regular(&self.0.join(digest.to_string())) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound && !must => return Ok(None),
            Err(_) => return Err(bad),
        };
        let length = file.metadata().map_or(0, |m| m.len());
        let most = most.map_or(usize::MAX, |most| most.saturating_add(1));
        let mut kept = Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(most));
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; CHUNK]);
        loop {
            let Ok(count) = file.read(&mut buffer) else { return Err(bad) };
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            hash.update(piece);
            let room = most - kept.len();
            kept.extend_from_slice(piece.get(..room).unwrap_or(piece));
        }
        if Digest(hash.finalize().into()) == digest { Ok(Some(kept)) } else { Err(bad) }
    }
}

impl Bodies for BlobFolder {
    fn of(&self, instance: &InstanceResult) -> Result<Blobs, RecordError> {
        let mut blobs = Blobs::new();
        for (digest, must) in stored(instance) {
            if let Some(bytes) = self.read(digest, must, None)? {
                blobs.insert(digest, bytes.into());
            }
        }
        Ok(blobs)
    }
}

/// Of a body, what renderers show.
#[must_use]
pub fn shown(bytes: bytes::Bytes) -> bytes::Bytes {
    let text = || std::str::from_utf8(&bytes).is_ok();
    let whole = bytes.len() <= HEAD || (bytes.len() <= LONGEST_SHOWN && text());
    if whole { bytes } else { bytes::Bytes::copy_from_slice(bytes.get(..HEAD).unwrap_or_default()) }
}

/// Digests of the long bodies that a trace refers to, and whether each must be there.
fn stored(instance: &InstanceResult) -> BTreeMap<Digest, bool> {
    let mut digests = BTreeMap::new();
    for entry in &instance.trace {
        if let Some(Body::Stored { sha256, .. }) = entry.event.body() {
            *digests.entry(*sha256).or_default() |= !of_our_making(&entry.event);
        }
    }
    digests
}

/// Whether a body is a file or its ciphertext on its way from our side: such are made from the seed.
fn of_our_making(event: &Event) -> bool {
    match event {
        Event::Reply { content_type, .. } => content_type == OCTETS,
        Event::FromReference { what, .. } => what.starts_with("PUT /media"),
        Event::ToReference { what, .. } => what.starts_with("GET /media/"),
        _ => false,
    }
}
