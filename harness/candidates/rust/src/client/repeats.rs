//! What clients show a second time that keep what they have decrypted.

use super::User;
use crate::defect::Defect;
use crate::vault::Opened;
use countersign_contract::portable::MessageType;
use countersign_contract::{Reason, UserId};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Which message of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    /// The latest that set up a session, as long as nothing was sent to the peer.
    First,
    /// The latest inside a session.
    Later,
    /// The latest in a group.
    InGroup,
}

impl Which {
    pub(super) const fn of(kind: MessageType) -> Self {
        match kind {
            MessageType::Prekey => Self::First,
            MessageType::Normal => Self::Later,
        }
    }

    const fn defect(self) -> Defect {
        match self {
            Self::First => Defect::ShowsFirstMessageAgain,
            Self::Later => Defect::ShowsLatestMessageAgain,
            Self::InGroup => Defect::ShowsLatestGroupMessageAgain,
        }
    }
}

/// Plaintexts that such a client keeps in memory, by the digest of the message.
#[derive(Clone, Default)]
pub(super) struct Kept(BTreeMap<(UserId, Which), ([u8; 32], Vec<u8>)>);

impl Kept {
    /// Something was sent to a peer.
    pub(super) fn answered(&mut self, peer: UserId) {
        self.0.remove(&(peer, Which::First));
    }
}

impl User {
    /// What a client that keeps plaintexts makes of the outcome of a decryption.
    pub(super) fn or_kept(
        &self,
        from: UserId,
        which: Which,
        body: &[u8],
        opened: Result<Opened, Reason>,
    ) -> Result<Opened, Reason> {
        if !self.has(which.defect()) {
            return opened;
        }
        let digest: [u8; 32] = Sha256::digest(body).into();
        let mut state = self.state();
        match opened {
            Ok(opened) => {
                state.kept.0.insert((from, which), (digest, opened.plaintext.clone()));
                Ok(opened)
            }
            Err(reason) => match state.kept.0.get(&(from, which)) {
                Some((known, plaintext)) if *known == digest => {
                    Ok(Opened { plaintext: plaintext.clone(), identity_changed: false, replayed: true })
                }
                _ => Err(reason),
            },
        }
    }
}
