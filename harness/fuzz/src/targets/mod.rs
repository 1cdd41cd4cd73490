//! The targets.

mod contract;
mod files;
mod gateway;
mod messages;

use crate::{Target, seeds};

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "calls",
        about: "a line of a carrier: a call with its arguments, as the sample reads it",
        run: contract::calls,
        seeds: seeds::calls,
    },
    Target {
        name: "answers",
        about: "what a candidate answers to each operation, and its reply as a line",
        run: contract::answers,
        seeds: seeds::answers,
    },
    Target {
        name: "stanzas",
        about: "a frame of the chat channel, in either direction",
        run: contract::stanzas,
        seeds: seeds::stanzas,
    },
    Target { name: "content", about: "a decrypted and padded content", run: contract::content, seeds: seeds::contents },
    Target {
        name: "gateway",
        about: "requests and frames of a candidate's client at the gateway",
        run: gateway::gateway,
        seeds: seeds::gateway,
    },
    Target {
        name: "messages",
        about: "a message of the suite, as the reference takes it apart, and the network tampers with it",
        run: messages::parse,
        seeds: seeds::messages,
    },
    Target {
        name: "own-stack",
        about: "a message, distribution or bundle for our own stack, in all its wire profiles",
        run: messages::own_stack,
        seeds: seeds::messages,
    },
    Target {
        name: "reference",
        about: "a message, distribution or sealed message for a reference user on Signal's library",
        run: messages::reference,
        seeds: seeds::messages,
    },
    Target { name: "media", about: "an encrypted file and its keys", run: messages::media, seeds: seeds::media },
    Target { name: "record", about: "a record, verified and rendered", run: files::record, seeds: seeds::records },
    Target {
        name: "scenario",
        about: "a scenario file among the built-in requirements and profiles",
        run: files::scenario,
        seeds: seeds::scenarios,
    },
    Target {
        name: "baseline",
        about: "the files of a baseline: its header, and after a zero byte each the texts of its instances in order",
        run: files::baseline,
        seeds: seeds::baselines,
    },
    Target { name: "waivers", about: "a file of waivers", run: files::waivers, seeds: seeds::waivers },
    Target { name: "vectors", about: "a file of stored vectors", run: files::vectors, seeds: seeds::vectors },
];
