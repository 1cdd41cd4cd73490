//! The skeletons that `new candidate` writes: they check themselves, the doctor says what is missing, all around the missing library
//! works, and they know every operation of the contract.
//!
//! A skeleton in a language that this machine lacks is skipped, and says so on standard error.
#![expect(clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use assert_cmd::Command;
use countersign_contract::content::Content;
use countersign_contract::seen::UserContent;
use countersign_contract::{CONTRACT_VERSION, Operation};
use std::collections::BTreeSet;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

/// A language, and how its skeleton is used.
struct Skeleton {
    lang: &'static str,
    /// What has to be there, and says its version.
    needs: &'static str,
    self_check: fn(&Path) -> Command,
    /// The command that starts it, for a folder.
    candidate: fn(&Path) -> String,
    /// The file that the Signal library takes, and noise to put there.
    library: (&'static str, &'static str),
    claims: &'static str,
    /// How a line is commented out there.
    comment: &'static str,
    /// The file with the operations, and what stands before the name of each, and after it.
    operations: (&'static str, &'static str, &'static str),
}

const SKELETONS: [Skeleton; 3] = [
    Skeleton {
        lang: "python",
        needs: "python3",
        self_check: |folder| command("python3", &["selfcheck.py"], folder),
        candidate: |folder| format!("python3 '{}'", folder.join("candidate.py").display()),
        library: ("signal_library.py", include_str!("new_candidate/noise.py")),
        claims: "operations.py",
        comment: "# ",
        operations: ("operations.py", "    def op_", "("),
    },
    Skeleton {
        lang: "node",
        needs: "node",
        self_check: |folder| command("node", &["--test"], folder),
        candidate: |folder| format!("node '{}'", folder.join("candidate.mjs").display()),
        library: ("signal-library.mjs", include_str!("new_candidate/noise.mjs")),
        claims: "operations.mjs",
        comment: "// ",
        operations: ("operations.mjs", "\n    ", ": "),
    },
    Skeleton {
        lang: "rust",
        needs: env!("CARGO"),
        self_check: |folder| cargo(&["test", "--offline", "--quiet"], folder),
        candidate: |folder| {
            cargo(&["build", "--offline", "--quiet"], folder).assert().success();
            format!("'{}'", target(folder).join("debug/candidate").display())
        },
        library: ("src/signal_library.rs", include_str!("new_candidate/noise.rs")),
        claims: "src/operations.rs",
        comment: "// ",
        operations: ("src/operations.rs", "\n    (\"", "\", "),
    },
];

fn command(program: &str, args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder);
    command
}

/// Each folder has its own, so that no two tests build the same program in one place.
fn target(folder: &Path) -> PathBuf {
    folder.join("target")
}

fn cargo(args: &[&str], folder: &Path) -> Command {
    let mut cargo = command(env!("CARGO"), args, folder);
    cargo.env("CARGO_TARGET_DIR", target(folder));
    cargo
}

fn countersign(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign")).args(args).output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn written(lang: &str) -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("mine");
    let (code, said, fault) =
        countersign(&["new", "candidate", "--lang", lang, "--name", "A Name", &folder.display().to_string()]);
    assert_eq!(code, Some(0), "{fault}");
    assert!(said.contains("countersign doctor --candidate"), "{said}");
    (parent, folder)
}

/// False, and loudly, if the language is not here.
fn present(skeleton: &Skeleton) -> bool {
    let there = std::process::Command::new(skeleton.needs).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        // Past the capture of a test that passes: a skip has to be seen.
        let skipped =
            format!("SKIPPED: there is no `{}` here, and the skeleton in {} was not run", skeleton.needs, skeleton.lang);
        writeln!(std::io::stderr(), "{skipped}").expect("written");
    }
    there
}

/// Takes the mark of comment off the claims of some steps.
fn claim(skeleton: &Skeleton, folder: &Path, steps: &[u32]) {
    let file = folder.join(skeleton.claims);
    let text = std::fs::read_to_string(&file).expect("is there");
    let claimed = text.lines().map(|line| {
        let wanted = steps.iter().any(|step| line.ends_with(&format!("{}step {step}", skeleton.comment)));
        if wanted { line.replacen(skeleton.comment, "", 1) } else { line.to_owned() }
    });
    std::fs::write(file, claimed.collect::<Vec<_>>().join("\n")).expect("written");
}

fn examined(skeleton: &Skeleton, folder: &Path) -> (Option<i32>, String) {
    let (code, said, fault) = countersign(&["doctor", "--candidate", &format!("exec:{}", (skeleton.candidate)(folder))]);
    (code, said + &fault)
}

/// As it is written, then with the first claims, then with noise for a library.
fn leads_on(lang: &str) {
    let skeleton = SKELETONS.iter().find(|skeleton| skeleton.lang == lang).expect("a skeleton");
    if !present(skeleton) {
        return;
    }
    let (_parent, folder) = written(lang);
    (skeleton.self_check)(&folder).assert().success();
    // It claims nothing, and the doctor says that this is what is missing.
    let (code, said) = examined(skeleton, &folder);
    assert_eq!(code, Some(3), "{said}");
    for healthy in ["reachable", "contract version", "describes itself: \"A Name\"", "clock"] {
        assert!(said.contains(&format!("ok   {healthy}")), "{said}");
    }
    assert!(said.contains("FAIL claims: the profile takes the suites ‘signal-pq’, and the candidate claims none"), "{said}");
    // With the claims of the first step, all that needs no library is healthy.
    claim(skeleton, &folder, &[1]);
    let (code, said) = examined(skeleton, &folder);
    assert_eq!(code, Some(3), "{said}");
    for healthy in ["claims", "invented operation", "invented argument", "unknown instance", "opens", "closes", "forgets"] {
        assert!(said.contains(&format!("ok   {healthy}")), "{said}");
    }
    assert!(said.contains("FAIL echo: ‘create_user’ was answered ‘unsupported’"), "{said}");
    assert!(said.contains("here your Signal library"), "{said}");
    // Noise reaches the gateway and is refused there by our users: enlistment, key directory and chat channel work.
    let (file, noise) = skeleton.library;
    std::fs::write(folder.join(file), noise).expect("written");
    let (code, said) = examined(skeleton, &folder);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ok   echo: both sides reach each other, but neither message was shown"), "{said}");
    assert!(said.contains("our user could not \"set up a session"), "{said}");
    // And passes for nothing.
    let out = folder.join("out").display().to_string();
    let candidate = format!("exec:{}", (skeleton.candidate)(&folder));
    let (code, said, fault) = countersign(&["run", "--quiet", "--candidate", &candidate, "--only", "e2ee/from-*", "--out", &out]);
    assert_eq!(code, Some(4), "{said}{fault}");
    assert!(said.contains("2 fail"), "{said}");
}

/// The other carrier: the same answers, over HTTP.
fn answers_over_http(lang: &str) {
    let skeleton = SKELETONS.iter().find(|skeleton| skeleton.lang == lang).expect("a skeleton");
    if !present(skeleton) {
        return;
    }
    let (_parent, folder) = written(lang);
    claim(skeleton, &folder, &[1]);
    let program = (skeleton.candidate)(&folder);
    let (program, file) = program.split_once(' ').expect("a program and a file");
    let mut served = std::process::Command::new(program)
        .args([file.trim_matches('\''), "--http", "127.0.0.1:0"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    std::io::BufReader::new(served.stderr.take().expect("a pipe")).read_line(&mut line).expect("says where it is");
    let address = line.trim().strip_prefix("listening on ").expect("an address");
    let (code, said, fault) = countersign(&["doctor", "--candidate", address]);
    served.kill().expect("ends");
    served.wait().expect("ended");
    assert_eq!(code, Some(3), "{said}{fault}");
    assert!(said.contains("ok   forgets an instance"), "{said}");
    assert!(said.contains("FAIL echo: ‘create_user’ was answered ‘unsupported’"), "{said}");
}

#[test]
fn the_python_skeleton_answers_over_http() {
    answers_over_http("python");
}

#[test]
fn the_node_skeleton_answers_over_http() {
    answers_over_http("node");
}

#[test]
fn the_python_skeleton_leads_on() {
    leads_on("python");
}

#[test]
fn the_node_skeleton_leads_on() {
    leads_on("node");
}

#[test]
fn the_rust_skeleton_leads_on() {
    leads_on("rust");
}

/// A new operation, feature or suite of the contract makes a skeleton out of date, whether its language is here or not.
#[test]
fn the_skeletons_know_the_contract() {
    let operations: BTreeSet<&str> = Operation::ALL.iter().map(|op| op.as_str()).collect();
    for skeleton in &SKELETONS {
        let (_parent, folder) = written(skeleton.lang);
        let (file, before, after) = skeleton.operations;
        let text = std::fs::read_to_string(folder.join(file)).expect("is there");
        let named = |name: &&str| text.contains(&format!("{before}{name}{after}"));
        let missing: Vec<&str> = operations.iter().copied().filter(|name| !named(name)).collect();
        assert!(missing.is_empty(), "{file} of the skeleton in {} lacks the operations {missing:?}", skeleton.lang);
        let document = std::fs::read_to_string(folder.join("contract/upper-tester.json")).expect("is there");
        let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        assert_eq!(document["info"]["version"], CONTRACT_VERSION);
        for list in ["Feature", "Suite"] {
            for claim in document["components"]["schemas"][list]["oneOf"].as_array().expect("a list") {
                let claim = claim["const"].as_str().expect("a name");
                let quoted = [format!("\"{claim}\""), format!("'{claim}'")];
                assert!(quoted.iter().any(|claim| text.contains(claim)), "{file} of {} knows no `{claim}`", skeleton.lang);
            }
        }
    }
}

/// The skeletons write protobuf by hand, and their self-checks hold them to these bytes.
#[test]
fn the_known_plaintext_of_the_self_checks_is_right() {
    let id = "6f2b1c3e-0000-4000-8000-000000000001";
    let text = UserContent::Text { text: "hi".into() };
    let content = Content::from_user(id.parse().expect("a UUID"), 1, &text, None).expect("a content");
    let mut known = [&[10, 36][..], id.as_bytes(), &[16, 1, 82, 4, 10, 2], b"hi\x80"].concat();
    known.resize(160, 0);
    assert_eq!(content.to_padded(), known);
}

#[test]
fn nothing_is_overwritten() {
    let parent = tempfile::tempdir().expect("a folder");
    let mine = parent.path().join("mine.txt");
    std::fs::write(&mine, "mine").expect("written");
    for folder in [parent.path(), &mine] {
        let (code, _, said) =
            countersign(&["new", "candidate", "--lang", "python", "--name", "x", &folder.display().to_string()]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("hint: choose a folder that is empty or not there yet"), "{said}");
    }
    assert_eq!(std::fs::read_dir(parent.path()).expect("a folder").count(), 1);
    assert_eq!(std::fs::read_to_string(mine).expect("is there"), "mine");
}

#[test]
fn a_name_that_could_become_code_is_refused() {
    let parent = tempfile::tempdir().expect("a folder");
    for name in ["\"; import os", "a\nb", "", "../x"] {
        let folder = parent.path().join("new").display().to_string();
        let (code, _, said) = countersign(&["new", "candidate", "--lang", "node", "--name", name, &folder]);
        assert_eq!(code, Some(2), "{name:?}: {said}");
        assert!(said.contains("--name"), "{said}");
    }
    assert!(!parent.path().join("new").exists());
}
