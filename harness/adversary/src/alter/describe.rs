//! Alterations in words, for reports.

use super::{AddedValue, Alteration, KeyChoice, Layer, NamedPrekey, PrekeyKind, WrongPadding};
use countersign_contract::Bytes;

impl Alteration {
    /// What is done wrongly, as the end of the sentence "the reference …".
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Profile(profile) => format!("set up the session as {profile}"),
            Self::KdfInfo(info) => format!("derived the session's keys under the info string {info:?}"),
            Self::KdfSalt(salt) => format!("derived the session's keys with a salt of {}", length(salt)),
            Self::DhTerms(terms) => {
                let terms: Vec<String> = terms.iter().map(|term| format!("DH{term}")).collect();
                format!(
                    "derived the session's keys from {}",
                    if terms.is_empty() { "no agreement".into() } else { terms.join(", ") }
                )
            }
            Self::WithoutDiscontinuity => "left out the 32 bytes before the agreements".into(),
            Self::WithoutKyberSecret => "left the Kyber secret out of the session's keys".into(),
            Self::BaseKey(choice) => format!("used as base key {}", choice.describe()),
            Self::IdentityKey(choice) => format!("spoke under the identity key of {}", choice.describe()),
            Self::NamePrekey(named) => named.describe(),
            Self::Ratchet(choice) => format!("made its last ratchet step with {}", choice.describe()),
            Self::ChainJump(jump) => format!("skipped {jump} messages of its chain"),
            Self::ChainBack(back) => format!("encrypted in its sender chain {back} before the present one"),
            Self::ChainRewind(back) => format!("encrypted under the number and the key of {}", before(*back)),
            Self::WithoutPqKey => "left the post-quantum ratchet's key out of the message's keys".into(),
            Self::CipherPadding(bytes) => format!("ended the plaintext with {} in place of the cipher's padding", length(bytes)),
            Self::WrongCipherPadding(kind) => kind.describe().into(),
            Self::SwapMacIdentities => "computed the MAC with the two identity keys swapped".into(),
            Self::MacSender(bytes) => format!("computed the MAC over another identity key of its own, of {}", length(bytes)),
            Self::SignWith(choice) => format!("signed with {}", choice.describe()),
            Self::SetNumber(set) => format!("wrote {} into {}", set.number, set.field),
            Self::SetBytes(set) => format!("wrote {} into {}", length(&set.bytes), set.field),
            Self::Remove(field) => format!("left out {field}"),
            Self::Flip(flip) => format!("flipped bit {} of {}", flip.bit, flip.field),
            Self::Extend(set) => format!("added {} to {}", length(&set.bytes), set.field),
            Self::Truncate(cut) => format!("cut {} to {} B", cut.field, cut.length),
            Self::Add(added) => {
                let what = match &added.value {
                    AddedValue::Number(number) => format!("the number {number}"),
                    AddedValue::Bytes(bytes) => length(bytes),
                };
                let place = match added.layer {
                    Layer::Outer => "prekey message",
                    Layer::Inner => "message",
                    Layer::Group => "sender-key message",
                    Layer::Distribution => "distribution",
                    Layer::Sealed => "content of the sealed message",
                    Layer::Envelope => "sealed message",
                };
                format!("added {what} to the {place} as field {}", added.tag)
            }
            Self::Edit(edit) => edit.describe(),
        }
    }
}

fn before(messages: u8) -> String {
    if messages == 1 { "the message before".into() } else { format!("the message {messages} before") }
}

fn length(bytes: &Bytes) -> String {
    format!("{} B", bytes.0.len())
}

impl KeyChoice {
    fn describe(&self) -> String {
        match self {
            Self::Fresh => "a fresh key".into(),
            Self::Former => "its key before".into(),
            Self::LowOrder(index) => format!("point {index} of low order"),
            Self::Private(_) => "a stated private key".into(),
        }
    }
}

impl NamedPrekey {
    fn describe(&self) -> String {
        let kind = match self.kind {
            PrekeyKind::OneTime => "one-time prekey",
            PrekeyKind::Signed => "signed prekey",
            PrekeyKind::Kyber => "Kyber prekey",
        };
        match self.id {
            Some(id) => format!("named the {kind} {id}, whatever it had used"),
            None => format!("named no {kind}"),
        }
    }
}

impl WrongPadding {
    const fn describe(self) -> &'static str {
        match self {
            Self::Zero => "padded the cipher with bytes of 0",
            Self::TooLong => "padded the cipher with bytes of 17, one over a block",
            Self::Uneven => "padded the cipher with bytes that do not agree with each other",
        }
    }
}
