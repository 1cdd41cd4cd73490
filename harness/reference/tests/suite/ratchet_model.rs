//! Two users under any schedule of sending, delivery, loss, repetition and reordering, against a model of one line: a message is
//! shown once, and every other delivery of it is refused as a duplicate. One exception is the library's: it keeps five chains, so a
//! message that more new ones overtook cannot be read any more.

use crate::common::*;
use countersign_contract::Reason;
use countersign_reference::{ReferenceUser, wire};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// How many chains of a session the library keeps.
const KEPT_CHAINS: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    /// One of the two sends.
    Send(bool),
    /// Something under way to one of the two arrives: which, and whether a copy stays under way.
    Deliver(bool, prop::sample::Index, bool),
    /// Something under way is lost.
    Lose(bool, prop::sample::Index),
    /// The sender starts the next session from a new bundle.
    Restart(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => any::<bool>().prop_map(Step::Send),
        8 => (any::<bool>(), any::<prop::sample::Index>(), prop::bool::weighted(0.25)).prop_map(|(a, b, c)| Step::Deliver(a, b, c)),
        1 => (any::<bool>(), any::<prop::sample::Index>()).prop_map(|(a, b)| Step::Lose(a, b)),
        1 => any::<bool>().prop_map(Step::Restart),
    ];
    proptest::collection::vec(step, 1..100)
}

#[derive(Clone)]
struct UnderWay {
    number: u32,
    sent: Sent,
    ratchet_key: Vec<u8>,
    /// How many chains the receiver knew when it was sent.
    chains: usize,
}

struct Side {
    user: ReferenceUser,
    incoming: Vec<UnderWay>,
    /// Ratchet keys of messages that were shown, in their order.
    chains: Vec<Vec<u8>>,
    shown: BTreeSet<u32>,
}

fn deliver(sides: &mut [Side; 2], to: usize, at: usize, keep: bool) -> Result<(), TestCaseError> {
    let UnderWay { number, sent, ratchet_key, chains } =
        if keep { sides[to].incoming[at].clone() } else { sides[to].incoming.remove(at) };
    let from = sides[1 - to].user.user();
    let side = &mut sides[to];
    let outcome = heard_from(&mut side.user, from, &sent);
    if outcome == Err(Reason::BadMac) && side.chains.len() - chains >= KEPT_CHAINS {
        prop_assert!(!side.shown.contains(&number));
        return Ok(());
    }
    let expected = if side.shown.insert(number) { Ok(number.to_string()) } else { Err(Reason::Duplicate) };
    if !side.chains.contains(&ratchet_key) {
        side.chains.push(ratchet_key);
    }
    prop_assert_eq!(outcome, expected, "message {} to side {}", number, to);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn shown_once_whatever_the_network_does(steps in steps()) {
        let mut sides = ["alice", "bob"].map(|name| Side { user: user(name), incoming: Vec::new(), shown: BTreeSet::new(), chains: Vec::new() });
        let bundles = [bundle(&sides[0].user, None), bundle(&sides[1].user, None)];
        let mut next = 0;
        for step in steps {
            match step {
                Step::Send(side) => {
                    let (from, to) = (usize::from(side), usize::from(!side));
                    let peer = sides[to].user.user();
                    if !sides[from].user.has_session(peer) {
                        sides[from].user.process_bundle(&bundles[to], NOW).unwrap();
                    }
                    let sent = sides[from].user.encrypt(peer, &text(&next.to_string()), NOW).unwrap();
                    let ratchet_key = wire::parse(sent.0, &sent.1).unwrap().inner().ratchet_key.to_vec();
                    let chains = sides[to].chains.len();
                    sides[to].incoming.push(UnderWay { number: next, sent, ratchet_key, chains });
                    next += 1;
                }
                Step::Deliver(to, at, keep) => {
                    let to = usize::from(to);
                    if !sides[to].incoming.is_empty() {
                        let at = at.index(sides[to].incoming.len());
                        deliver(&mut sides, to, at, keep)?;
                    }
                }
                Step::Lose(to, at) => {
                    let incoming = &mut sides[usize::from(to)].incoming;
                    if !incoming.is_empty() {
                        incoming.remove(at.index(incoming.len()));
                    }
                }
                Step::Restart(side) => {
                    let peer = sides[usize::from(!side)].user.user();
                    sides[usize::from(side)].user.reset_session(peer);
                }
            }
        }
        // Nothing is lost but what the network lost.
        for to in 0..2 {
            while let Some(last) = sides[to].incoming.len().checked_sub(1) {
                deliver(&mut sides, to, last, false)?;
            }
        }
    }
}
