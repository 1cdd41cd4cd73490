//! Long conversations with loss, through several epochs of the post-quantum ratchet.

use crate::across::{Ours, Theirs, User};
use crate::fields::Places;
use crate::twins::{Message, draws};
use countersign_adversary::{Config, WireProfile};
use countersign_contract::portable::MessageType;
use rand::Rng as _;
use std::io::Write as _;

/// How many conversations of this kind there are in a run.
const CONVERSATIONS: u64 = 200;
/// How many epochs each of them goes through. One takes about a hundred messages.
const EPOCHS: u64 = 3;
/// Of this many messages one is lost, and as many are held back.
const LOSS: u32 = 10;
/// No conversation takes more messages than this.
const MOST_MESSAGES: u64 = 1_500;

/// What happened in such conversations.
#[derive(Default)]
pub(crate) struct Crossings {
    crossed: u64,
    messages: u64,
    lost: u64,
    late: u64,
}

impl Crossings {
    /// One conversation, begun by the user that `first` says, until it has gone through all the epochs.
    pub(crate) fn converse(&mut self, mut users: [&mut dyn User; 2], first: usize, seed: u64) {
        let mut rng = draws(seed);
        let bundle = users[1 - first].bundle(true);
        users[first].process(&bundle, seed);
        let mut held = Vec::<(usize, Message)>::new();
        for turn in 0..MOST_MESSAGES {
            let draw = seed + 2 * turn;
            // Alternating at first, so that there are two to speak; then in random directions.
            let from = if turn < 4 { (first + turn as usize) % 2 } else { rng.random_range(0..2) };
            let message = users[from].send(&turn.to_be_bytes(), draw + from as u64);
            self.messages += 1;
            let epoch = match message.kind {
                MessageType::Normal => Places::new(message.kind, &message.body).epoch().expect("the post-quantum ratchet runs"),
                MessageType::Prekey => 1,
            };
            let mut arriving = Vec::new();
            match rng.random_range(0..LOSS) {
                0 if turn >= 4 => self.lost += 1,
                1 if turn >= 4 => held.push((1 - from, message)),
                _ => arriving.push((1 - from, message)),
            }
            if held.len() > 2 && !arriving.is_empty() {
                arriving.append(&mut held);
            }
            for (place, (to, message)) in arriving.into_iter().enumerate() {
                let read = users[to].receive(&message, draw + to as u64);
                self.late += u64::from(place > 0);
                // One that was held back may lie in a chain that is dropped by now; one that arrives at once never does.
                assert!(read.as_ref() == Ok(&message.plaintext) || place > 0, "{read:?} in turn {turn} of {seed}");
            }
            if rng.random_range(0..50) == 0 {
                users.iter_mut().for_each(|user| user.restart());
            }
            // Epochs count from 1.
            if epoch > EPOCHS {
                self.crossed += 1;
                return;
            }
        }
    }

    /// Past the capture of the test runner. All of them have to have gone through.
    pub(crate) fn print(&self, title: &str, conversations: u64) {
        let Self { crossed, messages, lost, late } = self;
        let counts = format!("{crossed} conversations crossed {EPOCHS} epochs; {messages} messages, {lost} lost, {late} late");
        drop(writeln!(std::io::stderr(), "epochs, {title}: {counts}"));
        assert_eq!(*crossed, conversations);
    }
}

#[test]
fn three_epochs_with_loss() {
    let ours = Ours::new(Config::new(WireProfile::V4Spqr), 8);
    let theirs = Theirs::new(9);
    let mut crossings = Crossings::default();
    for conversation in 0..CONVERSATIONS {
        // Each stack begins half of them.
        let first = usize::from(conversation % 2 == 0);
        crossings.converse([&mut ours.clone(), &mut theirs.clone()], first, 1_000_000 * (1 + conversation));
    }
    crossings.print("with Signal's crate", CONVERSATIONS);
}
