//! Draws what happens next.

use crate::abilities::{Abilities, Casting};
use crate::action::{Action, Fate, Number, Peer, Saying, User};
use crate::model::Model;
use crate::model::pair::Bond;
use proptest::prelude::{Rng, RngExt as _};

/// How often something is drawn that does not make sense before a walk ends early. It never does in practice.
const MOST_VAIN: u32 = 1000;

/// Everything that can happen, with how often it is drawn.
#[derive(Clone, Copy)]
enum Kind {
    Write,
    SendFile,
    Say,
    Check,
    Held,
    Again,
    Misdeliver,
    Go,
    Rotate,
    Reinstall,
    Accept,
    Fetch,
    NoOneTimePrekey,
    Talk,
    Lose,
    Wait,
}

const WEIGHTS: [(Kind, u32); 16] = [
    (Kind::Write, 36),
    (Kind::SendFile, 3),
    (Kind::Say, 8),
    (Kind::Check, 20),
    (Kind::Held, 10),
    (Kind::Again, 6),
    (Kind::Misdeliver, 5),
    (Kind::Go, 11),
    (Kind::Rotate, 5),
    (Kind::Reinstall, 3),
    (Kind::Accept, 6),
    (Kind::Fetch, 3),
    (Kind::NoOneTimePrekey, 2),
    (Kind::Talk, 4),
    (Kind::Lose, 2),
    (Kind::Wait, 2),
];

const FATES: [(Fate, u32); 8] = [
    (Fate::Arrives, 50),
    (Fate::Held, 20),
    (Fate::Lost, 6),
    (Fate::Twice, 6),
    (Fate::Damaged, 10),
    (Fate::Cut, 2),
    (Fate::WrongIdentities, 3),
    (Fate::WithoutPqKey, 15),
];

/// One of several, by weight.
pub(crate) fn pick<T: Copy>(rng: &mut impl Rng, choices: &[(T, u32)]) -> Option<T> {
    let total: u32 = choices.iter().map(|(_, weight)| weight).sum();
    let mut left = rng.random_range(0..total.max(1));
    choices.iter().find_map(|(choice, weight)| match left.checked_sub(*weight) {
        Some(rest) => {
            left = rest;
            None
        }
        None => Some(*choice),
    })
}

pub(crate) fn one<T: Copy>(rng: &mut impl Rng, of: &[T]) -> Option<T> {
    (!of.is_empty()).then(|| of.get(rng.random_range(0..of.len())).copied()).flatten()
}

/// How the cast is set up.
pub(crate) fn casting(rng: &mut impl Rng) -> Casting {
    let answers = [rng.random_bool(0.6), rng.random_bool(0.5)];
    let one_time_prekeys = pick(rng, &[(2, 6), (1, 2), (0, 1), (4, 1)]).unwrap_or(2);
    Casting { answers, one_time_prekeys }
}

/// What happens in a walk of about so many steps, its end not included.
pub(crate) fn actions(rng: &mut impl Rng, abilities: Abilities, casting: Casting, steps: usize) -> Vec<Action> {
    let mut model = Model::new(abilities, casting);
    let (mut actions, mut made, mut next, mut vain) = (Vec::new(), 0, 1, 0);
    // Some walks stay with one peer: what takes many steps with one is rare where they are shared out.
    let peers = pick(rng, &[([3, 2], 5), ([1, 0], 4), ([0, 1], 1)]).unwrap_or([1, 1]);
    while made < steps && vain < MOST_VAIN {
        let drawn = action(rng, &model, next, peers);
        match drawn.and_then(|action| Some((action, model.apply(&action)?))) {
            Some((action, told)) => {
                made += told.len();
                next += Number::from(action.number().is_some());
                actions.push(action);
                vain = 0;
            }
            None => vain += 1,
        }
    }
    actions
}

fn action(rng: &mut impl Rng, model: &Model, id: Number, [bob, carol]: [u32; 2]) -> Option<Action> {
    let peer = pick(rng, &[(Peer::Bob, bob), (Peer::Carol, carol)])?;
    let user = pick(rng, &[(User::Alice, 3), (peer.user(), 2)])?;
    Some(match pick(rng, &WEIGHTS)? {
        Kind::Write => {
            let (by_alice, fate) = (rng.random_bool(0.45), pick(rng, &FATES)?);
            // Only carol can be told to misbehave.
            let misbehaves = matches!(fate, Fate::WrongIdentities | Fate::WithoutPqKey) && carol > 0;
            let (by_alice, peer) = if misbehaves { (false, Peer::Carol) } else { (by_alice, peer) };
            Action::Write { id, by_alice, peer, fate, fresh: !by_alice && rng.random_bool(0.1) }
        }
        Kind::SendFile => Action::SendFile { id, by_alice: rng.random_bool(0.45), peer },
        Kind::Say => {
            let (of, peer, to_alice) = one(rng, &model.spoken_of())?;
            let what = pick(rng, &[(Saying::Reaction, 4), (Saying::Edit, 2), (Saying::Delete, 1)])?;
            // Reactions come from whom the message came to, all else from its author.
            let by_alice = to_alice == matches!(what, Saying::Reaction);
            Action::Say { id, by_alice, peer, what, of }
        }
        Kind::Check => Action::Check,
        Kind::Held => {
            let of = one(rng, &model.held())?;
            if rng.random_bool(0.85) { Action::Release(of) } else { Action::Discard(of) }
        }
        Kind::Again => {
            let of = one(rng, &model.shown())?;
            Action::Again { id, of, peer: model.peer_of(of)?, anew: rng.random_bool(0.6) }
        }
        Kind::Misdeliver => {
            let of = one(rng, &model.shown())?;
            Action::Misdeliver { id, of, from: if rng.random_bool(0.5) { peer } else { peer.other() } }
        }
        Kind::Go => match one(rng, &model.away()) {
            // Nobody stays away for long: little happens meanwhile.
            Some(away) if rng.random_bool(0.75) => Action::Go { user: away, online: true },
            _ => Action::Go { user, online: false },
        },
        Kind::Rotate => {
            let standing = rng.random_bool(0.8);
            let one_time = if standing { pick(rng, &[(0, 3), (2, 1)])? } else { 2 };
            Action::Rotate { user, standing, one_time }
        }
        Kind::Reinstall => Action::Reinstall(user),
        Kind::Accept => {
            let accepting = |(peer, bond): &(Peer, Bond)| matches!(bond, Bond::PeerTold | Bond::AliceTold).then_some(*peer);
            Action::Accept(one(rng, &model.strangers().iter().filter_map(accepting).collect::<Vec<_>>())?)
        }
        Kind::Fetch => Action::Fetch { id, by_alice: rng.random_bool(0.6), peer },
        Kind::NoOneTimePrekey => Action::NoOneTimePrekey(user),
        Kind::Talk => {
            let messages = pick(rng, &[(2, 4), (3, 2), (4, 2), (6, 1)])?;
            Action::Talk { id, peer, alice_begins: rng.random_bool(0.5), messages }
        }
        Kind::Lose => Action::Lose { id, peer, messages: pick(rng, &[(1, 2), (3, 2), (8, 1)])? },
        Kind::Wait => Action::Wait { hours: pick(rng, &[(1, 2), (24, 2), (100, 1), (200, 2)])? },
    })
}
