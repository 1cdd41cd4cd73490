//! `countersign new candidate`: writes a skeleton that a partner fills in. It is made of the files in
//! `harness/candidates/template` and of the contract's own documents, so that what it is told of the contract is never old.

use crate::args::{Language, NewCandidate};
use crate::commands::report::pretty;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_contract::{content, openapi};
use include_dir::{Dir, include_dir};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Stands in the skeletons where the messenger's name belongs.
const NAME: &str = "NAME OF YOUR MESSENGER";
/// Longest name, in characters.
const LONGEST_NAME: usize = 64;
/// What tools leave behind in a folder, and nobody wants to be given.
const LEFT_BEHIND: [&str; 4] = ["__pycache__", "node_modules", "target", "Cargo.lock"];

const LICENCES: [(&str, &str); 2] = [
    ("LICENSE-APACHE", include_str!("../../../candidates/template/LICENSE-APACHE")),
    ("LICENSE-MIT", include_str!("../../../candidates/template/LICENSE-MIT")),
];

static RUST: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../candidates/template/rust");
static NODE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../candidates/template/node");
static PYTHON: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../candidates/template/python");

/// A skeleton, and how its parts are started from inside its folder.
struct Skeleton {
    files: &'static Dir<'static>,
    self_check: &'static str,
    /// The program and the file after it, to be named from outside the folder.
    candidate: (&'static str, &'static str),
}

const fn skeleton(language: Language) -> Skeleton {
    match language {
        Language::Rust => Skeleton { files: &RUST, self_check: "cargo test", candidate: ("", "target/debug/candidate") },
        Language::Node => Skeleton { files: &NODE, self_check: "node --test", candidate: ("node ", "candidate.mjs") },
        Language::Python => {
            Skeleton { files: &PYTHON, self_check: "python3 selfcheck.py", candidate: ("python3 ", "candidate.py") }
        }
    }
}

pub(crate) fn candidate(args: &NewCandidate) -> Result<Exit, Fault> {
    let name = name(args)?;
    let skeleton = skeleton(args.lang);
    let mut files = Vec::new();
    collect(skeleton.files, &mut files);
    files.extend(LICENCES.map(|(file, text)| (PathBuf::from(file), text.as_bytes().to_vec())));
    files.extend(contract());
    prepare(&args.folder)?;
    let count = files.len();
    for (path, contents) in files {
        write(&args.folder.join(path), &named(contents, &name))?;
    }
    let folder = args.folder.display();
    let (program, file) = skeleton.candidate;
    output::data(&format!(
        "wrote {count} files to {folder}\nnext:\n  \
         (cd '{folder}' && {self_check})\n  \
         countersign doctor --candidate \"exec:{program}'{folder}/{file}'\"\n  \
         {folder}/README.md: what to fill in, in which order, and what each step turns green",
        self_check = skeleton.self_check,
    ))?;
    Ok(Exit::Conforms)
}

/// What the skeletons are written against, from the contract itself.
fn contract() -> [(PathBuf, Vec<u8>); 3] {
    let folder = Path::new("contract");
    [
        (folder.join("upper-tester.json"), pretty(&openapi::upper_tester()).into_bytes()),
        (folder.join("gateway.json"), pretty(&openapi::gateway()).into_bytes()),
        (folder.join("content.proto"), content::PROTO.as_bytes().to_vec()),
    ]
}

/// The name stands in source code, in several languages: letters and digits, and what needs no escape anywhere.
fn name(args: &NewCandidate) -> Result<String, Fault> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => {
            let folder = std::path::absolute(&args.folder).unwrap_or_else(|_| args.folder.clone());
            folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        }
    };
    let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-');
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(fits) {
        return Err(Fault::Name(name));
    }
    Ok(name.trim().to_owned())
}

fn collect(dir: &Dir<'_>, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let left_behind = |path: &Path| path.iter().any(|part| LEFT_BEHIND.iter().any(|name| part == *name));
    for file in dir.files().filter(|file| !left_behind(file.path())) {
        files.push((file.path().to_owned(), file.contents().to_vec()));
    }
    for inner in dir.dirs().filter(|inner| !left_behind(inner.path())) {
        collect(inner, files);
    }
}

fn named(contents: Vec<u8>, name: &str) -> Vec<u8> {
    match String::from_utf8(contents) {
        Ok(text) => text.replace(NAME, name).into_bytes(),
        Err(not_a_text) => not_a_text.into_bytes(),
    }
}

/// Makes the folder, or sees to it that nothing is in it.
fn prepare(folder: &Path) -> Result<(), Fault> {
    let failed = |cause| Fault::Create { path: folder.to_owned(), cause };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().map_or(Ok(()), |_| Err(Fault::NotEmpty(folder.to_owned()))),
        Err(error) if error.kind() == ErrorKind::NotFound => std::fs::create_dir_all(folder).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

fn write(path: &Path, contents: &[u8]) -> Result<(), Fault> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
        // A file that appeared meanwhile is somebody else's.
        std::fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(contents)
    });
    written.map_err(|cause| Fault::Create { path: path.to_owned(), cause })
}
