//! Walks as proptest draws and shrinks them.

use crate::abilities::{Abilities, Casting};
use crate::action::Action;
use crate::draw;
use crate::walk::Walk;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest as _, Sha256};

/// How many steps a walk has, about.
pub const STEPS: usize = 50;

/// All walks of about so many steps.
#[derive(Clone, Copy, Debug)]
pub struct Walks {
    /// What a walk may make use of.
    pub abilities: Abilities,
    /// Steps, those at its end not counted.
    pub steps: usize,
}

impl Strategy for Walks {
    type Tree = WalkTree;
    type Value = Walk;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let rng = runner.rng();
        let casting = draw::casting(rng);
        let actions = draw::actions(rng, self.abilities, casting, self.steps);
        Ok(WalkTree::new(Walk { abilities: self.abilities, casting, actions }))
    }
}

/// The runner of one walk of a search: the same walk for the same seed and number, whatever was drawn before it.
#[must_use]
pub fn runner(seed: &[u8; 32], number: u64) -> TestRunner {
    let mut hash = Sha256::new();
    hash.update(b"countersign walk");
    hash.update(seed);
    hash.update(number.to_be_bytes());
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &hash.finalize()))
}

/// A walk that can be made shorter.
///
/// First whole stretches of actions are taken out, from half of the walk down to single ones, and with them whatever makes no sense
/// any more; then single actions, and the cast, are made simpler. Whenever something was made shorter, all of it begins anew with
/// single actions, since what was needed for a long walk may not be for a short one.
#[derive(Clone, Debug)]
pub struct WalkTree {
    /// The shortest that still failed.
    kept: Walk,
    /// What is tried now, if something is.
    tried: Option<Walk>,
    next: Next,
    /// Something was taken away since single actions were last tried from the beginning.
    shortened: bool,
}

/// What to try next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Without so many actions from a position on.
    Without { length: usize, at: usize },
    /// The action at a position in its so-manieth simpler form.
    Simpler { at: usize, form: usize },
    /// The cast in its so-manieth simpler form.
    Cast { form: usize },
    /// Two actions in each other's place would not make it shorter: that is all.
    Nothing,
}

impl WalkTree {
    /// Begins with a walk as it was drawn.
    #[must_use]
    pub fn new(walk: Walk) -> Self {
        let length = walk.actions.len().div_ceil(2).max(1);
        // From the end: what comes after a failure is never needed.
        let next = Next::Without { length, at: walk.actions.len().saturating_sub(length) };
        Self { kept: walk, tried: None, next, shortened: false }
    }

    /// Gives up what is tried now, without saying what came of it.
    pub fn forget(&mut self) {
        self.tried = None;
    }

    /// The next form, and what to try after it if this one fails to fail.
    fn candidate(&mut self) -> Option<Walk> {
        loop {
            let walk = &self.kept;
            let sensible = |casting, actions: &[Action]| Walk::sensible(walk.abilities, casting, actions);
            match self.next {
                Next::Without { length, at } => {
                    let mut actions = walk.actions.clone();
                    actions.drain(at.min(actions.len())..(at + length).min(actions.len()));
                    self.next = match (at, length) {
                        (0, 1) => Next::Simpler { at: 0, form: 0 },
                        (0, _) => {
                            let length = length / 2;
                            Next::Without { length, at: walk.actions.len().saturating_sub(length) }
                        }
                        _ => Next::Without { length, at: at.saturating_sub(length) },
                    };
                    if actions.len() < walk.actions.len() {
                        return Some(sensible(walk.casting, &actions));
                    }
                }
                Next::Simpler { at, form } => match walk.actions.get(at) {
                    None => self.next = Next::Cast { form: 0 },
                    Some(action) => match action.simpler().get(form) {
                        None => self.next = Next::Simpler { at: at + 1, form: 0 },
                        Some(simpler) => {
                            let mut actions = walk.actions.clone();
                            actions.get_mut(at).into_iter().for_each(|action| *action = *simpler);
                            self.next = Next::Simpler { at, form: form + 1 };
                            return Some(sensible(walk.casting, &actions));
                        }
                    },
                },
                Next::Cast { form } => {
                    let Casting { answers: [bob, carol], one_time_prekeys } = walk.casting;
                    let forms = [
                        Casting { answers: [false, carol], one_time_prekeys },
                        Casting { answers: [bob, false], one_time_prekeys },
                        Casting { answers: [bob, carol], ..Casting::PLAIN },
                        walk.casting,
                    ];
                    match forms.get(form) {
                        Some(casting) => {
                            self.next = Next::Cast { form: form + 1 };
                            // In its last form, receipts are not looked at either.
                            let receipts = walk.abilities.receipts && form + 1 < forms.len();
                            let abilities = Abilities { receipts, ..walk.abilities };
                            if *casting != walk.casting || abilities != walk.abilities {
                                return Some(Walk::sensible(abilities, *casting, &walk.actions));
                            }
                        }
                        None if self.shortened => {
                            self.shortened = false;
                            self.next = Next::Without { length: 1, at: walk.actions.len().saturating_sub(1) };
                        }
                        None => self.next = Next::Nothing,
                    }
                }
                Next::Nothing => return None,
            }
        }
    }
}

impl ValueTree for WalkTree {
    type Value = Walk;

    fn current(&self) -> Walk {
        self.tried.as_ref().unwrap_or(&self.kept).clone()
    }

    /// What was tried last has failed as well: it is kept, and something shorter is tried.
    fn simplify(&mut self) -> bool {
        if let Some(tried) = self.tried.take() {
            let gone = self.kept.actions.len().saturating_sub(tried.actions.len());
            self.kept = tried;
            self.shortened = true;
            // Positions are those of the shorter walk from now on; a form that was taken is the first of what is left.
            self.next = match self.next {
                Next::Without { length, at } if gone > 0 => {
                    Next::Without { length, at: at.min(self.kept.actions.len().saturating_sub(length)) }
                }
                Next::Simpler { at, .. } => Next::Simpler { at: at.min(self.kept.actions.len()), form: 0 },
                next => next,
            };
        }
        self.tried = self.candidate();
        self.tried.is_some()
    }

    /// What was tried last did not fail: something else is tried.
    fn complicate(&mut self) -> bool {
        if self.tried.take().is_none() {
            return false;
        }
        self.tried = self.candidate();
        self.tried.is_some()
    }
}
