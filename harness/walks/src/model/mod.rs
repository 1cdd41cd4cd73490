//! Users, sessions, keys and messages in flight, and what must follow from what happens to them.
//!
//! The model is asked about one action after another. It refuses what does not make sense now, and otherwise says which steps of the
//! scenario language the action is, expectations included. It never expects more than the contract and the requirements say: where a
//! message is so late that an honest client may have thrown its keys away, or where nobody knows in which session a peer goes on, it
//! expects nothing. What its margins are stands with [`pair`].

mod deliver;
mod expect;
mod life;
pub mod pair;
mod say;
mod write;

use crate::abilities::{Abilities, Casting};
use crate::action::{Action, Fate, Number, Peer, User};
use countersign_contract::claims::Suite;
use countersign_scenarios::Step;
use pair::{Bond, Pair};
use std::collections::BTreeMap;

/// Users can exchange texts: what everything else builds on.
pub(crate) const EXCHANGE: &str = "DMA-7(2)(a)";
/// Nothing is shown twice.
pub(crate) const ONCE: &str = "SIG-04";
/// What was changed on the way is refused.
pub(crate) const INTACT: &str = "SIG-02";
/// A message is bound to its two ends.
pub(crate) const BOUND: &str = "SIG-03";
/// What is one's own is not taken for the peer's.
pub(crate) const REFLECTED: &str = "ORD-03";
/// Not even after a new installation is something shown again.
pub(crate) const INSTALLED: &str = "ORD-04";
/// What could not be read is sent again.
pub(crate) const RETRIED: &str = "RETRY-01";
/// A changed identity is told.
pub(crate) const IDENTITY: &str = "SIG-09";
/// What is shown is answered with a receipt.
pub(crate) const RECEIPT: &str = "CT-03";
/// Keys are renewed.
pub(crate) const ROTATED: &str = "PK-05";

/// Reactions are shown.
pub(crate) const REACTED: &str = "CT-08";
/// Edits and deletions are shown.
pub(crate) const CHANGED: &str = "CT-09";

/// Longest that time may be moved in all, in hours: under the 30 days after which sessions, mailboxes and enlistments end.
const MOST_HOURS: u32 = 20 * 24;

/// A step, and the requirement that a failure of it misses.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The step.
    pub step: Step,
    /// The requirement, by id.
    pub requirement: &'static str,
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Held by the network.
    Held,
    /// At the gateway, since its recipient is offline.
    Waiting,
    /// It was given to its recipient, and what came of that has not been looked at.
    Delivered,
    /// Over and done with: shown, or gone.
    Done,
}

/// A message between alice and a peer.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) peer: Peer,
    pub(crate) to_alice: bool,
    pub(crate) fate: Fate,
    pub(crate) place: Place,
    /// The oldest session in which it may be.
    pub(crate) session: u32,
    /// How often the direction had changed when it was written.
    pub(crate) turn: u32,
    /// How often its recipient renewed its prekeys since.
    pub(crate) rotations: u32,
    /// Nothing is expected of it any more.
    pub(crate) open: bool,
    /// Surely no first message of a session.
    pub(crate) normal: bool,
    /// It was shown to its recipient, as it had to be.
    pub(crate) shown: bool,
    /// Under which installation of alice it was written.
    pub(crate) installation: u32,
    /// Whether it may be played back: its sender is still the same.
    pub(crate) replayable: bool,
    /// The first from a peer with a new identity, which has to be told before it is shown.
    pub(crate) announces: bool,
    /// What is missed if it is not shown.
    pub(crate) requirement: &'static str,
    /// A text of its own, and no file.
    pub(crate) is_text: bool,
    /// It says something of another message.
    pub(crate) said: bool,
    /// Its author has taken it back.
    pub(crate) deleted: bool,
    /// How many reactions it was given.
    pub(crate) reactions: u8,
    /// How late it was when it was written, in hours of the walk.
    pub(crate) hours: u32,
}

impl Message {
    pub(crate) const fn recipient(&self) -> User {
        if self.to_alice { User::Alice } else { self.peer.user() }
    }

    /// Whether it arrives as it was made.
    pub(crate) const fn clean(&self) -> bool {
        matches!(self.fate, Fate::Arrives | Fate::Held | Fate::Twice)
    }

    /// Whether its recipient asks for it again.
    pub(crate) const fn asked_for(&self) -> bool {
        matches!(self.fate, Fate::Damaged | Fate::WrongIdentities | Fate::WithoutPqKey)
    }
}

/// Something of which nothing may be shown to alice.
#[derive(Clone, Debug)]
pub(crate) struct Nothing {
    pub(crate) name: String,
    pub(crate) requirement: &'static str,
}

/// The state of a walk.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) abilities: Abilities,
    pub(crate) casting: Casting,
    pub(crate) online: [bool; 3],
    pub(crate) pairs: [Pair; 2],
    pub(crate) messages: BTreeMap<Number, Message>,
    pub(crate) nothing: Vec<Nothing>,
    pub(crate) hours: u32,
    /// How often alice was installed anew.
    pub(crate) installation: u32,
    /// A message that this installation of alice has shown.
    pub(crate) anchor: Option<String>,
    /// Something was delivered to alice since it was last asked what she saw.
    pub(crate) unseen: bool,
    /// A peer may have asked alice to send something again, and nothing was waited for since: it does not matter whether that peer is
    /// still there.
    pub(crate) asked: bool,
    /// Whose next bundle has no one-time prekey.
    pub(crate) without_one_time: [bool; 3],
}

impl Model {
    /// Before anything happens.
    #[must_use]
    pub fn new(abilities: Abilities, casting: Casting) -> Self {
        Self {
            abilities,
            casting,
            online: [true; 3],
            pairs: [Pair::default(), Pair::default()],
            messages: BTreeMap::new(),
            nothing: Vec::new(),
            hours: 0,
            installation: 0,
            anchor: None,
            unseen: false,
            asked: false,
            without_one_time: [false; 3],
        }
    }

    /// Lets an action happen: the steps that it is. `None`, and nothing has happened, if it does not make sense now.
    pub fn apply(&mut self, action: &Action) -> Option<Vec<Told>> {
        match *action {
            Action::Write { id, by_alice, peer, fate, fresh } => self.write(id, by_alice, peer, fate, fresh),
            Action::SendFile { id, by_alice, peer } => self.send_file(id, by_alice, peer),
            Action::Say { id, by_alice, peer, what, of } => self.say(id, by_alice, peer, what, of),
            Action::Release(id) => self.release(id),
            Action::Discard(id) => self.discard(id),
            Action::Again { id, of, peer, anew } => self.again(id, of, peer, anew),
            Action::Misdeliver { id, of, from } => self.misdeliver(id, of, from),
            Action::Go { user, online } => self.go(user, online),
            Action::Rotate { user, standing, one_time } => self.rotate(user, standing, one_time),
            Action::Reinstall(user) => self.reinstall(user),
            Action::Accept(peer) => self.accept(peer),
            Action::Fetch { id, by_alice, peer } => self.fetch(id, by_alice, peer),
            Action::NoOneTimePrekey(user) => self.no_one_time_prekey(user),
            Action::Talk { id, peer, alice_begins, messages } => self.talk(id, peer, alice_begins, messages),
            Action::Lose { id, peer, messages } => self.lose(id, peer, messages),
            Action::Wait { hours } => self.wait(hours),
            Action::Check => {
                // If there is nothing to look at, nothing is waited for either.
                let mut looked = self.clone();
                let told = looked.check()?;
                *self = looked;
                Some(told)
            }
        }
    }

    /// What brings a walk to its end: held messages are thrown away, everybody comes online, and everything is looked at.
    #[must_use]
    pub fn closing(&self) -> Vec<Action> {
        let held = self.messages.iter().filter(|(_, m)| m.place == Place::Held).map(|(id, _)| Action::Discard(*id));
        let back = User::ALL.into_iter().filter(|user| !self.is_online(*user)).map(|user| Action::Go { user, online: true });
        held.chain(back).chain([Action::Check]).collect()
    }

    pub(crate) fn is_online(&self, user: User) -> bool {
        self.online.get(user as usize).copied().unwrap_or_default()
    }

    pub(crate) fn pair(&self, peer: Peer) -> &Pair {
        let [bob, carol] = &self.pairs;
        match peer {
            Peer::Bob => bob,
            Peer::Carol => carol,
        }
    }

    pub(crate) fn pair_mut(&mut self, peer: Peer) -> &mut Pair {
        let [bob, carol] = &mut self.pairs;
        match peer {
            Peer::Bob => bob,
            Peer::Carol => carol,
        }
    }

    pub(crate) const fn answers(&self, peer: Peer) -> bool {
        let [bob, carol] = self.casting.answers;
        match peer {
            Peer::Bob => bob,
            Peer::Carol => carol,
        }
    }

    pub(crate) fn has_pq(&self) -> bool {
        self.abilities.suite == Suite::SignalPq
    }

    /// Whether the two know each other as they are now.
    pub(crate) fn is_fine(&self, peer: Peer) -> bool {
        self.pair(peer).bond == Bond::Fine
    }

    /// Whether something may still be sent again: it will be so in a new session.
    pub(crate) fn is_restless(&self, peer: Peer) -> bool {
        let pending = |m: &Message| (m.open || !m.clean()) && !matches!(m.place, Place::Done | Place::Held);
        self.messages.values().any(|m| m.peer == peer && pending(m))
    }

    /// Numbers that stand for something that alice could be given once more.
    pub(crate) fn numbers(&self, fits: impl Fn(&Message) -> bool) -> Vec<Number> {
        self.messages.iter().filter(|(_, m)| fits(m)).map(|(id, _)| *id).collect()
    }

    /// Messages that the network holds.
    #[must_use]
    pub fn held(&self) -> Vec<Number> {
        self.numbers(|m| m.place == Place::Held)
    }

    /// Messages that were shown.
    #[must_use]
    pub fn shown(&self) -> Vec<Number> {
        self.numbers(|m| m.shown)
    }

    /// Between alice and whom a message went.
    #[must_use]
    pub fn peer_of(&self, id: Number) -> Option<Peer> {
        self.messages.get(&id).map(|message| message.peer)
    }

    /// Who is offline.
    #[must_use]
    pub fn away(&self) -> Vec<User> {
        User::ALL.into_iter().filter(|user| !self.is_online(*user)).collect()
    }

    /// Peers of whom a new identity waits to be accepted, by them or by alice.
    #[must_use]
    pub fn strangers(&self) -> Vec<(Peer, Bond)> {
        Peer::ALL.into_iter().map(|peer| (peer, self.pair(peer).bond)).filter(|(_, bond)| *bond != Bond::Fine).collect()
    }
}

/// The name of a message, and of its like.
pub(crate) fn name(letter: char, id: Number) -> String {
    format!("{letter}{id}")
}

/// The requirements that steps of walks are about.
pub(crate) const REQUIREMENTS: [&str; 12] =
    [EXCHANGE, ONCE, INTACT, BOUND, REFLECTED, INSTALLED, RETRIED, IDENTITY, RECEIPT, ROTATED, REACTED, CHANGED];

/// A requirement of these, by its id.
pub(crate) fn known(id: &str) -> Option<&'static str> {
    REQUIREMENTS.into_iter().find(|known| *known == id)
}
