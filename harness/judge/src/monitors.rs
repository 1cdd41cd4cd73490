//! Monitors: checks that watch every trace, whatever the scenario is about. One file each, and one line in the registry.

mod acknowledgements;
mod binding;
pub(crate) mod canary;
mod counters;
mod events;
mod file_plaintext;
pub(crate) mod file_reuse;
mod inventory;
mod never_sent;
mod notices;
mod padding;
mod prekeys;
mod receipts;
mod sealed;
mod sender_keys;
mod shown_twice;
mod signatures;
mod suite;

use crate::context::Context;
use crate::said::Said;
use countersign_trace::{Check, CheckKind};

/// One monitor.
pub(crate) struct Monitor {
    /// Stable name: the id of its check.
    pub(crate) id: &'static str,
    /// Requirements that it verifies, as far as the profile knows them.
    pub(crate) requirements: &'static [&'static str],
    /// Watches a trace.
    pub(crate) watch: fn(&Context<'_>) -> Said,
}

/// Every monitor.
pub(crate) const REGISTRY: &[Monitor] = &[
    acknowledgements::MONITOR,
    binding::MONITOR,
    canary::MONITOR,
    counters::MONITOR,
    events::MONITOR,
    file_plaintext::MONITOR,
    file_reuse::MONITOR,
    inventory::MONITOR,
    never_sent::MONITOR,
    notices::MONITOR,
    padding::MONITOR,
    prekeys::MONITOR,
    receipts::MONITOR,
    sealed::MONITOR,
    sender_keys::MONITOR,
    shown_twice::MONITOR,
    signatures::MONITOR,
    suite::MONITOR,
];

/// A check of each monitor.
pub(crate) fn watch<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = Check> + 'c {
    REGISTRY.iter().map(|monitor| {
        let requirements = known(monitor.requirements, |id| cx.requirements.contains_key(id));
        (monitor.watch)(cx).check(monitor.id.to_owned(), CheckKind::Monitor, None, requirements, &cx.requirements)
    })
}

/// Those requirements that a profile has.
pub(crate) fn known(ids: &[&str], has: impl Fn(&str) -> bool) -> Vec<String> {
    ids.iter().filter(|id| has(id)).map(|id| (*id).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn registry_and_files_agree() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/monitors");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap().trim_end_matches(".rs").replace('_', "-"))
            .collect();
        let registered: BTreeSet<String> = REGISTRY.iter().map(|m| m.id.to_owned()).collect();
        assert_eq!(registered.len(), REGISTRY.len());
        assert_eq!(files, registered);
    }
}
