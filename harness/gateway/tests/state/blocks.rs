use crate::world::{Pair, body, delivered, disturbances, frames, is_invalid, message, pair, problem, receipt, stanza, user};
use countersign_contract::Reason;
use countersign_contract::UserId;
use countersign_contract::portable::{BlockList, MOST_BLOCKED, Stanza};
use countersign_gateway::{Effect, Rule};

/// Bob sets his block list.
fn set(p: &mut Pair, users: Vec<UserId>) -> BlockList {
    let list = serde_json::to_vec(&BlockList { users }).unwrap();
    let (reply, _) = p.world.request("PUT", "/blocks", &p.bob_token.clone(), &list);
    body(&reply)
}

#[test]
fn what_a_blocked_user_sends_is_accepted_and_goes_nowhere() {
    let mut p = pair();
    let alice = p.alice;
    assert_eq!(set(&mut p, vec![alice]).users, [alice]);
    let (to_bob, effects) = p.bob_gets(1);
    assert_eq!(to_bob, []);
    assert_eq!(frames(&effects), [(p.a, Stanza::Accepted { id: stanza(1) })], "the sender is told nothing");
    assert_eq!(disturbances(&effects).len(), 1);
    let effects = p.world.send(p.a, &receipt(2, p.bob, 1));
    assert_eq!(p.to_bob(&effects), []);
    // It does not wait either, and the other direction is open.
    let (b, waiting) = p.world.open(&p.bob_token.clone());
    assert!(!waiting.iter().any(|e| matches!(e, Effect::Frame { .. })));
    let effects = p.world.send(b, &message(3, p.alice));
    assert!(frames(&effects).contains(&(p.a, delivered(3, p.bob))));
}

#[test]
fn unblocking_opens_again_and_a_new_enlistment_forgets() {
    let mut p = pair();
    let alice = p.alice;
    set(&mut p, vec![alice]);
    assert_eq!(set(&mut p, vec![]).users, []);
    assert_eq!(p.bob_gets(1).0, [delivered(1, alice)]);
    set(&mut p, vec![alice]);
    p.bob_token = p.world.enlist(p.bob, 1);
    let (reply, _) = p.world.request("GET", "/blocks", &p.bob_token, b"");
    assert_eq!(body::<BlockList>(&reply).users, []);
}

#[test]
fn what_is_under_way_is_not_looked_at_again() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::Hold);
    assert_eq!(p.bob_gets(1).0, []);
    let alice = p.alice;
    set(&mut p, vec![alice]);
    let effects = p.world.gateway.release(stanza(1));
    assert_eq!(p.to_bob(&effects), [delivered(1, alice)]);
}

#[test]
fn a_list_names_others_once_each_and_not_too_many() {
    let p = pair();
    let mut world = p.world;
    let many: Vec<UserId> = (100..).map(user).take(MOST_BLOCKED + 1).collect();
    for (users, reason) in
        [(vec![p.bob], Reason::Malformed), (vec![p.alice, p.alice], Reason::Malformed), (many, Reason::TooLarge)]
    {
        let list = serde_json::to_vec(&BlockList { users }).unwrap();
        let (reply, effects) = world.request("PUT", "/blocks", &p.bob_token, &list);
        assert_eq!(problem(&reply).reason, reason);
        assert!(is_invalid(&effects));
    }
    let (reply, _) = world.request("GET", "/blocks", &p.bob_token, b"");
    assert_eq!(body::<BlockList>(&reply).users, [], "a list that is refused changes nothing");
}
