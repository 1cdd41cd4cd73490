//! Long conversations with loss, through several epochs of the post-quantum ratchet.

use crate::library::Library;
use crate::twins::draws;
use countersign_adversary::{Config, Party, WireProfile};
use countersign_contract::portable::MessageType;
use rand::Rng as _;
use std::io::Write as _;

/// How many conversations of this kind there are in a run.
const CONVERSATIONS: u64 = 200;
/// How many epochs each of them goes through. One takes about a hundred messages.
const EPOCHS: u64 = 3;
/// Of this many messages one is lost.
const LOSS: u32 = 10;
/// No conversation takes more messages than this.
const MOST_MESSAGES: u32 = 1_500;

/// The epoch that a message of the post-quantum ratchet belongs to: it stands after the version, as a varint. The message comes with
/// the last field of the plain message, and is found there by what the two stacks agree upon: here, by reading the protobuf.
fn epoch(body: &[u8]) -> Option<u64> {
    let mut rest = &body[1..body.len() - 8];
    while let Some((key, tail)) = rest.split_first() {
        rest = tail;
        if key & 7 == 0 {
            let end = rest.iter().position(|byte| byte & 0x80 == 0)?;
            rest = &rest[end + 1..];
            continue;
        }
        let (length, tail) = varint(rest)?;
        let (value, tail) = tail.split_at(usize::try_from(length).ok()?);
        if key >> 3 == 5 {
            return varint(&value[1..]).map(|(epoch, _)| epoch);
        }
        rest = tail;
    }
    None
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    let number = bytes[..=end].iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f));
    Some((number, &bytes[end + 1..]))
}

#[test]
fn three_epochs_with_loss() {
    let ours = Party::import(
        Config::new(WireProfile::V4Spqr),
        &Library::new(WireProfile::V4Spqr, &mut draws(8)).export(),
        &mut draws(9),
    );
    let ours = ours.unwrap();
    let theirs = Library::new(WireProfile::V4Spqr, &mut draws(10));
    let (mut crossed, mut messages, mut lost, mut late) = (0_u64, 0_u64, 0_u64, 0_u64);
    for conversation in 0..CONVERSATIONS {
        let (mut ours, mut theirs, mut rng) = (ours.clone(), theirs.clone(), draws(1_000_000 + conversation));
        // Each stack begins half of them.
        if conversation % 2 == 0 {
            ours.process_bundle("theirs", &theirs.bundle(None), &[], &mut rng).unwrap();
        } else {
            theirs.process_bundle("ours", &ours.bundle(None, None), &mut rng).unwrap();
        }
        let (mut highest, mut held) = (0, Vec::<(bool, MessageType, Vec<u8>)>::new());
        for turn in 0..MOST_MESSAGES {
            // Alternating at first, so that there are two to speak; then in random directions.
            let from_ours = if turn < 4 { (turn % 2 == 0) == (conversation % 2 == 0) } else { rng.random() };
            let (kind, body) = if from_ours {
                ours.encrypt("theirs", &turn.to_be_bytes(), &[], &mut rng).unwrap()
            } else {
                theirs.encrypt("ours", &turn.to_be_bytes(), &mut rng).unwrap()
            };
            messages += 1;
            if kind == MessageType::Normal {
                highest = highest.max(epoch(&body).expect("the post-quantum ratchet runs"));
            }
            let mut arriving = Vec::new();
            if turn >= 4 && rng.random_range(0..LOSS) == 0 {
                lost += 1;
            } else if turn >= 4 && rng.random_range(0..LOSS) == 0 {
                held.push((from_ours, kind, body));
            } else {
                arriving.push((from_ours, kind, body));
                if held.len() > 2 {
                    arriving.append(&mut held);
                }
            }
            for (place, (from_ours, kind, body)) in arriving.into_iter().enumerate() {
                let read = if from_ours {
                    theirs.decrypt("ours", kind, &body, &mut rng)
                } else {
                    ours.decrypt("theirs", kind, &body, &mut rng).map(|opened| opened.plaintext).map_err(|refusal| refusal.reason)
                };
                late += u64::from(place > 0);
                // One that was held back may lie in a chain that is dropped by now; one that arrives at once never does.
                assert!(read.is_ok() || place > 0, "{read:?} in conversation {conversation}, turn {turn}");
            }
            if rng.random_range(0..50) == 0 {
                ours = Party::restore(&ours.save().unwrap()).unwrap();
                theirs.restart();
            }
            // Epochs count from 1.
            if highest > EPOCHS {
                crossed += 1;
                break;
            }
        }
    }
    let counts =
        format!("epochs: {crossed} conversations crossed {EPOCHS} epochs; {messages} messages, {lost} lost, {late} late");
    drop(writeln!(std::io::stderr(), "{counts}"));
    assert_eq!(crossed, CONVERSATIONS);
}
