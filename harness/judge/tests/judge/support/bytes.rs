//! Keys and messages of the right form, without any cryptography.

use super::{prekey, signed, user};
use countersign_contract::Bytes;
use countersign_contract::portable::{Enlist, KeyBundle};
use countersign_trace::Digest;

/// Bytes that look random, for a label.
pub(crate) fn noise(label: &str, length: usize) -> Vec<u8> {
    (0..length.div_ceil(32)).flat_map(|i| Digest::of(format!("{label} {i}").as_bytes()).0).take(length).collect()
}

pub(crate) fn ec(label: &str) -> Vec<u8> {
    [vec![5], noise(label, 32)].concat()
}

pub(crate) fn kyber(label: &str) -> Vec<u8> {
    [vec![8], noise(label, 1568)].concat()
}

pub(crate) fn enlist(name: &str) -> Enlist {
    Enlist {
        user: user(name),
        registration_id: 1,
        identity_key: Bytes(ec(&format!("{name} identity"))),
        signed_prekey: signed(1, ec(&format!("{name} signed"))),
        kyber_prekey: Some(signed(1, kyber(&format!("{name} kyber")))),
        one_time_prekeys: (1..=2).map(|i| prekey(i, ec(&format!("{name} one-time {i}")))).collect(),
        one_time_kyber_prekeys: (2..=3).map(|i| signed(i, kyber(&format!("{name} one-time kyber {i}")))).collect(),
    }
}

/// A bundle with the i-th one-time prekeys.
pub(crate) fn bundle(name: &str, i: usize) -> KeyBundle {
    let keys = enlist(name);
    KeyBundle {
        user: keys.user,
        registration_id: 1,
        identity_key: keys.identity_key,
        signed_prekey: keys.signed_prekey,
        one_time_prekey: keys.one_time_prekeys.get(i).cloned(),
        kyber_prekey: keys.one_time_kyber_prekeys.get(i).cloned().or(keys.kyber_prekey),
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    varint(out, number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_number(out: &mut Vec<u8>, number: u64, value: u64) {
    varint(out, number << 3);
    varint(out, value);
}

/// A `SignalMessage`; an epoch of `None` leaves the post-quantum part out.
pub(crate) fn signal(ratchet: &str, counter: u32, ciphertext: &[u8], epoch: Option<u64>) -> Vec<u8> {
    let mut out = vec![0x44];
    put(&mut out, 1, &ec(ratchet));
    put_number(&mut out, 2, counter.into());
    put_number(&mut out, 3, 0);
    put(&mut out, 4, ciphertext);
    if let Some(epoch) = epoch {
        let mut pq = vec![1];
        varint(&mut pq, epoch);
        pq.extend([1, 0]);
        put(&mut out, 5, &pq);
    }
    out.extend([0; 8]);
    out
}

/// A `PreKeySignalMessage`.
pub(crate) fn first(from: &str, base: &str, prekey_id: Option<u32>, message: &[u8]) -> Vec<u8> {
    let mut out = vec![0x44];
    if let Some(id) = prekey_id {
        put_number(&mut out, 1, id.into());
    }
    put(&mut out, 2, &ec(base));
    put(&mut out, 3, &enlist(from).identity_key.0);
    put(&mut out, 4, message);
    put_number(&mut out, 5, 1);
    put_number(&mut out, 6, 1);
    put_number(&mut out, 7, 1);
    put(&mut out, 8, &kyber(base));
    out
}
