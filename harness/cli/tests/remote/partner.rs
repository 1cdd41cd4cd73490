//! The command, and the sample as a partner elsewhere.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) const COUNTERSIGN: &str = env!("CARGO_BIN_EXE_countersign");

/// Long, and of no other meaning.
pub(crate) const TOKEN: &str = "the-partners-own-token-0123456789";

/// What a command said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The command in a folder, without variables that the caller may have set.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(COUNTERSIGN);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERSIGN_") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(folder);
    command
}

pub(crate) fn countersign(folder: &Path, args: &[&str]) -> Said {
    said(command(folder, args))
}

pub(crate) fn said(mut command: Command) -> Said {
    let output = command.stdin(Stdio::null()).output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Whole runs measure pauses and latencies: they are made one after another, or each would spoil the others' machine.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sample over HTTP. It ends with this.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn new(folder: &Path, args: &[&str]) -> Self {
        let all = [&["sample", "--http", "127.0.0.1:0", "--until-input-ends"], args].concat();
        let mut child = command(folder, &all).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut address).expect("read");
        Self { child, address: address.trim().to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run that waits for a candidate to dial in: the address that it names, and the rest of what it says.
pub(crate) struct Waiting {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    begin: String,
    pub(crate) url: String,
}

impl Waiting {
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut err = BufReader::new(child.stderr.take().expect("piped"));
        let mut begin = String::new();
        while !begin.contains(" dial in at ") {
            assert_ne!(err.read_line(&mut begin).expect("read"), 0, "it never waited: {begin}");
        }
        let url = begin.split_whitespace().find(|word| word.starts_with("ws")).expect("an address").to_owned();
        Self { child, err, begin, url }
    }

    /// Reads on until a line contains this.
    pub(crate) fn until(&mut self, text: &str) {
        while !self.begin.contains(text) {
            assert_ne!(self.err.read_line(&mut self.begin).expect("read"), 0, "it never said {text}: {}", self.begin);
        }
    }

    pub(crate) fn end(mut self) -> Said {
        let mut err = self.begin;
        self.err.read_to_string(&mut err).expect("read");
        let output = self.child.wait_with_output().expect("ends");
        Said { code: output.status.code(), out: String::from_utf8_lossy(&output.stdout).into_owned(), err }
    }
}

/// Everything that a run left in a folder, as one text.
pub(crate) fn everything(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all += &everything(&path);
        } else {
            all += &String::from_utf8_lossy(&std::fs::read(&path).expect("read"));
        }
    }
    all
}
