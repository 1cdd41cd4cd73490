//! Malformed input under valid MACs, for what no honest peer and no scenario sends.
//!
//! A [`Talk`] is a conversation between a user of the candidate and a peer of ours on the stack that can be told to misbehave. In
//! between honest messages the peer sends [`Input`]s: contents, messages and files that were [edited](countersign_adversary::alter::Edit)
//! before they were encrypted and authenticated, so that they reach the parsers that a network attacker never reaches. After each the
//! client must still be there and answer in time, and after every few an honest message must be shown in either direction.
//!
//! Whether an input is shown is left to the candidate where readers of protobuf differ: an unknown field may be skipped, a number in
//! too many bytes may be refused. If it is shown, then as it was sent: no edit changes what is said. Where nothing is left that could be
//! shown, or the contract says that it is refused, nothing of it may be ([`Input::broken`]).
//!
//! # Settings
//! A conversation is between two users; or in a group of three, for a candidate that claims groups under a profile that asks for them; or
//! its messages do not say to the server who sent them, where sealed sender is claimed and asked for ([`Setting`]).
//!
//! * In a group the peer edits messages under its sender key, which are signed after that, the sender key itself, and the content of the
//!   message between two users that hands it out. After a sender key that was edited it goes on under a new one. The third member is honest:
//!   what the peer does wrongly must not keep its messages from being shown.
//! * In a sealed message the peer edits what is sealed (kind of message, certificate, message, and the fields for a hint and a group), the
//!   sealed message around it, and the message in it with its content. What a **certificate** states is edited before the server signs
//!   it: that takes a server that certifies whatever it is given, which the peer alone does not have. Three things are not tried: a
//!   statement about another user, since by the contract whom the server vouches for is that user; the server's own certificate as the trust
//!   root would sign it wrongly, since only its bytes beside that signature are edited; and sealed messages to the peer, which opens none:
//!   what the candidate's user says in such a conversation is not sealed.
//!
//! # State
//! That a refused input changes nothing shows in the honest messages after it. Where the candidate claims `export`, its stored state is
//! compared as well, but only around inputs that no key can have read ([`Input::unread`]): a Signal message with another ratchet key than it
//! was made under, or with a number further ahead than any receiver goes, a sealed message whose MAC does not fit, a stanza whose body is
//! none. The contract says of these that they are not received, and that two exports between which nothing was received are the same, byte for byte; a retry
//! receipt moves no key. More cannot be compared honestly. An input whose content is wrong was read by the session all the same, which has
//! moved on with right: the key of a message is used up by it, so that nobody plays it back. A first message may use up a one-time prekey and
//! have new ones published. A message under a sender key that comes with its key changes what keys there are. And what a client makes of
//! redundant bytes is left to it, so that nobody knows beforehand whether the state has to move. For all these there is nothing but the
//! honest messages.
//!
//! # Parts
//! * [`draw`]: inputs and conversations from a seed.
//! * [`talk`]: from a conversation to its steps.
//! * [`shrink`]: from a conversation that failed to the one input that does it.
//! * [`search`]: the whole, with the same findings and files as random walks.

pub mod draw;
pub mod search;
pub mod shrink;
pub mod talk;

#[cfg(test)]
mod tests;

use countersign_adversary::Alteration;
use countersign_adversary::alter::Part;
use countersign_scenarios::language::Rewrite;

/// Whatever comes in, the client goes on.
pub(crate) const SURVIVES: &str = "ROB-01";
/// Of what is malformed nothing is shown.
pub(crate) const REFUSED: &str = "ROB-02";
/// What is refused changes nothing.
pub(crate) const UNCHANGED: &str = "SIG-11";

/// A bundle that is not as it has to be is refused as a whole.
pub(crate) const BUNDLE: &str = "PK-07";

const OURS: &str = "mallory";
const THEIRS: &str = "alice";
/// Another member of the group, which does nothing wrongly.
const THIRD: &str = "carol";
const GROUP: &str = "ours";
/// Somebody else, who is honest.
const OTHER: &str = "bob";

/// Something malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is made from.
    pub carries: Carries,
    /// What is done to it, by its sender.
    pub alter: Vec<Alteration>,
    /// What the server writes wrongly, into the stanza that carries it, or into the bundle.
    pub rewrites: Vec<Rewrite>,
    /// Whether nothing of it may be shown. Else it may be shown as it was sent, or refused.
    pub broken: bool,
    /// Whether no key can have read it, so that the stored state is what it was. Of a candidate that cannot export its state, never.
    pub unread: bool,
}

/// What an input is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// A text.
    Text,
    /// A file of so many bytes.
    File(u32),
    /// No message: a bundle that the candidate's user fetches.
    Bundle,
    /// A text to the group.
    ToGroup,
}

/// Who talks in a conversation, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting {
    /// Two users.
    #[default]
    Pair,
    /// A group of three.
    Group,
    /// Two users, the peer without saying to the server who it is.
    Sealed,
}

/// What is malformed. Different code reads different ones of these, so that failures are told apart by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A part of a message.
    Part(Part),
    /// A stanza.
    Stanza,
    /// A bundle.
    Bundle,
}

/// A conversation with inputs in between. The first inputs come before the candidate's user has answered anything, in first messages;
/// after each list of them both say something honest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talk {
    /// Who talks, and how.
    pub setting: Setting,
    /// The inputs between honest messages.
    pub parts: Vec<Vec<Input>>,
    /// Who says something honest after the last of them.
    pub after: After,
}

/// What honest messages come last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// One each way; in a group one of each member.
    #[default]
    Both,
    /// One of the peer.
    Ours,
    /// In a group, one of the third member.
    Third,
    /// None.
    Nothing,
}

impl Input {
    /// Whether it hands out a sender key that is not as it has to be: nothing can be relied on under it.
    pub(crate) fn spoils_sender_key(&self) -> bool {
        self.alter.iter().any(Alteration::of_distribution)
    }
}
