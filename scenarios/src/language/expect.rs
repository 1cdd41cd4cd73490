//! Expectations.

use super::{ExportedKeys, Healing, SafetyNumberIs, ShowsOrRefuses, Thief};
use countersign_contract::Reason;
use countersign_contract::portable::{MessageType, ReceiptType};
use countersign_contract::seen::NoticeKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What must be the case. Each is a table with one key.
///
/// Where an expectation concerns what a candidate's user sees, the execution first lets the candidate settle through the stanza
/// concerned and then asks for the user's events; nothing waits by the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Expect {
    /// A user sees these messages, each exactly once, with the content that was sent.
    Shows {
        /// Who.
        user: String,
        /// Which messages.
        messages: Vec<String>,
        /// Whether they must be shown in this order.
        #[serde(default)]
        in_order: bool,
    },
    /// A user's client refuses a stanza and shows nothing of it, for one of these reasons.
    Refuses {
        /// Who.
        user: String,
        /// Which stanza.
        stanza: String,
        /// Reasons that are right.
        reasons: Vec<Reason>,
    },
    /// Nothing of a message is ever shown to a user, for whatever reason.
    ShowsNothingOf {
        /// Who.
        user: String,
        /// Which message or stanza.
        stanza: String,
    },
    /// A user is told something.
    Notice {
        /// Who.
        user: String,
        /// What.
        notice: NoticeKind,
        /// About whom.
        about: String,
        /// In which group, for a notice about a member.
        #[serde(default)]
        group: Option<String>,
        /// The notice must come before this message is shown, or sent on the wire.
        #[serde(default)]
        before: Option<String>,
    },
    /// A reference user that was given a group message has no key that reads it: it was not handed the sender key, or only a later one.
    CannotRead {
        /// Who.
        user: String,
        /// Which stanza.
        stanza: String,
    },
    /// A user gets a receipt for a message.
    Receipt {
        /// Who gets it.
        user: String,
        /// Which kind.
        receipt: ReceiptType,
        /// For which message.
        of: String,
    },
    /// A user gets no receipt of that kind for a message.
    NoReceipt {
        /// Who.
        user: String,
        /// Which kind.
        receipt: ReceiptType,
        /// For which message.
        of: String,
        /// More than this many are too many; 0 unless said.
        #[serde(default)]
        more_than: u32,
    },
    /// A named `send` or `fetch-keys` of a candidate's user fails, for one of these reasons.
    Problem {
        /// Name of the step.
        step: String,
        /// Reasons that are right.
        reasons: Vec<Reason>,
        /// It may succeed as well; then it has to be done as well as any other.
        #[serde(default)]
        or_succeeds: bool,
    },
    /// A named message stands on the wire as described. Every member given must hold.
    Wire {
        /// Which message.
        stanza: String,
        /// Whether it sets up a session.
        #[serde(default)]
        r#type: Option<MessageType>,
        /// Whether it uses a one-time EC prekey.
        #[serde(default)]
        one_time_prekey: Option<bool>,
        /// The SPQR epoch that it belongs to is at least this.
        #[serde(default)]
        epoch_at_least: Option<u64>,
        /// It sets up another session than this earlier message of the same sender.
        #[serde(default)]
        new_session_since: Option<String>,
        /// It carries another ratchet key than this earlier message of the same sender.
        #[serde(default)]
        new_ratchet_since: Option<String>,
    },
    /// From its deletion on, nothing of a candidate's user reaches the gateway any more: no stanza, no request, no connection.
    Silent {
        /// Who: a user that a `delete-user` step deleted.
        user: String,
    },
    /// A candidate's user sends one content again so often, at least and at most.
    Resends {
        /// Who sends.
        user: String,
        /// To whom.
        to: String,
        /// Which message. From its sending on, the user is asked by the scenario to send nothing else to that peer.
        of: String,
        /// At least.
        at_least: u32,
        /// At most.
        at_most: u32,
    },
    /// A candidate's client acknowledges a stanza, by the end of the scenario.
    Acknowledges {
        /// Whose client.
        user: String,
        /// Which stanza.
        stanza: String,
    },
    /// A candidate's client answers several messages that it refused alike: the same receipts go out for each, or none. When they
    /// go out is not looked at.
    AnswersAlike {
        /// Whose client.
        user: String,
        /// Which messages: two at least.
        stanzas: Vec<String>,
    },
    /// No message of this candidate's user to that peer reaches the gateway between the named step and this expectation.
    NothingSent {
        /// Who.
        user: String,
        /// To whom.
        to: String,
        /// Name of the message or step after which nothing may be sent.
        after: String,
    },
    /// Both saw the same safety number.
    SameSafetyNumber {
        /// Names of two `verify-identity` steps.
        between: [String; 2],
    },
    /// The safety numbers differ.
    DifferentSafetyNumber {
        /// Names of two `verify-identity` steps.
        between: [String; 2],
    },
    /// The candidate's user has at least this many one-time prekeys of each kind at the gateway, and no id was published twice.
    KeysLeft {
        /// Who.
        user: String,
        /// How many.
        at_least: u32,
    },
    /// The ciphertexts of two files differ, and so do their keys.
    DifferentFiles {
        /// Names of two messages with files.
        between: [String; 2],
    },
    /// The candidate repeated a failed request, with growing pauses.
    GrowingPauses {
        /// Name of the `fault` step.
        fault: String,
        /// At least this many attempts, the first included.
        attempts: u32,
    },
    /// The 95th percentile of delivery over a burst is within the profile's limit, with an order-statistic bound of 95 %.
    DeliveryLatency {
        /// Name of the `burst` step.
        burst: String,
    },
    /// Likewise for delivery receipts.
    ReceiptLatency {
        /// Name of the `burst` step.
        burst: String,
    },
    /// A stored message is shown as it was sent, or refused for a right reason.
    ShowsOrRefuses(ShowsOrRefuses),
    /// The safety number that a step saw is this one.
    SafetyNumberIs(SafetyNumberIs),
    /// A copy of a state reads these messages that were fed to it: what shows that the copy is one.
    ThiefReads(Thief),
    /// A copy of a state refuses these messages that were fed to it, since it has no key for them.
    ThiefCannotRead(Thief),
    /// A copy reads the beginning of an exchange, and from a message on nothing of it any more.
    ThiefLockedOut(Healing),
    /// The post-quantum ratchet has come so far that a copy made before is of no use to it.
    PostQuantumHealed(Healing),
    /// An exported state holds these keys: what shows that it is the state.
    ExportHolds(ExportedKeys),
    /// An exported state does not hold these keys.
    ExportLacks(ExportedKeys),
    /// Up to here the candidate has answered everything that it was asked, within the deadlines: whatever came in, it has neither ended
    /// nor stopped answering, and neither used nor sent more than it may. Where that is expected, it is a matter of conformance.
    Survives {
        /// Whose client it is.
        user: String,
    },
    /// Two exports are the same, byte for byte.
    SameExport {
        /// Names of two `export` steps.
        between: [String; 2],
    },
}
