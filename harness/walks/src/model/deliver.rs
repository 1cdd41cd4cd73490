//! Messages arrive, late, twice, or where they do not belong.

use super::pair::{Bond, ROTATIONS_KEPT, SESSIONS_KEPT, TURNS_KEPT};
use super::{BOUND, EXCHANGE, INSTALLED, Message, Model, Nothing, ONCE, Place, REFLECTED, Told, name};
use crate::action::{Fate, Number, Peer, User};
use countersign_scenarios::Step;
use countersign_scenarios::language::{Misdeliver, Replay};

impl Model {
    /// A message is given to its recipient.
    pub(super) fn deliver(&mut self, id: Number) {
        let Some(message) = self.messages.get(&id) else { return };
        let (peer, to_alice, clean, session) = (message.peer, message.to_alice, message.clean(), message.session);
        let late = self.is_too_late(message);
        let pair = self.pair_mut(peer);
        if late {
            // It may be read, or asked for again: then in a new session.
            pair.unsettles();
        }
        if clean {
            pair.follows(to_alice, session);
        }
        if to_alice {
            self.unseen = true;
        } else {
            self.asked |= late || !clean;
        }
        if let Some(message) = self.messages.get_mut(&id) {
            message.place = Place::Delivered;
            message.open |= late;
        }
    }

    /// Whether an honest client may have thrown away what it would need to read a message.
    fn is_too_late(&self, message: &Message) -> bool {
        let pair = self.pair(message.peer);
        pair.sessions.saturating_sub(message.session) > SESSIONS_KEPT
            || pair.turns.saturating_sub(message.turn) > TURNS_KEPT
            || message.rotations > ROTATIONS_KEPT
    }

    /// Everything that waits for a user.
    pub(super) fn deliver_waiting(&mut self, user: User) {
        for id in self.numbers(|m| m.place == Place::Waiting && m.recipient() == user) {
            self.deliver(id);
        }
    }

    pub(super) fn release(&mut self, id: Number) -> Option<Vec<Told>> {
        let message = self.messages.get_mut(&id).filter(|m| m.place == Place::Held)?;
        message.place = Place::Waiting;
        let to = message.recipient();
        if self.is_online(to) {
            self.deliver(id);
        }
        Some(vec![Told { step: Step::Release(name('m', id)), requirement: EXCHANGE }])
    }

    pub(super) fn discard(&mut self, id: Number) -> Option<Vec<Told>> {
        let message = self.messages.get_mut(&id).filter(|m| m.place == Place::Held)?;
        message.place = Place::Done;
        Some(vec![Told { step: Step::Drop(name('m', id)), requirement: EXCHANGE }])
    }

    pub(super) fn again(&mut self, id: Number, of: Number, peer: Peer, anew: bool) -> Option<Vec<Told>> {
        let message = self.messages.get(&of).filter(|m| m.to_alice && m.shown && m.clean() && m.replayable && m.peer == peer)?;
        let installed_since = message.installation < self.installation;
        let requirement = match self.pair(message.peer).bond {
            // Under its own id its sender would take a request for it, and does not know the new alice.
            _ if installed_since && !anew => return None,
            Bond::PeerNew | Bond::PeerTold => return None,
            _ if installed_since => INSTALLED,
            Bond::Fine => ONCE,
            Bond::AliceNew | Bond::AliceTold => return None,
        };
        let replay = Replay { stanza: name('m', of), name: anew.then(|| name('r', id)) };
        let mut told = vec![Told { step: Step::Replay(replay), requirement }];
        if anew {
            self.nothing.push(Nothing { name: name('r', id), requirement });
        } else {
            // That a stanza was processed which has been processed before tells nothing: whoever waits for that needs another one.
            told.extend(self.write(id, false, peer, Fate::Arrives, false)?);
        }
        self.unseen = true;
        Some(told)
    }

    pub(super) fn misdeliver(&mut self, id: Number, of: Number, from: Peer) -> Option<Vec<Told>> {
        let message = self.messages.get(&of)?;
        let known = message.shown && message.clean() && message.replayable;
        // A first message names its sender's identity key, and who has no conversation with the other one has nothing to hold
        // against it.
        if !known
            || (message.to_alice && !message.normal)
            || message.installation != self.installation
            || !self.is_fine(Peer::Bob)
            || !self.is_fine(Peer::Carol)
        {
            return None;
        }
        let requirement = match (message.to_alice, message.peer == from) {
            (true, false) => BOUND,
            (false, true) => REFLECTED,
            _ => return None,
        };
        self.nothing.push(Nothing { name: name('s', id), requirement });
        self.unseen = true;
        let misdeliver = Misdeliver {
            stanza: name('m', of),
            to: User::Alice.name().to_owned(),
            from: from.user().name().to_owned(),
            name: name('s', id),
        };
        Some(vec![Told { step: Step::Misdeliver(misdeliver), requirement }])
    }
}
