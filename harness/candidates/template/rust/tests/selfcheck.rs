//! Speaks the contract to this candidate, without Countersign: `cargo test`. It says nothing about conformance.

use candidate::content::{self, Body};
use candidate::contract::{self, arguments, check, decode, encode, schema};
use candidate::operations::OPERATIONS;
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const UUID: &str = "6f2b1c3e-0000-4000-8000-000000000001";

struct Running {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    count: u64,
}

impl Running {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_candidate")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output, count: 0 }
    }

    /// The answer, or the reason of the problem as a string.
    fn call(&mut self, op: &str, args: Value) -> Value {
        self.count += 1;
        writeln!(self.input, "{}", json!({ "id": self.count, "op": op, "args": args })).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let reply: Value = serde_json::from_str(&line).unwrap();
        check(&reply, schema("Reply"), "reply").unwrap();
        assert_eq!(reply["id"], self.count, "the reply to another request");
        assert_ne!(reply.get("ok").is_some(), reply.get("problem").is_some(), "either ok or problem");
        reply.get("ok").cloned().unwrap_or_else(|| reply["problem"]["reason"].clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Arguments that fit a schema.
fn sample(of: &Value) -> Value {
    if let Some(reference) = of["$ref"].as_str() {
        return sample(schema(reference.rsplit('/').next().unwrap()));
    }
    if let Some(first) = of["oneOf"].get(0) {
        return sample(first);
    }
    if let Some(constant) = of.get("const") {
        return constant.clone();
    }
    match of["type"].as_str().or(of["type"][0].as_str()).unwrap() {
        "object" => {
            let required = of["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
            required.map(|name| (name.to_owned(), sample(&of["properties"][name]))).collect()
        }
        "string" => json!(if of["format"] == "uuid" { UUID } else { "AA" }),
        "array" => json!([]),
        "integer" => json!(0),
        "boolean" => json!(false),
        other => panic!("a schema of type {other}"),
    }
}

#[test]
fn every_operation_of_the_contract_has_its_entry_and_no_other() {
    let entries: BTreeSet<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(entries, contract::operations().into_iter().collect());
}

#[test]
fn every_operation_is_answered() {
    let mut candidate = Running::start();
    check(&candidate.call("describe", json!({})), schema("Description"), "description").unwrap();
    for op in contract::operations().into_iter().filter(|op| !["describe", "open"].contains(op)) {
        assert_eq!(candidate.call(op, sample(arguments(op).unwrap())), "unknown-instance", "{op}");
    }
}

#[test]
fn what_does_not_exist_is_refused() {
    let mut candidate = Running::start();
    assert_eq!(candidate.call("invented", json!({})), "unsupported");
    assert_eq!(candidate.call("describe", json!({ "invented": true })), "malformed");
    assert_eq!(candidate.call("close", json!({ "instance": "not a UUID" })), "malformed");
    assert_eq!(candidate.call("open", json!({ "instance": UUID, "gateway": "http://127.0.0.1:9", "clock": 0 })), json!({}));
    assert_eq!(candidate.call("connect", json!({ "instance": UUID, "user": UUID })), "unknown-user");
    assert_eq!(candidate.call("close", json!({ "instance": UUID })), json!({}));
    assert_eq!(candidate.call("close", json!({ "instance": UUID })), "unknown-instance");
}

#[test]
fn contents_come_back() {
    let mut contents: Vec<Value> =
        ["", &"x".repeat(159), "grüße 👋\0\n", &"y".repeat(1000)].iter().map(|text| json!({ "kind": "text", "text": text })).collect();
    contents.push(json!({ "kind": "reaction", "of": UUID, "emoji": "👍", "remove": true }));
    contents.push(json!({ "kind": "read", "of": [UUID, UUID] }));
    contents.push(json!({ "kind": "reply", "of": UUID, "text": "a" }));
    contents.push(json!({ "kind": "typing", "active": false }));
    contents.push(json!({ "kind": "delete", "of": UUID }));
    for what in contents {
        let padded = content::write(UUID, 1, &what, None).unwrap();
        assert_eq!(padded.len() % content::BLOCK, 0);
        assert_eq!(content::read(&padded).unwrap(), (UUID.to_owned(), Body::Shown(what)));
    }
    // As a protobuf library writes it: message_id, sent_at 1 and the text "hi".
    let known = [&[10, 36], UUID.as_bytes(), &[16, 1, 82, 4, 10, 2], b"hi"].concat();
    assert_eq!(content::write(UUID, 1, &json!({ "kind": "text", "text": "hi" }), None).unwrap(), content::pad(known));
}

#[test]
fn files_are_described_and_read_back() {
    let file = content::Attachment {
        kind: "voice".into(),
        url: "/media/x".into(),
        key: vec![1; 32],
        digest: vec![2; 32],
        length: 1 << 33,
        mime: "audio/ogg".into(),
        name: "a.ogg".into(),
    };
    let padded = content::write(UUID, 1, &json!({ "kind": "media" }), Some(&file)).unwrap();
    assert_eq!(content::read(&padded).unwrap(), (UUID.to_owned(), Body::File(file)));
}

#[test]
fn bad_plaintexts_are_refused() {
    let padded = content::write(UUID, 1, &json!({ "kind": "text", "text": "hi" }), None).unwrap();
    let longer = [padded.as_slice(), &[0; 160]].concat();
    let with_id = |body: &[u8]| content::pad([&[10, 36], UUID.as_bytes(), body].concat());
    let (no_body, two_bodies) = (with_id(&[80, 1]), with_id(&[82, 0, 82, 0]));
    let cases: [(&[u8], &str); 7] = [
        (&no_body, "malformed"),
        (&two_bodies, "malformed"),
        (&[], "bad-padding"),
        (&padded[1..], "bad-padding"),
        (&longer, "bad-padding"),
        (&content::pad(vec![0xff]), "malformed"),
        (&content::pad(Vec::new()), "malformed"),
    ];
    for (plaintext, reason) in cases {
        assert_eq!(content::read(plaintext).unwrap_err().reason, reason);
    }
}

#[test]
fn bytes_have_one_spelling() {
    assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    assert_eq!(decode("-_8").unwrap(), [0xfb, 0xff]);
    for text in ["AA==", "AB", "A", "+/8"] {
        assert!(decode(text).is_err(), "{text}");
    }
}
