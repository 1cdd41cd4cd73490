//! What reference users keep of their conversations, and whom they block.

use crate::Instance;
use crate::script::Action;
use countersign_contract::conversation::{Side, has_receipt};
use countersign_contract::operations::Block;
use countersign_contract::portable::BlockList;
use countersign_contract::seen::UserContent;
use countersign_contract::{Call, Reason, StanzaId, UserId};
use countersign_scenarios::language::Pair;

impl Instance {
    /// A reference user sent this. Whether it might is not asked: that is for the receiver to check, and what we test.
    pub(crate) fn note_sent(&mut self, name: &str, to: UserId, message: StanzaId, content: &UserContent) {
        let now_ms = self.now_ms;
        if let Some(member) = self.members.get_mut(name) {
            member.talks.entry(to).or_default().take(Side::Own, message, content, now_ms);
        }
    }

    /// A reference user is about to be shown this: why not, if it must not be; else whether it is answered with a receipt.
    pub(crate) fn examine(&mut self, name: &str, from: UserId, message: StanzaId, content: &UserContent) -> Result<bool, Reason> {
        let now_ms = self.now_ms;
        let Some(member) = self.members.get_mut(name) else { return Err(Reason::Internal) };
        let talk = member.talks.entry(from).or_default();
        talk.permits(Side::Peer, content, now_ms)?;
        talk.take(Side::Peer, message, content, now_ms);
        Ok(has_receipt(content))
    }

    /// Whether a reference user has blocked somebody.
    pub(crate) fn has_blocked(&self, name: &str, peer: UserId) -> bool {
        self.members.get(name).is_some_and(|member| member.blocked.contains(&peer))
    }

    /// A user blocks a peer, or ends that.
    pub(crate) fn block(&mut self, pair: &Pair, blocked: bool) {
        let (Some(user), Some(peer)) = (self.user(&pair.user), self.user(&pair.peer)) else { return self.skip("a user") };
        let Some(member) = self.members.get_mut(&pair.user) else { return };
        if member.is_candidate() {
            let instance = self.plan.instance;
            return self.actions.push_back(Action::Call(Call::Block(Block { instance, user, peer, blocked })));
        }
        if blocked {
            member.blocked.insert(peer);
        } else {
            member.blocked.remove(&peer);
        }
        let list = BlockList { users: member.blocked.iter().copied().collect() };
        let body = serde_json::to_vec(&list).unwrap_or_default();
        if self.reference_asks(user, "PUT", "/blocks", body).is_none() {
            self.skip(format!("the block list of {}", pair.user));
        }
    }
}
