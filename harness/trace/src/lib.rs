//! What a run leaves behind, as versioned types: the trace of each instance, the verdicts, and the record that holds both.
//!
//! The trace is the only thing kept of an execution. Everything that is said about a candidate is computed from it.

pub mod body;
pub mod day;
pub mod event;
pub mod made;
pub mod mark;
pub mod observation;
pub mod record;
pub mod verdict;
pub mod waiver;

pub use body::{Blobs, Body, Digest};
pub use day::Day;
pub use event::{Entry, Event, Input, Outcome, Trace};
pub use made::MadeFile;
pub use mark::KeyMark;
pub use observation::Observation;
pub use record::{BlobFolder, Bodies, Line, Record, RecordError, RecordWriter, open_regular};
pub use verdict::{Blame, Check, CheckKind, InstanceResult, Verdict};
pub use waiver::{Cover, WHOLE_RUN, Waiver, WaiverStanding, WaiverState};
