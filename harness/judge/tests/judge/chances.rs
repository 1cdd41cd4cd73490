//! Chances are what was looked at to its end.

use crate::support::flows::message;
use crate::support::{World, bytes};
use countersign_contract::Reason;
use countersign_judge::{Chances, Counted, chances};
use serde_json::json;

fn counted(more: impl FnOnce(&mut World)) -> Chances {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"send": {"from": "bob", "to": "alice", "as": "m2", "content": {"text": "x"}}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "bob");
    w.step(1);
    w.candidate_sends("m2", "bob", "alice");
    w.reference_shows("m2", "bob", "alice");
    more(&mut w);
    w.finish();
    chances(&w.trace, &w.blobs)
}

#[test]
fn what_was_shown_counts_once() {
    let plain = counted(|_| {});
    // The body of m1 is no libsignal message, so that it has no keys to count.
    assert_eq!(plain.received, Counted { messages: 1, ..Counted::default() });
    assert_eq!(plain.sent, Counted { messages: 1, ratchet_keys: 1, ..Counted::default() });
    // The same stanza again, one that is refused, one that is never shown, and one that is shown and was never delivered.
    let more = counted(|w| {
        w.arrives("m1", "alice", "bob");
        w.delivers("m3", "alice", "bob");
        w.refuses("m3", "bob", Reason::BadMac);
        w.delivers("m4", "alice", "bob");
        w.sees("bob", crate::support::flows::shown("m5", "alice"));
        w.frame_in("bob", &message("m6", None, Some("alice"), bytes::signal("another", 1, &[0; 176], Some(1))));
    });
    assert_eq!(more, plain);
}

#[test]
fn keys_count_as_often_as_they_differ() {
    let several = counted(|w| {
        for (name, ratchet) in [("m3", "bob ratchet"), ("m4", "another"), ("m5", "another")] {
            let body = bytes::signal(ratchet, 7, &bytes::noise(name, 176), Some(1));
            w.candidate_sends_body(name, "bob", "alice", body);
            w.reference_shows(name, "bob", "alice");
        }
        w.frame_out("bob", &message("m6", Some("alice"), None, bytes::signal("third", 1, &[0; 176], Some(1))));
        w.shows("m6", "m6", "alice", "bob");
    });
    assert_eq!((several.sent.messages, several.sent.ratchet_keys), (4, 2));
    assert_eq!((several.received.messages, several.received.ratchet_keys), (2, 1));
    let mut sum = several;
    sum.add(&several);
    assert_eq!((sum.sent.messages, sum.received.ratchet_keys), (8, 2));
}
