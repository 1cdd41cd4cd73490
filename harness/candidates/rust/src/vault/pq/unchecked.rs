//! A session from a bundle whose signatures are wrong: for the defects that skip the check, which libsignal does not let one skip.

use super::{Vault, view};
use countersign_contract::Reason;
use libsignal_protocol::{
    AliceSignalProtocolParameters, KeyPair, PreKeyBundle, ProtocolAddress, SessionRecord, initialize_alice_session_record,
};
use prost::Message as _;
use std::time::SystemTime;

impl Vault {
    /// Sets up a session as libsignal's `process_prekey_bundle` does, without looking at a signature. What libsignal would have
    /// noted for the first message is appended to the serialised record: protobuf merges it in.
    pub(super) fn start_unchecked(&mut self, to: &ProtocolAddress, bundle: &PreKeyBundle, now: SystemTime) -> Result<(), Reason> {
        let base = KeyPair::generate(&mut self.rng);
        let malformed = |_| Reason::Malformed;
        let identity = *bundle.identity_key().map_err(malformed)?;
        let signed = bundle.signed_pre_key_public().map_err(malformed)?;
        let kyber = bundle.kyber_pre_key_public().map_err(malformed)?.clone();
        let mut parameters = AliceSignalProtocolParameters::new(self.identities.own, base, identity, signed, signed, kyber);
        if let Some(key) = bundle.pre_key_public().map_err(malformed)? {
            parameters.set_their_one_time_pre_key(key);
        }
        let fresh = initialize_alice_session_record(&parameters, &mut self.rng).map_err(malformed)?;

        let signed_id = u32::from(bundle.signed_pre_key_id().map_err(malformed)?);
        let pending = view::Session {
            pending_pre_key: Some(view::PendingPrekey {
                pre_key_id: bundle.pre_key_id().map_err(malformed)?.map(u32::from),
                base_key: base.public_key.serialize().into_vec(),
                signed_pre_key_id: signed_id.cast_signed(),
                timestamp: now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
            }),
            pending_kyber_pre_key: Some(view::PendingKyberPrekey {
                pre_key_id: bundle.kyber_pre_key_id().map_err(malformed)?.into(),
            }),
            remote_registration_id: bundle.registration_id().map_err(malformed)?,
            local_registration_id: self.identities.registration_id,
            ..view::Session::default()
        };
        let mut bytes = fresh.serialize().map_err(malformed)?;
        bytes.extend(view::Record { current: Some(pending), previous: Vec::new() }.encode_to_vec());
        if let Some(mut old) = self.sessions.0.get(to.name()).cloned() {
            old.archive_current_state().map_err(malformed)?;
            bytes.extend(old.serialize().map_err(malformed)?);
        }
        let record = SessionRecord::deserialize(&bytes).map_err(malformed)?;
        self.sessions.0.insert(to.name().to_owned(), record);
        self.identities.learn(to.name(), &identity);
        Ok(())
    }
}
