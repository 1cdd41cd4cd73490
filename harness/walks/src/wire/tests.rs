//! What is handed over can be read.

use super::{After, SURVIVES, Setting, Talk, draw};
use crate::search::{Found, Mode};
use crate::strategy::runner;
use crate::{Abilities, Cause, write};
use countersign_contract::claims::Suite;

/// Whatever becomes of a conversation, it can be handed over.
#[test]
fn every_conversation_is_a_valid_file_however_much_of_it_is_left() {
    let suite = countersign_scenarios::Suite::builtin().unwrap();
    let requirements: Vec<_> = suite.requirements.values().cloned().collect();
    let mut bundles = 0;
    for (spoken, profile) in [(Suite::SignalPq, "dma-basic"), (Suite::SignalClassic, "dma-classic")] {
        for number in 0..50 {
            let talk = draw::talk(runner(&[5; 32], number).rng(), Abilities::all(spoken), draw::INPUTS);
            let setting = talk.setting;
            let mut forms: Vec<Talk> = (0..talk.inputs()).map(|input| talk.with_only(&[input])).collect();
            forms.extend(forms.clone().into_iter().map(|talk| Talk { parts: vec![talk.parts.concat()], ..talk }));
            forms.push(talk);
            bundles += forms.iter().filter(|talk| talk.begins_with_bundle()).count();
            let third = [After::Third].into_iter().filter(|_| setting == Setting::Group);
            let afters = [After::Both, After::Ours, After::Nothing].into_iter().chain(third);
            let found = |(at, (talk, after)): (usize, (Talk, After))| Found {
                mode: Mode::Wire,
                cause: Cause { requirement: SURVIVES.to_owned(), finding: "died".to_owned() },
                observed: String::new(),
                walks: 1,
                first: number,
                drawn_steps: 0,
                executions: 0,
                kept: None,
                scenario: Talk { after, ..talk }.scenario(&format!("walks/x-{at}")),
            };
            let forms = forms.into_iter().flat_map(|talk| afters.clone().map(move |after| (talk.clone(), after)));
            let found: Vec<Found> = forms.enumerate().map(found).collect();
            let profile = match setting {
                Setting::Pair => profile,
                Setting::Group => "dma-groups",
                Setting::Sealed => "sealed-sender",
            };
            write::suite(&found, &suite.profiles[profile], &requirements, "1").unwrap_or_else(|fault| panic!("{fault}"));
        }
    }
    assert!(bundles > 50, "{bundles}");
}
