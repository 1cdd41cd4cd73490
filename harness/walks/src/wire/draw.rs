//! Draws inputs, and conversations of them.

mod content;
mod group;
mod message;
mod pair;
mod raw;
mod sealed;
mod stanza;

use super::{Carries, Input, Setting, Talk};
use crate::abilities::Abilities;
use crate::draw::pick;
use countersign_adversary::Alteration;
use countersign_adversary::alter::Edit;
use proptest::prelude::Rng;

/// Inputs between honest messages.
const INPUTS_IN_A_PART: usize = 4;
/// Parts of a conversation.
const PARTS: usize = 3;
/// Inputs of a whole conversation.
pub const INPUTS: usize = INPUTS_IN_A_PART * PARTS;

/// A whole conversation with so many inputs at most.
pub(super) fn talk(rng: &mut impl Rng, abilities: Abilities, most: usize) -> Talk {
    let settings = [
        (Setting::Pair, 3),
        (Setting::Group, if abilities.groups { 3 } else { 0 }),
        (Setting::Sealed, if abilities.sealed { 3 } else { 0 }),
    ];
    let setting = pick(rng, &settings).unwrap_or_default();
    let mut left = most.min(INPUTS);
    let mut parts = Vec::new();
    for round in 0..PARTS {
        let count = left.min(INPUTS_IN_A_PART);
        left -= count;
        parts.push((0..count).map(|_| input(rng, abilities, setting, round == 0)).collect());
        if left == 0 {
            break;
        }
    }
    Talk { setting, parts, ..Talk::default() }
}

fn input(rng: &mut impl Rng, abilities: Abilities, setting: Setting, first: bool) -> Input {
    let input = match setting {
        Setting::Pair => pair::input(rng, abilities, first),
        Setting::Group => group::input(rng, first),
        Setting::Sealed => sealed::input(rng, first),
    };
    // What may be shown may have been read.
    Input { unread: input.unread && input.broken && abilities.exports, ..input }
}

/// A text with these edits.
fn text(edits: Vec<Edit>, broken: bool) -> Input {
    let alter = edits.into_iter().map(Alteration::Edit).collect();
    Input { carries: Carries::Text, alter, rewrites: Vec::new(), broken, unread: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::runner;
    use countersign_adversary::alter::How;
    use countersign_contract::claims::Suite;

    /// What is to be refused has to be wrong.
    #[test]
    fn no_edit_of_what_must_be_refused_changes_nothing() {
        let mut rng = runner(&[7; 32], 0);
        for _ in 0..500 {
            for input in talk(rng.rng(), Abilities::all(Suite::SignalPq), INPUTS).parts.into_iter().flatten() {
                let adds_nothing = |alteration: &Alteration| match alteration {
                    Alteration::Edit(Edit { how: How::Append(bytes) | How::Before(bytes), .. }) => bytes.0.is_empty(),
                    _ => false,
                };
                assert!(!input.broken || !input.alter.iter().any(adds_nothing), "{input:?}");
                assert!(!input.alter.is_empty() || !input.rewrites.is_empty(), "{input:?}");
            }
        }
    }
}
