//! What a scenario can say: a cast, steps, and expectations. Unknown keys are errors.
//!
//! Steps refer to each other by name. A `send` names its stanza with `as`; what follows from that stanza is named after it:
//! `m1/receipt` (its delivery receipt), `m1/retry` (the request to send it again), `m1/resend` (the answer to that).
//! A network rule is armed before the send that it concerns, so nothing depends on timing.

mod expect;
mod group;
mod keys;
mod life;
mod rewrite;
mod state;
mod step;
mod stored;

pub use expect::*;
pub use group::*;
pub use keys::*;
pub use life::*;
pub use rewrite::*;
pub use state::*;
pub use step::*;
pub use stored::*;

use countersign_contract::Bytes;
use countersign_contract::claims::{Capability, Feature, Suite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// Folder and name, the same as its file's: `e2ee/out-of-order`.
    pub id: String,
    /// What happens, in a sentence.
    pub title: String,
    /// Why it matters, for a reader who is no specialist.
    pub why: String,
    /// Requirements that it verifies, by id.
    pub verifies: Vec<String>,
    /// Shows that the honest thing is accepted; need not kill a mutant.
    #[serde(default)]
    pub twin: bool,
    /// Features that the candidate must claim for it to apply.
    #[serde(default)]
    pub features: Vec<Feature>,
    /// Test capabilities that it needs.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// Suites for which it makes sense; all of them unless said.
    #[serde(default)]
    pub suites: Vec<Suite>,
    /// Runs alone: everything that measures time.
    #[serde(default)]
    pub exclusive: bool,
    /// Over a mebibyte, or a long chain: counted apart in measurements of speed.
    #[serde(default)]
    pub heavy: bool,
    /// The trust root that the candidate is told, 33 bytes, where stored sealed messages lead to it; made from the seed unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_root: Option<Bytes>,
    /// Cases: the same steps with other values. `${name}` is replaced everywhere but in `id` and `cases` before parsing.
    #[serde(default)]
    pub cases: Vec<Case>,
    /// Who takes part.
    pub cast: BTreeMap<String, Cast>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// Lengths of the files that it sends, in bytes.
    pub fn file_bytes(&self) -> impl Iterator<Item = u64> + '_ {
        self.steps.iter().filter_map(|step| match step {
            Step::Send(Send { content: ContentSpec::File(file), .. })
            | Step::SendToGroup(SendToGroup { content: ContentSpec::File(file), .. }) => Some(u64::from(file.bytes)),
            _ => None,
        })
    }
}

/// One case of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// Its name: the scenario's instance is called `id@name`.
    pub name: String,
    /// Values for `${…}`.
    pub with: BTreeMap<String, String>,
    /// Suites for which this case makes sense; those of the scenario unless said.
    #[serde(default)]
    pub suites: Vec<Suite>,
}

/// Which side plays a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// A user of ours.
    Reference,
    /// A user of the messenger under test.
    Candidate,
}

/// What a reference user runs on in the suite `signal-pq`. In `signal-classic` all of them run on our own stack, since there is no
/// official library for it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stack {
    /// Signal's own library.
    Library,
    /// Our own stack, whose sessions and messages can be altered: see `alter`.
    Adversary,
}

/// A member of the cast: `reference`, `candidate`, or a table with more.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cast {
    /// Who plays it.
    pub side: Side,
    /// One-time prekeys of each kind that it publishes; 2 unless said.
    pub one_time_prekeys: u32,
    /// Whether its client is online from the beginning; yes unless said.
    pub online: bool,
    /// Reference only: whether it sends a message again when asked to; no unless said, so that a refusal stays visible.
    pub answers_retries: bool,
    /// Reference only: whether it asks again for what it could not decrypt; yes unless said.
    pub asks_again: bool,
    /// Reference only: whether it is enlisted from the beginning; yes unless said. Without that, nobody at the gateway knows it.
    pub enlisted: bool,
    /// Reference only: what it runs on; Signal's library unless said.
    pub stack: Stack,
    /// Candidate only: whether it enlists with keys that are made from the seed, so that the private halves are known; no unless said.
    /// Needs the capability `import`.
    pub known_keys: bool,
    /// Whether a byte of its name is zero; no unless said, and no byte of any other name drawn is.
    pub zero_byte_name: bool,
    /// What stands ready of it, as stored vectors have it; nothing unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Box<Fixed>>,
}

impl Cast {
    /// A member with nothing special.
    #[must_use]
    pub const fn plain(side: Side) -> Self {
        Self {
            side,
            one_time_prekeys: 2,
            online: true,
            answers_retries: false,
            asks_again: true,
            enlisted: true,
            stack: Stack::Library,
            known_keys: false,
            zero_byte_name: false,
            fixed: None,
        }
    }
}

// By hand, since a member is either a word or a table, and `untagged` would spoil the messages.
impl<'de> Deserialize<'de> for Cast {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Member;
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        struct Table {
            side: Side,
            one_time_prekeys: Option<u32>,
            online: Option<bool>,
            answers_retries: Option<bool>,
            asks_again: Option<bool>,
            enlisted: Option<bool>,
            stack: Option<Stack>,
            known_keys: Option<bool>,
            zero_byte_name: Option<bool>,
            fixed: Option<Box<Fixed>>,
        }
        impl<'de> serde::de::Visitor<'de> for Member {
            type Value = Cast;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`reference`, `candidate`, or a table with `side`")
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Cast, E> {
                match word {
                    "reference" => Ok(Cast::plain(Side::Reference)),
                    "candidate" => Ok(Cast::plain(Side::Candidate)),
                    other => Err(E::unknown_variant(other, &["reference", "candidate"])),
                }
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Cast, A::Error> {
                let table = Table::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                let plain = Cast::plain(table.side);
                Ok(Cast {
                    side: table.side,
                    one_time_prekeys: table.one_time_prekeys.unwrap_or(plain.one_time_prekeys),
                    online: table.online.unwrap_or(plain.online),
                    answers_retries: table.answers_retries.unwrap_or(plain.answers_retries),
                    asks_again: table.asks_again.unwrap_or(plain.asks_again),
                    enlisted: table.enlisted.unwrap_or(plain.enlisted),
                    stack: table.stack.unwrap_or(plain.stack),
                    known_keys: table.known_keys.unwrap_or(plain.known_keys),
                    zero_byte_name: table.zero_byte_name.unwrap_or(plain.zero_byte_name),
                    fixed: table.fixed,
                })
            }
        }
        deserializer.deserialize_any(Member)
    }
}

impl JsonSchema for Cast {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cast".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let side = generator.subschema_for::<Side>();
        let stack = generator.subschema_for::<Stack>();
        let fixed = generator.subschema_for::<Fixed>();
        schemars::json_schema!({
            "description": "A member of the cast: a word, or a table with more.",
            "anyOf": [
                side,
                {
                    "type": "object",
                    "required": ["side"],
                    "additionalProperties": false,
                    "properties": {
                        "side": side,
                        "one-time-prekeys": { "type": "integer", "minimum": 0, "maximum": 100, "description": "One-time prekeys of each kind that it publishes; 2 unless said." },
                        "online": { "type": "boolean", "description": "Whether its client is online from the beginning; yes unless said." },
                        "answers-retries": { "type": "boolean", "description": "Reference only: whether it sends a message again when asked to; no unless said." },
                        "asks-again": { "type": "boolean", "description": "Reference only: whether it asks again for what it could not decrypt; yes unless said." },
                        "enlisted": { "type": "boolean", "description": "Reference only: whether it is enlisted from the beginning; yes unless said." },
                        "stack": stack,
                        "known-keys": { "type": "boolean", "description": "Candidate only: whether it enlists with keys made from the seed, whose private halves are known; no unless said." },
                        "zero-byte-name": { "type": "boolean", "description": "Whether a byte of its name is zero; no unless said, and no byte of any other name is." },
                        "fixed": fixed,
                    },
                },
            ],
        })
    }
}
