//! Two users under any schedule of sending, delivery, loss, repetition and reordering, against a model of one line: a message is
//! shown once, and every other delivery of it is refused as a duplicate.

use crate::common::*;
use countersign_contract::Reason;
use countersign_reference::ReferenceUser;
use proptest::prelude::*;
use std::collections::BTreeSet;

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
    proptest::collection::vec(step, 1..80)
}

struct Side {
    user: ReferenceUser,
    /// Under way to this user: number and message.
    incoming: Vec<(u32, Sent)>,
    shown: BTreeSet<u32>,
}

fn deliver(sides: &mut [Side; 2], to: usize, at: usize, keep: bool) -> Result<(), TestCaseError> {
    let (number, sent) = if keep { sides[to].incoming[at].clone() } else { sides[to].incoming.remove(at) };
    let from = sides[1 - to].user.clone();
    let expected = if sides[to].shown.insert(number) { Ok(number.to_string()) } else { Err(Reason::Duplicate) };
    prop_assert_eq!(heard(&mut sides[to].user, &from, &sent), expected, "message {} to side {}", number, to);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn shown_once_whatever_the_network_does(steps in steps()) {
        let mut sides = ["alice", "bob"].map(|name| Side { user: user(name), incoming: Vec::new(), shown: BTreeSet::new() });
        let mut next = 0;
        for step in steps {
            match step {
                Step::Send(side) => {
                    let (from, to) = (usize::from(side), usize::from(!side));
                    let peer = sides[to].user.clone();
                    if !sides[from].user.has_session(peer.user()) {
                        sides[from].user.process_bundle(&bundle(&peer, None), NOW).unwrap();
                    }
                    let sent = say(&mut sides[from].user, &peer, &next.to_string());
                    sides[to].incoming.push((next, sent));
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
                let (number, _) = sides[to].incoming[last];
                let duplicate = sides[to].shown.contains(&number);
                deliver(&mut sides, to, last, false)?;
                prop_assert!(duplicate || sides[to].shown.contains(&number));
            }
        }
    }
}
