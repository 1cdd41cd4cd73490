//! Clients that make do with weaker keys than those a message should have been made with.

use super::super::classic;
use super::forged::{MAC_BYTES, has_mac_of_swapped, hmac, seed};
use super::{Vault, run, view};
use crate::defect::Defect;
use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut as _, KeyIvInit as _};
use countersign_contract::portable::MessageType;
use countersign_contract::{Reason, UserId};
use hkdf::Hkdf;
use libsignal_protocol::{
    GenericSignedPreKey as _, PreKeySignalMessage, PreKeyStore as _, SignalMessage, SignedPreKeyStore as _,
};
use prost::Message as _;
use sha2::Sha256;

impl Vault {
    /// The plaintext of a message that is to be refused for `reason`, by the defects that look for a weaker way to read it.
    pub(super) fn open_weakly(&mut self, from: UserId, kind: MessageType, body: &[u8], reason: Reason) -> Option<Vec<u8>> {
        match (kind, reason) {
            (MessageType::Prekey, Reason::UnknownPrekey) if self.defects.has(Defect::IgnoresUnknownOneTimePrekey) => {
                self.open_with_one_time_prekey(from, body, None)
            }
            (MessageType::Prekey, Reason::BadMac) if self.defects.has(Defect::TriesWithoutOneTimePrekey) => {
                self.open_with_one_time_prekey(from, body, None)
            }
            (MessageType::Prekey, Reason::UnknownPrekey) if self.defects.has(Defect::TriesEveryOneTimePrekey) => {
                let ids: Vec<u32> = self.one_time.keys.keys().copied().collect();
                ids.into_iter().find_map(|id| self.open_with_one_time_prekey(from, body, Some(id)))
            }
            (MessageType::Prekey, Reason::UnknownPrekey) if self.defects.has(Defect::TakesBaseKeyTwice) => {
                let sessions = self.sessions.clone();
                self.sessions.0.remove(&from.to_string());
                let message = PreKeySignalMessage::try_from(body).ok();
                let plain = message.and_then(|message| self.decrypt_prekey(from, &message).ok());
                self.sessions = sessions;
                plain
            }
            (MessageType::Prekey, Reason::BadVersion) if self.defects.has(Defect::AcceptsOlderAgreement) => {
                self.open_older(from, body)
            }
            (MessageType::Normal, Reason::BadMac) if self.defects.has(Defect::TriesWithoutPqKey) => {
                self.open_without_pq_key(from, body)
            }
            (MessageType::Normal, Reason::BadMac) if self.defects.has(Defect::TakesIdentitiesEitherWay) => {
                let record = view::Record::of(self.sessions.0.get(&from.to_string())?)?;
                record.sessions().find(|session| has_mac_of_swapped(session, body))?;
                self.open_despite_mac(from, kind, body)
            }
            _ => None,
        }
    }

    /// Reads a first message that names a one-time prekey as if it named another, or none.
    fn open_with_one_time_prekey(&mut self, from: UserId, body: &[u8], id: Option<u32>) -> Option<Vec<u8>> {
        let (version, fields) = body.split_first()?;
        let mut outer = view::PrekeyMessage::decode(fields).ok()?;
        outer.pre_key_id.take()?;
        outer.pre_key_id = id;
        let other = [&[*version][..], &outer.encode_to_vec()].concat();
        self.decrypt_prekey(from, &PreKeySignalMessage::try_from(other.as_slice()).ok()?).ok()
    }

    fn open_older(&self, from: UserId, body: &[u8]) -> Option<Vec<u8>> {
        let outer = view::PrekeyMessage::decode(body.get(1..)?).ok()?;
        let signed = run(self.signed.get_signed_pre_key(outer.signed_pre_key_id?.into())).ok()?.key_pair().ok()?;
        let one_time = match outer.pre_key_id {
            Some(id) => Some(run(self.one_time.get_pre_key(id.into())).ok()?.key_pair().ok()?),
            None => None,
        };
        classic::read_alone(&self.identities.own, signed, one_time, (from, self.user), body)
    }

    fn open_without_pq_key(&self, from: UserId, body: &[u8]) -> Option<Vec<u8>> {
        let message = SignalMessage::try_from(body).ok()?;
        let inner = view::NormalMessage::decode(body.get(1..body.len().checked_sub(MAC_BYTES)?)?).ok()?;
        let (covered, stated) = body.split_last_chunk::<MAC_BYTES>()?;
        let record = view::Record::of(self.sessions.0.get(&from.to_string())?)?;
        record.sessions().find_map(|session| {
            let mut keys = [0; 80];
            Hkdf::<Sha256>::new(None, &seed(&session, &message)?).expand(b"WhisperMessageKeys", &mut keys).ok()?;
            let mac = hmac(keys.get(32..64)?, &[&session.remote_identity, &session.local_identity, covered])?;
            (mac.get(..MAC_BYTES)? == stated).then_some(())?;
            let cipher = cbc::Decryptor::<Aes256>::new_from_slices(keys.get(..32)?, keys.get(64..)?).ok()?;
            cipher.decrypt_padded_vec_mut::<Pkcs7>(inner.ciphertext.as_deref()?).ok()
        })
    }
}
