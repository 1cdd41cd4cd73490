//! A conversation of two, as far as it decides which messages have to be readable.
//!
//! Sessions are counted as they are begun: by a first message, by a bundle that is fetched on purpose, and by each message that is sent
//! again. In which of them a side goes on is known up to the oldest that it may be. The contract lets an earlier session stay readable
//! and official code keeps 40; the model counts on [`SESSIONS_KEPT`]. Official code keeps five chains of a session; the model counts
//! on the three that a direction that changed [`TURNS_KEPT`] times can have begun at most. A prekey that was renewed stays usable; the
//! model counts on that over one renewal. No conversation becomes so long that the post-quantum ratchet would forget an epoch.

/// How many sessions back a message may lie and still has to be readable.
pub const SESSIONS_KEPT: u32 = 2;
/// How many changes of direction back a message may lie and still has to be readable.
pub const TURNS_KEPT: u32 = 5;
/// How often a recipient may renew its prekeys while a message to it is under way.
pub const ROTATIONS_KEPT: u32 = 1;
/// Most messages of a conversation.
pub const MOST_MESSAGES: u32 = 60;

/// Whether the two know each other as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bond {
    /// They do, or have never met.
    #[default]
    Fine,
    /// The peer was installed anew, and alice has not read anything from it since.
    PeerNew,
    /// The peer was installed anew, and alice has read something; she has not accepted its key.
    PeerTold,
    /// Alice was installed anew, and the peer has not read anything from her since.
    AliceNew,
    /// Alice was installed anew, and the peer has read something; it has not accepted her key.
    AliceTold,
}

/// A conversation of alice and a peer.
#[derive(Clone, Debug, Default)]
pub struct Pair {
    /// See [`Bond`].
    pub bond: Bond,
    /// Whether anything passed between them, or was meant to.
    pub met: bool,
    /// Whether alice surely knows the peer's present identity key.
    pub knows: bool,
    /// Sessions that were begun, or may have been.
    pub sessions: u32,
    /// The oldest session in which each side may go on, alice first; 0 if it has none.
    pub current: [u32; 2],
    /// How often the direction changed.
    pub turns: u32,
    /// Who wrote last: whether it was alice.
    pub last: Option<bool>,
    /// Who has read something of the other since a session was last begun, alice first. When both have, no message sets one up.
    pub read: [bool; 2],
    /// How often the side that reads has changed since a session was last begun: see [`Self::has_pq_keys`].
    pub rounds: u32,
    /// Who read last: whether it was alice.
    pub reader: Option<bool>,
    /// Messages so far.
    pub messages: u32,
}

impl Pair {
    /// A side begins a session.
    pub fn begins(&mut self, alice: bool) {
        self.sessions += 1;
        self.met = true;
        self.rounds = 0;
        self.read = [false; 2];
        if alice {
            self.knows = true;
        }
        let sessions = self.sessions;
        *self.side(alice) = sessions;
    }

    /// A side has read something in a session, and may go on in it.
    pub fn follows(&mut self, alice: bool, session: u32) {
        *self.side(alice) = session;
    }

    /// A side writes so many messages in a row: the session in which they are, at the oldest.
    pub fn writes(&mut self, alice: bool, messages: u32) -> u32 {
        if *self.side(alice) == 0 {
            self.begins(alice);
        }
        if self.last.replace(alice).is_some_and(|last| last != alice) {
            self.turns += 1;
        }
        self.met = true;
        self.messages += messages;
        *self.side(alice)
    }

    /// A session may be begun at any time from now on, or may have been.
    pub fn unsettles(&mut self) {
        self.sessions += 1;
        self.rounds = 0;
        self.read = [false; 2];
    }

    /// Whether surely no message sets up a session.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.read == [true; 2]
    }

    /// A side reads messages, so many times in turn with the other.
    pub fn reads(&mut self, alice: bool, turns: u32) {
        self.rounds += turns - u32::from(self.reader == Some(alice));
        self.reader = Some(alice);
    }

    /// Whether the post-quantum ratchet surely gives keys in whichever session is used. The first messages of a session have none, so
    /// that nothing can be left out of them; and where two sessions cross, each of them needs its own round.
    #[must_use]
    pub const fn has_pq_keys(&self) -> bool {
        self.rounds >= 5
    }

    fn side(&mut self, alice: bool) -> &mut u32 {
        let [hers, its] = &mut self.current;
        if alice { hers } else { its }
    }

    /// Whether so many more messages are not too many.
    #[must_use]
    pub const fn has_room(&self, messages: u32) -> bool {
        self.messages + messages <= MOST_MESSAGES
    }
}
