//! Broken children: each call ends with a fault that names the cause, none hangs, and nothing of a child outlives its run.
//!
//! `sh` waits for nothing here that a test would have to sleep for: a hang is shown by a deadline of the carrier.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends when something is not as it has to be")]

use countersign_contract::Call;
use countersign_contract::InstanceId;
use countersign_contract::operations::{Close, Describe};
use countersign_engine::carrier::command::Command;
use countersign_engine::carrier::{ChildEndpoint, Endpoint, Raw};
use countersign_engine::remote::ChildLimits;
use countersign_engine::{Broken, Patience};
use countersign_testkit::broken_children::Child;
use countersign_trace::event::{Fault, Outcome};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// Long enough for a busy machine to start a shell.
const PATIENT: Patience = Patience::contract();
/// For children that never answer.
const SHORT: Patience = Patience::at_most(Duration::from_millis(300));

fn start(child: Child, patience: Patience) -> ChildEndpoint {
    let command = Command { program: "/bin/sh".into(), args: vec!["-c".into(), child.script().into()] };
    ChildEndpoint::start(&command, patience).unwrap()
}

async fn describe(endpoint: &ChildEndpoint) -> Raw {
    endpoint.exchange("describe", json!({})).await
}

fn broken(raw: Raw) -> Broken {
    match raw {
        Raw::Broken(broken) => broken,
        other => panic!("answered: {other:?}"),
    }
}

#[tokio::test]
async fn a_banner_on_standard_output_is_noise() {
    let endpoint = start(Child::Banner, PATIENT);
    let cause = broken(describe(&endpoint).await);
    assert_eq!(cause.fault, Fault::NotTheContract);
    assert_eq!(
        cause.detail,
        "on standard output stood a line that is not JSON: \"Listening on port 8080\"; hint: standard output is for replies only, \
         one JSON object a line; print everything else to standard error"
    );
    assert_eq!(endpoint.broken(), Some(cause.clone()));
    assert_eq!(broken(describe(&endpoint).await), cause, "others learn of it at once");
}

#[tokio::test]
async fn a_child_that_dies_at_once_is_gone_with_its_status_and_its_last_words() {
    let cause = broken(describe(&start(Child::DiesAtOnce, PATIENT)).await);
    assert_eq!(cause.fault, Fault::Gone);
    assert_eq!(
        cause.detail,
        "the candidate's process `sh` ended: exit status: 7; last on standard error: \"cannot load the library\""
    );
}

#[tokio::test]
async fn a_child_that_dies_in_the_middle_fails_every_call_under_way() {
    let endpoint = start(Child::DiesInTheMiddle, PATIENT);
    assert_eq!(describe(&endpoint).await, Raw::Ok(json!({ "version": "1" })));
    let (a, b) = tokio::join!(describe(&endpoint), describe(&endpoint));
    for cause in [broken(a), broken(b)] {
        assert_eq!(cause.fault, Fault::Gone);
        assert!(cause.detail.contains("signal: 9"), "{cause}");
    }
}

#[tokio::test]
async fn a_child_that_hangs_meets_the_deadline_and_is_then_marked_broken() {
    let endpoint = start(Child::Hangs, SHORT);
    let endpoint: &dyn Endpoint = &endpoint;
    let outcome = endpoint.call(&Call::Describe(Describe {})).await;
    let expected = "`describe` was not answered within 300 ms";
    assert_eq!(outcome, Outcome::Fault { fault: Fault::Deadline, detail: expected.to_owned() });
    let cause = endpoint.broken().unwrap();
    assert_eq!(cause.detail, format!("{expected}; and then `describe`: {expected}"));
    endpoint.shut_down().await;
}

#[tokio::test]
async fn one_operation_that_hangs_does_not_condemn_a_candidate_that_still_answers() {
    let endpoint = start(Child::DescribesOnly, SHORT);
    let endpoint: &dyn Endpoint = &endpoint;
    let close = Call::Close(Close { instance: InstanceId(uuid::Uuid::nil()) });
    assert!(matches!(endpoint.call(&close).await, Outcome::Fault { fault: Fault::Deadline, .. }));
    assert_eq!(endpoint.broken(), None);
}

#[tokio::test]
async fn a_stubborn_child_is_ended_by_force() {
    let endpoint = start(Child::Stubborn, SHORT);
    assert_eq!(broken(describe(&endpoint).await).fault, Fault::Deadline);
    endpoint.shut_down().await;
    assert_eq!(broken(describe(&endpoint).await).fault, Fault::Gone);
}

#[tokio::test]
async fn a_flood_on_standard_error_blocks_nothing_and_is_kept_in_part() {
    let endpoint = start(Child::FloodsStderr, PATIENT);
    assert_eq!(describe(&endpoint).await, Raw::Ok(json!({ "version": "1" })));
    endpoint.shut_down().await;
    let tail = endpoint.stderr_tail().unwrap();
    assert!(tail.len() <= 4096, "{}", tail.len());
    assert!(tail.ends_with("no 2999"), "{tail}");
}

#[tokio::test]
async fn a_line_without_end_is_cut() {
    let cause = broken(describe(&start(Child::EndlessLine, PATIENT)).await);
    assert_eq!(cause.fault, Fault::NotTheContract);
    assert!(cause.detail.starts_with("on standard output stood a line of more than 4194304 bytes"), "{cause}");
}

#[tokio::test]
async fn a_child_that_closes_its_output_is_gone() {
    let cause = broken(describe(&start(Child::ClosesStdout, PATIENT)).await);
    assert_eq!(cause, Broken::gone("the candidate's process `sh` closed its standard output"));
}

#[tokio::test]
async fn replies_may_overtake_each_other() {
    let endpoint = start(Child::Reorders, PATIENT);
    let (a, b) = tokio::join!(describe(&endpoint), describe(&endpoint));
    assert_eq!(a, b);
    assert!(matches!(a, Raw::Ok(_)));
}

#[tokio::test]
async fn what_a_child_started_ends_with_it() {
    let endpoint = start(Child::LeavesAProcess, PATIENT);
    let Raw::Ok(Value::String(pipe)) = describe(&endpoint).await else { panic!("no pipe") };
    let mut pipe = tokio::net::unix::pipe::OpenOptions::new().open_receiver(pipe).unwrap();
    endpoint.shut_down().await;
    // Ends when nobody holds the other end any more.
    assert_eq!(pipe.read_to_end(&mut Vec::new()).await.unwrap(), 0);
}

#[tokio::test]
async fn the_child_gets_a_small_environment_and_a_folder_of_its_own() {
    let script = r#"read line; printf '{"id":1,"ok":{"folder":"%s","names":"%s"}}\n' "$(pwd)" "$(env | cut -d= -f1 | sort | tr '\n' ' ')""#;
    let command = Command { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] };
    let endpoint = ChildEndpoint::start(&command, PATIENT).unwrap();
    let Raw::Ok(answer) = describe(&endpoint).await else { panic!("no answer") };
    // PWD and `_` are the shell's own.
    let names: Vec<_> = answer["names"]
        .as_str()
        .unwrap()
        .split(' ')
        .filter(|n| !n.is_empty() && !["PWD", "_", "OLDPWD", "SHLVL"].contains(n))
        .collect();
    assert_eq!(names, ["LANG", "PATH", "TMPDIR"]);
    let folder = std::path::PathBuf::from(answer["folder"].as_str().unwrap());
    assert!(folder.is_dir());
    drop(endpoint);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    let command = Command { program: "/dev/null".into(), args: Vec::new() };
    let cause = ChildEndpoint::start(&command, PATIENT).unwrap_err();
    assert_eq!(cause.fault, Fault::Gone);
    assert!(cause.detail.starts_with("cannot start /dev/null: "), "{cause}");
}

/// A child that does this, within these limits.
#[cfg(target_os = "linux")]
fn limited(script: &str, limits: ChildLimits) -> ChildEndpoint {
    let command = Command { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] };
    ChildEndpoint::start_within(&command, limits, PATIENT).unwrap()
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_child_that_uses_too_much_is_ended_and_told_apart_from_one_that_died() {
    let limits = ChildLimits { cpu_s: 1, memory: 64 << 20, file: 1 << 20, ..ChildLimits::default() };
    for (script, fault, said, fix) in [
        (
            "read line; while :; do :; done",
            Fault::Overran,
            "was ended by the system: it used more than 1 s of processor time",
            "--child-cpu",
        ),
        // `tail` keeps what has no line feed; it is the shell's child, and counts all the same.
        (
            "read line; { head -c 300000000 /dev/zero; sleep 600; } | tail",
            Fault::Exceeded,
            "MiB of memory, and may use 64 MiB",
            "--child-memory",
        ),
        (
            "read line; exec head -c 9000000 /dev/zero >large",
            Fault::Exceeded,
            "it wrote a file of more than 1 MiB",
            "--child-file",
        ),
    ] {
        let endpoint = limited(script, limits);
        // On a busy machine a second of processor time takes longer than a call may; the process ends all the same.
        let mut cause = broken(describe(&endpoint).await);
        while cause.fault == Fault::Deadline {
            cause = broken(describe(&endpoint).await);
        }
        assert_eq!(cause.fault, fault);
        assert!(cause.detail.contains(said), "{cause}");
        assert!(cause.fix.is_some_and(|text| text.contains(fix)), "{cause:?}");
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_child_has_few_files_and_leaves_no_core() {
    let script = r#"read line; printf '{"id":1,"ok":"%s %s %s"}\n' "$(ulimit -n)" "$(ulimit -c)" "$(ulimit -t)""#;
    let endpoint = limited(script, ChildLimits { open_files: 64, cpu_s: 77, ..ChildLimits::default() });
    assert_eq!(describe(&endpoint).await, Raw::Ok(json!("64 0 77")));
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn what_a_child_has_used_of_its_processor_time_is_known_while_it_lives() {
    let script = r#"read line; n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done; printf '{"id":1,"ok":1}\n'; read line"#;
    let endpoint = limited(script, ChildLimits { cpu_s: 1000, ..ChildLimits::default() });
    assert_eq!(endpoint.wear(), Some(0.0));
    assert_eq!(describe(&endpoint).await, Raw::Ok(json!(1)));
    assert!(endpoint.wear().is_some_and(|wear| wear > 0.0 && wear < 0.1), "{:?}", endpoint.wear());
}
