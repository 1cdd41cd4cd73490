//! Enlisting with keys that are given.

use super::post::*;
use super::vaults::{Party, say};
use crate::{Honest, Sample};
use countersign_contract::claims::{Capability, Suite};
use countersign_contract::operations::*;
use countersign_contract::portable::Enlist;
use countersign_contract::{Bytes, Problem, Reason};
use libsignal_protocol::{IdentityKeyPair, KeyPair, kem};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::sync::Arc;

in_both_suites! {
    an_imported_user_publishes_these_keys_alone_and_is_reached_by_them
    keys_that_are_none_are_refused_and_the_user_stays_unknown
}

/// Fresh keys, with two one-time prekeys of each kind that the suite has.
fn keys(suite: Suite) -> ImportedKeys {
    let mut rng = StdRng::from_os_rng();
    let identity = IdentityKeyPair::generate(&mut rng);
    let signed = KeyPair::generate(&mut rng);
    let sign = |key: &[u8], rng: &mut StdRng| -> Bytes {
        identity.private_key().calculate_signature(key, rng).unwrap().into_vec().into()
    };
    let kyber = |id, rng: &mut StdRng| {
        let pair = kem::KeyPair::generate(kem::KeyType::Kyber1024, rng);
        let public = pair.public_key.serialize().into_vec();
        let signature = sign(&public, rng);
        ImportedKyberPrekey { id, public: public.into(), private: pair.secret_key.serialize().into_vec().into(), signature }
    };
    let kyber: Vec<_> = if suite == Suite::SignalPq { (30..33).map(|id| kyber(id, &mut rng)).collect() } else { Vec::new() };
    ImportedKeys {
        registration_id: 77,
        identity_private: identity.private_key().serialize().into(),
        signed_prekey: ImportedSignedPrekey {
            id: 0x00ab_cdef,
            private: signed.private_key.serialize().into(),
            signature: sign(&signed.public_key.serialize(), &mut rng),
        },
        kyber_prekey: kyber.first().cloned(),
        one_time_prekeys: (10..12)
            .map(|id| ImportedPrekey { id, private: KeyPair::generate(&mut rng).private_key.serialize().into() })
            .collect(),
        one_time_kyber_prekeys: kyber.into_iter().skip(1).collect(),
    }
}

fn create(actor: &Actor, one_time_prekeys: u32, import: ImportedKeys) -> Call {
    let (instance, user) = (actor.instance, actor.id);
    Call::CreateUser(CreateUser { instance, user, one_time_prekeys, import: Some(import) })
}

async fn an_imported_user_publishes_these_keys_alone_and_is_reached_by_them(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    let carol = Actor::new_in(suite, &pair.bob.sample).await;
    let import = keys(suite);
    let answer = carol.sample.call(create(&carol, 0, import.clone())).await.unwrap();
    {
        let office = pair.post.office.lock().unwrap();
        let published: &Enlist = office.left(carol.id);
        let Answer::CreateUser(created) = answer else { panic!("{answer:?}") };
        assert_eq!(created.identity_key, published.identity_key);
        assert_eq!(published.registration_id, 77);
        assert_eq!(
            (published.signed_prekey.id, &published.signed_prekey.signature),
            (0x00ab_cdef, &import.signed_prekey.signature)
        );
        assert!(published.one_time_prekeys.iter().map(|prekey| prekey.id).eq([10, 11]));
        assert_eq!(
            published.kyber_prekey.as_ref().map(|prekey| &prekey.key),
            import.kyber_prekey.as_ref().map(|key| &key.public)
        );
        let kyber: Vec<_> = published.one_time_kyber_prekeys.iter().map(|prekey| prekey.id).collect();
        assert_eq!(kyber, if suite == Suite::SignalPq { vec![31, 32] } else { vec![] });
    }
    carol.connect().await;
    for text in ["over an imported one-time prekey", "the next one"] {
        pair.alice.fetch(&carol).await.unwrap();
        let id = pair.alice.say(&carol, text).await;
        carol.settle(id).await;
        assert_eq!(carol.seen().await.last(), Some(&pair.alice.text(id, text)));
        let back = carol.say(&pair.alice, "back").await;
        pair.alice.settle(back).await;
        assert_eq!(pair.alice.seen().await.last(), Some(&carol.text(back, "back")));
    }
    let office = pair.post.office.lock().unwrap();
    assert!(office.left(carol.id).one_time_prekeys.is_empty(), "told that keys are low, and publishes no others");
}

async fn keys_that_are_none_are_refused_and_the_user_stays_unknown(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    let carol = Actor::new_in(suite, &pair.bob.sample).await;
    let mut cases: Vec<(ImportedKeys, Reason)> = Vec::new();
    let mut case = |change: fn(&mut ImportedKeys), reason| {
        let mut keys = keys(suite);
        change(&mut keys);
        cases.push((keys, reason));
    };
    case(|keys| keys.identity_private.0.truncate(31), Reason::BadKey);
    case(|keys| keys.identity_private.0.push(0), Reason::BadKey);
    case(|keys| keys.signed_prekey.private.0.clear(), Reason::BadKey);
    case(|keys| keys.signed_prekey.signature.0.push(0), Reason::BadKey);
    case(|keys| keys.one_time_prekeys[1].private.0.truncate(1), Reason::BadKey);
    case(|keys| keys.one_time_prekeys[1].id = keys.one_time_prekeys[0].id, Reason::Malformed);
    case(|keys| keys.registration_id = 0, Reason::Malformed);
    case(|keys| keys.registration_id = 16_381, Reason::Malformed);
    if suite == Suite::SignalPq {
        case(|keys| keys.kyber_prekey = None, Reason::Malformed);
        case(|keys| keys.kyber_prekey.as_mut().unwrap().private.0.truncate(3168), Reason::BadKey);
        case(|keys| keys.one_time_kyber_prekeys[0].public.0[0] = 7, Reason::BadKey);
        case(|keys| keys.one_time_kyber_prekeys[0].signature.0.truncate(63), Reason::BadKey);
        case(|keys| keys.one_time_kyber_prekeys[0].id = keys.kyber_prekey.as_ref().unwrap().id, Reason::Malformed);
    } else {
        case(|import| import.kyber_prekey = keys(Suite::SignalPq).kyber_prekey, Reason::Malformed);
        case(|import| import.one_time_kyber_prekeys = keys(Suite::SignalPq).one_time_kyber_prekeys, Reason::Malformed);
    }
    for (place, (keys, reason)) in cases.into_iter().enumerate() {
        let refused: Problem = carol.sample.call(create(&carol, 0, keys)).await.unwrap_err();
        assert_eq!(refused.reason, reason, "case {place}");
        assert_eq!(pair.alice.fetch(&carol).await, Err(Reason::UnknownUser), "case {place}");
    }
    let both = carol.sample.call(create(&carol, 1, keys(suite))).await.unwrap_err();
    assert_eq!(both.reason, Reason::Malformed);
    carol.sample.call(create(&carol, 0, keys(suite))).await.unwrap();
}

#[test]
fn later_keys_keep_clear_of_imported_ids() {
    for suite in super::vaults::SUITES {
        let mut bob = Party::imported(suite, &keys(suite)).unwrap();
        let more = bob.vault.rotate(true, true, 3, 0).unwrap();
        assert!(more.one_time_prekeys.iter().all(|prekey| prekey.id > 0x00ab_cdef));
        let mut alice = Party::new(suite, Honest, 1);
        alice.start(&mut bob);
        say(&mut alice, &mut bob, "for the imported keys, though they were replaced");
    }
}

#[tokio::test]
async fn the_sample_claims_what_it_does() {
    let sample = Sample::new(Post::new().wires(), Arc::new(Honest));
    let Ok(Answer::Describe(claims)) = sample.call(Call::Describe(Describe {})).await else { panic!("no answer") };
    assert_eq!(claims.suites, [Suite::SignalPq, Suite::SignalClassic]);
    assert!(claims.capabilities.contains(&Capability::Import));
}
