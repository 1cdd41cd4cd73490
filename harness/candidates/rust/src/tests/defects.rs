//! Every defect that changes what somebody sees is seen, and its twin still passes.

use super::post::*;
use crate::vault::forge_previous_counter;
use crate::{Defect, Honest};
use countersign_contract::claims::Suite;
use countersign_contract::portable::{KeyBundle, MessageType, Stanza};
use countersign_contract::seen::What;
use countersign_contract::{Reason, StanzaId};
use libsignal_protocol::IdentityKeyPair;
use rand::SeedableRng as _;
use uuid::Uuid;

in_both_suites! {
    bad_bundles_are_accepted_by_the_defect_alone
    a_session_from_an_unchecked_bundle_works
    a_prekey_signed_by_another_contact
    a_wrong_mac_is_seen_by_all_but_the_defect
    replays_are_shown_by_their_own_defect
    a_lost_write_shows_deep_in_a_conversation_only
    a_safety_number_of_one_key_is_not_the_one_that_the_peer_reads
    a_safety_number_ends_at_a_zero_byte_of_a_name_only_with_the_defect
    prekeys_are_rotated_and_the_old_one_serves_except_with_the_defect
    a_shared_store_shows_one_user_what_is_for_another
}

/// What a client without the defect says to a bundle, and the same client with it; whatever was accepted must work.
async fn bundle(suite: Suite, defect: Defect, change: fn(&mut KeyBundle), honest: Reason) {
    let pair = Pair::honest_in(suite).await;
    hook_bundle(&pair, change);
    assert_eq!(pair.alice.fetch(&pair.bob).await, Err(honest), "{defect}");
    let pair = Pair::with_in(suite, defect, Honest).await;
    hook_bundle(&pair, change);
    assert_eq!(pair.alice.fetch(&pair.bob).await, Ok(()), "{defect}");
}

fn hook_bundle(pair: &Pair, change: fn(&mut KeyBundle)) {
    pair.post.office.lock().unwrap().on_bundle = Some(Box::new(move |mut bundle| {
        change(&mut bundle);
        bundle
    }));
}

async fn bad_bundles_are_accepted_by_the_defect_alone(suite: Suite) {
    let signed = |bundle: &mut KeyBundle| bundle.signed_prekey.signature.0[5] ^= 1;
    let kyber = |bundle: &mut KeyBundle| bundle.kyber_prekey.as_mut().unwrap().signature.0[5] ^= 1;
    let low = |bundle: &mut KeyBundle| bundle.one_time_prekey.as_mut().unwrap().key.0[1..].fill(0);
    bundle(suite, Defect::SkipsSignedPrekeySignature, signed, Reason::BadSignature).await;
    if suite == Suite::SignalPq {
        bundle(suite, Defect::SkipsKyberPrekeySignature, kyber, Reason::BadSignature).await;
    }
    bundle(suite, Defect::AcceptsLowOrderOneTimePrekey, low, Reason::BadKey).await;
    let resigned = |bundle: &mut KeyBundle| {
        let mut rng = rand::rngs::StdRng::from_os_rng();
        let identity = IdentityKeyPair::generate(&mut rng);
        bundle.identity_key = identity.identity_key().serialize().to_vec().into();
        bundle.signed_prekey.key.0[1..].fill(0);
        for key in [&mut bundle.signed_prekey].into_iter().chain(&mut bundle.kyber_prekey) {
            key.signature = identity.private_key().calculate_signature(&key.key.0, &mut rng).unwrap().to_vec().into();
        }
    };
    bundle(suite, Defect::AcceptsLowOrderSignedPrekey, resigned, Reason::BadKey).await;
}

async fn a_session_from_an_unchecked_bundle_works(suite: Suite) {
    for defect in [Defect::SkipsSignedPrekeySignature, Defect::SkipsKyberPrekeySignature] {
        if !defect.suites().contains(&suite) {
            continue;
        }
        let pair = Pair::with_in(suite, defect, Honest).await;
        if suite == Suite::SignalPq {
            hook_bundle(&pair, |bundle| {
                bundle.signed_prekey.signature.0[5] ^= 1;
                bundle.kyber_prekey.as_mut().unwrap().signature.0[5] ^= 1;
            });
            assert_eq!(pair.alice.fetch(&pair.bob).await, Err(Reason::BadSignature), "it skips one only");
        }
        hook_bundle(
            &pair,
            if defect == Defect::SkipsSignedPrekeySignature {
                |bundle| bundle.signed_prekey.signature.0[5] ^= 1
            } else {
                |bundle| bundle.kyber_prekey.as_mut().unwrap().signature.0[5] ^= 1
            },
        );
        for _ in 0..3 {
            pair.twin().await;
            let id = pair.bob.say(&pair.alice, "back").await;
            pair.alice.settle(id).await;
            assert_eq!(pair.alice.seen().await.last(), Some(&pair.bob.text(id, "back")));
            pair.alice.fetch(&pair.bob).await.unwrap();
        }
    }
}

async fn a_prekey_signed_by_another_contact(suite: Suite) {
    for (defect, expected) in [(None, Err(Reason::BadSignature)), (Some(Defect::AcceptsSignatureOfAnyContact), Ok(()))] {
        let pair = match defect {
            Some(defect) => Pair::with_in(suite, defect, Honest).await,
            None => Pair::honest_in(suite).await,
        };
        let carol = Actor::new_in(suite, &pair.bob.sample).await;
        carol.create(3).await;
        pair.alice.fetch(&carol).await.unwrap();
        let other = pair.post.office.lock().unwrap().left(carol.id).signed_prekey.clone();
        pair.post.office.lock().unwrap().on_bundle = Some(Box::new(move |mut bundle| {
            bundle.signed_prekey = other.clone();
            bundle
        }));
        assert_eq!(pair.alice.fetch(&pair.bob).await, expected);
    }
}

/// Sends two messages each way, and then one that is changed on the way: what is shown of it.
async fn shown_of(suite: Suite, bob: impl crate::Defects, first: bool, change: fn(&mut Vec<u8>, MessageType)) -> Vec<What> {
    let pair = Pair::with_in(suite, Honest, bob).await;
    if !first {
        pair.twin().await;
        let back = pair.bob.say(&pair.alice, "back").await;
        pair.alice.settle(back).await;
        pair.twin().await;
    }
    let before = pair.bob.seen().await.len();
    let mut done = false;
    pair.post.office.lock().unwrap().on_delivery = Some(Box::new(move |_, stanza| match stanza {
        Stanza::Message { id, to, from, r#type, mut body } if !done => {
            done = true;
            change(&mut body.0, r#type);
            vec![Stanza::Message { id, to, from, r#type, body }]
        }
        other => vec![other],
    }));
    let id = pair.alice.say(&pair.bob, "changed").await;
    pair.bob.settle(id).await;
    let seen = pair.bob.seen().await[before..before + 1].to_vec();
    pair.twin().await;
    seen
}

async fn a_wrong_mac_is_seen_by_all_but_the_defect(suite: Suite) {
    for first in [true, false] {
        let change = |body: &mut Vec<u8>, kind| forge_previous_counter(body, kind);
        assert!(matches!(shown_of(suite, Honest, first, change).await[..], [What::Refused { reason: Reason::BadMac, .. }]));
        assert!(matches!(shown_of(suite, Defect::SkipsMac, first, change).await[..], [What::Message { .. }]), "first: {first}");
    }
}

/// A message and the same once more under another id: whether the copy is shown.
async fn replay_shown(suite: Suite, defect: Defect, first: bool) -> bool {
    let pair = Pair::with_in(suite, Honest, defect).await;
    if !first {
        pair.twin().await;
        let back = pair.bob.say(&pair.alice, "back").await;
        pair.alice.settle(back).await;
    }
    let copy = StanzaId(Uuid::new_v4());
    pair.post.office.lock().unwrap().on_delivery = Some(Box::new(move |_, stanza| match stanza {
        Stanza::Message { .. } => vec![stanza.clone(), renamed(stanza, copy)],
        other => vec![other],
    }));
    let id = pair.alice.say(&pair.bob, "once").await;
    pair.bob.settle(copy).await;
    pair.post.office.lock().unwrap().on_delivery = None;
    let shown = pair.bob.seen().await.iter().filter(|what| **what == pair.alice.text(id, "once")).count();
    pair.twin().await;
    shown == 2
}

async fn replays_are_shown_by_their_own_defect(suite: Suite) {
    for (defect, first, shown) in [
        (Defect::ReplaysFirstMessage, true, true),
        (Defect::ReplaysFirstMessage, false, false),
        (Defect::ReplaysLaterMessage, true, false),
        (Defect::ReplaysLaterMessage, false, true),
        (Defect::NoPadding, true, false),
    ] {
        assert_eq!(replay_shown(suite, defect, first).await, shown, "{defect}, first: {first}");
    }
}

async fn a_lost_write_shows_deep_in_a_conversation_only(suite: Suite) {
    let pair = Pair::with_in(suite, Defect::LosesOneSessionWrite, Honest).await;
    let mut lost = None;
    for turn in 0..120 {
        let (from, to) = if turn % 2 == 0 { (&pair.alice, &pair.bob) } else { (&pair.bob, &pair.alice) };
        let id = from.say(to, "x").await;
        to.settle(id).await;
        if lost.is_none() && to.seen().await.last() != Some(&from.text(id, "x")) {
            lost = Some(turn);
        }
    }
    assert!(lost.is_some_and(|turn| turn >= 85), "{lost:?}");
}

async fn a_safety_number_of_one_key_is_not_the_one_that_the_peer_reads(suite: Suite) {
    let pair = Pair::with_in(suite, Defect::SafetyNumberOfOneKey, Honest).await;
    pair.twin().await;
    let (a, b) = (pair.alice.safety_number(&pair.bob).await, pair.bob.safety_number(&pair.alice).await);
    assert_eq!(a[..30], a[30..]);
    assert!(b.starts_with(&a[..30]) || b.ends_with(&a[..30]));
    assert_ne!(a, b);
}

async fn a_safety_number_ends_at_a_zero_byte_of_a_name_only_with_the_defect(suite: Suite) {
    for (defect, same) in [(Defect::NoPadding, true), (Defect::SafetyNumberEndsAtZero, false)] {
        let pair = Pair::with_in(suite, defect, Honest).await;
        let name = Uuid::from_u128(0x1111_1111_0011_4111_8111_1111_1111_1111);
        let carol = Actor { id: countersign_contract::UserId(name), ..pair.bob.clone() };
        carol.create(3).await;
        pair.alice.fetch(&carol).await.unwrap();
        carol.fetch(&pair.alice).await.unwrap();
        assert_eq!(pair.alice.safety_number(&carol).await == carol.safety_number(&pair.alice).await, same);
    }
}

async fn prekeys_are_rotated_and_the_old_one_serves_except_with_the_defect(suite: Suite) {
    for (defect, works) in [(Defect::NoPadding, true), (Defect::DeletesOldSignedPrekeyAtOnce, false)] {
        let pair = Pair::with_in(suite, defect, defect).await;
        pair.alice.fetch(&pair.bob).await.unwrap();
        pair.bob.rotate().await;
        let id = pair.alice.say(&pair.bob, "under way").await;
        pair.bob.settle(id).await;
        let first = pair.bob.seen().await.remove(0);
        assert_eq!(first == pair.alice.text(id, "under way"), works, "{first:?}");
    }
}

async fn a_shared_store_shows_one_user_what_is_for_another(suite: Suite) {
    for shared in [false, true] {
        let pair = if shared { Pair::with_in(suite, Honest, Defect::SharedKeyStore).await } else { Pair::honest_in(suite).await };
        let carol = Actor { id: countersign_contract::UserId(Uuid::new_v4()), ..pair.bob.clone() };
        carol.create(3).await;
        let secret = pair.alice.say(&carol, "for carol").await;
        let sent = pair.post.office.lock().unwrap().sent[0].1.clone();
        let Stanza::Message { r#type, body, .. } = sent else { panic!("{sent:?}") };
        let copy = Stanza::Message { id: StanzaId(Uuid::new_v4()), to: None, from: Some(pair.alice.id), r#type, body };
        pair.post.office.lock().unwrap().deliver(pair.bob.id, copy.clone());
        pair.bob.settle(copy.id()).await;
        let shown = pair.alice.text(secret, "for carol");
        assert_eq!(pair.bob.seen().await.contains(&shown), shared);
        carol.connect().await;
        carol.settle(secret).await;
        assert_eq!(carol.seen().await, [shown]);
    }
}
