//! From a walk that failed to the shortest that fails for the same cause.

use crate::cause::Cause;
use crate::strategy::WalkTree;
use crate::walk::Walk;
use proptest::strategy::ValueTree as _;

/// Says when to stop executing.
pub trait Ends {
    /// Why nothing can be executed any more, if that is so: [`Kept::Stopped`] or [`Kept::Gone`]. What was being executed then says
    /// nothing.
    fn over(&self) -> Option<Kept>;
    /// Whether what was executed last could not be judged, so that it says nothing.
    fn is_open(&self) -> bool {
        false
    }
    /// Whether this has gone on for long enough.
    fn is_late(&self) -> bool {
        false
    }
}

/// Executes walks. What it is told to execute is executed as it stands, under a name from which its randomness comes.
pub trait Execute: Ends {
    /// Why a walk fails, each cause with the judge's words for it; nothing if it does not.
    fn causes(&self, walk: &Walk, name: &str) -> impl Future<Output = Vec<(Cause, String)>>;
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
    /// Nobody waited for it to be executed once more, the candidate was gone by then, or it could not be judged: whether it comes again
    /// is not known.
    Unrepeated,
    /// The failure was lost on the way: the shortest walk does not fail any more, and the walk as it was drawn still does.
    Lost,
    /// Nobody waited for the end.
    Stopped,
    /// The candidate was gone for good before the end.
    Gone,
    /// So many walks were executed that the rest was left.
    Long,
}

impl Kept {
    /// Whether it is known to have come again when it was executed once more: only a failure that does is one of the candidate.
    #[must_use]
    pub const fn is_firm(self) -> bool {
        !matches!(self, Self::Unstable | Self::Unrepeated)
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unstable => "the failure did not come again when the same was executed once more; it is as it was drawn",
            Self::Unrepeated => "the same could not be executed, or not be judged, once more; it is as it was drawn",
            Self::Lost => "shrinking lost the failure; it is as it was drawn",
            Self::Stopped => "stopped while it was being shrunk; it is the shortest so far",
            Self::Gone => "the candidate was gone for good while it was being shrunk; it is the shortest so far",
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
    let (mut again, mut open) = (false, false);
    for _ in 0..2 {
        again = again || fails(walk, name).await.is_some();
        open |= execute.is_open();
    }
    if !again {
        let kept = Some(if open || execute.over().is_some() { Kept::Unrepeated } else { Kept::Unstable });
        return Shrunk { walk: drawn, executions, kept, observed: None };
    }
    let mut tree = WalkTree::new(walk.clone());
    let mut more = tree.simplify();
    let mut kept = None;
    let mut tries = 0;
    while more {
        tries += 1;
        kept = execute.over().or((tries > most || execute.is_late()).then_some(Kept::Long));
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
    let observed = if execute.over().is_some() { None } else { fails(&shortest, final_name).await };
    let kept = if observed.is_some() { kept } else { execute.over().or(kept) };
    if execute.over().is_some() || observed.is_some() {
        return Shrunk { walk: shortest, executions, kept, observed };
    }
    // What is handed over has to fail as it is handed over.
    let observed = fails(&drawn, final_name).await;
    let kept = match (&observed, execute.over()) {
        (Some(_), _) => Kept::Lost,
        (None, Some(_)) => Kept::Unrepeated,
        (None, None) => Kept::Unstable,
    };
    Shrunk { walk: drawn, executions, kept: Some(kept), observed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abilities::{Abilities, Casting};
    use crate::action::{Action, Fate, Peer, User};
    use crate::strategy::{Walks, runner};
    use countersign_contract::claims::Suite;
    use proptest::strategy::Strategy as _;

    /// A candidate that fails on whatever fits, for the first so many executions, and is then perhaps no more.
    struct Fake<F> {
        fails: F,
        left: std::cell::Cell<u32>,
        over: Option<Kept>,
    }

    impl<F: Fn(&Walk, &str) -> bool> Execute for Fake<F> {
        async fn causes(&self, walk: &Walk, name: &str) -> Vec<(Cause, String)> {
            let left = self.left.get();
            self.left.set(left.saturating_sub(1));
            if left > 0 && (self.fails)(walk, name) { vec![(cause(), String::new())] } else { Vec::new() }
        }
    }

    impl<F> Ends for Fake<F> {
        fn over(&self) -> Option<Kept> {
            self.over.filter(|over| self.left.get() == 0 && matches!(over, Kept::Stopped | Kept::Gone))
        }

        fn is_open(&self) -> bool {
            self.over == Some(Kept::Unrepeated)
        }

        fn is_late(&self) -> bool {
            self.over == Some(Kept::Long) && self.left.get() < u32::MAX - 30
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
        shrunk_until(walk, |walk, _| fails(walk), left, None)
    }

    fn shrunk_until(walk: &Walk, fails: impl Fn(&Walk, &str) -> bool, left: u32, over: Option<Kept>) -> Shrunk {
        let fake = Fake { fails, left: std::cell::Cell::new(left), over };
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
        // Under the name under which it would be handed over, what is short does not fail.
        let fails = |tried: &Walk, name: &str| late_after_offline(tried) && (name != "walks/found" || tried.actions.len() > 4);
        let lost = shrunk_until(&walk, fails, u32::MAX, None);
        assert_eq!(lost.kept, Some(Kept::Lost));
        assert_eq!(lost.walk, walk.renumbered());
        // What never comes again is no failure, whenever it stopped coming.
        let shrunk = shrunk(&walk, late_after_offline, 30);
        assert_eq!((shrunk.kept, &shrunk.walk), (Some(Kept::Unstable), &walk.renumbered()));
    }

    #[test]
    fn what_ends_before_it_could_come_again_is_not_said_to_have_stayed_away() {
        let walk = (0..400).map(drawn).find(late_after_offline).unwrap();
        let fails = |tried: &Walk, _: &str| late_after_offline(tried);
        for over in [Kept::Stopped, Kept::Gone] {
            let unrepeated = shrunk_until(&walk, fails, 0, Some(over));
            assert_eq!((unrepeated.kept, &unrepeated.walk), (Some(Kept::Unrepeated), &walk.renumbered()));
            let late = shrunk_until(&walk, fails, u32::MAX, Some(Kept::Long));
            assert_eq!(late.kept, Some(Kept::Long));
            assert!(late.walk.actions.len() < walk.actions.len() && late.executions < 60, "{}", late.executions);
            // Nor is what could not be judged.
            assert_eq!(shrunk_until(&walk, fails, 0, Some(Kept::Unrepeated)).kept, Some(Kept::Unrepeated));
            assert!(!Kept::Unrepeated.is_firm());
            // Later on, what has come again stands, and is as short as it was by then.
            let shorter = shrunk_until(&walk, fails, 30, Some(over));
            assert_eq!(shorter.kept, Some(over));
            assert!(shorter.walk.actions.len() < walk.actions.len() && late_after_offline(&shorter.walk));
        }
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
