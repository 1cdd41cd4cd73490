//! Users come and go, renew their keys, and begin anew.

use super::pair::Bond;
use super::{EXCHANGE, IDENTITY, MOST_HOURS, Message, Model, Place, ROTATED, Told};
use crate::action::{Peer, User};
use countersign_scenarios::Step;
use countersign_scenarios::language::{Bundle, BundleBend, Pair as Two, RotateKeys};

impl Model {
    pub(super) fn go(&mut self, user: User, online: bool) -> Option<Vec<Told>> {
        if user == User::Alice && !online && (self.unseen || self.asked) {
            // Whether she still reads what was just delivered, and answers who asks, would be a matter of chance.
            return None;
        }
        let state = self.online.get_mut(user as usize).filter(|state| **state != online)?;
        *state = online;
        let who = user.name().to_owned();
        let step = if online { Step::Connect(who) } else { Step::Disconnect(who) };
        if online {
            self.deliver_waiting(user);
            // What alice asked for may be sent to her now.
            let resent = |m: &Message| m.place == Place::Delivered && m.to_alice && m.asked_for();
            self.unseen |= self.is_online(User::Alice) && self.messages.values().any(resent);
        }
        Some(vec![Told { step, requirement: EXCHANGE }])
    }

    pub(super) fn rotate(&mut self, user: User, standing: bool, one_time: u8) -> Option<Vec<Told>> {
        if !self.is_online(user) || (!standing && one_time == 0) {
            return None;
        }
        if standing {
            let under_way = |place| matches!(place, Place::Held | Place::Waiting);
            for message in self.messages.values_mut().filter(|m| m.recipient() == user && under_way(m.place)) {
                message.rotations += 1;
            }
        }
        let rotate =
            RotateKeys { user: user.name().to_owned(), signed: standing, kyber: standing, one_time_prekeys: one_time.into() };
        Some(vec![Told { step: Step::RotateKeys(rotate), requirement: ROTATED }])
    }

    pub(super) fn reinstall(&mut self, user: User) -> Option<Vec<Told>> {
        let concerned: Vec<Peer> = Peer::ALL.into_iter().filter(|peer| user.peer().is_none_or(|p| p == *peer)).collect();
        // What is under way to somebody who is gone is nobody's to expect.
        let quiet =
            |peer: &Peer| self.is_fine(*peer) && !self.messages.values().any(|m| m.peer == *peer && m.place != Place::Done);
        let met = concerned.iter().any(|peer| self.pair(*peer).met);
        let looked = user != User::Alice || (!self.unseen && !self.asked && self.nothing.is_empty());
        if !self.is_online(user) || !met || !looked || !concerned.iter().all(quiet) {
            return None;
        }
        for peer in concerned {
            let alice = user == User::Alice;
            let pair = self.pair_mut(peer);
            if pair.met {
                pair.bond = if alice { Bond::AliceNew } else { Bond::PeerNew };
            }
            pair.unsettles();
            let [hers, its] = &mut pair.current;
            *(if alice { hers } else { its }) = 0;
            if alice {
                pair.knows = false;
            } else {
                self.messages.values_mut().filter(|m| m.peer == peer).for_each(|m| m.replayable = false);
            }
        }
        if user == User::Alice {
            self.installation += 1;
            self.anchor = None;
        }
        Some(vec![Told { step: Step::Reinstall(user.name().to_owned()), requirement: EXCHANGE }])
    }

    pub(super) fn accept(&mut self, peer: Peer) -> Option<Vec<Told>> {
        let (user, other) = match self.pair(peer).bond {
            Bond::PeerTold if self.is_online(User::Alice) => (User::Alice, peer.user()),
            Bond::AliceTold => (peer.user(), User::Alice),
            _ => return None,
        };
        self.pair_mut(peer).bond = Bond::Fine;
        let pair = Two { user: user.name().to_owned(), peer: other.name().to_owned() };
        Some(vec![Told { step: Step::AcceptIdentity(pair), requirement: IDENTITY }])
    }

    pub(super) fn no_one_time_prekey(&mut self, user: User) -> Option<Vec<Told>> {
        let armed = self.without_one_time.get_mut(user as usize).filter(|armed| !**armed)?;
        *armed = true;
        let bundle = Bundle { of: user.name().to_owned(), rule: BundleBend::NoOneTimePrekey };
        Some(vec![Told { step: Step::Bundle(bundle), requirement: EXCHANGE }])
    }

    pub(super) fn wait(&mut self, hours: u8) -> Option<Vec<Told>> {
        // What is said of a message must not become too late on its way.
        if self.messages.values().any(|m| m.said && m.place != Place::Done) {
            return None;
        }
        if !self.abilities.clock || hours == 0 || self.hours + u32::from(hours) > MOST_HOURS {
            return None;
        }
        self.hours += u32::from(hours);
        Some(vec![Told { step: Step::Advance(u64::from(hours) * 3600), requirement: EXCHANGE }])
    }
}
