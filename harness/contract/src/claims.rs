//! What a candidate says of itself: the statement of claims. A claim that turns out to be `unsupported` is a failure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How candidate and gateway talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// JSON over HTTP and WebSocket: the module `portable`.
    Portable,
}

/// Which end-to-end encryption is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suite {
    /// PQXDH and the triple ratchet (Double Ratchet and SPQR), message version 4.
    SignalPq,
    /// X3DH and the Double Ratchet, message version 3: what the published interface implies, which has no post-quantum key.
    SignalClassic,
}

/// What users of the candidate can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// One-to-one text.
    Text,
    /// One-to-one images.
    Image,
    /// One-to-one videos.
    Video,
    /// One-to-one voice messages.
    Voice,
    /// One-to-one files of any other kind.
    File,
    /// Reactions to a message.
    Reaction,
    /// Replies that quote a message.
    Reply,
    /// Changing a message that was sent.
    Edit,
    /// Taking a message back.
    Delete,
    /// The typing indicator.
    Typing,
    /// Read receipts.
    ReadReceipt,
    /// Delivery receipts.
    DeliveryReceipt,
    /// Asking for a message again that could not be decrypted, and answering such a request.
    Retry,
    /// The safety number, as two users compare it.
    SafetyNumber,
    /// Blocking a user, and ending that again.
    Block,
    /// Groups, by sender keys: texts, replies and files. See the module `groups`.
    Group,
    /// Sealed sender: messages that do not tell the server who sent them. See the module `sealed`; in the suite `signal-pq` alone.
    SealedSender,
}

/// Test capabilities beyond the required operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// The operation `advance_clock`: an instance runs on virtual time.
    VirtualClock,
    /// `create_user` with keys that are given: without it no stored message can be tested.
    Import,
}

/// Every candidate takes texts of this many bytes of UTF-8. The number is ours.
pub const LEAST_TEXT: u64 = 64 * 1024;
/// Every candidate takes files of this many bytes. The number is ours.
pub const LEAST_FILE: u64 = 1024 * 1024;

/// Limits that a candidate states. They may be larger than [`LEAST_TEXT`] and [`LEAST_FILE`], and not smaller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest text that a user can send or receive, in bytes of UTF-8; [`LEAST_TEXT`] at least.
    pub text_bytes: u64,
    /// Largest file, in bytes of plaintext; [`LEAST_FILE`] at least.
    pub file_bytes: u64,
    /// How many instances may be open at once.
    pub instances: u32,
}

/// The answer of `describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Name of the messenger.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Digest or name of the build under test; free text.
    pub build: String,
    /// Who runs it.
    pub operator: String,
    /// The contract version that it was written for: see [`crate::CONTRACT_VERSION`].
    pub contract: String,
    /// Its clock: milliseconds since the Unix epoch. A skew of more than a few seconds fails the doctor.
    pub clock: u64,
    /// Bindings that it speaks.
    pub bindings: Vec<Binding>,
    /// Suites that it speaks.
    pub suites: Vec<Suite>,
    /// Features that its users have.
    pub features: Vec<Feature>,
    /// Test capabilities.
    pub capabilities: Vec<Capability>,
    /// Limits that it states.
    pub limits: Limits,
    /// Assumptions that it makes, in its own words; they are printed in the report.
    #[serde(default)]
    pub assumptions: Vec<String>,
}
