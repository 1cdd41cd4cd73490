//! What can happen in a walk.

use serde::Serialize;

/// Who takes part: one user of the candidate and two of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum User {
    /// The candidate's.
    Alice,
    /// A reference user.
    Bob,
    /// A reference user on the stack that can be told to misbehave.
    Carol,
}

/// A reference user, as the one at the other end of a conversation with [`User::Alice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Peer {
    /// See [`User::Bob`].
    Bob,
    /// See [`User::Carol`].
    Carol,
}

impl User {
    /// Everybody.
    pub const ALL: [Self; 3] = [Self::Alice, Self::Bob, Self::Carol];

    /// The name in the cast.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
            Self::Carol => "carol",
        }
    }

    /// As the other end of a conversation, if it is one of ours.
    #[must_use]
    pub const fn peer(self) -> Option<Peer> {
        match self {
            Self::Alice => None,
            Self::Bob => Some(Peer::Bob),
            Self::Carol => Some(Peer::Carol),
        }
    }
}

impl Peer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Bob, Self::Carol];

    /// As a member of the cast.
    #[must_use]
    pub const fn user(self) -> User {
        match self {
            Self::Bob => User::Bob,
            Self::Carol => User::Carol,
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Bob => Self::Carol,
            Self::Carol => Self::Bob,
        }
    }
}

/// Number of a message or another thing that has a name, counted over the walk as it was drawn. It stays when actions before it are
/// taken out.
pub type Number = u16;

/// What becomes of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Fate {
    /// It arrives.
    Arrives,
    /// The network keeps it until it is released or thrown away.
    Held,
    /// The network loses it.
    Lost,
    /// The network delivers it twice under one id.
    Twice,
    /// The network changes its authentication code.
    Damaged,
    /// The network delivers its first bytes only.
    Cut,
    /// Its sender, on our own stack, computes the authentication code over the two identities in the wrong order.
    WrongIdentities,
    /// Its sender, on our own stack, leaves the post-quantum ratchet's key out of the message's keys. In suites that have it, and
    /// in sessions in which both have spoken.
    WithoutPqKey,
}

/// What is said of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Saying {
    /// A reaction, by whom it came to.
    Reaction,
    /// Another text, by its author.
    Edit,
    /// It is taken back by its author.
    Delete,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// A message between alice and a peer.
    Write {
        /// Its number.
        id: Number,
        /// Whether alice writes it.
        by_alice: bool,
        /// The other end.
        peer: Peer,
        /// What becomes of it.
        fate: Fate,
        /// In a session of its own. Reference users only.
        fresh: bool,
    },
    /// A small file between alice and a peer.
    SendFile {
        /// Its number.
        id: Number,
        /// Whether alice sends it.
        by_alice: bool,
        /// The other end.
        peer: Peer,
    },
    /// Something is said of a message.
    Say {
        /// Its number.
        id: Number,
        /// Whether alice says it.
        by_alice: bool,
        /// The other end.
        peer: Peer,
        /// What.
        what: Saying,
        /// Of which message.
        of: Number,
    },
    /// Lets a held message go.
    Release(Number),
    /// Throws a held message away.
    Discard(Number),
    /// Delivers a message to alice once more.
    Again {
        /// Number of the copy, or of the message that follows it.
        id: Number,
        /// Which message.
        of: Number,
        /// Who wrote it.
        peer: Peer,
        /// Under an id of its own. Otherwise its sender writes another message behind it.
        anew: bool,
    },
    /// Delivers a message to alice as if it came from this peer: one of the other peer, or her own.
    Misdeliver {
        /// Number of the copy.
        id: Number,
        /// Which message.
        of: Number,
        /// As if from whom.
        from: Peer,
    },
    /// Somebody comes online, or goes offline.
    Go {
        /// Who.
        user: User,
        /// Where to.
        online: bool,
    },
    /// Somebody makes new keys.
    Rotate {
        /// Who.
        user: User,
        /// New signed and last-resort prekeys.
        standing: bool,
        /// This many further one-time prekeys.
        one_time: u8,
    },
    /// Somebody loses everything and enlists anew.
    Reinstall(User),
    /// After one of a pair was installed anew: the other accepts the new identity key.
    Accept(Peer),
    /// A bundle is fetched and a session set up from it, without sending.
    Fetch {
        /// Its number.
        id: Number,
        /// Whether alice fetches the peer's, or the peer hers.
        by_alice: bool,
        /// The other end.
        peer: Peer,
    },
    /// The next bundle of a user that is handed out has no one-time prekey.
    NoOneTimePrekey(User),
    /// Both write in turn.
    Talk {
        /// Its number.
        id: Number,
        /// The other end.
        peer: Peer,
        /// Whether alice begins.
        alice_begins: bool,
        /// How many messages in all.
        messages: u8,
    },
    /// A peer writes several messages to alice, and the network loses them all.
    Lose {
        /// Their number.
        id: Number,
        /// Who writes.
        peer: Peer,
        /// How many.
        messages: u8,
    },
    /// Time passes.
    Wait {
        /// Hours.
        hours: u8,
    },
    /// Whatever has to be the case by now is looked at.
    Check,
}

impl Action {
    /// The number that it gives out, if it names something.
    #[must_use]
    pub const fn number(&self) -> Option<Number> {
        match self {
            Self::Write { id, .. }
            | Self::SendFile { id, .. }
            | Self::Say { id, .. }
            | Self::Again { id, .. }
            | Self::Misdeliver { id, .. }
            | Self::Fetch { id, .. }
            | Self::Talk { id, .. }
            | Self::Lose { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The same action made simpler, most simple first. What is left of a failure should hold nothing that it does not need.
    #[must_use]
    pub fn simpler(&self) -> Vec<Self> {
        match *self {
            Self::Write { id, by_alice, peer, fate, fresh } => {
                let mut out = Vec::new();
                if fate != Fate::Arrives {
                    out.push(Self::Write { id, by_alice, peer, fate: Fate::Arrives, fresh });
                }
                if !matches!(fate, Fate::Arrives | Fate::Damaged | Fate::Held) {
                    out.push(Self::Write { id, by_alice, peer, fate: Fate::Damaged, fresh });
                }
                if fresh {
                    out.push(Self::Write { id, by_alice, peer, fate, fresh: false });
                }
                out
            }
            Self::SendFile { id, by_alice, peer } | Self::Say { id, by_alice, peer, .. } => {
                vec![Self::Write { id, by_alice, peer, fate: Fate::Arrives, fresh: false }]
            }
            Self::Again { id, peer, anew: false, .. } => {
                vec![Self::Write { id, by_alice: false, peer, fate: Fate::Arrives, fresh: false }]
            }
            Self::Rotate { user, standing, one_time } => {
                let mut out = Vec::new();
                if one_time > 0 && standing {
                    out.push(Self::Rotate { user, standing, one_time: 0 });
                    out.push(Self::Rotate { user, standing: false, one_time });
                }
                out
            }
            Self::Talk { id, peer, alice_begins, messages } => {
                let one = |by_alice| Self::Write { id, by_alice, peer, fate: Fate::Arrives, fresh: false };
                let mut out = vec![one(alice_begins), one(!alice_begins)];
                out.extend((1..messages).rev().filter(|n| *n >= 2).map(|n| Self::Talk { id, peer, alice_begins, messages: n }));
                out.sort_by_key(|action| if let Self::Talk { messages, .. } = action { *messages } else { 0 });
                out
            }
            Self::Lose { id, peer, messages } => (1..messages).map(|n| Self::Lose { id, peer, messages: n }).collect(),
            Self::Wait { hours } => [1, 24, 48].into_iter().filter(|n| *n < hours).map(|hours| Self::Wait { hours }).collect(),
            _ => Vec::new(),
        }
    }

    /// The same action with other numbers.
    #[must_use]
    pub fn renumbered(&self, number: impl Fn(Number) -> Number) -> Self {
        let mut action = *self;
        match &mut action {
            Self::Write { id, .. }
            | Self::SendFile { id, .. }
            | Self::Fetch { id, .. }
            | Self::Talk { id, .. }
            | Self::Lose { id, .. } => *id = number(*id),
            Self::Release(of) | Self::Discard(of) => *of = number(*of),
            Self::Say { id, of, .. } | Self::Again { id, of, .. } | Self::Misdeliver { id, of, .. } => {
                (*id, *of) = (number(*id), number(*of))
            }
            _ => {}
        }
        action
    }
}
