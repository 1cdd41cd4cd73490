//! Every monitor, on a trace that is as it should be with one thing wrong.

use crate::support::flows::{message, receipt, says};
use crate::support::{World, bytes, channel, id, signed, user};
use base64::Engine as _;
use countersign_contract::Bytes;
use countersign_contract::Reason;
use countersign_contract::portable::{MessageType, PublishKeys, ReceiptType, Stanza};
use countersign_trace::{Event, Input, KeyMark, MadeFile, Observation, Outcome, Verdict};
use serde_json::json;

/// m1 to bob and m2 from bob, all honest, with something more at the end of the last step.
fn world(more: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"send": {"from": "bob", "to": "alice", "as": "m2", "content": {"text": "x"}}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "bob");
    w.settle("bob", "m1");
    w.step(1);
    w.candidate_sends("m2", "bob", "alice");
    w.reference_shows("m2", "bob", "alice");
    more(&mut w);
    w.finish();
    w
}

fn body(ciphertext: usize, epoch: Option<u64>) -> Vec<u8> {
    bytes::signal("another", 1, &bytes::noise("c", ciphertext), epoch)
}

fn sends(body: Vec<u8>) -> impl FnOnce(&mut World) {
    move |w| w.frame_in("bob", &message("more", None, Some("alice"), body))
}

#[test]
fn an_honest_world_passes() {
    world(|_| {}).all_pass();
    world(sends(body(176, Some(1)))).all_pass();
}

#[test]
fn canaries_are_found_in_every_form_and_place() {
    let canary = format!("canary-{}", id("m1"));
    let hex: String = canary.bytes().map(|b| format!("{b:02x}")).collect();
    let url = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let twice = url.encode(url.encode(format!("..{canary}")));
    let forms =
        [canary.clone(), hex, url.encode(format!("xy{canary}z")), twice, canary.to_uppercase(), canary.chars().rev().collect()];
    for form in &forms {
        let text = format!(r#"{{"kind":"ack","id":"{}","note":"{form}"}}"#, id("m1"));
        world(|w| w.raw_in("bob", &text)).says("canary", Verdict::Fail, "plaintext-visible");
        world(|w| w.request("GET", &format!("/media/{form}"), Some("bob"), b"", 404, b"")).says(
            "canary",
            Verdict::Fail,
            "plaintext-visible",
        );
        world(|w| w.request("PUT", "/media", Some("bob"), form.as_bytes(), 503, b"")).says(
            "canary",
            Verdict::Fail,
            "plaintext-visible",
        );
        world(|w| w.input(Input::ChatOpened { channel: 9, token: Some(form.clone()) })).says(
            "canary",
            Verdict::Fail,
            "plaintext-visible",
        );
    }
    let inside = [vec![0x44], canary.into_bytes(), vec![0; 20]].concat();
    world(sends(inside)).says("canary", Verdict::Fail, "plaintext-visible");
    let piece: String = says("m2").chars().take(30).collect();
    world(|w| w.raw_in("bob", &piece)).says("canary", Verdict::Fail, "plaintext-visible");
}

#[test]
fn a_media_key_is_found_though_only_its_mark_is_known() {
    let key = bytes::noise("media key", 32);
    let seen = |w: &mut World| {
        let key = KeyMark::of(&key);
        w.observed("alice", Observation::Media { stanza: id("m2"), key, digest_ok: true, mac_ok: true, plaintext: None });
    };
    world(seen).all_pass();
    let padded = [&[1, 2, 3][..], &key].concat();
    world(|w| {
        seen(w);
        w.raw_in("bob", &format!(r#"{{"kind":"ack","id":"{}","k":"{}"}}"#, id("m1"), Bytes(padded.clone()).to_base64url()));
    })
    .says("canary", Verdict::Fail, "plaintext-visible");
    world(|w| {
        seen(w);
        w.request("PUT", "/media", Some("bob"), &[&bytes::noise("blob", 1000)[..], &key].concat(), 200, b"{}");
    })
    .says("canary", Verdict::Fail, "plaintext-visible");
}

#[test]
fn a_file_in_clear_is_found() {
    let file = bytes::noise("file", 5000);
    let upload = |blob: Vec<u8>| {
        let file = file.clone();
        world(move |w| {
            w.request("GET", "/files/x", Some("bob"), b"", 200, &file);
            w.request("PUT", "/media", Some("bob"), &blob, 200, b"{}");
        })
    };
    upload(bytes::noise("cipher", 5040)).all_pass();
    upload(file.clone()).says("file-plaintext", Verdict::Fail, "file-visible");
    let stretch = [&bytes::noise("cipher", 1001)[..], &file[2000..2100]].concat();
    upload(stretch).says("file-plaintext", Verdict::Fail, "file-visible");
    // A large file is known by how it is made, and its bytes are not in the record.
    let made = MadeFile::new([4; 32], "", 300_000);
    let large = |blob: Vec<u8>| {
        let file = made.clone();
        world(move |w| {
            w.observed("bob", Observation::Made { path: "/files/x".into(), file: file.clone() });
            w.request("GET", "/files/x", Some("bob"), b"", 200, &file.whole(0).unwrap());
            w.blobs.clear();
            w.request("PUT", "/media", Some("bob"), &blob, 200, b"{}");
        })
    };
    large(bytes::noise("cipher", 5040)).all_pass();
    large(made.whole(0).unwrap()[100_000..101_000].to_vec()).says("file-plaintext", Verdict::Fail, "file-visible");
}

#[test]
fn the_padding_rule_is_checked_on_the_wire_and_after_decryption() {
    for length in [0, 16, 160, 170, 192] {
        world(sends(body(length, Some(1)))).says("padding", Verdict::Fail, "bad-padding");
    }
    for length in [176, 336] {
        world(sends(body(length, Some(1)))).says("padding", Verdict::Pass, "");
    }
    let content = crate::support::flows::content("m2");
    let bad = Observation::Shown { stanza: id("m9"), message: id("m9"), from: user("bob"), group: None, content, padded: 161 };
    world(|w| w.observed("alice", bad)).says("padding", Verdict::Fail, "bad-padding");
}

#[test]
fn the_suite_is_checked_on_the_wire() {
    world(sends(body(176, None))).says("suite", Verdict::Fail, "wrong-suite");
    let mut old = body(176, Some(1));
    old[0] = 0x34;
    world(sends(old)).says("suite", Verdict::Fail, "wrong-suite");
    world(sends(b"hello".to_vec())).says("suite", Verdict::Fail, "wrong-on-wire");
    let first = |from: &str, message: &[u8]| Stanza::Message {
        id: id("more"),
        to: Some(user("alice")),
        from: None,
        r#type: MessageType::Prekey,
        body: Bytes(bytes::first(from, "base", None, message)),
    };
    world(|w| w.frame_in("bob", &first("bob", &body(176, Some(1))))).all_pass();
    // Another user's identity key.
    world(|w| w.frame_in("bob", &first("carl", &body(176, Some(1))))).says("suite", Verdict::Fail, "wrong-identity-key");
    world(|w| w.frame_in("bob", &first("bob", &body(176, None)))).says("suite", Verdict::Fail, "wrong-suite");
    let mut more = body(176, Some(1));
    let mac = more.split_off(more.len() - 8);
    more.extend([0x7a, 1, 9]);
    more.extend(mac);
    world(sends(more)).says("suite", Verdict::Warn, "unknown-field");
}

#[test]
fn the_classic_suite_is_checked_on_the_wire() {
    let classic = |body: Vec<u8>, r#type: MessageType| {
        let mut w = World::new(&json!([{"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}}]));
        w.profile.wire.message_version = 3;
        w.profile.wire.spqr = false;
        w.step(0);
        let stanza = Stanza::Message { id: id("more"), to: Some(user("alice")), from: None, r#type, body: Bytes(body) };
        w.frame_in("bob", &stanza);
        w.finish();
        w.check("suite")
    };
    let message = |first: u8, epoch| {
        let mut message = body(176, epoch);
        message[0] = first;
        message
    };
    // The low half is the newest version that the sender knows.
    for first in [0x33, 0x34] {
        assert_eq!(classic(message(first, None), MessageType::Normal).verdict, Verdict::Pass, "{first:#x}");
    }
    for (first, epoch) in [(0x44, None), (0x32, None), (0x33, Some(1))] {
        let check = classic(message(first, epoch), MessageType::Normal);
        assert_eq!((check.verdict, check.finding.as_deref()), (Verdict::Fail, Some("wrong-suite")), "{first:#x} {epoch:?}");
    }
    // A prekey message of version 3 that names a Kyber prekey.
    let mut kyber = bytes::first("bob", "base", None, &message(0x33, None));
    kyber[0] = 0x33;
    let check = classic(kyber, MessageType::Prekey);
    assert_eq!((check.verdict, check.finding.as_deref()), (Verdict::Fail, Some("wrong-suite")));
}

#[test]
fn counters_and_base_keys_are_used_once() {
    let at = |counter, label: &str| bytes::signal("another", counter, &bytes::noise(label, 176), Some(1));
    let both = |first: Vec<u8>, second: Vec<u8>| {
        world(move |w| {
            w.frame_in("bob", &message("a", None, Some("alice"), first));
            w.frame_in("bob", &message("b", None, Some("alice"), second));
        })
    };
    both(at(1, "a"), at(2, "b")).all_pass();
    both(at(1, "a"), at(1, "a")).says("counters", Verdict::Pass, "");
    both(at(1, "a"), at(1, "b")).says("counters", Verdict::Fail, "counter-reused");
    let first = |name: &str, to: &str, base: &str, counter| Stanza::Message {
        id: id(name),
        to: Some(user(to)),
        from: None,
        r#type: MessageType::Prekey,
        body: Bytes(bytes::first("bob", base, None, &at(counter, name))),
    };
    let sessions = |second: Stanza| {
        world(move |w| {
            w.frame_in("bob", &first("a", "alice", "base", 1));
            w.frame_in("bob", &second);
        })
    };
    sessions(first("b", "alice", "base", 2)).all_pass();
    sessions(first("b", "dora", "other", 2)).all_pass();
    sessions(first("b", "dora", "base", 2)).says("counters", Verdict::Fail, "base-key-reused");
}

#[test]
fn one_time_prekeys_are_published_and_used_once() {
    let publish = |keys: PublishKeys| {
        world(move |w| w.request("PUT", "/keys", Some("bob"), &serde_json::to_vec(&keys).unwrap(), 200, b"{}"))
    };
    let keys =
        |one_time_prekeys, kyber| PublishKeys { one_time_prekeys, one_time_kyber_prekeys: kyber, ..PublishKeys::default() };
    publish(keys(vec![crate::support::prekey(3, bytes::ec("new"))], vec![])).all_pass();
    publish(keys(vec![crate::support::prekey(1, bytes::ec("new"))], vec![])).says("prekeys", Verdict::Fail, "prekey-reused");
    let old = bytes::enlist("bob");
    publish(keys(vec![crate::support::prekey(3, old.one_time_prekeys[0].key.0.clone())], vec![])).says(
        "prekeys",
        Verdict::Fail,
        "prekey-reused",
    );
    publish(keys(vec![], vec![signed(3, bytes::kyber("new"))])).says("prekeys", Verdict::Fail, "prekey-reused");
    let twice = |fetches: usize| {
        world(move |w| {
            let bundle = serde_json::to_vec(&bytes::bundle("alice", 0)).unwrap();
            for _ in 0..fetches {
                w.request("GET", &format!("/keys/{}", user("alice")), Some("bob"), b"", 200, &bundle);
            }
            for base in ["one", "two"] {
                let inner = bytes::signal(base, 0, &bytes::noise(base, 176), Some(1));
                let body = Bytes(bytes::first("bob", base, Some(1), &inner));
                w.frame_in(
                    "bob",
                    &Stanza::Message { id: id(base), to: Some(user("alice")), from: None, r#type: MessageType::Prekey, body },
                );
            }
        })
    };
    twice(2).all_pass();
    twice(1).says("prekeys", Verdict::Fail, "prekey-reused");
}

#[test]
fn frames_and_requests_fit_the_binding() {
    for text in ["", "{}", "[1]", "null", r#"{"kind":"ack"}"#, r#"{"kind":"telepathy","id":"x"}"#] {
        world(|w| w.raw_in("bob", text)).says("binding", Verdict::Fail, "breaks-binding");
    }
    world(|w| w.frame_in("bob", &Stanza::Accepted { id: id("x") })).says("binding", Verdict::Fail, "breaks-binding");
    let from = message("more", Some("bob"), Some("alice"), body(176, Some(1)));
    world(|w| w.frame_in("bob", &from)).says("binding", Verdict::Fail, "breaks-binding");
    world(|w| w.request("PUT", "/keys", Some("bob"), b"{\"x\":1}", 400, b"{}")).says("binding", Verdict::Fail, "breaks-binding");
    let noticed =
        Event::Observed { user: None, observation: Observation::Invalid { what: "stanza".into(), detail: "bad".into() } };
    world(|w| w.log(noticed)).says("binding", Verdict::Fail, "breaks-binding");
}

#[test]
fn members_beyond_the_inventory_are_found() {
    let ack = |more: &str| format!(r#"{{"kind":"ack","id":"{}"{more}}}"#, id("m1"));
    world(|w| w.raw_in("bob", &ack(""))).all_pass();
    world(|w| w.raw_in("bob", &ack(r#","device":"phone""#))).says("inventory", Verdict::Fail, "beyond-inventory");
    let mut w = world(|_| {});
    w.profile.inventory.insert("to-gateway/message".into(), vec!["kind".into(), "id".into(), "to".into(), "type".into()]);
    w.says("inventory", Verdict::Fail, "beyond-inventory");
    w.profile.inventory.remove("to-gateway/message");
    w.says("inventory", Verdict::HarnessError, "");
}

#[test]
fn processed_stanzas_are_acknowledged() {
    let quiet = |later: &dyn Fn(&mut World)| {
        world(|w| {
            w.named("m3");
            w.delivers("m3", "alice", "bob");
            w.call("settle", &json!({"user": user("bob"), "through": id("m3")}), Outcome::Ok(json!({})));
            later(w);
        })
    };
    // As long as nothing came later over the channel, the acknowledgement may be under way.
    quiet(&|_| {}).says("acknowledgements", Verdict::Pass, "");
    quiet(&|w| w.acks("m3", "bob")).says("acknowledgements", Verdict::Pass, "");
    quiet(&|w| w.acks("m1", "bob")).says("acknowledgements", Verdict::Fail, "not-acknowledged");
    quiet(&|w| w.input(Input::ChatClosed { channel: channel("bob") })).says(
        "acknowledgements",
        Verdict::Fail,
        "not-acknowledged",
    );
    quiet(&|w| w.acks("m3", "carl")).says("acknowledgements", Verdict::Pass, "");
}

/// m3 is delivered to bob and answered somehow, and bob's events are asked for afterwards.
fn answered(make: impl FnOnce(&mut World)) -> World {
    world(|w| {
        w.named("m3");
        w.delivers("m3", "alice", "bob");
        make(w);
    })
}

#[test]
fn receipts_tell_the_truth() {
    let retry = |count: u32| Stanza::Receipt {
        id: id(&format!("retry {count}")),
        to: Some(user("alice")),
        from: None,
        r#type: ReceiptType::Retry,
        of: id("m3"),
        count: Some(count),
    };
    let delivered = |w: &mut World| w.frame_in("bob", &receipt("m3", ReceiptType::Delivered, None, Some("alice")));
    answered(|w| {
        w.refuses("m3", "bob", Reason::BadMac);
        (1..=5).for_each(|i| w.frame_in("bob", &retry(i)));
        // The same frame once more is no further request.
        w.frame_in("bob", &retry(5));
    })
    .all_pass();
    answered(|w| {
        w.refuses("m3", "bob", Reason::BadMac);
        (1..=6).for_each(|i| w.frame_in("bob", &retry(i)));
    })
    .says("receipts", Verdict::Fail, "too-many-retries");
    answered(|w| {
        w.refuses("m3", "bob", Reason::BadMac);
        w.frame_in("bob", &retry(2));
    })
    .says("receipts", Verdict::Fail, "bad-receipt");
    answered(|w| {
        w.refuses("m3", "bob", Reason::Duplicate);
        w.frame_in("bob", &retry(1));
    })
    .says("receipts", Verdict::Fail, "undue-receipt");
    answered(|w| w.frame_in("bob", &retry(1))).says("receipts", Verdict::Fail, "undue-receipt");
    answered(|w| {
        w.refuses("m3", "bob", Reason::BadMac);
        delivered(w);
    })
    .says("receipts", Verdict::Fail, "undue-receipt");
    answered(delivered).says("receipts", Verdict::Fail, "undue-receipt");
    let stranger = receipt("m3", ReceiptType::Delivered, None, Some("dora"));
    answered(|w| w.frame_in("bob", &stranger)).says("receipts", Verdict::Fail, "bad-receipt");
    let unheard = receipt("m9", ReceiptType::Delivered, None, Some("alice"));
    answered(|w| w.frame_in("bob", &unheard)).says("receipts", Verdict::Fail, "undue-receipt");
    // Delivered again in a later connection: one receipt for each time, whichever of the two was refused as received before.
    let again = |w: &mut World, receipts: u32| {
        w.delivers("m3", "alice", "bob");
        for number in 1..=receipts {
            let Stanza::Receipt { to, from, r#type, of, count, .. } = receipt("m3", ReceiptType::Delivered, None, Some("alice"))
            else {
                return;
            };
            w.frame_in("bob", &Stanza::Receipt { id: id(&format!("receipt {number}")), to, from, r#type, of, count });
        }
    };
    let shown = |w: &mut World| w.sees("bob", crate::support::flows::shown("m3", "alice"));
    let repeated = |w: &mut World| w.refuses("m3", "bob", Reason::Duplicate);
    answered(|w| {
        shown(w);
        again(w, 2);
    })
    .says("receipts", Verdict::Pass, "");
    answered(|w| {
        shown(w);
        again(w, 1);
        repeated(w);
    })
    .says("receipts", Verdict::Pass, "");
    answered(|w| {
        shown(w);
        again(w, 3);
    })
    .says("receipts", Verdict::Fail, "undue-receipt");
    // Refused both times, it was never shown.
    answered(|w| {
        repeated(w);
        again(w, 1);
    })
    .says("receipts", Verdict::Fail, "undue-receipt");
    // Of carl's.
    answered(|w| w.frame_in("carl", &receipt("m3", ReceiptType::Delivered, None, Some("alice")))).says(
        "receipts",
        Verdict::Fail,
        "undue-receipt",
    );
}

#[test]
fn a_signature_of_the_candidates_is_one_whoever_found_it_and_that_of_a_reference_is_not() {
    let found = |from: &'static str| {
        move |w: &mut World| {
            let (place, over) = ("19".to_owned(), "the text".to_owned());
            w.observed("alice", Observation::Signed { stanza: id("m2"), from: user(from), place, over });
        }
    };
    world(found("bob")).says("signatures", Verdict::Fail, "signs-content");
    world(found("alice")).all_pass();
}
