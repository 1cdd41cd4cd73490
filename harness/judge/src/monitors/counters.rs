//! No message key is used for two messages, and no base key for two sessions.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::wire;
use std::collections::BTreeMap;

pub(super) const MONITOR: Monitor = Monitor { id: "counters", requirements: &["PCS-01", "DMA-7(3)"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "every message has a ratchet counter of its own, and every session a base key of its own";
    let mut counters: BTreeMap<(Vec<u8>, u32), (usize, Vec<u8>)> = BTreeMap::new();
    let mut bases = BTreeMap::new();
    for (frame, message) in cx.seen.messages_in() {
        let prekey = wire::prekey(message.body).filter(|_| message.prekey);
        let signal = match &prekey {
            Some(prekey) => Some(prekey.message.clone()),
            None => wire::signal(message.body).filter(|_| !message.prekey),
        };
        if let Some(prekey) = prekey {
            // Until the first answer comes, every message of a session repeats how it was set up.
            let set_up = (message.to, prekey.kyber_ciphertext.to_vec(), prekey.prekey_id);
            let (before, known) = bases.entry(prekey.base_key.to_vec()).or_insert_with(|| (frame.at, set_up.clone()));
            if *known != set_up {
                let observed = "one base key in two sessions";
                return Said::fail(Finding::BaseKeyReused, expected, observed)
                    .evidence([cx.seen.n(*before), cx.seen.n(frame.at)]);
            }
        }
        let Some(signal) = signal else { continue };
        let key = (signal.ratchet_key.to_vec(), signal.counter);
        let (before, ciphertext) = counters.entry(key).or_insert_with(|| (frame.at, signal.ciphertext.to_vec()));
        // The same bytes once more, after an error of the gateway, give nothing away.
        if *ciphertext != signal.ciphertext {
            let observed = format!("counter {} of one ratchet key on two different ciphertexts", signal.counter);
            return Said::fail(Finding::CounterReused, expected, observed).evidence([cx.seen.n(*before), cx.seen.n(frame.at)]);
        }
    }
    Said::pass(expected, format!("{} counters, {} base keys", counters.len(), bases.len()))
}
