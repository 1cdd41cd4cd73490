//! A user's state: kept, put back, copied and exported.

use super::post::*;
use crate::Defect;
use countersign_contract::claims::Suite;
use countersign_contract::operations::*;
use countersign_contract::portable::Stanza;
use countersign_contract::seen::What;
use countersign_contract::state::{Handle, Parts};
use countersign_contract::{Reason, StanzaId};

in_both_suites! {
    a_copy_reads_what_comes_and_nothing_of_the_past
    a_copy_leaves_its_original_alone
    a_restored_user_is_offline_and_has_its_old_state_and_log
    a_refused_message_changes_nothing_that_is_exported
    handles_that_nobody_gave_are_refused
    what_defective_clients_leave_behind_is_exported
}

async fn copy(actor: &Actor) -> Handle {
    match actor.sample.call(Call::Clone(MakeClone { instance: actor.instance, user: actor.id })).await.unwrap() {
        Answer::Clone(cloned) => cloned.clone,
        other => panic!("{other:?}"),
    }
}

async fn feed(actor: &Actor, clone: &Handle, stanza: Stanza) -> Vec<What> {
    let deliver = Deliver { instance: actor.instance, clone: clone.clone(), stanza };
    match actor.sample.call(Call::Deliver(deliver)).await.unwrap() {
        Answer::Deliver(list) => list.events.into_iter().map(|seen| seen.what).collect(),
        other => panic!("{other:?}"),
    }
}

async fn export(actor: &Actor) -> Parts {
    match actor.sample.call(Call::Export(Export { instance: actor.instance, user: actor.id })).await.unwrap() {
        Answer::Export(exported) => exported.parts,
        other => panic!("{other:?}"),
    }
}

/// A first message, an answer, and two more in the new chain.
async fn converse(pair: &Pair) {
    pair.twin().await;
    let answer = pair.bob.say(&pair.alice, "answer").await;
    pair.alice.settle(answer).await;
    pair.twin().await;
    pair.twin().await;
}

/// The stanza that carried a message, as it is delivered.
fn carried(pair: &Pair, id: StanzaId) -> Stanza {
    let office = pair.post.office.lock().unwrap();
    let found = office.sent.iter().find(|(_, stanza)| stanza.id() == id).cloned();
    let Some((from, Stanza::Message { r#type, body, .. })) = found else { panic!("{found:?}") };
    Stanza::Message { id, to: None, from: Some(from), r#type, body }
}

async fn a_copy_reads_what_comes_and_nothing_of_the_past(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    let first = pair.alice.say(&pair.bob, "one").await;
    pair.bob.settle(first).await;
    let thief = copy(&pair.bob).await;
    let old = feed(&pair.bob, &thief, carried(&pair, first)).await;
    assert!(matches!(old[..], [What::Refused { stanza, reason: Reason::Duplicate }] if stanza == first), "{old:?}");
    let next = pair.alice.say(&pair.bob, "two").await;
    pair.bob.settle(next).await;
    assert_eq!(feed(&pair.bob, &thief, carried(&pair, next)).await, [pair.alice.text(next, "two")]);
}

async fn a_copy_leaves_its_original_alone(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.twin().await;
    let thief = copy(&pair.bob).await;
    let before = (export(&pair.bob).await, pair.bob.seen().await);
    pair.bob.disconnect().await;
    let next = pair.alice.say(&pair.bob, "two").await;
    assert_eq!(feed(&pair.bob, &thief, carried(&pair, next)).await, [pair.alice.text(next, "two")]);
    assert_eq!((export(&pair.bob).await, pair.bob.seen().await), before);
    pair.bob.connect().await;
    pair.bob.settle(next).await;
    assert_eq!(pair.bob.seen().await.last(), Some(&pair.alice.text(next, "two")));
}

async fn a_restored_user_is_offline_and_has_its_old_state_and_log(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    pair.twin().await;
    let (instance, user) = (pair.bob.instance, pair.bob.id);
    let taken = pair.bob.sample.call(Call::Snapshot(TakeSnapshot { instance, user })).await.unwrap();
    let Answer::Snapshot(SnapshotTaken { snapshot }) = taken else { panic!("{taken:?}") };
    let before = (export(&pair.bob).await, pair.bob.seen().await);
    pair.twin().await;
    assert_ne!((export(&pair.bob).await, pair.bob.seen().await), before);
    for _ in 0..2 {
        let restore = Restore { instance, user, snapshot: snapshot.clone() };
        pair.bob.sample.call(Call::Restore(restore)).await.unwrap();
        assert_eq!((export(&pair.bob).await, pair.bob.seen().await), before);
        let settle = Settle { instance, user, through: StanzaId(uuid::Uuid::nil()) };
        assert_eq!(pair.bob.sample.call(Call::Settle(settle)).await.unwrap_err().reason, Reason::NotConnected);
        pair.bob.connect().await;
        pair.twin().await;
    }
}

async fn a_refused_message_changes_nothing_that_is_exported(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    converse(&pair).await;
    let before = export(&pair.bob).await;
    assert!(before.bytes() > 500);
    pair.bob.disconnect().await;
    let id = pair.alice.say(&pair.bob, "forged").await;
    let forged = edit(carried(&pair, id), |body| *body.last_mut().unwrap() ^= 1);
    let thief = copy(&pair.bob).await;
    assert!(matches!(feed(&pair.bob, &thief, forged).await[..], [What::Refused { reason: Reason::BadMac, .. }, ..]));
    assert_eq!(export(&pair.bob).await, before);
}

async fn handles_that_nobody_gave_are_refused(suite: Suite) {
    let pair = Pair::honest_in(suite).await;
    let invented = Handle::try_from("invented".to_owned()).unwrap();
    let (instance, user) = (pair.bob.instance, pair.bob.id);
    let restore = Restore { instance, user, snapshot: invented.clone() };
    assert_eq!(pair.bob.sample.call(Call::Restore(restore)).await.unwrap_err().reason, Reason::Malformed);
    let deliver = Deliver { instance, clone: invented, stanza: Stanza::Ack { id: StanzaId(uuid::Uuid::nil()) } };
    assert_eq!(pair.bob.sample.call(Call::Deliver(deliver)).await.unwrap_err().reason, Reason::Malformed);
}

async fn what_defective_clients_leave_behind_is_exported(suite: Suite) {
    let names = |parts: &Parts| parts.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
    for defect in [Defect::KeepsOldSessions, Defect::KeepsUsedPrekeysInStore, Defect::LogsMessageKeys] {
        let pair = Pair::with_in(suite, crate::Honest, defect).await;
        converse(&pair).await;
        assert!(names(&export(&pair.bob).await).contains(&"what should be gone".to_owned()), "{defect}");
    }
    let pair = Pair::honest_in(suite).await;
    converse(&pair).await;
    assert!(!names(&export(&pair.bob).await).contains(&"what should be gone".to_owned()));
}
