use super::post::*;
use countersign_contract::claims::Suite;
use countersign_contract::seen::{NoticeKind, UserContent, What};
use countersign_contract::{Reason, StanzaId};
use uuid::Uuid;

in_both_suites! {
    a_changed_identity_is_told_before_its_message_and_nothing_is_sent_to_it_unasked
    a_changed_identity_in_a_bundle_is_told_once
    a_resend_to_a_new_identity_waits_for_the_user
    a_bad_bundle_says_nothing_of_an_identity
}

fn notice(about: &Actor) -> What {
    What::Notice { notice: NoticeKind::IdentityChanged, about: about.id, group: None }
}

async fn a_changed_identity_is_told_before_its_message_and_nothing_is_sent_to_it_unasked(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.twin().await;
    pair.alice.create(3).await;
    pair.alice.connect().await;
    let id = pair.alice.say(&pair.bob, "new phone").await;
    pair.bob.settle(id).await;
    assert_eq!(pair.bob.seen().await[1..], [notice(&pair.alice), pair.alice.text(id, "new phone")]);
    let stanza = StanzaId(Uuid::new_v4());
    let hello = UserContent::Text { text: "who is it?".into() };
    assert_eq!(pair.bob.try_send(&pair.alice, stanza, hello.clone()).await, Err(Reason::UntrustedIdentity));
    pair.bob.accept(&pair.alice).await;
    assert_eq!(pair.bob.try_send(&pair.alice, stanza, hello).await, Ok(()));
    assert_eq!(pair.alice.sees(2).await[1], pair.bob.text(stanza, "who is it?"));
    assert_eq!(pair.bob.safety_number(&pair.alice).await, pair.alice.safety_number(&pair.bob).await);
}

async fn a_changed_identity_in_a_bundle_is_told_once(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.alice.fetch(&pair.bob).await.unwrap();
    let before = pair.alice.safety_number(&pair.bob).await;
    pair.bob.create(3).await;
    assert_eq!(pair.alice.fetch(&pair.bob).await, Err(Reason::UntrustedIdentity));
    assert_eq!(pair.alice.fetch(&pair.bob).await, Err(Reason::UntrustedIdentity));
    assert_eq!(pair.alice.seen().await, [notice(&pair.bob)]);
    assert_ne!(before, pair.alice.safety_number(&pair.bob).await);
    pair.alice.accept(&pair.bob).await;
    pair.bob.connect().await;
    pair.twin().await;
}

async fn a_resend_to_a_new_identity_waits_for_the_user(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.twin().await;
    pair.bob.create(3).await;
    pair.bob.connect().await;
    let lost = pair.alice.say(&pair.bob, "for the old phone").await;
    pair.bob.settle(lost).await;
    assert_eq!(pair.bob.seen().await.first(), Some(&refused(lost, Reason::UnknownPrekey)));
    let seen = pair.alice.sees(2).await;
    assert_eq!(seen[1], notice(&pair.bob));
    assert_eq!(pair.bob.seen().await.len(), 2, "nothing goes out before the user has accepted");
    pair.alice.accept(&pair.bob).await;
    assert_eq!(pair.bob.sees(3).await[2], pair.alice.text(lost, "for the old phone"));
}

async fn a_bad_bundle_says_nothing_of_an_identity(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.alice.fetch(&pair.bob).await.unwrap();
    pair.bob.create(3).await;
    pair.post.office.lock().unwrap().on_bundle = Some(Box::new(|mut bundle| {
        bundle.signed_prekey.signature.0[3] ^= 1;
        bundle
    }));
    assert_eq!(pair.alice.fetch(&pair.bob).await, Err(Reason::BadSignature));
    assert_eq!(pair.alice.seen().await, []);
}
