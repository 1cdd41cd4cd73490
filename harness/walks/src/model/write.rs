//! Messages are made.

use super::pair::Bond;
use super::{EXCHANGE, Message, Model, Place, Told, name};
use crate::action::{Fate, Number, Peer, User};
use countersign_adversary::Alteration;
use countersign_scenarios::Step;
use countersign_scenarios::language::{ContentSpec, Exchange, FetchKeys, Many, Network, Send};

/// What is left of a message that is cut: less than a whole one of any kind.
const CUT: u32 = 30;

impl Model {
    pub(super) fn write(&mut self, id: Number, by_alice: bool, peer: Peer, fate: Fate, fresh: bool) -> Option<Vec<Told>> {
        let (from, to) = if by_alice { (User::Alice, peer.user()) } else { (peer.user(), User::Alice) };
        let pair = self.pair(peer);
        if !self.is_online(from) || !pair.has_room(1) || (by_alice && fresh) {
            return None;
        }
        let altered = matches!(fate, Fate::WrongIdentities | Fate::WithoutPqKey);
        if altered && (by_alice || peer != Peer::Carol || (fate == Fate::WithoutPqKey && !self.has_pq())) {
            return None;
        }
        if fate == Fate::WithoutPqKey && (fresh || !pair.is_settled() || !pair.has_pq_keys()) {
            return None;
        }
        let plain = matches!(fate, Fate::Arrives | Fate::Twice) && !fresh;
        let announces = match pair.bond {
            Bond::Fine => false,
            Bond::PeerNew | Bond::PeerTold if !by_alice && plain => pair.bond == Bond::PeerNew && pair.knows,
            Bond::AliceNew | Bond::AliceTold if by_alice && plain => false,
            _ => return None,
        };
        let installation = self.installation;
        let pair = self.pair_mut(peer);
        if fresh {
            pair.begins(by_alice);
        }
        let session = pair.writes(by_alice, 1);
        let (turn, normal) = (pair.turns, pair.is_settled());
        if fresh || !normal {
            self.fetched(to);
        }
        let message = Message {
            peer,
            to_alice: !by_alice,
            fate,
            place: match fate {
                Fate::Held => Place::Held,
                Fate::Lost => Place::Done,
                _ => Place::Waiting,
            },
            session,
            turn,
            rotations: 0,
            open: false,
            normal,
            shown: false,
            installation,
            replayable: true,
            announces,
            requirement: EXCHANGE,
            is_text: true,
            said: false,
            deleted: false,
            reactions: 0,
            hours: self.hours,
        };
        if message.asked_for() {
            // It may be sent again in a new session at any time from now on.
            self.pair_mut(peer).unsettles();
        }
        let waiting = message.place == Place::Waiting;
        self.messages.insert(id, message);
        if waiting && self.is_online(to) {
            self.deliver(id);
        }
        let send = Send {
            network: match fate {
                Fate::Arrives | Fate::WrongIdentities | Fate::WithoutPqKey => None,
                Fate::Held => Some(Network::Hold),
                Fate::Lost => Some(Network::Drop),
                Fate::Twice => Some(Network::Deliver(2)),
                Fate::Damaged => Some(Network::Tamper("mac".to_owned())),
                Fate::Cut => Some(Network::Cut(CUT)),
            },
            fresh_session: fresh,
            alter: match fate {
                Fate::WrongIdentities => vec![Alteration::SwapMacIdentities],
                Fate::WithoutPqKey => vec![Alteration::WithoutPqKey],
                _ => Vec::new(),
            },
            ..Send::plain(from.name(), to.name(), name('m', id), ContentSpec::Text(format!("text {id}")))
        };
        Some(vec![Told { step: Step::Send(send), requirement: EXCHANGE }])
    }

    pub(super) fn talk(&mut self, id: Number, peer: Peer, alice_begins: bool, messages: u8) -> Option<Vec<Told>> {
        let both = self.is_online(User::Alice) && self.is_online(peer.user());
        if !both || !self.is_fine(peer) || !(2..=8).contains(&messages) || !self.pair(peer).has_room(messages.into()) {
            return None;
        }
        // What is still to be sent again will be so in a new session.
        let restless = self.is_restless(peer);
        let pair = self.pair_mut(peer);
        let session = pair.writes(alice_begins, messages.into());
        pair.turns += u32::from(messages) - 1;
        pair.last = Some(alice_begins == (messages % 2 == 1));
        pair.follows(true, session);
        pair.follows(false, session);
        pair.read = [!restless; 2];
        if !restless {
            pair.reads(alice_begins == messages.is_multiple_of(2), messages.into());
        }
        pair.knows = true;
        self.fetched(if alice_begins { peer.user() } else { User::Alice });
        // The last of them that goes to alice; an exchange ends with a look at what she saw.
        let last = if alice_begins == messages.is_multiple_of(2) { messages } else { messages - 1 };
        let name = format!("t{id}x");
        self.anchor = Some(format!("{name}{last}"));
        self.unseen = false;
        self.asked = false;
        let mut between = [User::Alice.name().to_owned(), peer.user().name().to_owned()];
        if !alice_begins {
            between.reverse();
        }
        let exchange = Exchange { between, messages: messages.into(), name };
        Some(vec![Told { step: Step::Exchange(exchange), requirement: EXCHANGE }])
    }

    pub(super) fn lose(&mut self, id: Number, peer: Peer, messages: u8) -> Option<Vec<Told>> {
        let count = u32::from(messages);
        if !self.is_online(peer.user()) || !self.is_fine(peer) || messages == 0 || !self.pair(peer).has_room(count) {
            return None;
        }
        self.pair_mut(peer).writes(false, count);
        let many = Many {
            from: peer.user().name().to_owned(),
            to: User::Alice.name().to_owned(),
            messages: count,
            name: format!("l{id}x"),
            network: Some(Network::Drop),
            fresh_session: false,
        };
        Some(vec![Told { step: Step::Many(many), requirement: EXCHANGE }])
    }

    pub(super) fn fetch(&mut self, id: Number, by_alice: bool, peer: Peer) -> Option<Vec<Told>> {
        let (user, of) = if by_alice { (User::Alice, peer.user()) } else { (peer.user(), User::Alice) };
        if !self.is_online(user) || !self.is_fine(peer) {
            return None;
        }
        self.pair_mut(peer).begins(by_alice);
        self.fetched(of);
        let fetch = FetchKeys { user: user.name().to_owned(), of: of.name().to_owned(), name: name('f', id), alter: Vec::new() };
        Some(vec![Told { step: Step::FetchKeys(fetch), requirement: EXCHANGE }])
    }

    /// A bundle of this user may have been handed out.
    fn fetched(&mut self, user: User) {
        if let Some(armed) = self.without_one_time.get_mut(user as usize) {
            *armed = false;
        }
    }
}
