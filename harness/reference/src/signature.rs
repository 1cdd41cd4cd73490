//! Signatures under a user's identity key over what that user said.
//!
//! Of what two users say to each other, neither can prove anything to a third: the authentication code of a message could have been made
//! by either. A signature under the sender's long-term key takes that away. One that is found does so with certainty, since nobody else
//! can make it; that none is found proves nothing, since it may be made over something else, kept, or sent elsewhere.
//!
//! What is looked at is the decrypted content. What stands around it on the wire, in a stanza or in a field of the ciphertext's message that
//! nobody knows, is refused for being there, whatever it is; and the signature of a sender key is made with a key of its group.

use crate::wire::{Value, walk};
use countersign_contract::content::{Content, content::Body, pad, unpad};
use libsignal_protocol::IdentityKey;
use sha2::{Digest as _, Sha256, Sha512};

/// Length of a signature in bytes.
const SIGNATURE_BYTES: usize = 64;
/// As many values of that length are tried for one content: each costs up to [`WAYS`] verifications for each thing that may be signed.
const MOST_VALUES: usize = 8;
/// A thing is signed as it is, or by its SHA-256 or SHA-512.
const WAYS: usize = 3;
/// How many messages inside one another are looked into.
const DEEPEST: usize = 4;

/// A signature under its sender's identity key that stands in a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Numbers of the fields that lead to it, such as `19` or `10.2`.
    pub place: String,
    /// What it was made over, in words.
    pub over: &'static str,
}

/// A value of the right length, and the message around it without its field.
struct Candidate<'a> {
    place: String,
    value: &'a [u8],
    without: Vec<u8>,
}

/// The first signature under this key in a padded content, as far as it is over something obvious: the text, the id and the text, the
/// content without the signature, or that padded; or over a digest of one of them.
pub(crate) fn find(padded: &[u8], content: &Content, key: &IdentityKey) -> Option<Signature> {
    let mut candidates = Vec::new();
    collect(unpad(padded).ok()?, "", DEEPEST, &mut candidates);
    let text = match &content.body {
        Some(Body::Text(text)) => Some(text.text.as_bytes()),
        Some(Body::Reply(reply)) => Some(reply.text.as_bytes()),
        Some(Body::Edit(edit)) => Some(edit.text.as_bytes()),
        _ => None,
    };
    candidates.into_iter().find_map(|Candidate { place, value, without }| {
        let named = text.map(|text| [content.message_id.as_bytes(), text].concat());
        let things = [
            text.map(|text| ("the text", text.to_vec())),
            named.map(|named| ("the message's id and its text", named)),
            Some(("the content without it", without.clone())),
            Some(("the padded content without it", pad(without))),
        ];
        let signed = things.into_iter().flatten().find(|(_, thing)| is_over(key, thing, value));
        signed.map(|(over, _)| Signature { place, over })
    })
}

fn is_over(key: &IdentityKey, thing: &[u8], signature: &[u8]) -> bool {
    let ways: [&[u8]; WAYS] = [thing, &Sha256::digest(thing), &Sha512::digest(thing)];
    ways.iter().any(|way| key.public_key().verify_signature(way, signature))
}

fn collect<'a>(message: &'a [u8], before: &str, depth: usize, found: &mut Vec<Candidate<'a>>) {
    // What is no message has no fields.
    for entry in walk(message).unwrap_or_default() {
        let Value::Bytes(range) = entry.value else { continue };
        let value = message.get(range).unwrap_or_default();
        let place = format!("{before}{}", entry.number);
        if value.len() == SIGNATURE_BYTES {
            if found.len() >= MOST_VALUES {
                return;
            }
            let parts = (message.get(..entry.whole.start), message.get(entry.whole.end..));
            let without = [parts.0.unwrap_or_default(), parts.1.unwrap_or_default()].concat();
            found.push(Candidate { place, value, without });
        } else if value.len() > SIGNATURE_BYTES && depth > 1 {
            collect(value, &format!("{place}."), depth - 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_contract::content::Text;
    use libsignal_protocol::IdentityKeyPair;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha20Rng;

    fn said() -> Content {
        let body = Some(Body::Text(Text { text: "I never said that".into() }));
        Content { message_id: "4d2c7c0e-8f5e-4b77-9e0a-0d3f5b0a7f11".into(), sent_at: 5, group: None, body }
    }

    fn plain() -> Vec<u8> {
        unpad(&said().to_padded()).unwrap().to_vec()
    }

    /// A content with a field 19 of these bytes at its end.
    fn with(value: &[u8]) -> Vec<u8> {
        let mut bytes = plain();
        bytes.extend([0x9a, 0x01, u8::try_from(value.len()).unwrap()]);
        bytes.extend(value);
        pad(bytes)
    }

    #[test]
    fn a_signature_is_found_over_each_thing_and_nothing_else_is_one() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (own, other) = (IdentityKeyPair::generate(&mut rng), IdentityKeyPair::generate(&mut rng));
        let plain = plain();
        let text = b"I never said that".to_vec();
        let named = [said().message_id.as_bytes(), &text].concat();
        let things = [
            (text.clone(), "the text"),
            (Sha256::digest(&text).to_vec(), "the text"),
            (Sha512::digest(&named).to_vec(), "the message's id and its text"),
            (plain.clone(), "the content without it"),
            (pad(plain), "the padded content without it"),
        ];
        for (thing, over) in things {
            let signature = own.private_key().calculate_signature(&thing, &mut rng).unwrap();
            let padded = with(&signature);
            let place = "19".to_owned();
            assert_eq!(find(&padded, &said(), own.identity_key()), Some(Signature { place, over }));
            assert_eq!(find(&padded, &said(), other.identity_key()), None);
        }
        let of_another = own.private_key().calculate_signature(b"something else", &mut rng).unwrap();
        assert_eq!(find(&with(&of_another), &said(), own.identity_key()), None);
        assert_eq!(find(&said().to_padded(), &said(), own.identity_key()), None);
    }

    #[test]
    fn it_is_found_inside_another_message_and_behind_other_values_up_to_a_limit() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let own = IdentityKeyPair::generate(&mut rng);
        let signature = own.private_key().calculate_signature(b"I never said that", &mut rng).unwrap();
        // A message in field 1 whose field 2 is the signature, in field 19 of the content.
        let inside = [&[0x12, 64][..], &signature].concat();
        let padded = with(&[&[0x0a, 66][..], &inside].concat());
        let found = find(&padded, &said(), own.identity_key());
        assert_eq!(found.map(|found| found.place), Some("19.1.2".into()));
        for (before, expected) in [(MOST_VALUES - 1, true), (MOST_VALUES, false)] {
            let mut bytes = plain();
            for value in vec![[7; 64]; before].iter().map(<[u8; 64]>::as_slice).chain([&*signature]) {
                bytes.extend([0x9a, 0x01, 64]);
                bytes.extend(value);
            }
            assert_eq!(find(&pad(bytes), &said(), own.identity_key()).is_some(), expected);
        }
    }
}
