use crate::world::{ack, delivered, frames, is_invalid, message, pair, problem, receipt, split, stanza, user};
use countersign_contract::Reason;
use countersign_contract::claims::Suite;
use countersign_contract::portable::Stanza;
use countersign_gateway::limits::THIRTY_DAYS_MS;
use countersign_gateway::{Effect, Gateway};

#[test]
fn a_stanza_is_accepted_and_then_delivered_with_its_sender() {
    let mut p = pair();
    let effects = p.world.send(p.a, &message(1, p.bob));
    assert_eq!(frames(&effects), [(p.a, Stanza::Accepted { id: stanza(1) }), (p.b, delivered(1, p.alice))]);
    assert_eq!(p.world.gateway.stanza(stanza(1)).unwrap().to, p.bob);
}

#[test]
fn who_is_offline_gets_everything_in_order_and_again_until_it_is_acknowledged() {
    let mut p = pair();
    p.world.gateway.chat_closed(p.b);
    for n in 1..=3 {
        let (to_bob, _) = p.bob_gets(n);
        assert_eq!(to_bob, []);
    }
    let (b, effects) = p.world.open(&p.bob_token);
    assert_eq!(frames(&effects), [(b, delivered(1, p.alice)), (b, delivered(2, p.alice)), (b, delivered(3, p.alice))]);
    assert_eq!(p.world.send(b, &ack(2)), []);
    p.world.gateway.chat_closed(b);
    let (b, effects) = p.world.open(&p.bob_token);
    assert_eq!(frames(&effects), [(b, delivered(1, p.alice)), (b, delivered(3, p.alice))]);
}

#[test]
fn an_acknowledgement_may_come_twice_but_not_of_what_was_not_delivered() {
    let mut p = pair();
    p.bob_gets(1);
    assert_eq!(p.world.send(p.b, &ack(1)), []);
    assert_eq!(p.world.send(p.b, &ack(1)), []);
    let effects = p.world.send(p.b, &ack(9));
    assert!(is_invalid(&effects));
    assert!(
        matches!(frames(&effects).as_slice(), [(_, Stanza::Refused { id, problem })] if *id == stanza(9) && problem.reason == Reason::Malformed)
    );
}

#[test]
fn a_second_channel_ends_the_first() {
    let mut p = pair();
    let (new, effects) = p.world.open(&p.bob_token);
    assert_eq!(effects, [Effect::CloseChannel { channel: p.b }]);
    assert_eq!(p.world.send(p.b, &message(1, p.alice)), [], "a frame on the ended channel is lost");
    // The late report that the old channel is gone does not concern the new one.
    assert_eq!(p.world.gateway.chat_closed(p.b), []);
    p.b = new;
    assert_eq!(p.bob_gets(2).0, [delivered(2, p.alice)]);
}

#[test]
fn only_the_owner_of_a_token_gets_a_channel() {
    let mut p = pair();
    for token in [None, Some("wrong"), Some("")] {
        let refused = p.world.gateway.chat_opened(50, token).unwrap_err();
        assert_eq!(problem(&refused).reason, Reason::Unauthorized);
    }
}

#[test]
fn enlisting_again_empties_the_mailbox_ends_the_channel_and_the_token() {
    let mut p = pair();
    p.bob_gets(1);
    let json = serde_json::to_vec(&crate::world::enlistment(p.bob, 1)).unwrap();
    let effects = p.world.raw("POST", "/enlist", None, &json);
    assert_eq!(effects[0], Effect::CloseChannel { channel: p.b });
    let token = crate::world::body::<countersign_contract::portable::Enlisted>(&split(effects).0).token;
    assert_eq!(problem(&p.world.gateway.chat_opened(90, Some(&p.bob_token)).unwrap_err()).reason, Reason::Unauthorized);
    let (reply, rest) = p.world.request("GET", &format!("/keys/{}", p.alice), &p.bob_token, b"");
    assert_eq!(problem(&reply).reason, Reason::Unauthorized);
    assert!(!is_invalid(&rest), "a client may not know yet that its token ended");
    assert_eq!(p.world.gateway.chat_opened(91, Some(&token)).unwrap(), []);
    assert_eq!(p.world.gateway.keys_left(p.bob).one_time_prekeys, 1);
}

#[test]
fn a_deleted_user_is_answered_as_one_that_never_was_and_gets_nothing() {
    let mut p = pair();
    let (reply, rest) = p.world.request("DELETE", "/user", &p.bob_token, b"");
    assert_eq!((reply.status, rest), (200, vec![Effect::CloseChannel { channel: p.b }]));
    let answers = [p.bob, user(9)].map(|to| {
        let effects = p.world.send(p.a, &message(1, to));
        assert!(
            matches!(frames(&effects).as_slice(), [(_, Stanza::Refused { problem, .. })] if problem.reason == Reason::UnknownUser)
        );
        assert!(!is_invalid(&effects));
        let (reply, _) = p.world.request("GET", &format!("/keys/{to}"), &p.alice_token, b"");
        assert_eq!(problem(&reply).reason, Reason::UnknownUser);
        (effects, reply)
    });
    assert_eq!(answers[0], answers[1], "byte for byte");
    let refused = p.world.gateway.chat_opened(90, Some(&p.bob_token)).unwrap_err();
    assert_eq!(problem(&refused).reason, Reason::NotEnlisted);
    let (reply, rest) = p.world.request("GET", &format!("/keys/{}", p.alice), &p.bob_token, b"");
    assert_eq!(problem(&reply).reason, Reason::NotEnlisted);
    assert!(!is_invalid(&rest));
    let token = p.world.enlist(p.bob, 0);
    let (b, waiting) = p.world.open(&token);
    assert_eq!(waiting, []);
    p.b = b;
    assert_eq!(p.bob_gets(1).0, [delivered(1, p.alice)], "the id of a refused stanza stays unused");
}

#[test]
fn reference_users_get_and_send_through_the_same_checks() {
    let mut p = pair();
    let carol = user(3);
    p.world.enlist_reference(carol, 2);
    let effects = p.world.send(p.a, &message(1, carol));
    assert_eq!(frames(&effects), [(p.a, Stanza::Accepted { id: stanza(1) })]);
    let effects = p.world.gateway.set_reference_online(carol, true);
    assert_eq!(effects, [Effect::ToReference { user: carol, stanza: delivered(1, p.alice) }]);
    assert_eq!(p.world.gateway.reference_stanza(carol, &ack(1)), []);
    let effects = p.world.gateway.reference_stanza(carol, &receipt(2, p.alice, 1));
    assert_eq!(effects[0], Effect::ToReference { user: carol, stanza: Stanza::Accepted { id: stanza(2) } });
    assert!(matches!(&frames(&effects)[..], [(_, Stanza::Receipt { from: Some(from), to: None, .. })] if *from == carol));
    let again = p.world.gateway.reference_stanza(carol, &receipt(2, p.alice, 1));
    assert!(is_invalid(&again));
    p.world.gateway.set_reference_online(carol, false);
    assert_eq!(p.world.gateway.set_reference_online(carol, true), [], "what was acknowledged does not come again");
}

#[test]
fn a_mailbox_keeps_for_thirty_days() {
    let day = THIRTY_DAYS_MS / 30;
    let mut p = pair();
    p.world.gateway.chat_closed(p.b);
    p.bob_gets(1);
    p.world.gateway.advance(2 * day);
    p.bob_gets(2);
    p.world.gateway.advance(27 * day);
    p.world.open(&p.bob_token.clone());
    assert_eq!(p.world.gateway.advance(day), [], "exactly 30 days are not more than 30 days");
    let effects = p.world.gateway.advance(day);
    assert!(matches!(&effects[..], [Effect::Disturbed { stanza: Some(id), .. }] if *id == stanza(1)));
    let (_, effects) = p.world.open(&p.bob_token.clone());
    assert_eq!(frames(&effects).len(), 1);
}

#[test]
fn who_stays_away_for_more_than_thirty_days_is_unknown_and_its_token_ended() {
    let mut p = pair();
    p.world.gateway.chat_closed(p.b);
    assert_eq!(p.world.gateway.advance(THIRTY_DAYS_MS), []);
    assert_eq!(p.world.gateway.advance(1).len(), 1);
    let effects = p.world.send(p.a, &message(1, p.bob));
    assert!(
        matches!(frames(&effects).as_slice(), [(_, Stanza::Refused { problem, .. })] if problem.reason == Reason::UnknownUser)
    );
    let refused = p.world.gateway.chat_opened(99, Some(&p.bob_token)).unwrap_err();
    assert_eq!((refused.status, problem(&refused).reason), (403, Reason::NotEnlisted));
    let (reply, _) = p.world.request("PUT", "/keys", &p.bob_token, b"{}");
    assert_eq!(problem(&reply).reason, Reason::NotEnlisted);
    let token = p.world.enlist(p.bob, 0);
    assert_eq!(problem(&p.world.gateway.chat_opened(100, Some(&p.bob_token)).unwrap_err()).reason, Reason::Unauthorized);
    assert_eq!(p.world.gateway.chat_opened(101, Some(&token)).unwrap(), [], "its mailbox is gone");
}

#[test]
fn what_a_newer_gateway_says_may_be_acknowledged() {
    let mut p = pair();
    let effects = p.world.gateway.say(p.bob, stanza(50), "{}".into());
    assert!(
        matches!(&effects[..], [Effect::Disturbed { .. }, Effect::Frame { channel, text }] if *channel == p.b && text == "{}")
    );
    assert_eq!(p.world.send(p.b, &ack(50)), []);
    p.world.gateway.chat_closed(p.b);
    assert!(matches!(&p.world.gateway.say(p.bob, stanza(51), "{}".into())[..], [Effect::Disturbed { .. }]));
}

#[test]
fn the_same_seed_gives_the_same_names_and_another_seed_others() {
    let token = |seed: u8| {
        let mut world = crate::world::World::new();
        world.gateway = Gateway::new([seed; 32], Suite::SignalPq);
        (world.enlist(user(1), 0), world.enlist(user(2), 0))
    };
    assert_eq!(token(1), token(1));
    assert_ne!(token(1), token(2));
    assert_ne!(token(1).0, token(1).1);
}
