//! Gateway errors, and downloads that are not what was uploaded.

use crate::world::{delivered, enlistment, frames, is_invalid, message, pair, problem, split, stanza, user};
use countersign_contract::Reason;
use countersign_contract::portable::{KeyCount, PublishKeys, Stanza};
use countersign_gateway::{Downloads, Effect, Endpoint, Fault, HttpRequest, MediaBend, MediaRule};

fn fault(on: Endpoint, times: u32) -> Fault {
    Fault { on, status: 503, times, retry_after_s: Some(2) }
}

#[test]
fn as_many_requests_fail_as_were_armed_and_change_nothing() {
    let mut p = pair();
    let keys =
        serde_json::to_vec(&PublishKeys { one_time_prekeys: vec![crate::world::prekey(9)], ..PublishKeys::default() }).unwrap();
    let enlist = serde_json::to_vec(&enlistment(user(5), 1)).unwrap();
    let of_bob = format!("/keys/{}", p.bob);
    let media = p.world.upload(&p.alice_token, b"blob");
    for (on, method, path, sent) in [
        (Endpoint::Enlist, "POST", "/enlist", enlist.as_slice()),
        (Endpoint::GetKeys, "GET", of_bob.as_str(), b""),
        (Endpoint::PutKeys, "PUT", "/keys", keys.as_slice()),
        (Endpoint::PutMedia, "PUT", "/media", b"more"),
        (Endpoint::GetMedia, "GET", media.as_str(), b""),
    ] {
        p.world.gateway.arm_fault(fault(on, 2));
        for _ in 0..2 {
            let effects = p.world.raw(method, path, Some(&p.bob_token), sent);
            assert!(effects.iter().any(|e| matches!(e, Effect::Reply { disturbed: true, .. })), "{on:?}");
            let (reply, rest) = split(effects);
            assert_eq!((problem(&reply).reason, reply.retry_after_s), (Reason::Busy, Some(2)), "{on:?}");
            assert!(!is_invalid(&rest));
        }
        assert_eq!(p.world.request(method, path, &p.bob_token.clone(), sent).0.status, 200, "{on:?}");
    }
    assert_eq!(
        p.world.gateway.keys_left(p.bob),
        KeyCount { one_time_prekeys: 3, one_time_kyber_prekeys: 2 },
        "3 - 1 fetched + 1 published"
    );
}

#[test]
fn a_bad_gateway_says_so() {
    let mut p = pair();
    p.world.gateway.arm_fault(Fault { on: Endpoint::GetKeys, status: 502, times: 1, retry_after_s: None });
    let (reply, _) = p.world.request("GET", &format!("/keys/{}", p.bob), &p.alice_token.clone(), b"");
    assert_eq!(problem(&reply).reason, Reason::GatewayError);
    assert_eq!(reply.retry_after_s, None);
}

#[test]
fn a_stanza_that_met_busy_may_come_again_under_the_same_id() {
    let mut p = pair();
    p.world.gateway.arm_fault(fault(Endpoint::Stanza, 1));
    let (to_bob, effects) = p.bob_gets(1);
    assert_eq!(to_bob, []);
    assert!(
        matches!(&frames(&effects)[..], [(_, Stanza::Refused { id, problem })] if *id == stanza(1) && problem.reason == Reason::Busy)
    );
    assert_eq!(p.bob_gets(1).0, [delivered(1, p.alice)]);
}

#[test]
fn faults_are_not_for_reference_users() {
    let mut p = pair();
    p.world.enlist_reference(user(3), 0);
    p.world.gateway.arm_fault(fault(Endpoint::GetKeys, 1));
    p.world.gateway.arm_fault(fault(Endpoint::Stanza, 1));
    let http = HttpRequest { method: "GET".into(), path: format!("/keys/{}", p.bob), token: None, body: vec![].into() };
    assert_eq!(p.world.gateway.reference_request(user(3), http).0.status, 200);
    let effects = p.world.gateway.reference_stanza(user(3), &message(1, p.bob));
    assert_eq!(p.to_bob(&effects), [delivered(1, user(3))]);
}

#[test]
fn downloads_are_bent_as_armed() {
    let mut p = pair();
    let url = p.world.upload(&p.alice_token, b"0123456789");
    let other = p.world.upload(&p.alice_token, b"abc");
    assert_eq!(p.world.gateway.media(&url), Some(b"0123456789".as_slice()));
    let token = p.bob_token.clone();
    let get = |p: &mut crate::world::Pair, url: &str| p.world.request("GET", url, &token, b"").0;
    let arm = |p: &mut crate::world::Pair, on, bend| p.world.gateway.arm_media(MediaRule { on, bend });

    arm(&mut p, Downloads::Url(url.clone()), MediaBend::Flip(2));
    arm(&mut p, Downloads::All, MediaBend::Truncate(3));
    assert_eq!(get(&mut p, &url).body, b"0133456".as_slice());
    assert_eq!(get(&mut p, &other).body, b"".as_slice());
    p.world.gateway.clear_media_rules();
    assert_eq!(get(&mut p, &url).body, b"0123456789".as_slice());

    arm(&mut p, Downloads::Nth(2), MediaBend::Missing);
    arm(&mut p, Downloads::Nth(3), MediaBend::Extend(2));
    assert_eq!(get(&mut p, &url).body, b"0123456789".as_slice());
    assert_eq!(problem(&get(&mut p, &url)).reason, Reason::MediaMissing);
    assert_eq!(get(&mut p, &url).body, b"0123456789\0\0".as_slice());
    assert_eq!(get(&mut p, &url).body, b"0123456789".as_slice());
}

#[test]
fn a_flip_past_the_end_says_that_it_did_nothing() {
    let mut p = pair();
    let url = p.world.upload(&p.alice_token, b"01");
    p.world.gateway.arm_media(MediaRule { on: Downloads::All, bend: MediaBend::Flip(2) });
    let (reply, rest) = p.world.request("GET", &url, &p.bob_token.clone(), b"");
    assert_eq!(reply.body, b"01".as_slice());
    assert!(crate::world::disturbances(&rest)[0].ends_with("there is no byte 2 to flip"));
}

#[test]
fn a_flip_counts_from_the_end_if_it_is_negative() {
    let mut p = pair();
    let url = p.world.upload(&p.alice_token, b"0123");
    let token = p.bob_token.clone();
    for (at, bent) in [(0, b"1123"), (3, b"0122"), (-1, b"0122"), (-4, b"1123"), (-5, b"0123"), (i64::MIN, b"0123")] {
        p.world.gateway.arm_media(MediaRule { on: Downloads::All, bend: MediaBend::Flip(at) });
        let (reply, _) = p.world.request("GET", &url, &token, b"");
        assert_eq!(reply.body, bent.as_slice(), "{at}");
        p.world.gateway.clear_media_rules();
    }
}

#[test]
fn a_download_breaks_off_as_often_as_armed() {
    let mut p = pair();
    let url = p.world.upload(&p.alice_token, b"0123456789");
    let token = p.bob_token.clone();
    p.world.gateway.arm_media(MediaRule { on: Downloads::First(2), bend: MediaBend::BreakOff(4) });
    for expected in [(4, Some(10)), (4, Some(10)), (10, None)] {
        let (reply, _) = p.world.request("GET", &url, &token, b"");
        assert_eq!((reply.body.len(), reply.breaks_off), expected);
    }
    p.world.gateway.arm_media(MediaRule { on: Downloads::All, bend: MediaBend::BreakOff(10) });
    let (reply, rest) = p.world.request("GET", &url, &token, b"");
    assert_eq!((reply.body.len(), reply.breaks_off), (10, None));
    assert!(crate::world::disturbances(&rest)[0].ends_with("too short to break off after 10 bytes"));
}
