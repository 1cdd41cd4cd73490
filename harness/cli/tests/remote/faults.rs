//! What goes wrong with a partner elsewhere, each with what is said of it.

use crate::certificates::Authority;
use crate::partner::{Said, Served, TOKEN, Waiting, alone, command, countersign, everything};
use std::path::Path;
use std::process::Stdio;

/// The doctor refuses, and says all of this.
fn unhealthy(folder: &Path, args: &[&str], expected: &[&str]) -> Said {
    let said = countersign(folder, &[&["doctor"], args].concat());
    assert_eq!(said.code, Some(3), "{args:?}: {}{}", said.out, said.err);
    // Without colour, what stands between backticks is put in quotation marks.
    let plain = said.out.replace(['‘', '’'], "`");
    for part in expected {
        assert!(plain.contains(part), "{part} is not in {}", said.out);
    }
    said
}

/// A fault in what the user wrote: nothing is begun.
fn usage(folder: &Path, args: &[&str], expected: &[&str]) {
    let said = countersign(folder, args);
    assert_eq!(said.code, Some(2), "{args:?}: {}{}", said.out, said.err);
    for part in expected {
        assert!(said.err.contains(part), "{part} is not in {}", said.err);
    }
    assert!(!folder.join("out").exists() || !everything(&folder.join("out")).contains("\"header\""), "a run was begun");
}

#[test]
fn a_token_that_the_upper_tester_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    std::fs::write(here.join("token"), TOKEN).expect("written");
    std::fs::write(here.join("other"), "another-token-0123456789").expect("written");
    std::fs::write(here.join("short"), "hunter2").expect("written");
    let partner = Served::new(here, &["--token-file", "token"]);
    let reach = ["--candidate", partner.address.as_str()];
    let refused = unhealthy(
        here,
        &[&reach[..], &["--token-file", "other"]].concat(),
        &["FAIL reachable", "refused the token that it was given (401 Unauthorized)", "fix: check that the token is"],
    );
    assert!(!refused.out.contains("another-token"), "{}", refused.out);
    unhealthy(
        here,
        &reach,
        &["FAIL reachable", "refused a call without a token (401", "fix: give the upper tester's token with --token-file"],
    );
    let args = |file| [&["doctor"], &reach[..], &["--token-file", file]].concat();
    usage(here, &args("none"), &["cannot read none: "]);
    usage(here, &args("short"), &["what stands in short is no token: it has 7 characters, and needs 16"]);
    let clear = ["doctor", "--candidate", "http://192.0.2.1:80", "--token-file", "token"];
    usage(here, &clear, &["the token would travel to 192.0.2.1:80 in clear"]);
}

#[test]
fn certificates_of_the_upper_tester() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let authority = Authority::new(here, "ca");
    authority.certify("server", "127.0.0.1");
    authority.certify("elsewhere", "elsewhere.example");
    Authority::new(here, "client-ca").certify("client", "countersign");
    Authority::new(here, "stranger-ca").certify("stranger", "stranger");
    let serve = |name: &str, more: &[&str]| {
        let (chain, key) = (format!("{name}.pem"), format!("{name}.key"));
        Served::new(here, &[&["--tls-cert", &chain, "--tls-key", &key], more].concat())
    };
    let partner = serve("server", &[]);
    let reach = |more: &[&'static str]| [&["--candidate", partner.address.as_str()][..], more].concat();
    unhealthy(
        here,
        &reach(&["--ca", "client-ca.pem"]),
        &["FAIL reachable", "UnknownIssuer", "fix: ", "--ca FILE", "--pin SHA256"],
    );
    // What it says of a wrong pin is enough to give the right one.
    let wrong = "00".repeat(32);
    let args = ["--candidate", partner.address.as_str(), "--pin", &wrong];
    let said = unhealthy(here, &args, &["shows a certificate with SHA-256 ", "fix: if the new certificate is the right one"]);
    let shown = said.out.split("SHA-256 ").nth(1).and_then(|rest| rest.get(..64)).expect("a digest").to_owned();
    let pinned = countersign(here, &["doctor", "--candidate", &partner.address, "--pin", &shown]);
    assert_eq!(pinned.code, Some(0), "{}{}", pinned.out, pinned.err);
    let clear = partner.address.replace("https", "http");
    unhealthy(here, &["--candidate", &clear], &["FAIL reachable"]);

    let elsewhere = serve("elsewhere", &[]);
    let args = ["--candidate", elsewhere.address.as_str(), "--ca", "ca.pem"];
    unhealthy(here, &args, &["FAIL reachable", "fix: the upper tester's certificate is for another host"]);

    let strict = serve("server", &["--client-ca", "client-ca.pem"]);
    let args = ["--candidate", strict.address.as_str(), "--ca", "ca.pem"];
    unhealthy(here, &args, &["FAIL reachable", "fix: the upper tester asks for a client certificate"]);
    let stranger = ["--client-cert", "stranger.pem", "--client-key", "stranger.key"];
    unhealthy(
        here,
        &[&args[..], &stranger].concat(),
        &["FAIL reachable", "fix: the upper tester refused our client certificate"],
    );

    let open = Served::new(here, &[]);
    let secure = open.address.replace("http", "https");
    unhealthy(here, &["--candidate", &secure, "--ca", "ca.pem"], &["FAIL reachable", "fix: the port speaks no TLS"]);
}

#[test]
fn certificates_that_do_not_fit_are_refused_before_anything_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let authority = Authority::new(here, "ca");
    authority.certify("gateway", "gateway.example");
    authority.certify("other", "other.example");
    let run = ["run", "--out", "out", "--carrier", "child"];
    let with = |more: &[&'static str]| [&run[..], more].concat();
    usage(
        here,
        &with(&["--tls-cert", "gateway.pem", "--tls-key", "gateway.key"]),
        &["the certificate gateway.pem is not valid for `127.0.0.1`", "--tls generate"],
    );
    usage(
        here,
        &with(&["--tls-cert", "gateway.pem", "--tls-key", "other.key", "--advertise", "https://gateway.example"]),
        &["the key other.key does not belong to the certificate gateway.pem"],
    );
    usage(
        here,
        &with(&["--tls-cert", "gateway.key", "--tls-key", "gateway.key"]),
        &["no certificate can be read from gateway.key"],
    );
    usage(here, &with(&["--tls-cert", "gateway.pem"]), &["--tls-key"]);
    usage(here, &with(&["--tls", "given"]), &["--tls given needs --tls-cert and --tls-key"]);
    usage(
        here,
        &with(&["--tls", "generate", "--advertise", "http://gateway.example"]),
        &["the gateway has TLS, and this says `http:`"],
    );
    usage(here, &with(&["--listen", "0.0.0.0:0"]), &["0.0.0.0:0 stands for every address", "--advertise"]);
    let client = ["doctor", "--candidate", "https://127.0.0.1:1", "--client-cert", "gateway.pem", "--client-key", "other.key"];
    usage(here, &client, &["the key other.key does not belong to the certificate gateway.pem"]);
}

#[test]
fn an_advertised_address_that_the_candidate_cannot_reach() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nobody listens on port 1.
    let args = ["--carrier", "child", "--advertise", "http://127.0.0.1:1"];
    unhealthy(
        folder.path(),
        &args,
        &[
            "FAIL echo: no request and no chat channel of the candidate's client reached our gateway",
            "which it was told is under http://127.0.0.1:1",
            "though its upper tester answered our calls",
            "`create_user` was answered `gateway-error`",
            "the gateway listens on 127.0.0.1:",
            "fix: ",
            "--advertise",
        ],
    );
}

#[test]
fn a_client_that_does_not_trust_the_gateway_is_seen_from_both_sides() {
    let folder = tempfile::tempdir().expect("a folder");
    Authority::new(folder.path(), "ca").certify("gateway", "127.0.0.1");
    // The candidate is told to trust nothing in particular, and its system does not know this authority.
    let args = ["--carrier", "child", "--tls-cert", "gateway.pem", "--tls-key", "gateway.key"];
    let said = unhealthy(folder.path(), &args, &["FAIL echo: ", "TLS handshakes at the gateway came to nothing"]);
    assert!(said.out.contains("invalid peer certificate"), "{}", said.out);
}

#[test]
fn two_runs_on_one_port() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let listen = format!("127.0.0.1:{taken}");
    let common = ["--candidate", "dial-in", "--dial-key-file", "key", "--listen", &listen];
    let first = Waiting::new(command(folder.path(), &[&["doctor", "--dial-wait", "30"], &common[..]].concat()));
    usage(
        folder.path(),
        &[&["run", "--out", "out"], &common[..]].concat(),
        &[&format!("cannot listen on {listen}"), "another run or another program has that port", "--listen"],
    );
    let partner = command(folder.path(), &["sample", "--dial", &first.url, "--dial-key-file", "key"])
        .stdin(Stdio::null())
        .spawn()
        .expect("starts");
    let first = first.end();
    assert_eq!(first.code, Some(0), "{}{}", first.out, first.err);
    assert!(partner.wait_with_output().expect("ends").status.success());
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("written");
    usage(folder.path(), &["run", "--out", "file/out"], &["cannot write file/out: ", "hint: choose another place with --out"]);
}

#[test]
fn nobody_dials_in_or_only_with_a_wrong_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let args = ["doctor", "--candidate", "dial-in", "--dial-key-file", "key", "--dial-wait"];
    let nobody = countersign(here, &[&args[..], &["0"]].concat());
    assert_eq!(nobody.code, Some(3), "{}{}", nobody.out, nobody.err);
    assert!(nobody.out.contains("FAIL reachable: nobody dialled in at ws://127.0.0.1:"), "{}", nobody.out);
    assert!(nobody.out.contains("fix: start the candidate"), "{}", nobody.out);

    std::fs::write(here.join("wrong"), "a-key-of-another-run").expect("written");
    let waiting = Waiting::new(command(here, &[&args[..], &["5"]].concat()));
    let stranger = countersign(here, &["sample", "--dial", &waiting.url, "--dial-key-file", "wrong"]);
    assert_eq!(stranger.code, Some(3), "{}", stranger.err);
    assert!(stranger.err.contains("the key was refused") && !stranger.err.contains("a-key-of"), "{}", stranger.err);
    let refused = waiting.end();
    assert_eq!(refused.code, Some(3), "{}{}", refused.out, refused.err);
    assert!(refused.out.contains("1 came with a wrong key or none"), "{}", refused.out);
}

#[test]
fn a_candidate_that_dies_in_the_middle_and_comes_back() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let args = ["run", "--out", "out", "--candidate", "dial-in", "--dial-key-file", "key", "--jobs", "4"];
    let mut run = Waiting::new(command(here, &args));
    let dial = ["sample", "--dial", &run.url.clone(), "--dial-key-file", "key"];
    let mut first = command(here, &dial).stdin(Stdio::null()).spawn().expect("starts");
    run.until("[");
    first.kill().expect("killed");
    first.wait().expect("gone");
    let second = command(here, &dial).stdin(Stdio::null()).spawn().expect("starts");
    let ran = run.end();
    assert!(second.wait_with_output().expect("ends").status.success());
    // Nothing is said against the candidate: what was lost is the environment's, and all else passed.
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    for part in ["note: the candidate's connection broke off (", "note: the candidate dialled in again from 127.0.0.1:"] {
        assert!(ran.err.contains(part), "{part} is not in {}", ran.err);
    }
    let record = std::fs::read_to_string(here.join("out/record.jsonl")).expect("a record");
    let summary: serde_json::Value = serde_json::from_str(record.lines().last().expect("a line")).expect("JSON");
    let counts = summary.pointer("/line/summary/counts").expect("counts").to_string();
    assert!(counts.contains("environment-error") && !counts.contains("fail"), "{counts}");
    let verified = countersign(here, &["verify", "out/record.jsonl"]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
}

#[test]
fn a_child_that_uses_too_much_is_the_environments_affair_and_says_how_to_raise_the_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let args =
        ["run", "--quiet", "--out", "out", "--carrier", "child", "--child-memory", "1", "--jobs", "1", "--only", "timing/*"];
    let ran = countersign(here, &args);
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    let record = std::fs::read_to_string(here.join("out/record.jsonl")).expect("a record");
    for part in ["MiB of memory, and may use 1 MiB", "raise --child-memory (MiB), or `limits.memory-mib` in countersign.toml"] {
        assert!(record.contains(part), "{part} is not in the record");
    }
    let verified = countersign(here, &["verify", "out/record.jsonl"]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
}
