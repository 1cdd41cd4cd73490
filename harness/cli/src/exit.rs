//! Exit codes: documented here, once.

use std::process::ExitCode;

/// How a command ended. Never a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The candidate conforms, and everything required was judged; or the command did what it was asked to.
    Conforms,
    /// A fault of Countersign itself.
    Internal,
    /// The arguments or data files are faulty.
    Usage,
    /// The doctor failed, or the environment got in the way.
    Environment,
    /// What was given as evidence is not valid.
    EvidenceInvalid,
    /// Somebody asked to stop.
    Interrupted,
    /// The conclusion of a run: its own code.
    Concluded(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Conforms => 0,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::Environment => 3,
            Exit::EvidenceInvalid => 8,
            Exit::Interrupted => 130,
            Exit::Concluded(code) => code,
        })
    }
}
