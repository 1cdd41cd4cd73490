//! The contract: JSON of a candidate, and the protobuf inside a message.

use countersign_contract::carrier::{Reply, Request};
use countersign_contract::content::Content;
use countersign_contract::portable::{Enlist, GroupList, KeyBundle, PublishKeys, Stanza};
use countersign_contract::{Call, Operation, Problem};
use prost::Message as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;

/// What is read is read the same again from what is written.
fn again<T: DeserializeOwned + serde::Serialize + PartialEq + Debug>(input: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<T>(input) {
        let written = serde_json::to_vec(&read).expect("what was read can be written");
        assert_eq!(serde_json::from_slice::<T>(&written).expect("what was written can be read"), read);
    }
}

pub(super) fn calls(input: &[u8]) {
    again::<Request>(input);
    let Ok(request) = serde_json::from_slice::<Request>(input) else { return };
    if let Ok(call) = Call::parse(&request.op, request.args) {
        assert_eq!(Call::parse(call.operation().as_str(), call.args()).expect("a call that was written"), call);
    }
}

pub(super) fn answers(input: &[u8]) {
    again::<Reply>(input);
    again::<Problem>(input);
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return };
    for operation in Operation::ALL {
        for value in [Some(&value), value.get("ok")].into_iter().flatten() {
            if let Ok(answer) = operation.parse_answer(value.clone()) {
                assert_eq!(operation.parse_answer(answer.to_value()).expect("an answer that was written"), answer);
            }
        }
    }
}

pub(super) fn stanzas(input: &[u8]) {
    again::<Enlist>(input);
    again::<KeyBundle>(input);
    again::<PublishKeys>(input);
    again::<GroupList>(input);
    let Ok(text) = std::str::from_utf8(input) else { return };
    let strict = Stanza::from_json(text);
    match Stanza::from_gateway(text) {
        // Members that are not for clients are left out.
        Ok(stanza) => assert_eq!(Stanza::from_json(&stanza.to_json()).expect("a stanza that was written"), stanza),
        Err(unreadable) => {
            if let (Ok(stanza), Some(id)) = (strict, unreadable.id) {
                assert_eq!(stanza.id(), id);
            }
        }
    }
}

pub(super) fn content(input: &[u8]) {
    if let Ok(content) = Content::from_padded(input) {
        let padded = content.to_padded();
        assert_eq!(Content::from_padded(&padded).expect("a content that was written"), content);
    }
    // Bytes that nobody padded.
    if let Ok(content) = Content::decode(input) {
        let back = Content::from_padded(&content.to_padded());
        assert!(back.is_err() || back == Ok(content));
    }
}
