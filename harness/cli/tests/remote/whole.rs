//! The whole profile over every way to a partner elsewhere. The record is confirmed, and no secret is in it.

use crate::certificates::Authority;
use crate::partner::{Said, Served, TOKEN, Waiting, alone, command, countersign, everything, said};
use std::path::Path;
use std::process::{Command, Stdio};

/// A run that passed: its record is confirmed, and none of these secrets stands in anything that it wrote or said.
fn passed(folder: &Path, ran: &Said, secrets: &[&str]) {
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    let verified = countersign(folder, &["verify", "out/record.jsonl"]);
    assert!(verified.code == Some(0) && verified.out.contains("\nconfirmed: "), "{}{}", verified.out, verified.err);
    let record = std::fs::read_to_string(folder.join("out/record.jsonl")).expect("a record");
    assert!(record.lines().count() > 50, "there is no whole run in it");
    let written = everything(&folder.join("out"));
    for secret in secrets {
        for place in [&written, &ran.out, &ran.err, &verified.out] {
            assert!(!place.contains(secret), "a secret was written");
        }
    }
}

#[test]
fn over_http_with_a_token() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("token"), format!("{TOKEN}\n")).expect("written");
    let partner = Served::new(folder.path(), &["--token-file", "token"]);
    let args = ["run", "--quiet", "--out", "out", "--candidate", &partner.address, "--token-file", "token"];
    passed(folder.path(), &countersign(folder.path(), &args), &[TOKEN]);
}

#[test]
fn over_https_with_a_client_certificate_and_a_gateway_with_tls() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    Authority::new(here, "ca").certify("server", "127.0.0.1");
    Authority::new(here, "client-ca").certify("client", "countersign");
    let partner = Served::new(here, &["--tls-cert", "server.pem", "--tls-key", "server.key", "--client-ca", "client-ca.pem"]);
    assert!(partner.address.starts_with("https://"), "{}", partner.address);
    let settings = format!(
        "[candidate]\ntarget = \"{}\"\nca = \"ca.pem\"\nclient-cert = \"client.pem\"\nclient-key = \"client.key\"\n\
         [gateway]\ntls = \"generate\"\n[run]\nout = \"out\"\n",
        partner.address
    );
    std::fs::write(here.join("countersign.toml"), settings).expect("written");
    let key = std::fs::read_to_string(here.join("client.key")).expect("a key");
    let line = key.lines().nth(1).expect("a line of the key").to_owned();
    passed(here, &countersign(here, &["run", "--quiet"]), &[&line]);
    let record = std::fs::read_to_string(here.join("out/record.jsonl")).expect("a record");
    assert!(record.contains("\"gateway\":\"https://127.0.0.1:") && record.contains("BEGIN CERTIFICATE"), "it was told so");
}

#[test]
fn dialling_out_to_a_gateway_with_tls() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    Authority::new(here, "ca").certify("gateway", "127.0.0.1");
    let given = ["--tls-cert", "gateway.pem", "--tls-key", "gateway.key", "--tls-ca", "ca.pem"];
    let args = ["run", "--quiet", "--out", "out", "--candidate", "dial-in", "--dial-key-file", "key"];
    let run = Waiting::new(command(here, &[&args[..], &given].concat()));
    assert!(run.url.starts_with("wss://127.0.0.1:") && run.url.ends_with("/dial"), "{}", run.url);
    let key = std::fs::read_to_string(here.join("key")).expect("a key was written");
    let partner = command(here, &["sample", "--dial", &run.url, "--dial-key-file", "key", "--ca", "ca.pem"])
        .stdin(Stdio::null())
        .spawn()
        .expect("starts");
    passed(here, &run.end(), &[key.trim()]);
    assert!(partner.wait_with_output().expect("ends").status.success(), "it was told that the run is over");
}

#[test]
fn a_token_in_a_variable_does_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    std::fs::write(here.join("token"), TOKEN).expect("written");
    let partner = Served::new(here, &["--token-file", "token"]);
    let mut doctor: Command = command(here, &["doctor", "--candidate", &partner.address]);
    doctor.env("COUNTERSIGN_TOKEN", TOKEN);
    let doctor = said(doctor);
    assert_eq!(doctor.code, Some(0), "{}{}", doctor.out, doctor.err);
    assert!(!doctor.out.contains(TOKEN) && !doctor.err.contains(TOKEN));
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", proxy.local_addr().expect("an address"));
    let partner = Served::new(here, &[]);
    let mut doctor = command(here, &["doctor", "--candidate", &partner.address]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        doctor.env(name, &url);
    }
    let doctor = said(doctor);
    assert_eq!(doctor.code, Some(0), "{}{}", doctor.out, doctor.err);
    proxy.set_nonblocking(true).expect("set");
    let came = proxy.accept().expect_err("somebody asked the proxy");
    assert_eq!(came.kind(), std::io::ErrorKind::WouldBlock);
}
