//! Every rule of the network between the parties.

use crate::world::{ack, delivered, disturbances, frames, message, pair, receipt, stanza, user, with_body};
use countersign_contract::portable::{MessageType, ReceiptType, Stanza};
use countersign_gateway::{Effect, Rule};

#[test]
fn held_until_released_and_overtaken_meanwhile() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::Hold);
    let (to_bob, effects) = p.bob_gets(1);
    assert_eq!(to_bob, []);
    assert_eq!(frames(&effects), [(p.a, Stanza::Accepted { id: stanza(1) })], "the sender does not notice");
    assert_eq!(p.bob_gets(2).0, [delivered(2, p.alice)]);
    let effects = p.world.gateway.release(stanza(1));
    assert_eq!(p.to_bob(&effects), [delivered(1, p.alice)]);
    let effects = p.world.gateway.release(stanza(1));
    assert_eq!(p.to_bob(&effects), [], "released once");
    assert_eq!(disturbances(&effects), ["cannot be released: not held"]);
}

#[test]
fn a_held_stanza_is_not_in_the_mailbox_and_can_be_dropped() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::Delay);
    p.bob_gets(1);
    assert_eq!(disturbances(&p.world.gateway.drop_held(stanza(1))), ["dropped"]);
    let (_, effects) = p.world.open(&p.bob_token.clone());
    assert_eq!(frames(&effects), []);
}

#[test]
fn dropped_yet_accepted() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::Drop);
    let (to_bob, effects) = p.bob_gets(1);
    assert_eq!((to_bob, disturbances(&effects)), (vec![], vec!["dropped"]));
    assert_eq!(p.bob_gets(2).0.len(), 1, "a rule is for one stanza");
}

#[test]
fn repeated_under_the_same_id_and_acknowledged_at_once() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::Repeat(2));
    assert_eq!(p.bob_gets(1).0, vec![delivered(1, p.alice); 3]);
    assert_eq!(p.world.send(p.b, &ack(1)), []);
    assert_eq!(p.world.send(p.b, &ack(1)), []);
    let (_, effects) = p.world.open(&p.bob_token.clone());
    assert_eq!(frames(&effects), []);
}

#[test]
fn one_bit_flipped_and_no_other() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::FlipByte { offset: 3, bit: 7 });
    assert_eq!(p.bob_gets(1).0, [with_body(1, p.alice, &[1, 1, 1, 0x81, 1, 1, 1, 1])]);
    p.world.gateway.arm(stanza(2), Rule::FlipByte { offset: 8, bit: 0 });
    let (to_bob, effects) = p.bob_gets(2);
    assert_eq!(to_bob, [delivered(2, p.alice)]);
    assert_eq!(disturbances(&effects), ["there is no byte 8 to flip"]);
}

#[test]
fn replaced_and_redirected() {
    let mut p = pair();
    let (carol, token) = (user(3), p.world.enlist(user(3), 0));
    let (c, _) = p.world.open(&token);
    p.world.gateway.arm(stanza(1), Rule::Replace { body: vec![0xEE] });
    p.world.gateway.arm(stanza(1), Rule::Redirect(carol));
    let (to_bob, effects) = p.bob_gets(1);
    assert_eq!(to_bob, []);
    assert_eq!(frames(&effects)[1], (c, with_body(1, p.alice, &[0xEE])));
    p.world.gateway.arm(stanza(2), Rule::Redirect(user(77)));
    let (_, effects) = p.bob_gets(2);
    assert!(disturbances(&effects)[1].starts_with("lost"));
}

#[test]
fn bent_by_the_caller() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::Bend);
    p.world.gateway.arm(stanza(1), Rule::Repeat(1));
    let (to_bob, effects) = p.bob_gets(1);
    assert_eq!(to_bob, []);
    assert_eq!(effects.last(), Some(&Effect::Bend { stanza: stanza(1), body: vec![1; 8], r#type: Some(MessageType::Normal) }));
    let effects = p.world.gateway.release_bent(stanza(1), vec![5]);
    assert_eq!(p.to_bob(&effects), vec![with_body(1, p.alice, &[5]); 2], "what was armed after it takes effect on release");
    p.world.gateway.arm(stanza(2), Rule::Bend);
    p.bob_gets(2);
    let effects = p.world.gateway.release(stanza(2));
    assert_eq!(p.to_bob(&effects), [delivered(2, p.alice)]);
}

#[test]
fn a_repetition_armed_before_a_hold_outlives_it() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::Repeat(1));
    p.world.gateway.arm(stanza(1), Rule::Hold);
    assert_eq!(p.bob_gets(1).0, []);
    let effects = p.world.gateway.release(stanza(1));
    assert_eq!(p.to_bob(&effects).len(), 2);
}

#[test]
fn receipts_by_what_they_are_about() {
    let mut p = pair();
    p.world.gateway.arm_receipt(stanza(1), ReceiptType::Delivered, Rule::Drop);
    p.world.gateway.arm_receipt(stanza(1), ReceiptType::Retry, Rule::Hold);
    p.bob_gets(1);
    let effects = p.world.send(p.b, &receipt(10, p.alice, 1));
    assert_eq!(disturbances(&effects), ["dropped"]);
    let retry = Stanza::Receipt {
        id: stanza(11),
        to: Some(p.alice),
        from: None,
        r#type: ReceiptType::Retry,
        of: stanza(1),
        count: Some(1),
    };
    assert_eq!(disturbances(&p.world.send(p.b, &retry)), ["held"]);
    let effects = p.world.gateway.release(stanza(11));
    assert!(matches!(&frames(&effects)[..], [(c, Stanza::Receipt { count: Some(1), .. })] if *c == p.a));
    let effects = p.world.send(p.b, &receipt(12, p.alice, 1));
    assert_eq!(disturbances(&effects), Vec::<&str>::new(), "the rule is used up");
}

#[test]
fn delivered_again_under_the_same_and_under_another_id() {
    let mut p = pair();
    p.world.gateway.arm(stanza(1), Rule::FlipByte { offset: 0, bit: 0 });
    p.bob_gets(1);
    p.world.send(p.b, &ack(1));
    let effects = p.world.gateway.redeliver(stanza(1), None);
    assert_eq!(p.to_bob(&effects), [delivered(1, p.alice)], "as it arrived, not as it was bent");
    let effects = p.world.gateway.redeliver(stanza(1), Some(stanza(7)));
    assert_eq!(p.to_bob(&effects), [with_body(7, p.alice, &[1; 8])]);
    assert_eq!(p.world.send(p.b, &ack(7)), []);
    let effects = p.world.send(p.a, &message(7, p.bob));
    assert!(crate::world::is_invalid(&effects), "an id that the network used is used");
    let effects = p.world.gateway.redeliver(stanza(99), None);
    assert_eq!(disturbances(&effects), ["cannot be delivered again: never seen"]);
}

#[test]
fn injected_reflected_and_misdirected() {
    let mut p = pair();
    p.bob_gets(1);
    let own = p.world.gateway.stanza(stanza(1)).unwrap().stanza.clone();
    let effects = p.world.gateway.inject(p.alice, Stanza::clone(&own));
    assert_eq!(frames(&effects), [(p.a, delivered(1, p.alice))], "Alice gets her own message back");
    p.world.gateway.chat_closed(p.b);
    let effects = p.world.gateway.inject(p.bob, with_body(50, user(8), b"forged"));
    assert_eq!(frames(&effects), []);
    let (b, effects) = p.world.open(&p.bob_token.clone());
    assert_eq!(frames(&effects).last(), Some(&(b, with_body(50, user(8), b"forged"))), "waits like any other");
}
