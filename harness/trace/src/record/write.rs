//! Writing a record as the run goes.

use super::{BLOBS_FOLDER, FIRST_CHAIN, Line, RECORD_FILE, chain};
use crate::Blobs;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Appends lines to a record, each with one write, so that a killed run leaves whole lines.
#[derive(Debug)]
pub struct RecordWriter {
    file: File,
    folder: PathBuf,
    chain: String,
    stored: BTreeSet<crate::Digest>,
}

impl RecordWriter {
    /// Begins a record in `folder`, which is made if it is not there; a record of an earlier run in it is replaced.
    ///
    /// # Errors
    /// If the folder cannot be made or written.
    pub fn create(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let blobs = folder.join(BLOBS_FOLDER);
        if blobs.is_dir() {
            forget(&blobs)?;
        }
        let file = OpenOptions::new().create(true).write(true).truncate(true).open(folder.join(RECORD_FILE))?;
        Ok(Self { file, folder: folder.to_owned(), chain: FIRST_CHAIN.to_owned(), stored: BTreeSet::new() })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&mut self, line: &Line) -> io::Result<()> {
        let line = serde_json::to_string(line).map_err(io::Error::other)?;
        let next = chain(&self.chain, &line);
        let whole = format!("{{\"chain\":\"{next}\",\"line\":{line}}}\n");
        self.file.write_all(whole.as_bytes())?;
        self.chain = next;
        Ok(())
    }

    /// Stores long bodies; to be called before the line that refers to them. Each digest is written once a run.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn store(&mut self, blobs: &Blobs) -> io::Result<()> {
        for (digest, bytes) in blobs {
            if !self.stored.insert(*digest) {
                continue;
            }
            let folder = self.folder.join(BLOBS_FOLDER);
            std::fs::create_dir_all(&folder)?;
            // A reader must never meet half a blob under its final name.
            let partial = folder.join(format!("{digest}.partial"));
            std::fs::write(&partial, bytes)?;
            std::fs::rename(&partial, folder.join(digest.to_string()))?;
        }
        Ok(())
    }
}

/// Removes the bodies of an earlier record. What has another name than a digest is somebody else's, and stays.
fn forget(blobs: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(blobs)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()));
        if ours && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
