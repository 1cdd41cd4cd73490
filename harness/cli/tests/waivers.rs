//! Waivers as a user has them: written from a run that failed, in force in the next, and never unseen.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends when something is not as it has to be")]

use countersign_trace::{Digest, Record, Verdict};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a mutant fails in one way, and a scenario that it passes.
const RUN: [&str; 9] = [
    "run",
    "--quiet",
    "--candidate",
    "mutant:skips-mac",
    "--only",
    "e2ee/mac-inner-field@mac",
    "--only",
    "e2ee/from-reference",
    "--out",
];
const FAILED: &str = "e2ee/mac-inner-field@mac";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Exit code, standard output, standard error.
    fn countersign(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        let done = command.args(args).current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    }

    fn run(&self, more: &[&str]) -> (Option<i32>, String) {
        let (code, said, errors) = self.countersign(&[&RUN[..], &["out"], more].concat());
        (code, said + &errors)
    }

    fn waive(&self, more: &[&str]) -> (Option<i32>, String) {
        let always =
            ["waive", "--owner", "messaging team", "--reason", "The next release checks it.", "--link", "https://t.example/1"];
        let record = ["--record", "out/record.jsonl"];
        let (code, said, errors) = self.countersign(&[&always[..], &record, more].concat());
        (code, said + &errors)
    }

    fn verify(&self, record: &str) -> (Option<i32>, String) {
        let (code, said, errors) = self.countersign(&["verify", record]);
        (code, said + &errors)
    }

    /// A run that failed, its failure waived, and the run again: that one conforms.
    fn waived() -> Self {
        let place = Self::new();
        assert_eq!(place.run(&[]).0, Some(4));
        let (code, said) = place.waive(&[FAILED, "--until", "9999-12-31"]);
        assert_eq!(code, Some(0), "{said}");
        let (code, said) = place.run(&["--waivers", "waivers.yaml"]);
        assert_eq!(code, Some(0), "{said}");
        place
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.path("waivers.yaml")).unwrap()
    }
}

#[test]
fn a_waived_failure_is_seen_in_every_report_and_verified() {
    let place = Place::waived();
    let record = Record::open(&place.path("out/record.jsonl")).unwrap();
    let instance = record.instances.iter().find(|i| i.name() == FAILED).unwrap();
    assert_eq!((instance.verdict, record.summary.as_ref().unwrap().verdict), (Verdict::Waived, Verdict::Waived));
    let check = instance.checks.iter().find(|c| c.verdict == Verdict::Waived).unwrap();
    assert_eq!((check.waiver.as_deref(), check.finding.as_deref()), (Some("W-1"), Some("shown")));
    for format in ["terminal", "html", "junit", "json"] {
        let (code, said, _) = place.countersign(&["report", "out/record.jsonl", "--format", format]);
        assert_eq!(code, Some(0));
        for told in ["W-1", "messaging team", "The next release checks it.", "https://t.example/1", "9999-12-31", "shown"] {
            assert!(said.contains(told), "no {told:?} in {format}: {said}");
        }
    }
    let (code, said) = place.verify("out/record.jsonl");
    assert_eq!(code, Some(0), "{said}");
    let (code, said, _) = place.countersign(&["explain", "W-1", "--record", "out/record.jsonl"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("in-force") && said.contains("messaging team") && said.contains(FAILED), "{said}");
}

#[test]
fn only_when_every_failed_check_is_waived_a_run_conforms() {
    let place = Place::waived();
    // Another field of the same kind fails in the same way, and nobody answers for it.
    let (code, said) = place.run(&["--waivers", "waivers.yaml", "--only", "e2ee/mac-inner-field@pq-ratchet"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("(W-1)") && said.contains("DOES NOT CONFORM"), "{said}");
    // A waiver is in force where it is named and nowhere else.
    assert_eq!(place.run(&[]).0, Some(4));
    std::fs::write(place.path("countersign.toml"), "[run]\nwaivers = \"waivers.yaml\"\n").unwrap();
    assert_eq!(place.run(&[]).0, Some(0));
}

#[test]
fn a_waiver_out_of_date_ends_with_5_and_what_it_covered_fails() {
    let place = Place::waived();
    let good = place.file();
    let with = |from: &str, to: &str, more: &[&str]| {
        assert!(good.contains(from), "{good}");
        std::fs::write(place.path("other.yaml"), good.replace(from, to)).unwrap();
        let ended = place.run(&[&["--waivers", "other.yaml"], more].concat());
        assert_eq!(place.verify("out/record.jsonl").0, Some(0));
        ended
    };
    let honest = ["--candidate", "builtin"];
    let builtin = |waivers: &str| {
        let args = ["run", "--quiet", "--only", FAILED, "--out", "out", "--waivers", waivers];
        let (code, said, _) = place.countersign(&[&args[..], &honest].concat());
        assert_eq!(place.verify("out/record.jsonl").0, Some(0));
        (code, said)
    };
    // Its failure counts again.
    let (code, said) = with("9999-12-31", "2020-01-01", &[]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("expired") && said.contains("it held until 2020-01-01"), "{said}");
    let (code, said) = builtin("other.yaml");
    assert_eq!(code, Some(5), "{said}");
    // What it waives passes now.
    let (code, said) = builtin("waivers.yaml");
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("unexpected-pass") && said.contains("AN EXPECTATION IS OUT OF DATE"), "{said}");
    // It names a check that is not there.
    std::fs::write(place.path("other.yaml"), good.replace("step-4", "step-9")).unwrap();
    let (code, said) = builtin("other.yaml");
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("stale"), "{said}");
}

#[test]
fn entries_are_added_and_what_stands_there_stays() {
    let place = Place::waived();
    std::fs::write(place.path("waivers.yaml"), format!("# kept\n{}# kept too\n", place.file())).unwrap();
    let before = place.file();
    assert_eq!(place.run(&["--only", "e2ee/mac-inner-field@pq-ratchet"]).0, Some(4));
    let (code, said) = place.waive(&["e2ee/mac-inner-field@pq-ratchet", "--until", "9999-12-31"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(place.file().starts_with(&before) && place.file().contains("id: \"W-2\""), "{}", place.file());
    assert_eq!(place.run(&["--waivers", "waivers.yaml", "--only", "e2ee/mac-inner-field@pq-ratchet"]).0, Some(0));
    assert_eq!(place.countersign(&["lint", "waivers.yaml"]).0, Some(0));
    // Nothing is added twice.
    let (code, said) = place.waive(&[FAILED, "--until", "9999-12-31"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("nothing failed in") && said.contains("W-1 covers it already"), "{said}");
}

#[test]
fn faults_name_place_cause_and_fix_and_nothing_is_written() {
    let place = Place::new();
    assert_eq!(place.run(&[]).0, Some(4));
    for (more, told) in [
        (&[FAILED, "--until", "2020-01-01"][..], "is over already"),
        (&[FAILED, "--until", "soon"], "no day of the calendar"),
        (&["e2ee/mac-inner-feild@mac", "--until", "9999-12-31"], "perhaps `e2ee/mac-inner-field@mac`"),
        (&["e2ee/from-reference", "--until", "9999-12-31"], "nothing failed in"),
        (&[FAILED, "--until", "9999-12-31", "--check", "step-0"], "nothing failed in"),
        (&[FAILED, "--until", "9999-12-31", "--check", "step-99"], "has no check `step-99`\nhint: what failed there: `step-4`"),
        (&[FAILED, "--until", "9999-12-31", "--id", "a b"], "no name for a waiver"),
        (&["[", "--until", "9999-12-31"], "not a pattern"),
    ] {
        let (code, said) = place.waive(more);
        assert_eq!(code, Some(2), "{more:?}: {said}");
        assert!(said.contains(told), "{more:?}: {said}");
    }
    assert!(!place.path("waivers.yaml").exists());
    std::fs::write(place.path("bad.yaml"), "- id: W-1\n  owners: me\n").unwrap();
    for args in [&["run", "--waivers", "bad.yaml", "--only", "none"][..], &["lint", "bad.yaml"]] {
        let (code, _, said) = place.countersign(args);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("bad.yaml:2:3") && said.contains("owners") && said.contains("hint:"), "{said}");
    }
    let (code, said) = place.waive(&[FAILED, "--until", "9999-12-31", "--waivers", "bad.yaml"]);
    assert_eq!(code, Some(2), "{said}");
    assert_eq!(std::fs::read_to_string(place.path("bad.yaml")).unwrap(), "- id: W-1\n  owners: me\n");
    let (code, _, said) = place.countersign(&["run", "--waivers", "not-there.yaml"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("not-there.yaml") && said.contains("--waivers"), "{said}");
}

/// Makes a change to the lines of a record, chains it anew, and says what verify makes of it.
fn forged(place: &Place, change: impl FnOnce(&mut [Value])) -> (Option<i32>, String) {
    let text = std::fs::read_to_string(place.path("out/record.jsonl")).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].take()).collect();
    change(&mut lines);
    write(&place.path("out/forged.jsonl"), &lines);
    place.verify("out/forged.jsonl")
}

fn write(path: &Path, lines: &[Value]) {
    let (mut previous, mut out) = ("0".repeat(64), String::new());
    for line in lines {
        previous = Digest::of(format!("{previous}{line}").as_bytes()).to_string();
        out += &format!("{{\"chain\":\"{previous}\",\"line\":{line}}}\n");
    }
    std::fs::write(path, out).unwrap();
}

fn of<'a>(lines: &'a mut [Value], kind: &str) -> &'a mut Value {
    lines.iter_mut().find_map(|line| line.get_mut(kind)).unwrap()
}

#[test]
fn a_forged_record_is_refused() {
    let place = Place::waived();
    let refused = |told: &str, change: &dyn Fn(&mut [Value])| {
        let (code, said) = forged(&place, change);
        assert_eq!(code, Some(8), "{told}: {said}");
        assert!(said.contains("REFUSED") && said.contains(told), "not {told:?} in {said}");
    };
    assert_eq!(forged(&place, |_| {}).0, Some(0));
    refused("step-4", &|lines| of(lines, "header")["waivers"] = json!([]));
    refused("step-4", &|lines| of(lines, "header")["waivers"][0]["covers"][0]["finding"] = json!("not-shown"));
    refused("step-4", &|lines| of(lines, "header")["waivers"][0]["until"] = json!("2020-01-01"));
    refused("covers every check", &|lines| {
        of(lines, "header")["waivers"][0]["covers"] = json!([{ "scenario": "e2ee/*" }]);
    });
    refused("come to something else", &|lines| of(lines, "summary")["waivers"] = json!([]));
    refused("come to something else", &|lines| of(lines, "summary")["waivers"][0]["checks"] = json!(7));
    // With the date put back, a waiver that has run out would hold.
    refused("it began", &|lines| {
        of(lines, "header")["waivers"][0]["until"] = json!("2020-01-01");
        of(lines, "header")["started"] = json!("2020-01-01T00:00:00Z");
    });
    refused("two are called", &|lines| {
        let waivers = of(lines, "header")["waivers"].as_array_mut().unwrap();
        waivers.push(waivers[0].clone());
    });
}

#[test]
fn a_waiver_put_into_a_record_stands_on_its_first_page() {
    // Whoever judges by other waivers gets another verdict that follows from them: so that they must be seen.
    let place = Place::waived();
    let (code, _) = forged(&place, |lines| of(lines, "header")["waivers"][0]["owner"] = json!("nobody\u{202e} at all"));
    assert_eq!(code, Some(0));
    let (_, page, _) = place.countersign(&["report", "out/forged.jsonl", "--format", "html"]);
    let begin = page.find("id=\"content\"").unwrap();
    let first = &page[begin..page[begin..].find("</section>").unwrap() + begin];
    assert!(first.contains("nobody") && !first.contains('\u{202e}') && first.contains("9999-12-31"), "{first}");
}
