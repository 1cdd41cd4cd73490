use super::post::*;
use countersign_contract::claims::Suite;
use countersign_contract::operations::*;
use countersign_contract::portable::{MessageType, Stanza};
use countersign_contract::seen::{UserContent, What};
use countersign_contract::{Reason, StanzaId};
use uuid::Uuid;

in_both_suites! {
    a_first_message_a_reply_and_the_receipts
    messages_out_of_order_are_shown_and_repeated_ones_refused
    a_replay_under_another_stanza_id_is_a_duplicate_without_receipts
    a_long_conversation_crosses_epochs_of_the_ratchet
    both_start_at_once
    without_one_time_prekeys_the_last_resort_serves_and_keys_are_refilled
    mail_waits_while_a_user_is_offline
    a_busy_gateway_is_asked_again_and_a_failing_one_given_up
    a_session_that_was_never_answered_is_set_up_anew_after_thirty_days
    instances_and_users_end
}

async fn a_first_message_a_reply_and_the_receipts(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    let first = pair.alice.say(&pair.bob, "hello").await;
    assert_eq!(pair.bob.sees(1).await, [pair.alice.text(first, "hello")]);
    pair.bob.settle(first).await;
    let second = pair.bob.say(&pair.alice, "").await;
    let seen = pair.alice.sees(2).await;
    assert_eq!(seen, [What::Receipt { from: pair.bob.id, of: vec![first] }, pair.bob.text(second, "")]);
    let third = pair.alice.say(&pair.bob, "\u{1f600} \u{10ffff} end ").await;
    assert_eq!(pair.bob.sees(3).await[2], pair.alice.text(third, "\u{1f600} \u{10ffff} end "));
    let kinds: Vec<_> = messages(&pair).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, [MessageType::Prekey, MessageType::Normal, MessageType::Normal]);
    assert_eq!(pair.alice.safety_number(&pair.bob).await, pair.bob.safety_number(&pair.alice).await);
    assert_eq!(pair.alice.safety_number(&pair.bob).await.len(), 60);
}

fn messages(pair: &Pair) -> Vec<(StanzaId, MessageType)> {
    let office = pair.post.office.lock().unwrap();
    let kind = |stanza: &Stanza| match stanza {
        Stanza::Message { id, r#type, .. } => Some((*id, *r#type)),
        _ => None,
    };
    office.sent.iter().filter_map(|(_, stanza)| kind(stanza)).collect()
}

async fn messages_out_of_order_are_shown_and_repeated_ones_refused(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.twin().await;
    let mut held = Vec::new();
    pair.post.office.lock().unwrap().on_delivery = Some(Box::new(move |_, stanza| {
        if !matches!(stanza, Stanza::Message { .. }) {
            return vec![stanza];
        }
        held.push(stanza);
        if held.len() < 4 { Vec::new() } else { held.drain(..).rev().collect() }
    }));
    let mut ids = Vec::new();
    for text in ["one", "two", "three", "four"] {
        ids.push(pair.alice.say(&pair.bob, text).await);
    }
    let seen = pair.bob.sees(5).await;
    let texts = ["four", "three", "two", "one"].iter().zip(ids.iter().rev()).map(|(text, id)| pair.alice.text(*id, text));
    assert!(seen[1..].iter().cloned().eq(texts), "{seen:?}");

    pair.post.office.lock().unwrap().on_delivery = Some(Box::new(|_, stanza| vec![stanza.clone(), stanza]));
    let twice = pair.alice.say(&pair.bob, "twice").await;
    let seen = pair.bob.sees(7).await;
    assert_eq!(seen[5..], [pair.alice.text(twice, "twice"), refused(twice, Reason::Duplicate)]);
}

async fn a_replay_under_another_stanza_id_is_a_duplicate_without_receipts(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    for text in ["first", "later"] {
        let copy = StanzaId(Uuid::new_v4());
        pair.post.office.lock().unwrap().on_delivery = Some(Box::new(move |_, stanza| match stanza {
            Stanza::Message { .. } => vec![stanza.clone(), renamed(stanza, copy)],
            other => vec![other],
        }));
        let id = pair.alice.say(&pair.bob, text).await;
        pair.bob.settle(copy).await;
        let seen = pair.bob.seen().await;
        assert!(seen.ends_with(&[pair.alice.text(id, text), refused(copy, Reason::Duplicate)]), "{seen:?}");
    }
    let office = pair.post.office.lock().unwrap();
    let receipts = office.sent.iter().filter(|(_, stanza)| matches!(stanza, Stanza::Receipt { .. })).count();
    assert_eq!(receipts, 2, "one for each message that was shown");
}

async fn a_long_conversation_crosses_epochs_of_the_ratchet(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    for turn in 0..120 {
        let (from, to) = if turn % 2 == 0 { (&pair.alice, &pair.bob) } else { (&pair.bob, &pair.alice) };
        let id = from.say(to, &turn.to_string()).await;
        to.settle(id).await;
        assert_eq!(to.seen().await.last(), Some(&from.text(id, &turn.to_string())));
    }
}

async fn both_start_at_once(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.bob.disconnect().await;
    let one = pair.alice.say(&pair.bob, "from alice").await;
    pair.alice.disconnect().await;
    pair.bob.fetch(&pair.alice).await.unwrap();
    pair.bob.connect().await;
    let two = pair.bob.say(&pair.alice, "from bob").await;
    pair.alice.connect().await;
    pair.bob.settle(one).await;
    pair.alice.settle(two).await;
    assert!(messages(&pair).iter().all(|(_, kind)| *kind == MessageType::Prekey), "each started a session");
    assert!(pair.bob.seen().await.contains(&pair.alice.text(one, "from alice")));
    assert!(pair.alice.seen().await.contains(&pair.bob.text(two, "from bob")));
    for _ in 0..3 {
        pair.twin().await;
        let id = pair.bob.say(&pair.alice, "back").await;
        pair.alice.settle(id).await;
        assert_eq!(pair.alice.seen().await.last(), Some(&pair.bob.text(id, "back")));
    }
}

async fn without_one_time_prekeys_the_last_resort_serves_and_keys_are_refilled(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    for _ in 0..3 {
        pair.alice.fetch(&pair.bob).await.unwrap();
    }
    let left = || {
        let office = pair.post.office.lock().unwrap();
        let keys = office.left(pair.bob.id);
        (keys.one_time_prekeys.len(), keys.one_time_kyber_prekeys.len())
    };
    let low = pair.alice.say(&pair.bob, "the last one").await;
    pair.bob.settle(low).await;
    let kyber = if suite == Suite::SignalPq { 3 } else { 0 };
    assert_eq!(left(), (3, kyber), "refilled before the message was processed");

    let carol = Actor::new_in(suite, &pair.alice.sample).await;
    carol.create(0).await;
    carol.connect().await;
    let id = pair.alice.say(&carol, "last resort").await;
    assert_eq!(carol.sees(1).await, [pair.alice.text(id, "last resort")]);
}

async fn mail_waits_while_a_user_is_offline(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.bob.disconnect().await;
    let one = pair.alice.say(&pair.bob, "one").await;
    let two = pair.alice.say(&pair.bob, "two").await;
    let stanza = StanzaId(Uuid::new_v4());
    let offline = pair.bob.try_send(&pair.alice, stanza, UserContent::Typing { active: true }).await;
    assert_eq!(offline, Err(Reason::NotConnected));
    let settle = Call::Settle(Settle { instance: pair.bob.instance, user: pair.bob.id, through: one });
    assert_eq!(pair.bob.sample.call(settle).await.unwrap_err().reason, Reason::NotConnected);
    pair.bob.connect().await;
    pair.bob.settle(two).await;
    assert_eq!(pair.bob.seen().await, [pair.alice.text(one, "one"), pair.alice.text(two, "two")]);
}

async fn a_busy_gateway_is_asked_again_and_a_failing_one_given_up(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.post.office.lock().unwrap().failures = [(503, Reason::Busy), (502, Reason::GatewayError)].into();
    pair.post.office.lock().unwrap().refusals = [Reason::Busy].into();
    pair.twin().await;
    assert_eq!(pair.post.office.lock().unwrap().requests.iter().filter(|r| r.path.starts_with("/keys/")).count(), 3);
    pair.post.office.lock().unwrap().failures = vec![(503, Reason::Busy); 6].into();
    assert_eq!(pair.alice.fetch(&pair.bob).await, Err(Reason::GatewayError));
    assert_eq!(pair.post.office.lock().unwrap().requests.iter().filter(|r| r.path.starts_with("/keys/")).count(), 9);
}

async fn a_session_that_was_never_answered_is_set_up_anew_after_thirty_days(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.bob.disconnect().await;
    pair.alice.say(&pair.bob, "one").await;
    pair.alice.say(&pair.bob, "two").await;
    let fetches = || pair.post.office.lock().unwrap().requests.iter().filter(|r| r.path.starts_with("/keys/")).count();
    assert_eq!(fetches(), 1);
    let by_ms = 31 * 24 * 3600 * 1000;
    pair.alice.sample.call(Call::AdvanceClock(AdvanceClock { instance: pair.alice.instance, by_ms })).await.unwrap();
    let three = pair.alice.say(&pair.bob, "three").await;
    assert_eq!(fetches(), 2);
    pair.bob.connect().await;
    pair.bob.settle(three).await;
    assert_eq!(pair.bob.seen().await.len(), 3);
}

async fn instances_and_users_end(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    let (alice, bob) = (&pair.alice, &pair.bob);
    let delete = Call::DeleteUser(DeleteUser { instance: bob.instance, user: bob.id });
    bob.sample.call(delete.clone()).await.unwrap();
    assert_eq!(bob.sample.call(delete).await.unwrap_err().reason, Reason::DeletedUser);
    assert_eq!(alice.fetch(bob).await, Err(Reason::UnknownUser));
    let close = Call::Close(Close { instance: alice.instance });
    alice.sample.call(close.clone()).await.unwrap();
    assert_eq!(alice.sample.call(close).await.unwrap_err().reason, Reason::UnknownInstance);
    assert_eq!(alice.fetch(bob).await, Err(Reason::UnknownInstance));
}
