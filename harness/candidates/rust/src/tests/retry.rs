use super::post::*;
use crate::{Defect, Honest};
use countersign_contract::claims::Suite;
use countersign_contract::portable::{MOST_RETRIES, ReceiptType, Stanza};
use countersign_contract::seen::{NoticeKind, What};
use countersign_contract::{Reason, StanzaId};
use uuid::Uuid;

in_both_suites! {
    a_broken_message_is_asked_for_and_sent_again_under_its_own_message_id
    a_message_is_sent_again_five_times_at_most
    a_stanza_is_asked_for_five_times_at_most
    a_retry_receipt_for_what_was_never_sent_to_that_user_is_ignored
    a_reinstalled_receiver_says_no_session_to_a_later_message
    what_was_tampered_with_is_named
    what_comes_back_to_its_sender_is_not_a_message_to_him
}

/// What happens to a body on its way.
type Change = fn(&mut Vec<u8>);

async fn a_broken_message_is_asked_for_and_sent_again_under_its_own_message_id(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.twin().await;
    let mut broken = false;
    pair.post.office.lock().unwrap().on_delivery = Some(Box::new(move |_, stanza| {
        let first = matches!(stanza, Stanza::Message { .. }) && !std::mem::replace(&mut broken, true);
        vec![if first { break_inner(stanza) } else { stanza }]
    }));
    let id = pair.alice.say(&pair.bob, "again please").await;
    let seen = pair.bob.sees(4).await;
    assert_eq!(seen[1..], [refused(id, Reason::BadMac), undecryptable(&pair.alice), pair.alice.text(id, "again please")]);
    let seen = pair.alice.sees(2).await;
    assert_eq!(seen[1], What::Receipt { from: pair.bob.id, of: vec![id] }, "the receipt is for the message");
    pair.twin().await;
}

/// The counts of the retry receipts that were sent.
fn counts(pair: &Pair) -> Vec<u32> {
    let office = pair.post.office.lock().unwrap();
    let count = |stanza: &Stanza| match stanza {
        Stanza::Receipt { r#type: ReceiptType::Retry, count, .. } => *count,
        _ => None,
    };
    office.sent.iter().filter_map(|(_, stanza)| count(stanza)).collect()
}

async fn a_message_is_sent_again_five_times_at_most(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.post.office.lock().unwrap().on_delivery =
        Some(Box::new(|_, stanza| vec![if matches!(stanza, Stanza::Message { .. }) { break_inner(stanza) } else { stanza }]));
    let id = pair.alice.say(&pair.bob, "never").await;
    // A refusal each for the message and its resends, and a notice each that it was asked for.
    let seen = pair.bob.sees(2 * (1 + u64::from(MOST_RETRIES))).await;
    assert_eq!(seen[..2], [refused(id, Reason::BadMac), undecryptable(&pair.alice)]);
    pair.post.office.lock().unwrap().on_delivery = None;
    pair.twin().await;
    assert_eq!(counts(&pair), vec![1; 1 + MOST_RETRIES as usize]);
}

async fn a_stanza_is_asked_for_five_times_at_most(suite: Suite) {
    let pair = Pair::with_in(suite, Defect::IgnoresRetryReceipt, Honest).await;
    pair.post.office.lock().unwrap().on_delivery = Some(Box::new(|_, stanza| {
        if matches!(stanza, Stanza::Message { .. }) { vec![break_inner(stanza); MOST_RETRIES as usize + 3] } else { vec![stanza] }
    }));
    let id = pair.alice.say(&pair.bob, "never").await;
    pair.bob.sees(u64::from(MOST_RETRIES) + 4).await;
    pair.post.office.lock().unwrap().on_delivery = None;
    pair.twin().await;
    let refusals = pair.bob.seen().await.iter().filter(|what| **what == refused(id, Reason::BadMac)).count();
    assert_eq!(refusals, MOST_RETRIES as usize + 3);
    assert_eq!(counts(&pair), (1..=MOST_RETRIES).collect::<Vec<_>>());
}

fn undecryptable(about: &Actor) -> What {
    What::Notice { notice: NoticeKind::Undecryptable, about: about.id, group: None }
}

/// Flips a bit of what a prekey message ends with: the Kyber ciphertext, or where there is none, the message itself.
fn break_inner(stanza: Stanza) -> Stanza {
    edit(stanza, |body| {
        let end = body.len() - 100;
        body[end] ^= 1;
    })
}

async fn a_retry_receipt_for_what_was_never_sent_to_that_user_is_ignored(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    let carol = Actor::new_in(suite, &pair.alice.sample).await;
    carol.create(2).await;
    carol.connect().await;
    let secret = pair.alice.say(&carol, "for carol only").await;
    carol.settle(secret).await;
    for of in [secret, StanzaId(Uuid::new_v4())] {
        let id = StanzaId(Uuid::new_v4());
        let asked = Stanza::Receipt { id, to: None, from: Some(pair.bob.id), r#type: ReceiptType::Retry, of, count: Some(1) };
        pair.post.office.lock().unwrap().deliver(pair.alice.id, asked);
        pair.alice.settle(id).await;
    }
    pair.twin().await;
    assert_eq!(pair.bob.seen().await.len(), 1, "the twin alone");
}

async fn a_reinstalled_receiver_says_no_session_to_a_later_message(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.twin().await;
    let back = pair.bob.say(&pair.alice, "established").await;
    pair.alice.settle(back).await;
    pair.bob.create(3).await;
    pair.bob.connect().await;
    let id = pair.alice.say(&pair.bob, "later").await;
    pair.bob.settle(id).await;
    assert_eq!(pair.bob.seen().await[..2], [refused(id, Reason::NoSession), undecryptable(&pair.alice)]);
}

async fn what_was_tampered_with_is_named(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.twin().await;
    // The high half of the first byte is the message's version; the low half is covered by the MAC, and otherwise free.
    let cases: [(Change, Reason); 4] = match suite {
        Suite::SignalPq => [
            (|body| body[0] = 0x54, Reason::BadVersion),
            (|body| body[0] = 0x34, Reason::BadVersion),
            (|body| body.truncate(5), Reason::Malformed),
            (|body| body[0] = 0x40, Reason::BadMac),
        ],
        Suite::SignalClassic => [
            (|body| body[0] = 0x53, Reason::BadVersion),
            (|body| body[0] = 0x44, Reason::BadVersion),
            (|body| body.truncate(5), Reason::Malformed),
            (|body| body[0] = 0x30, Reason::BadMac),
        ],
    };
    let back = pair.bob.say(&pair.alice, "established").await;
    pair.alice.settle(back).await;
    for (change, reason) in cases {
        let mut done = false;
        pair.post.office.lock().unwrap().on_delivery = Some(Box::new(move |_, stanza| {
            let first = matches!(stanza, Stanza::Message { .. }) && !std::mem::replace(&mut done, true);
            vec![if first { edit(stanza, change) } else { stanza }]
        }));
        let id = pair.alice.say(&pair.bob, "tampered").await;
        pair.bob.settle(id).await;
        assert!(pair.bob.seen().await.contains(&refused(id, reason)), "{reason}: {:?}", pair.bob.seen().await);
        pair.twin().await;
    }
}

async fn what_comes_back_to_its_sender_is_not_a_message_to_him(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    let id = pair.alice.say(&pair.bob, "echo").await;
    let body = pair.post.office.lock().unwrap().sent.iter().find_map(|(_, stanza)| match stanza {
        Stanza::Message { r#type, body, .. } => Some((*r#type, body.clone())),
        _ => None,
    });
    let (r#type, body) = body.unwrap();
    let back = StanzaId(Uuid::new_v4());
    let stanza = Stanza::Message { id: back, to: None, from: Some(pair.bob.id), r#type, body };
    pair.post.office.lock().unwrap().deliver(pair.alice.id, stanza);
    pair.alice.settle(back).await;
    assert!(pair.alice.seen().await.contains(&refused(back, Reason::WrongRecipient)));
    pair.bob.settle(id).await;
    pair.twin().await;
}
