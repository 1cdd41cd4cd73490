//! X3DH (<https://signal.org/docs/specifications/x3dh/>) and PQXDH (<https://signal.org/docs/specifications/pqxdh/>), and the
//! first step of the ratchet.

use super::{Pending, ReceiverChain, SenderChain, Session};
use crate::alter::{Agreement, Alteration, PrekeyKind};
use crate::bundle::Bundle;
use crate::chain::ReceivingChain;
use crate::curve::{KeyPair, PublicKey};
use crate::kdf::{ChainKey, hkdf, root_step, split};
use crate::kem::encapsulate;
use crate::keys::{Keys, Used};
use crate::profile::WireProfile;
use crate::refusal::Refusal;
use crate::secret::{Secret32, SecretBytes};
use crate::session::{FURTHEST_AHEAD, MOST_SKIPPED};
use crate::wire::PrekeyMessage;
use countersign_contract::{Bytes, Reason};
use rand::{CryptoRng, Rng};
use std::collections::VecDeque;

/// What stands before the agreements, so that the input is never a valid key of another curve.
const DISCONTINUITY: [u8; 32] = [0xff; 32];
const INFO_V3: &[u8] = b"WhisperText";
const INFO_V4: &[u8] = b"WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024";

/// The keys that an agreement gives.
struct Agreed {
    root: Secret32,
    chain: ChainKey,
    spqr: [u8; 32],
}

fn derive(profile: WireProfile, terms: &[[u8; 32]], kyber: Option<[u8; 32]>, bend: &Agreement<'_>) -> Agreed {
    let order = bend.terms.unwrap_or(&[1, 2, 3, 4]);
    let mut input = Vec::with_capacity(32 * 6);
    if !bend.without_discontinuity {
        input.extend_from_slice(&DISCONTINUITY);
    }
    for term in order {
        input.extend_from_slice(terms.get(usize::from(*term).wrapping_sub(1)).map_or(&[][..], |term| &term[..]));
    }
    if !bend.without_kyber {
        input.extend(kyber.iter().flatten());
    }
    let info = if profile.has_kyber() { INFO_V4 } else { INFO_V3 };
    let info = bend.info.map_or(info, str::as_bytes);
    // The third key comes out of HKDF after the others, so that asking for it does not change them.
    let bytes: [u8; 96] = hkdf(bend.salt.map(AsRef::as_ref), &input, info);
    let ([root, chain, spqr], _) = split(&bytes);
    Agreed { root: Secret32(root), chain: ChainKey::new(chain), spqr }
}

fn spqr_state(profile: WireProfile, key: &[u8; 32], direction: spqr::Direction) -> Result<SecretBytes, Refusal> {
    if !profile.has_spqr() {
        return Ok(SecretBytes::default());
    }
    let state = spqr::initial_state(spqr::Params {
        auth_key: key,
        version: spqr::Version::V1,
        // A peer without the post-quantum ratchet is spoken to without it.
        min_version: spqr::Version::V0,
        direction,
        chain_params: spqr::ChainParams { max_jump: FURTHEST_AHEAD, max_ooo_keys: MOST_SKIPPED as u32 },
    });
    state.map(SecretBytes::new).map_err(|error| Refusal::new(Reason::Internal, error))
}

/// A session as its initiator has it.
///
/// # Errors
/// `bad-key`, `bad-signature`; `unsupported` if the bundle lacks what the profile needs, or an alteration cannot be made.
pub(crate) fn initiate<R: Rng + CryptoRng>(
    own: &Keys,
    profile: WireProfile,
    bundle: &Bundle,
    alterations: &[Alteration],
    former: Option<&Session>,
    rng: &mut R,
) -> Result<Session, Refusal> {
    let bend = Agreement::of(alterations)?;
    let profile = bend.profile.unwrap_or(profile);
    let checked = bundle.check(profile)?;
    let identity = match bend.identity {
        Some(choice) => choice.pair(&[], rng)?,
        None => own.identity,
    };
    let base = match bend.base_key {
        Some(choice) => choice.pair(&former.into_iter().filter_map(|session| session.base).collect::<Vec<_>>(), rng)?,
        None => KeyPair::generate(rng),
    };
    let mut terms = vec![identity.agree(&checked.signed), base.agree(&checked.identity), base.agree(&checked.signed)];
    terms.extend(checked.one_time.map(|key| base.agree(&key)));
    let (mut kyber, mut kyber_secret) = (None, None);
    if let Some(key) = checked.kyber {
        let (ciphertext, secret) = encapsulate(&key.key.0, "Kyber prekey", rng)?;
        (kyber, kyber_secret) = (Some(Bytes(ciphertext)), Some(secret));
    }
    let mut pending = Pending {
        registration_id: own.registration_id,
        one_time: bundle.one_time_prekey.as_ref().map(|key| key.id),
        signed: Some(bundle.signed_prekey.id),
        kyber_id: checked.kyber.map(|key| key.id),
        kyber,
    };
    for named in &bend.named {
        let id = match named.kind {
            PrekeyKind::OneTime => &mut pending.one_time,
            PrekeyKind::Signed => &mut pending.signed,
            PrekeyKind::Kyber => &mut pending.kyber_id,
        };
        *id = named.id;
    }
    let agreed = derive(profile, &terms, kyber_secret, &bend);
    let ratchet = KeyPair::generate(rng);
    let (root, chain) = root_step(&agreed.root, &ratchet.agree(&checked.signed));
    let receiver = ReceiverChain { ratchet_key: checked.signed, chain: ReceivingChain::new(agreed.chain) };
    Ok(Session {
        profile,
        local_identity: identity.public,
        remote_identity: checked.identity,
        base_key: base.public,
        base: Some(base),
        remote_registration_id: bundle.registration_id,
        root,
        root_before_sending: Some(agreed.root),
        sender: SenderChain { ratchet, chain },
        previous_counter: 0,
        receivers: VecDeque::from([receiver]),
        pending: Some(pending),
        spqr: spqr_state(profile, &agreed.spqr, spqr::Direction::A2B)?,
        former: VecDeque::new(),
        last: Vec::new(),
    })
}

/// A session as its responder has it, and which prekeys made it.
///
/// # Errors
/// `unknown-prekey`; `bad-key` for a base key or a Kyber ciphertext that must not be used; `malformed` without a Kyber ciphertext
/// where the profile needs one.
pub(crate) fn respond(own: &Keys, profile: WireProfile, message: &PrekeyMessage<'_>) -> Result<(Session, Used), Refusal> {
    let signed = own.signed(message.signed_prekey_id)?;
    let kyber = match (profile.has_kyber(), message.kyber) {
        (false, _) => None,
        (true, Some((id, ciphertext))) => Some((id, own.kyber(id)?, ciphertext)),
        (true, None) => return Err(Refusal::new(Reason::Malformed, "no Kyber ciphertext")),
    };
    let one_time = message.prekey_id.map(|id| own.one_time(id)).transpose()?;
    let base = &message.base_key;
    if !base.is_canonical() {
        return Err(Refusal::new(Reason::BadKey, "base key: not in the group of the curve, or not written canonically"));
    }
    let mut terms = vec![signed.agree(&message.identity_key), own.identity.agree(base), signed.agree(base)];
    terms.extend(one_time.map(|pair| pair.agree(base)));
    let kyber_secret = kyber.map(|(_, pair, ciphertext)| pair.decapsulate(ciphertext)).transpose()?;
    let agreed = derive(profile, &terms, kyber_secret, &Agreement::default());
    let session = Session {
        profile,
        local_identity: own.identity.public,
        remote_identity: message.identity_key,
        base_key: *base,
        base: None,
        remote_registration_id: message.registration_id,
        root: agreed.root,
        root_before_sending: None,
        sender: SenderChain { ratchet: *signed, chain: agreed.chain },
        previous_counter: 0,
        receivers: VecDeque::new(),
        pending: None,
        spqr: spqr_state(profile, &agreed.spqr, spqr::Direction::B2A)?,
        former: VecDeque::new(),
        last: Vec::new(),
    };
    let used =
        Used { one_time: message.prekey_id, signed: message.signed_prekey_id, kyber: kyber.map(|(id, ..)| id), base_key: *base };
    Ok((session, used))
}

/// A bundle whose keys may be used, and whose signatures verify.
pub(crate) struct CheckedBundle<'a> {
    pub(crate) identity: PublicKey,
    pub(crate) signed: PublicKey,
    pub(crate) one_time: Option<PublicKey>,
    pub(crate) kyber: Option<&'a countersign_contract::portable::SignedKey>,
}
