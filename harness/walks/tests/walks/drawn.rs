//! Walks as they are drawn.

use countersign_contract::claims::Suite as Spoken;
use countersign_scenarios::language::{Expect, Network};
use countersign_scenarios::{Step, Suite};
use countersign_walks::action::{Action, Fate, Peer};
use countersign_walks::search::Found;
use countersign_walks::strategy::{STEPS, runner};
use countersign_walks::{Abilities, Casting, Cause, Walk, Walks, write};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

fn walks(suite: Spoken) -> Walks {
    Walks { abilities: Abilities::all(suite), steps: STEPS }
}

fn drawn(suite: Spoken, seed: u8, number: u64) -> Walk {
    walks(suite).new_tree(&mut runner(&[seed; 32], number)).unwrap().current()
}

fn found(walk: &Walk) -> Found {
    Found {
        mode: countersign_walks::Mode::Walks,
        cause: Cause { requirement: "ORD-01".to_owned(), finding: "not-shown".to_owned() },
        observed: String::new(),
        walks: 1,
        first: 0,
        drawn_steps: 0,
        executions: 0,
        kept: None,
        scenario: walk.scenario("walks/x").unwrap(),
    }
}

#[test]
fn every_walk_is_a_valid_file_and_reads_back_as_what_it_was() {
    let suite = Suite::builtin().unwrap();
    let requirements: Vec<_> = suite.requirements.values().cloned().collect();
    for (spoken, profile) in [(Spoken::SignalPq, "dma-basic"), (Spoken::SignalClassic, "dma-classic")] {
        let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&walks(spoken), |walk| {
            let files = write::suite(&[found(&walk)], &suite.profiles[profile], &requirements, "1").unwrap();
            let read = Suite::from_files(&files).unwrap();
            assert_eq!(*read.scenarios["walks/x"].scenario, walk.scenario("walks/x").unwrap());
            assert_eq!(read.instances(&read.profiles[profile]).len(), 1);
            Ok(())
        });
        outcome.unwrap_or_else(|fault| panic!("{fault}"));
    }
}

#[test]
fn every_walk_makes_sense_to_the_model_again_when_anything_is_taken_out_of_it() {
    let suite = Suite::builtin().unwrap();
    let requirements: Vec<_> = suite.requirements.values().cloned().collect();
    for number in 0..200 {
        let mut tree = walks(Spoken::SignalPq).new_tree(&mut runner(&[1; 32], number)).unwrap();
        let mut more = tree.simplify();
        for turn in 0.. {
            if !more {
                break;
            }
            let walk = tree.current();
            assert_eq!(Walk::sensible(walk.abilities, walk.casting, &walk.actions), walk);
            if number % 10 == 0 && turn % 25 == 0 && !walk.steps().told.is_empty() {
                let files = write::suite(&[found(&walk)], &suite.profiles["dma-basic"], &requirements, "1");
                files.unwrap_or_else(|fault| panic!("{fault}"));
            }
            // Some of them fail, others do not.
            more = if (turn * 7 + number) % 3 == 0 { tree.simplify() } else { tree.complicate() };
            assert!(turn < 5_000, "no end");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_walks_and_another_one_others() {
    for number in [0, 1, 99] {
        assert_eq!(drawn(Spoken::SignalPq, 1, number), drawn(Spoken::SignalPq, 1, number));
        assert_ne!(drawn(Spoken::SignalPq, 1, number), drawn(Spoken::SignalPq, 2, number));
        assert_ne!(drawn(Spoken::SignalPq, 1, number), drawn(Spoken::SignalPq, 1, number + 1));
    }
}

#[test]
fn everything_that_can_happen_does_and_most_of_it_is_looked_at() {
    let (mut actions, mut expectations) = (BTreeMap::new(), BTreeMap::new());
    let (mut written, mut looked_at) = (0, BTreeSet::new());
    for number in 0..500 {
        let walk = drawn(Spoken::SignalPq, 1, number);
        for action in &walk.actions {
            let word = serde_json::to_string(action).unwrap();
            let word = word.trim_matches(['{', '"']).split('"').next().unwrap().to_owned();
            *actions.entry(word).or_insert(0) += 1;
            if let Action::Write { fate, .. } = action {
                *actions.entry(format!("{fate:?}")).or_insert(0) += 1;
                written += u32::from(!matches!(fate, Fate::Lost));
            }
            if let Action::Say { what, .. } = action {
                *actions.entry(format!("{what:?}")).or_insert(0) += 1;
            }
        }
        for told in walk.steps().told {
            let Step::Expect(expect) = told.step else { continue };
            *expectations.entry(told.requirement).or_insert(0) += 1;
            match expect {
                Expect::Shows { messages, .. } => looked_at.extend(messages.into_iter().map(|name| (number, name))),
                Expect::ShowsNothingOf { stanza, .. } => {
                    looked_at.insert((number, stanza));
                }
                _ => {}
            }
        }
    }
    assert_eq!(actions.len(), 17 + 8 + 3, "{actions:#?}");
    assert!(actions.values().all(|count| *count >= 20), "{actions:#?}");
    assert_eq!(expectations.len(), 11, "{expectations:#?}");
    assert!(expectations.values().all(|count| *count >= 20), "{expectations:#?}");
    // What is thrown away, and what is so late that nobody can say, is the rest.
    assert!(looked_at.len() as u32 * 10 > written * 7, "{} of {written}", looked_at.len());
}

/// A damaged message, and how far asking for it has come.
struct Damaged<'w> {
    peer: &'w str,
    to_alice: bool,
    /// It was delivered, and its recipient asks for it.
    asked: bool,
    /// Its author is asked, and answers.
    answered: bool,
    /// Alice may have something to do about it that nobody has waited for.
    moving: bool,
}

impl Damaged<'_> {
    /// Whoever is online gets what is there for them.
    fn moves(&mut self, online: &BTreeMap<&str, bool>) {
        let (alice, peer) = (online["alice"], online[self.peer]);
        for _ in 0..2 {
            match (self.to_alice, self.asked, self.answered) {
                (true, false, _) if alice => (self.asked, self.moving) = (true, true),
                (true, true, false) if peer => self.answered = true,
                (true, true, true) if alice => self.moving = true,
                (false, false, _) if peer => self.asked = true,
                (false, true, false) if alice => (self.answered, self.moving) = (true, true),
                _ => {}
            }
        }
    }
}

/// Steps at which alice goes offline although it is a matter of chance whether she has answered, or read, what was asked for.
fn leaves_to_chance(walk: &Walk) -> Vec<usize> {
    let mut online = BTreeMap::from([("alice", true), ("bob", true), ("carol", true)]);
    let (mut damaged, mut left): (Vec<Damaged<'_>>, Vec<usize>) = (Vec::new(), Vec::new());
    let told = walk.steps().told;
    for (at, told) in told.iter().enumerate() {
        match &told.step {
            Step::Send(send) if matches!(send.network, Some(Network::Tamper(_))) => {
                let to_alice = send.to == "alice";
                let peer = if to_alice { send.from.as_str() } else { send.to.as_str() };
                damaged.push(Damaged { peer, to_alice, asked: false, answered: false, moving: false });
            }
            Step::Connect(user) => _ = online.insert(user, true),
            Step::Disconnect(user) => {
                _ = online.insert(user, false);
                left.extend((user == "alice" && damaged.iter().any(|d| d.moving)).then_some(at));
            }
            // Whoever is online processes what came before anything is expected.
            Step::Expect(_) | Step::Exchange(_) if online["alice"] => {
                damaged.retain(|d| !d.answered);
                damaged.iter_mut().for_each(|d| d.moving = false);
            }
            _ => {}
        }
        damaged.iter_mut().for_each(|d| d.moves(&online));
    }
    left
}

#[test]
fn whether_a_candidate_answers_before_it_goes_offline_is_never_left_to_chance() {
    for spoken in [Spoken::SignalPq, Spoken::SignalClassic] {
        let left = (0..3_000).map(|number| (number, leaves_to_chance(&drawn(spoken, 3, number))));
        let left: Vec<_> = left.filter(|(_, steps)| !steps.is_empty()).collect();
        assert!(left.is_empty(), "{spoken:?}: {} walks: {left:?}", left.len());
    }
}

/// Whoever gets a first message under another name meets somebody with another identity key: nothing is wrong with that.
#[test]
fn what_was_written_in_an_earlier_session_makes_no_message_of_a_later_one_an_ordinary_one() {
    let write = |id, by_alice, fresh| Action::Write { id, by_alice, peer: Peer::Bob, fate: Fate::Arrives, fresh };
    let carols = Action::Write { id: 3, by_alice: false, peer: Peer::Carol, fate: Fate::Arrives, fresh: false };
    let as_carols = Action::Misdeliver { id: 9, of: 5, from: Peer::Carol };
    let makes_sense = |actions: &[Action]| {
        Walk::sensible(Abilities::all(Spoken::SignalPq), Casting::PLAIN, actions).actions.contains(&as_carols)
    };
    // Alice writes before she has read anything of the session that bob begins anew.
    let crossed = [write(1, false, false), write(2, true, false), carols, write(4, false, true), Action::Check];
    let last = [write(5, false, false), Action::Check, as_carols];
    assert!(!makes_sense(&[&crossed[..], &last].concat()));
    // And then in that session.
    let answered = [write(6, true, false), Action::Check];
    assert!(makes_sense(&[&crossed[..], &answered, &last].concat()));
}
