use crate::world::{Pair, body, disturbances, frames, is_invalid, pair, problem, stanza, user};
use countersign_contract::portable::{GroupList, MOST_MEMBERS, Stanza};
use countersign_contract::{Bytes, GroupId, Reason, UserId};
use countersign_gateway::{Effect, Rule};
use uuid::Uuid;

const GROUP: GroupId = GroupId(Uuid::from_u128(77));

fn list(version: u32, members: &[UserId]) -> Vec<u8> {
    serde_json::to_vec(&GroupList { group: GROUP, version, members: members.to_vec() }).unwrap()
}

fn say(n: u128, version: Option<u32>, from: Option<UserId>) -> Stanza {
    Stanza::GroupMessage { id: stanza(n), group: GROUP, version, from, body: Bytes(vec![0x33; 8]) }
}

/// Bob has created a group with Alice.
fn grouped() -> Pair {
    let mut p = pair();
    let (token, members) = (p.bob_token.clone(), [p.bob, p.alice]);
    let (reply, effects) = p.world.request("POST", "/groups", &token, &list(1, &members));
    assert_eq!(body::<GroupList>(&reply).version, 1);
    assert!(frames(&effects).iter().any(|(to, s)| *to == p.a && matches!(s, Stanza::Group { version: 1, .. })));
    p
}

#[test]
fn a_group_message_goes_to_all_others_under_the_present_list_only() {
    let mut p = grouped();
    let effects = p.world.send(p.a, &say(1, Some(1), None));
    assert!(p.to_bob(&effects).contains(&say(1, None, Some(p.alice))));
    assert!(!frames(&effects).contains(&(p.a, say(1, None, Some(p.alice)))), "nobody hears himself");
    let effects = p.world.send(p.a, &say(2, Some(2), None));
    assert!(
        frames(&effects)
            .iter()
            .any(|(_, s)| matches!(s, Stanza::Refused { problem, .. } if problem.reason == Reason::StaleGroup))
    );
    assert!(!is_invalid(&effects), "a change may have crossed it");
    for bad in [say(3, None, None), say(4, Some(1), Some(p.alice))] {
        assert!(is_invalid(&p.world.send(p.a, &bad)));
    }
}

#[test]
fn members_change_a_group_one_version_after_the_other_and_nobody_else_does() {
    let mut p = grouped();
    let (token, alice, bob) = (p.bob_token.clone(), p.alice, p.bob);
    let path = format!("/groups/{}", GROUP.0);
    let carol = user(50);
    let stranger = p.world.enlist(carol, 1);
    for (method, body) in [("PUT", list(2, &[carol])), ("GET", vec![])] {
        let (reply, effects) = p.world.request(method, &path, &stranger, &body);
        assert_eq!(problem(&reply).reason, Reason::UnknownGroup);
        assert!(!is_invalid(&effects));
    }
    let (reply, _) = p.world.request("PUT", &path, &token, &list(3, &[alice, bob, carol]));
    assert_eq!(problem(&reply).reason, Reason::StaleGroup);
    let (reply, effects) = p.world.request("PUT", &path, &token, &list(2, &[bob, carol]));
    assert_eq!(body::<GroupList>(&reply).version, 2);
    let to_alice = frames(&effects).into_iter().filter(|(to, _)| *to == p.a).count();
    assert_eq!(to_alice, 1, "who is taken out is told");
    let effects = p.world.send(p.a, &say(1, Some(2), None));
    assert!(
        frames(&effects)
            .iter()
            .any(|(_, s)| matches!(s, Stanza::Refused { problem, .. } if problem.reason == Reason::UnknownGroup))
    );
    assert_eq!(p.to_bob(&effects), []);
}

#[test]
fn bad_lists_are_refused_and_change_nothing() {
    let mut p = grouped();
    let (token, alice, bob) = (p.bob_token.clone(), p.alice, p.bob);
    let path = format!("/groups/{}", GROUP.0);
    let many: Vec<UserId> = (100..).map(user).take(MOST_MEMBERS + 1).collect();
    for (members, reason) in
        [(vec![alice, alice], Reason::Malformed), (many, Reason::TooLarge), (vec![bob, user(99)], Reason::UnknownUser)]
    {
        let (reply, _) = p.world.request("PUT", &path, &token, &list(2, &members));
        assert_eq!(problem(&reply).reason, reason);
    }
    let (reply, _) = p.world.request("POST", "/groups", &token, &list(1, &[bob]));
    assert_eq!(problem(&reply).reason, Reason::Malformed, "an id is used once");
    let (reply, _) = p.world.request("GET", &path, &token, b"");
    assert_eq!(body::<GroupList>(&reply).version, 1);
}

#[test]
fn one_copy_is_held_and_the_others_go_on() {
    let mut p = grouped();
    p.world.gateway.arm_copy(stanza(1), p.bob, Rule::Hold);
    let effects = p.world.send(p.a, &say(1, Some(1), None));
    assert_eq!(p.to_bob(&effects), []);
    let effects = p.world.gateway.release(stanza(1));
    assert_eq!(p.to_bob(&effects), [say(1, None, Some(p.alice))]);
}

#[test]
fn the_server_does_what_servers_can_and_the_trace_says_so() {
    let mut p = grouped();
    let eve = user(51);
    p.world.enlist(eve, 1);
    p.world.gateway.arm_untold(GROUP, [p.bob]);
    let effects = p.world.gateway.change_group_by_itself(GROUP, &[eve], &[]);
    assert!(frames(&effects).iter().all(|(to, _)| *to == p.a), "bob is not told, and eve is offline");
    assert_eq!(disturbances(&effects).len(), 2);
    let effects = p.world.gateway.force_group_message(eve, vec![p.bob], say(5, None, Some(eve)));
    assert_eq!(p.to_bob(&effects), [say(5, None, Some(eve))]);
    let effects = p.world.gateway.redeliver_group_message(stanza(5), p.alice, None, None, stanza(6));
    assert!(effects.iter().any(|e| matches!(e, Effect::Frame { channel, .. } if *channel == p.a)));
}
