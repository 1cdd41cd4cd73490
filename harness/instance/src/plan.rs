//! What an instance is made of, and what comes out of it.

use countersign_contract::claims::{Description, Feature, Suite};
use countersign_contract::{Call, InstanceId};
use countersign_gateway::HttpReply;
use countersign_scenarios::{Profile, Scenario};
use countersign_trace::{Blobs, MadeFile, Trace};
use std::sync::Arc;

/// What one instance is made of. Together with the inputs it determines every byte that comes out.
#[derive(Clone, Debug)]
pub struct InstancePlan {
    /// The scenario, its parameters replaced by those of the case.
    pub scenario: Arc<Scenario>,
    /// The case, if the scenario has cases.
    pub case: Option<String>,
    /// Scenario and case: `e2ee/mac-inner-field@counter`.
    pub name: String,
    /// The profile under which it runs.
    pub profile: Arc<Profile>,
    /// Random name; the only one that the candidate is told.
    pub instance: InstanceId,
    /// Everything random in the reference comes from it.
    pub seed: [u8; 32],
    /// Base URL of this instance's gateway as the candidate reaches it; `memory:` in process.
    pub gateway_url: String,
    /// Certificates that the candidate is told to trust there, as PEM.
    pub trust_anchors: Option<String>,
    /// What everybody speaks.
    pub suite: Spoken,
    /// Whether the candidate has the capability `virtual-clock`.
    pub virtual_clock: bool,
    /// Reads a clock in microseconds, to account for time spent in cryptography. Has no influence on anything else; re-execution
    /// passes one that stands still.
    pub meter: fn() -> u64,
}

/// The suite of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Which.
    pub suite: Suite,
    /// Whether the candidate is told, since it claims more than one.
    pub told: bool,
    /// Whether there are sealed messages: the candidate claims the feature, and the suite has it.
    pub sealed: bool,
}

impl Spoken {
    /// The first suite of the profile that the candidate claims; without one in common, which the doctor does not let pass, the
    /// profile's first.
    #[must_use]
    pub fn with(profile: &Profile, claims: &Description) -> Self {
        let claimed = &claims.suites;
        let suite = profile.suite_with(claimed).or_else(|| profile.suites.first().copied()).unwrap_or(Suite::SignalPq);
        let sealed = suite == Suite::SignalPq && claims.features.contains(&Feature::SealedSender);
        Self { suite, told: claimed.len() > 1, sealed }
    }

    /// What `open` says of it.
    #[must_use]
    pub fn said(self) -> Option<Suite> {
        self.told.then_some(self.suite)
    }
}

/// A meter that stands still.
#[must_use]
pub const fn no_meter() -> u64 {
    0
}

/// What is to be done after an input.
#[derive(Clone, Debug)]
pub enum Output {
    /// Call the candidate; its outcome comes back as `Input::Returned` with the same number.
    Call {
        /// The number.
        id: u64,
        /// The call.
        call: Call,
    },
    /// Answer a request.
    Reply {
        /// Which.
        request: u64,
        /// With this.
        reply: HttpReply,
        /// A large file that is the body. It is made by whoever carries out the answer, and by nobody else.
        file: Option<MadeFile>,
    },
    /// Let a chat channel open.
    AcceptChannel {
        /// Which.
        channel: u64,
    },
    /// Refuse a chat channel.
    RejectChannel {
        /// Which.
        channel: u64,
        /// With this answer to the upgrade.
        reply: HttpReply,
    },
    /// Send a text frame.
    Frame {
        /// On which channel.
        channel: u64,
        /// The frame.
        text: String,
    },
    /// Close a channel.
    CloseChannel {
        /// Which.
        channel: u64,
    },
    /// Give `Input::Timer` after that much real time.
    SetTimer {
        /// The timer's number.
        timer: u64,
        /// Microseconds.
        after_us: u64,
    },
    /// The instance is done; further inputs are ignored.
    Finished,
}

/// What is left of an instance.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The trace.
    pub trace: Trace,
    /// Long bodies that it refers to.
    pub blobs: Blobs,
    /// Time in cryptography of the reference, by the plan's meter, in microseconds.
    pub crypto_us: u64,
}

/// The seed of an instance: from the run's seed and the instance's name, so that a record shows that none was picked.
#[must_use]
pub fn instance_seed(run_seed: &[u8; 32], name: &str) -> [u8; 32] {
    crate::derive::digest(run_seed, &["instance", name])
}

/// The name that the candidate is told. It says nothing about the scenario.
#[must_use]
pub fn instance_id(seed: &[u8; 32]) -> InstanceId {
    InstanceId(crate::derive::uuid(seed, &["instance id"]))
}
