//! The key directory, and every way to bend a bundle.

use crate::world::{body, disturbances, frames, is_invalid, kyber, pair, prekey, problem, signed, user};
use countersign_contract::Reason;
use countersign_contract::portable::{KeyCount, PublishKeys, Stanza};
use countersign_gateway::{BundleRule, Effect};

#[test]
fn each_one_time_prekey_once_then_the_last_resort() {
    let mut p = pair();
    let ids = |p: &mut crate::world::Pair| {
        let (bundle, _) = p.world.keys(&p.alice_token, p.bob);
        (bundle.one_time_prekey.map(|k| k.id), bundle.kyber_prekey.unwrap().id)
    };
    let handed: Vec<_> = (0..5).map(|_| ids(&mut p)).collect();
    assert_eq!(handed, [(Some(1), 1), (Some(2), 2), (Some(3), 3), (None, 1000), (None, 1000)]);
}

#[test]
fn the_owner_is_told_once_when_a_kind_runs_out_and_again_after_a_refill() {
    let mut p = pair();
    let mut told = Vec::new();
    for _ in 0..5 {
        let (_, effects) = p.world.keys(&p.alice_token, p.bob);
        told.push(p.to_bob(&effects).len());
    }
    assert_eq!(told, [0, 0, 1, 0, 0]);
    let refill = PublishKeys { one_time_prekeys: vec![prekey(4)], ..PublishKeys::default() };
    let (reply, _) = p.world.publish(&p.bob_token, &refill);
    assert_eq!(body::<KeyCount>(&reply), KeyCount { one_time_prekeys: 1, one_time_kyber_prekeys: 0 });
    let effects = p.world.raw("GET", &format!("/keys/{}", p.bob), Some(&p.alice_token), b"");
    assert!(matches!(effects[0], Effect::Reply { .. }), "the answer comes before what follows from it");
    assert!(matches!(&p.to_bob(&effects)[..], [Stanza::KeysLow { one_time_prekeys: 0, one_time_kyber_prekeys: 0, .. }]));
}

#[test]
fn being_told_waits_in_the_mailbox_and_is_acknowledged() {
    let mut p = pair();
    p.world.gateway.chat_closed(p.b);
    (0..3).for_each(|_| drop(p.world.keys(&p.alice_token, p.bob)));
    let (b, effects) = p.world.open(&p.bob_token.clone());
    let [(_, Stanza::KeysLow { id, .. })] = frames(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(p.world.send(b, &Stanza::Ack { id }), []);
    assert_eq!(frames(&p.world.open(&p.bob_token.clone()).1), []);
}

#[test]
fn keys_that_are_not_keys_are_refused_whole() {
    let mut p = pair();
    let long = |mut k: countersign_contract::portable::SignedKey| {
        k.key.0.push(0);
        k
    };
    let other_type = |mut k: countersign_contract::portable::SignedKey| {
        k.key.0[0] = 6;
        k
    };
    let cut = |mut k: countersign_contract::portable::SignedKey| {
        k.signature.0.pop();
        k
    };
    let none = PublishKeys::default;
    let bad = [
        PublishKeys { signed_prekey: Some(long(signed(2))), ..none() },
        PublishKeys { signed_prekey: Some(other_type(signed(2))), ..none() },
        PublishKeys { signed_prekey: Some(cut(signed(2))), ..none() },
        PublishKeys { kyber_prekey: Some(other_type(kyber(9))), ..none() },
        PublishKeys { one_time_kyber_prekeys: vec![kyber(8), long(kyber(9))], ..none() },
        PublishKeys { one_time_kyber_prekeys: vec![kyber(8), kyber(8)], ..none() },
        PublishKeys { one_time_prekeys: vec![prekey(8), prekey(1)], ..none() },
        PublishKeys { one_time_prekeys: vec![countersign_contract::portable::Prekey { id: 50, key: prekey(1).key }], ..none() },
    ];
    for (n, keys) in bad.iter().enumerate() {
        let (reply, rest) = p.world.publish(&p.bob_token, keys);
        assert_eq!(problem(&reply).reason, Reason::Malformed, "{n}");
        assert!(is_invalid(&rest));
    }
    assert_eq!(p.world.gateway.keys_left(p.bob), KeyCount { one_time_prekeys: 3, one_time_kyber_prekeys: 3 });
    let many = PublishKeys { one_time_prekeys: (100..201).map(prekey).collect(), ..none() };
    assert_eq!(problem(&p.world.publish(&p.bob_token, &many).0).reason, Reason::TooLarge);
    let (bundle, _) = p.world.keys(&p.alice_token, p.bob);
    assert_eq!(bundle.signed_prekey, signed(1));
}

#[test]
fn rotation_replaces_what_is_named_only() {
    let mut p = pair();
    p.world.publish(&p.bob_token, &PublishKeys { signed_prekey: Some(signed(2)), ..PublishKeys::default() });
    let (bundle, _) = p.world.keys(&p.alice_token, p.bob);
    assert_eq!((bundle.signed_prekey, bundle.one_time_prekey), (signed(2), Some(prekey(1))));
}

#[test]
fn every_bend_changes_its_own_field_only() {
    let clean = {
        let mut p = pair();
        p.world.keys(&p.alice_token, p.bob).0
    };
    let mut flipped_signed = clean.clone();
    flipped_signed.signed_prekey.signature.0[0] ^= 1;
    let mut flipped_kyber = clean.clone();
    flipped_kyber.kyber_prekey.as_mut().unwrap().signature.0[0] ^= 1;
    let identity = vec![5; 33];
    let mut whole = clean.clone();
    whole.registration_id = 7;
    whole.one_time_prekey = None;
    let cases = [
        (BundleRule::ReplaceSignedPrekey(signed(66)), {
            let mut b = clean.clone();
            b.signed_prekey = signed(66);
            b
        }),
        (BundleRule::ReplaceKyber(kyber(66)), {
            let mut b = clean.clone();
            b.kyber_prekey = Some(kyber(66));
            b
        }),
        (BundleRule::ReplaceOneTime(Some(prekey(66))), {
            let mut b = clean.clone();
            b.one_time_prekey = Some(prekey(66));
            b
        }),
        (BundleRule::ReplaceOneTime(None), {
            let mut b = clean.clone();
            b.one_time_prekey = None;
            b
        }),
        (BundleRule::ReplaceIdentity(identity.clone().into()), {
            let mut b = clean.clone();
            b.identity_key = identity.into();
            b
        }),
        (BundleRule::FlipSignedSignature, flipped_signed),
        (BundleRule::FlipKyberSignature, flipped_kyber),
        (BundleRule::WithoutOneTime, {
            let mut b = clean.clone();
            b.one_time_prekey = None;
            b.kyber_prekey = Some(kyber(1000));
            b
        }),
        (BundleRule::Whole(Box::new(whole.clone())), whole),
    ];
    for (rule, expected) in cases {
        let mut p = pair();
        p.world.gateway.arm_bundle(p.bob, rule.clone());
        let effects = p.world.raw("GET", &format!("/keys/{}", p.bob), Some(&p.alice_token), b"");
        assert!(effects.iter().any(|e| matches!(e, Effect::Reply { disturbed: true, .. })), "{rule:?}");
        let (reply, rest) = crate::world::split(effects);
        assert_eq!(body::<countersign_contract::portable::KeyBundle>(&reply), expected, "{rule:?}");
        assert_eq!(disturbances(&rest).len(), 1);
        let (next, rest) = p.world.keys(&p.alice_token, p.bob);
        assert_eq!((next.signed_prekey, disturbances(&rest).len()), (clean.signed_prekey.clone(), 0), "one answer only");
    }
}

#[test]
fn served_again_and_bent_at_once_for_one_fetcher() {
    let mut p = pair();
    let carol = p.world.enlist(user(3), 0);
    let (first, _) = p.world.keys(&p.alice_token, p.bob);
    p.world.gateway.arm_bundle_for(p.bob, user(3), BundleRule::ServeAgain);
    p.world.gateway.arm_bundle_for(p.bob, user(3), BundleRule::FlipSignedSignature);
    let (second, _) = p.world.keys(&p.alice_token, p.bob);
    assert_eq!(second.one_time_prekey, Some(prekey(2)), "not for this fetcher");
    let (again, _) = p.world.keys(&carol, p.bob);
    assert_eq!((&again.one_time_prekey, &again.kyber_prekey), (&second.one_time_prekey, &second.kyber_prekey));
    assert_ne!(again.signed_prekey, first.signed_prekey);
    assert_eq!(p.world.gateway.keys_left(p.bob).one_time_prekeys, 1);
}
