//! Sealed messages: certificates, and delivery without a sender.

use crate::world::{Pair, body, frames, is_invalid, pair, problem, stanza, user};
use countersign_contract::portable::{BlockList, SenderCertificate, Stanza};
use countersign_contract::{Bytes, Reason, UserId};
use countersign_gateway::{Effect, Endpoint, Fault, Rule};
use std::sync::Arc;

fn sealed(n: u128, to: Option<UserId>) -> Stanza {
    Stanza::SealedMessage { id: stanza(n), to, body: vec![0x11, n as u8, 3].into() }
}

/// Alice sends sealed message `n` to Bob; what Bob's channel gets of it.
fn bob_gets(p: &mut Pair, n: u128) -> Vec<Stanza> {
    let effects = p.world.send(p.a, &sealed(n, Some(p.bob)));
    assert!(frames(&effects).contains(&(p.a, Stanza::Accepted { id: stanza(n) })));
    p.to_bob(&effects)
}

#[test]
fn a_certificate_is_of_the_user_of_the_token_its_identity_key_and_the_time() {
    let mut p = pair();
    let (reply, effects) = p.world.request("GET", "/certificate", &p.bob_token, b"");
    assert_eq!(problem(&reply).reason, Reason::Unsupported);
    assert!(is_invalid(&effects));
    p.world.gateway.certify_by(Arc::new(|user, key, now_ms| {
        let certificate = Bytes([user.0.as_bytes(), key].concat());
        (now_ms < 1000).then_some(SenderCertificate { certificate, expires: now_ms + 7 })
    }));
    p.world.gateway.advance(500);
    let (reply, effects) = p.world.request("GET", "/certificate", &p.bob_token, b"");
    let made: SenderCertificate = body(&reply);
    let identity = crate::world::enlistment(p.bob, 1).identity_key;
    assert_eq!(made.certificate.0, [p.bob.0.as_bytes(), &identity.0[..]].concat());
    assert_eq!((made.expires, is_invalid(&effects)), (507, false));
    p.world.gateway.advance(500);
    let (reply, effects) = p.world.request("GET", "/certificate", &p.bob_token, b"");
    assert_eq!((problem(&reply).reason, is_invalid(&effects)), (Reason::BadKey, false));
    let (reply, effects) = p.world.request("GET", "/certificate", "nobody's", b"");
    assert_eq!((problem(&reply).reason, is_invalid(&effects)), (Reason::Unauthorized, true));
}

#[test]
fn it_is_delivered_without_a_sender_and_kept_until_it_is_acknowledged() {
    let mut p = pair();
    assert_eq!(bob_gets(&mut p, 1), [sealed(1, None)]);
    let (_, waiting) = p.world.open(&p.bob_token.clone());
    assert_eq!(frames(&waiting).pop().map(|(_, stanza)| stanza), Some(sealed(1, None)));
    assert_eq!(p.world.gateway.stanza(stanza(1)).map(|kept| kept.from), Some(Some(p.alice)));
}

#[test]
fn what_breaks_the_binding_is_refused() {
    let mut p = pair();
    let with_sender = sealed(1, Some(p.bob)).to_json().replacen('{', &format!("{{\"from\":\"{}\",", p.alice), 1);
    for bad in [sealed(1, None).to_json(), with_sender] {
        let effects = p.world.gateway.frame(p.a, bad.as_bytes());
        assert!(is_invalid(&effects), "{bad}");
        assert!(p.to_bob(&effects).is_empty());
    }
    let effects = p.world.send(p.a, &sealed(1, Some(user(9))));
    assert!(matches!(&frames(&effects)[..], [(_, Stanza::Refused { problem, .. })] if problem.reason == Reason::UnknownUser));
}

#[test]
fn a_block_list_is_not_for_the_gateway_to_keep_to() {
    let mut p = pair();
    let list = serde_json::to_vec(&BlockList { users: vec![p.alice] }).unwrap();
    p.world.request("PUT", "/blocks", &p.bob_token.clone(), &list);
    assert_eq!(bob_gets(&mut p, 1), [sealed(1, None)]);
}

#[test]
fn the_disturbance_is_that_of_any_message() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::Hold);
    assert_eq!(bob_gets(&mut p, 1), []);
    let effects = p.world.gateway.release(stanza(1));
    assert_eq!(p.to_bob(&effects), [sealed(1, None)]);
    p.world.gateway.arm(stanza(2), Rule::Drop);
    assert_eq!(bob_gets(&mut p, 2), []);
    p.world.gateway.arm(stanza(3), Rule::Repeat(1));
    assert_eq!(bob_gets(&mut p, 3), [sealed(3, None), sealed(3, None)]);
    p.world.gateway.arm(stanza(4), Rule::FlipByte { offset: 2, bit: 0 });
    assert_eq!(bob_gets(&mut p, 4), [Stanza::SealedMessage { id: stanza(4), to: None, body: vec![0x11, 4, 2].into() }]);
    p.world.gateway.arm(stanza(5), Rule::Replace { body: vec![9] });
    assert_eq!(bob_gets(&mut p, 5), [Stanza::SealedMessage { id: stanza(5), to: None, body: vec![9].into() }]);
    p.world.gateway.arm(stanza(6), Rule::Redirect(p.alice));
    let effects = p.world.send(p.a, &sealed(6, Some(p.bob)));
    assert!(frames(&effects).contains(&(p.a, sealed(6, None))));
    p.world.gateway.arm(stanza(7), Rule::Bend);
    let effects = p.world.send(p.a, &sealed(7, Some(p.bob)));
    let bend = Effect::Bend { stanza: stanza(7), body: vec![0x11, 7, 3], r#type: None };
    assert!(effects.contains(&bend) && p.to_bob(&effects).is_empty());
    let effects = p.world.gateway.release_bent(stanza(7), vec![1]);
    assert_eq!(p.to_bob(&effects), [Stanza::SealedMessage { id: stanza(7), to: None, body: vec![1].into() }]);
    let effects = p.world.gateway.redeliver(stanza(1), Some(stanza(20)));
    assert_eq!(p.to_bob(&effects), [Stanza::SealedMessage { id: stanza(20), to: None, body: vec![0x11, 1, 3].into() }]);
}

#[test]
fn a_fault_meets_it() {
    let mut p = pair();
    p.world.gateway.arm_fault(Fault { on: Endpoint::Stanza, status: 503, times: 1, retry_after_s: None });
    let effects = p.world.send(p.a, &sealed(1, Some(p.bob)));
    assert!(matches!(&frames(&effects)[..], [(_, Stanza::Refused { problem, .. })] if problem.reason == Reason::Busy));
    assert_eq!(bob_gets(&mut p, 1), [sealed(1, None)]);
}
