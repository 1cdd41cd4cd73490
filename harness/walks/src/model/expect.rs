//! What has to be the case by now.

use super::pair::Bond;
use super::{CHANGED, EXCHANGE, IDENTITY, INTACT, Model, Place, REACTED, RECEIPT, RETRIED, Told, name};
use crate::action::{Number, Peer, User};
use countersign_contract::portable::ReceiptType;
use countersign_contract::seen::NoticeKind;
use countersign_scenarios::Step;
use countersign_scenarios::language::Expect;

/// What becomes of a message that was delivered.
enum Outcome {
    /// It has to be shown.
    Shown,
    /// It has to be shown once it was sent again.
    Recovered,
    /// Nothing of it may be shown.
    Refused,
    /// Nobody can say.
    Open,
    /// That does not show yet.
    Later,
}

impl Model {
    pub(super) fn check(&mut self) -> Option<Vec<Told>> {
        let mut told = Vec::new();
        let alice = self.is_online(User::Alice);
        let mut shown: [Vec<Number>; 3] = Default::default();
        let mut recovered: [Vec<Number>; 3] = Default::default();
        let mut announced = Vec::new();
        let mut answered = None;
        for id in self.numbers(|m| m.place == Place::Delivered) {
            let outcome = self.outcome(id);
            let Some(message) = self.messages.get_mut(&id) else { continue };
            let (peer, to_alice, recipient, session) = (message.peer, message.to_alice, message.recipient(), message.session);
            match outcome {
                Outcome::Later => continue,
                Outcome::Shown => {
                    message.shown = true;
                    if message.announces {
                        announced.push((id, peer));
                    }
                    if to_alice {
                        answered = Some((id, peer));
                    }
                    if let Some(list) = shown.get_mut(recipient as usize) {
                        list.push(id);
                    }
                    self.read(peer, to_alice, session);
                }
                Outcome::Recovered => {
                    if let Some(list) = recovered.get_mut(recipient as usize) {
                        list.push(id);
                    }
                    self.recovered(peer);
                }
                Outcome::Refused => {
                    let refused = Expect::ShowsNothingOf { user: recipient.name().to_owned(), stanza: name('m', id) };
                    told.push(expects(refused, INTACT));
                }
                Outcome::Open => {}
            }
            if let Some(message) = self.messages.get_mut(&id) {
                message.place = Place::Done;
            }
        }
        for (id, peer) in announced {
            told.push(expects(
                Expect::Notice {
                    user: User::Alice.name().to_owned(),
                    notice: NoticeKind::IdentityChanged,
                    about: peer.user().name().to_owned(),
                    group: None,
                    before: Some(name('m', id)),
                },
                IDENTITY,
            ));
        }
        let of = |lists: &[Vec<Number>; 3], user: User, requirement: Option<&'static str>| -> Vec<Number> {
            let list = lists.get(user as usize).map_or(&[][..], Vec::as_slice).iter().copied();
            let about = |id: &Number| self.messages.get(id).map(|m| m.requirement);
            list.filter(|id| requirement.is_none() || about(id) == requirement).collect()
        };
        let mut lists = Vec::new();
        for user in User::ALL {
            for requirement in [EXCHANGE, REACTED, CHANGED] {
                lists.push((user, of(&shown, user, Some(requirement)), requirement));
            }
            lists.push((user, of(&recovered, user, None), RETRIED));
        }
        for (user, list, requirement) in lists {
            if !list.is_empty() {
                let messages: Vec<String> = list.iter().map(|id| name('m', *id)).collect();
                if user == User::Alice {
                    self.anchor = messages.last().cloned();
                }
                let user = user.name().to_owned();
                told.push(expects(Expect::Shows { user, messages, in_order: false }, requirement));
            }
        }
        if let Some((id, peer)) = answered.filter(|(_, peer)| self.abilities.receipts && self.is_online(peer.user())) {
            let user = peer.user().name().to_owned();
            told.push(expects(Expect::Receipt { user, receipt: ReceiptType::Delivered, of: name('m', id) }, RECEIPT));
        }
        if alice {
            for nothing in std::mem::take(&mut self.nothing) {
                let user = User::Alice.name().to_owned();
                told.push(expects(Expect::ShowsNothingOf { user, stanza: nothing.name }, nothing.requirement));
            }
            self.look(&mut told);
            // Whatever is expected, alice first processes all that came to her.
            self.asked &= told.is_empty();
        }
        (!told.is_empty()).then_some(told)
    }

    /// Sees to it that what alice saw was asked for.
    fn look(&mut self, told: &mut Vec<Told>) {
        let looks = |told: &Told| match &told.step {
            Step::Expect(Expect::Shows { user, .. } | Expect::ShowsNothingOf { user, .. } | Expect::Notice { user, .. }) => {
                user == User::Alice.name()
            }
            _ => false,
        };
        if self.unseen && !told.iter().any(looks) {
            let Some(anchor) = self.anchor.clone() else { return };
            let user = User::Alice.name().to_owned();
            // Still once, whatever came meanwhile.
            told.push(expects(Expect::Shows { user, messages: vec![anchor], in_order: false }, super::ONCE));
        }
        self.unseen = false;
    }

    fn outcome(&self, id: Number) -> Outcome {
        let Some(message) = self.messages.get(&id) else { return Outcome::Open };
        let there = self.is_online(message.recipient());
        if !there {
            return Outcome::Later;
        }
        if message.open {
            return Outcome::Open;
        }
        if message.clean() {
            return Outcome::Shown;
        }
        let answers = self.abilities.retries && (!message.to_alice || self.answers(message.peer));
        if message.asked_for() && answers {
            let both = self.is_online(User::Alice) && self.is_online(message.peer.user());
            return if both { Outcome::Recovered } else { Outcome::Later };
        }
        if message.to_alice { Outcome::Refused } else { Outcome::Open }
    }

    /// One side has read what the other wrote in this session, or a later one.
    fn read(&mut self, peer: Peer, by_alice: bool, session: u32) {
        let restless = self.is_restless(peer);
        let pair = self.pair_mut(peer);
        if by_alice {
            pair.knows = true;
        }
        // What was written in an earlier session answers nothing in the one that was begun since.
        if !restless && session == pair.sessions {
            let [hers, its] = &mut pair.read;
            *(if by_alice { hers } else { its }) = true;
            pair.reads(by_alice, 1);
        }
        pair.bond = match (pair.bond, by_alice) {
            (Bond::PeerNew, true) => Bond::PeerTold,
            (Bond::AliceNew, false) => Bond::AliceTold,
            (bond, _) => bond,
        };
    }

    /// A message was sent again, in a session of its own, and read.
    fn recovered(&mut self, peer: Peer) {
        let pair = self.pair_mut(peer);
        pair.unsettles();
        pair.knows = true;
        let session = pair.sessions;
        pair.follows(true, session);
        pair.follows(false, session);
    }
}

const fn expects(expect: Expect, requirement: &'static str) -> Told {
    Told { step: Step::Expect(expect), requirement }
}
