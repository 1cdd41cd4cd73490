//! The length of every ciphertext follows the padding rule, on the wire and after decryption.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::wire;
use countersign_trace::Observation;

pub(super) const MONITOR: Monitor = Monitor { id: "padding", requirements: &["CT-02"], watch };

/// Block of the cipher: PKCS#7 adds a whole one to a plaintext that fills its last one.
const CIPHER_BLOCK: usize = 16;

fn watch(cx: &Context<'_>) -> Said {
    let Some(block) = cx.profile.wire.padding_block.map(|b| b as usize).filter(|b| *b > 0) else {
        return Said::pass("ciphertexts follow the profile's padding rule", "the profile states none");
    };
    let expected = format!("every content is padded to a multiple of {block} bytes before encryption");
    let ciphertext = (block + 1).next_multiple_of(CIPHER_BLOCK);
    let mut count = 0_usize;
    for (frame, message) in cx.seen.messages_in() {
        let prekey = wire::prekey(message.body).filter(|_| message.prekey).map(|p| p.message);
        let Some(inner) = prekey.or_else(|| wire::signal(message.body).filter(|_| !message.prekey)) else { continue };
        count += 1;
        let length = inner.ciphertext.len();
        // Only a block that is itself whole cipher blocks leaves its mark on every multiple.
        let fits = if block.is_multiple_of(CIPHER_BLOCK) {
            length % block == ciphertext % block && length >= ciphertext
        } else {
            length >= ciphertext
        };
        if !fits {
            let observed = format!("a ciphertext of {length} bytes");
            return Said::fail(Finding::BadPadding, expected, observed).evidence([cx.seen.n(frame.at)]);
        }
    }
    for (frame, _, message) in cx.seen.group_messages_in() {
        count += 1;
        let length = message.ciphertext.len();
        if block.is_multiple_of(CIPHER_BLOCK) && (length % block != ciphertext % block || length < ciphertext) {
            let observed = format!("a ciphertext of {length} bytes, to a group");
            return Said::fail(Finding::BadPadding, expected, observed).evidence([cx.seen.n(frame.at)]);
        }
    }
    for (at, _, observation) in &cx.seen.observed {
        let Observation::Shown { padded, from, .. } = observation else { continue };
        let fits = *padded > 0 && padded.is_multiple_of(block as u64);
        if !fits && cx.seen.is_candidate(*from) {
            let observed = format!("a plaintext of {padded} bytes");
            return Said::fail(Finding::BadPadding, expected, observed).evidence([cx.seen.n(*at)]);
        }
    }
    Said::pass(expected, format!("{count} ciphertexts"))
}
