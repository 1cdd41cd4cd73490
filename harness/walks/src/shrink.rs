//! From a walk that failed to the shortest that fails for the same cause.

use crate::cause::Cause;
use crate::strategy::WalkTree;
use crate::walk::Walk;
use proptest::strategy::ValueTree as _;

/// Executes walks. What it is told to execute is executed as it stands, under a name from which its randomness comes.
pub trait Execute {
    /// Why a walk fails, each cause with the judge's words for it; nothing if it does not.
    fn causes(&self, walk: &Walk, name: &str) -> impl Future<Output = Vec<(Cause, String)>>;
    /// Whether somebody asked to stop.
    fn stopped(&self) -> bool;
}

/// What is left of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The shortest that was found, or the walk as it was drawn.
    pub walk: Walk,
    /// How many walks were executed for that.
    pub executions: u32,
    /// Why it is not the shortest, if it is not.
    pub kept: Option<Kept>,
    /// The judge's words for how this very walk failed, if it did when it was last executed.
    pub observed: Option<String>,
}

/// Why a longer walk than the shortest was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The failure did not come again when the same walk was executed once more: it depends on more than the walk.
    Unstable,
    /// The failure was lost on the way: the shortest walk does not fail any more.
    Lost,
    /// Nobody waited for the end.
    Stopped,
    /// So many walks were executed that the rest was left.
    Long,
}

impl Kept {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unstable => "the failure did not come again when the same was executed once more; it is as it was drawn",
            Self::Lost => "shrinking lost the failure; it is as it was drawn",
            Self::Stopped => "stopped while it was being shrunk; it is the shortest so far",
            Self::Long => "shrinking took too long; it is the shortest so far",
        }
    }
}

/// Shrinks a walk that failed for a cause when it was executed as `name`. The result is executed once more as `final_name`, under which
/// it will be handed over, with its things numbered anew.
pub async fn shrink(execute: &impl Execute, walk: &Walk, cause: &Cause, name: &str, final_name: &str, most: u32) -> Shrunk {
    let mut executions = 0;
    let mut fails = async |walk: &Walk, name: &str| {
        executions += 1;
        execute.causes(walk, name).await.into_iter().find(|(other, _)| other == cause).map(|(_, observed)| observed)
    };
    let drawn = walk.renumbered();
    // Not at once again: once more, since some mistakes are made now and then.
    if fails(walk, name).await.is_none() && fails(walk, name).await.is_none() {
        return Shrunk { walk: drawn, executions, kept: Some(Kept::Unstable), observed: None };
    }
    let mut tree = WalkTree::new(walk.clone());
    let mut more = tree.simplify();
    let mut kept = None;
    let mut tries = 0;
    while more {
        tries += 1;
        if execute.stopped() {
            kept = Some(Kept::Stopped);
        } else if tries > most {
            kept = Some(Kept::Long);
        }
        if kept.is_some() {
            // Back to what is known to fail.
            tree.forget();
            break;
        }
        // Twice, so that what only fails now and then is not taken for enough.
        let enough = fails(&tree.current(), name).await.is_some() && fails(&tree.current(), name).await.is_some();
        more = if enough { tree.simplify() } else { tree.complicate() };
    }
    let shortest = tree.current().renumbered();
    let observed = if execute.stopped() { None } else { fails(&shortest, final_name).await };
    if execute.stopped() || observed.is_some() {
        return Shrunk { walk: shortest, executions, kept, observed };
    }
    Shrunk { walk: drawn, executions, kept: Some(Kept::Lost), observed: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abilities::{Abilities, Casting};
    use crate::action::{Action, Fate, Peer, User};
    use crate::strategy::{Walks, runner};
    use countersign_contract::claims::Suite;
    use proptest::strategy::Strategy as _;

    /// A candidate that fails on whatever fits; with `moody`, only for the first so many executions.
    struct Fake<F> {
        fails: F,
        left: std::cell::Cell<u32>,
    }

    impl<F: Fn(&Walk) -> bool> Execute for Fake<F> {
        async fn causes(&self, walk: &Walk, _: &str) -> Vec<(Cause, String)> {
            let left = self.left.get();
            self.left.set(left.saturating_sub(1));
            if left > 0 && (self.fails)(walk) { vec![(cause(), String::new())] } else { Vec::new() }
        }

        fn stopped(&self) -> bool {
            false
        }
    }

    fn cause() -> Cause {
        Cause { requirement: "ORD-01".to_owned(), finding: "not-shown".to_owned() }
    }

    fn drawn(number: u64) -> Walk {
        let walks = Walks { abilities: Abilities::all(Suite::SignalPq), steps: 50 };
        walks.new_tree(&mut runner(&[7; 32], number)).unwrap().current()
    }

    fn shrunk(walk: &Walk, fails: impl Fn(&Walk) -> bool, left: u32) -> Shrunk {
        let fake = Fake { fails, left: std::cell::Cell::new(left) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(shrink(&fake, walk, &cause(), "walks/n0", "walks/found", 1000))
    }

    /// A message that is released after a time offline.
    fn late_after_offline(walk: &Walk) -> bool {
        walk.actions.iter().enumerate().any(|(at, action)| {
            let Action::Write { id, fate: Fate::Held, .. } = action else { return false };
            let mut later = walk.actions.iter().skip(at);
            later.any(|action| matches!(action, Action::Go { user: User::Alice, online: false }))
                && later.any(|action| matches!(action, Action::Go { user: User::Alice, online: true }))
                && later.any(|action| *action == Action::Release(*id))
        })
    }

    #[test]
    fn what_is_not_needed_is_taken_out() {
        let mut found = 0;
        for walk in (0..400).map(drawn).filter(late_after_offline) {
            found += 1;
            let shrunk = shrunk(&walk, late_after_offline, u32::MAX);
            assert_eq!(shrunk.kept, None);
            assert!(late_after_offline(&shrunk.walk));
            assert_eq!(shrunk.walk.actions.len(), 4, "{:#?}", shrunk.walk.actions);
            assert_eq!(shrunk.walk.casting, Casting::PLAIN);
            assert!(shrunk.executions < 500, "{}", shrunk.executions);
        }
        assert!(found > 5, "{found}");
    }

    #[test]
    fn a_failure_that_is_lost_keeps_the_walk_as_it_was_drawn() {
        let walk = (0..400).map(drawn).find(late_after_offline).unwrap();
        let shrunk = shrunk(&walk, late_after_offline, 30);
        assert_eq!(shrunk.kept, Some(Kept::Lost));
        assert_eq!(shrunk.walk, walk.renumbered());
    }

    #[test]
    fn a_failure_that_does_not_come_again_is_said_to_be_unstable() {
        let walk = drawn(1);
        let shrunk = shrunk(&walk, |_| true, 0);
        assert_eq!((shrunk.kept, shrunk.executions), (Some(Kept::Unstable), 2));
    }

    #[test]
    fn a_talk_becomes_a_message() {
        let talk = Action::Talk { id: 1, peer: Peer::Bob, alice_begins: true, messages: 6 };
        let walk = Walk { abilities: Abilities::all(Suite::SignalPq), casting: Casting::PLAIN, actions: vec![talk] };
        let shrunk = shrunk(&walk, |walk| !walk.actions.is_empty(), u32::MAX);
        assert!(matches!(shrunk.walk.actions[..], [Action::Write { id: 1, by_alice: true, .. }]), "{:?}", shrunk.walk.actions);
    }
}
