//! The candidate as it is named on the command line, and how it is started.

use crate::carrier::command::{Command, CommandError};
use crate::carrier::dial_in::{DialInEndpoint, Lobby};
use crate::carrier::http::HttpError;
use crate::carrier::{ChildEndpoint, Endpoint, HttpEndpoint, InProcess, PairEndpoint};
use crate::gateways::{Gateways, ListenError};
use crate::remote::{AddressError, Network, ReachError, Remote, Site};
use crate::{Broken, Patience};
use countersign_sample::{Defect, Defects, Honest};
use countersign_scenarios::nearest::nearest;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// What is under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The built-in sample.
    Builtin,
    /// The built-in sample with one defect.
    Mutant(Defect),
    /// A command to start as a child.
    Exec(String),
    /// An HTTP endpoint.
    Http(String),
    /// Whoever dials in at our gateway's address with the key of this run.
    DialIn,
    /// Two of them, whose users talk to each other: children or HTTP endpoints.
    Pair(Box<[Target; 2]>),
}

/// Why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not one of the forms.
    #[error(
        "`{0}` names no candidate; write `builtin`, `mutant:ID`, `exec:COMMAND`, `http://HOST:PORT`, `https://HOST:PORT` or `dial-in`"
    )]
    Form(String),
    /// No such mutant.
    #[error("there is no mutant `{name}`{}; `countersign list candidates` shows all", .similar.as_ref().map(|s| format!(", perhaps `{s}`")).unwrap_or_default())]
    Mutant {
        /// As it was written.
        name: String,
        /// One that looks like it.
        similar: Option<String>,
    },
    /// One of a pair is of another kind.
    #[error("`{0}` cannot be one of two candidates that talk to each other; a child (`exec:`) or an HTTP endpoint can")]
    Pair(String),
    /// The command of `exec:`.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The address of `http:`.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Credentials and certificates for it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The candidate's clients could not reach us.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// We cannot listen for the candidate's clients.
    #[error("cannot listen on {address} for the candidate's clients: {cause}{}", hint(.cause))]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: std::io::Error,
    },
}

/// What to do about an address that cannot be listened on.
fn hint(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        std::io::ErrorKind::AddrInUse => {
            "; another run or another program has that port: choose another one with --listen, or port 0 for any that is free"
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "; --listen names an address of this machine; what the candidate is to be told instead goes into --advertise"
        }
        std::io::ErrorKind::PermissionDenied => "; ports under 1024 need a privilege: choose another one with --listen",
        _ => "; choose another address with --listen",
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text == "builtin" {
            return Ok(Self::Builtin);
        }
        if text == "dial-in" {
            return Ok(Self::DialIn);
        }
        if let Some(command) = text.strip_prefix("exec:") {
            return Ok(Self::Exec(command.trim().to_owned()));
        }
        if let Some(name) = text.strip_prefix("mutant:") {
            return name
                .parse()
                .map(Self::Mutant)
                .map_err(|_| TargetError::Mutant { name: name.to_owned(), similar: similar(name) });
        }
        if text.starts_with("http:") || text.starts_with("https:") {
            return Ok(Self::Http(text.to_owned()));
        }
        Err(TargetError::Form(text.to_owned()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin => f.write_str("builtin"),
            Self::Mutant(defect) => write!(f, "mutant:{defect}"),
            Self::Exec(command) => write!(f, "exec:{command}"),
            Self::Http(address) => f.write_str(address),
            Self::DialIn => f.write_str("dial-in"),
            Self::Pair(both) => {
                let [one, other] = both.as_ref();
                write!(f, "{one} with {other}")
            }
        }
    }
}

/// The defect that was probably meant.
fn similar(name: &str) -> Option<String> {
    nearest(name, Defect::ALL.iter().map(ToString::to_string)).into_iter().next()
}

impl Target {
    /// The carrier's name in records.
    #[must_use]
    pub const fn carrier(&self) -> &'static str {
        match self {
            Self::Builtin | Self::Mutant(_) => "in-process",
            Self::Exec(_) => "child",
            Self::Http(_) => "http",
            Self::DialIn => "dial-in",
            Self::Pair(_) => "pair",
        }
    }

    /// Makes ready to start it: resolves the command against `folder`, checks the address, and begins to listen for its clients on
    /// `listen` if they come over the network.
    ///
    /// # Errors
    /// A fault in what the user wrote, or an address that is taken: nothing that is the candidate's.
    pub async fn prepare(
        &self,
        folder: &Path,
        listen: SocketAddr,
        patience: Patience,
        remote: &Remote,
    ) -> Result<Prepared, TargetError> {
        let mut dial = None;
        let start = match self {
            Self::Builtin => Start::InProcess(Arc::new(Honest)),
            Self::Mutant(defect) => Start::InProcess(Arc::new(*defect)),
            Self::DialIn => {
                let (lobby, door) = Lobby::new(remote.dial.clone());
                dial = Some(door);
                Start::DialIn(lobby)
            }
            Self::Exec(_) | Self::Http(_) => Start::Elsewhere(self.elsewhere(folder, patience, remote).await?),
            Self::Pair(both) => {
                let [one, other] = both.as_ref();
                let one = one.elsewhere(folder, patience, remote).await?;
                Start::Pair(one, other.elsewhere(folder, patience, remote).await?)
            }
        };
        let gateways = match start {
            Start::InProcess(_) => Gateways::memory().0,
            _ => Gateways::listen_for(listen, &remote.reach, dial, remote.redactor()).await.map_err(|e| match e {
                ListenError::Reach(reach) => TargetError::Reach(reach),
                ListenError::Io(cause) => TargetError::Listen { address: listen, cause },
            })?,
        };
        Ok(Prepared { start, gateways, patience, remote: remote.clone() })
    }

    /// A child or an HTTP endpoint, of which there can be two.
    async fn elsewhere(&self, folder: &Path, patience: Patience, remote: &Remote) -> Result<Elsewhere, TargetError> {
        Ok(match self {
            Self::Exec(text) => Elsewhere::Child(Command::resolve(text, folder, std::env::var_os("PATH").as_deref())?),
            Self::Http(address) => {
                let allowed: &[Network] = &remote.access.allowed;
                let site = Site::resolve(address, allowed, remote.access.token.is_some()).await?;
                HttpEndpoint::at(&site, &remote.access, patience)?;
                Elsewhere::Http(site)
            }
            Self::Builtin | Self::Mutant(_) | Self::DialIn | Self::Pair(_) => return Err(TargetError::Pair(self.to_string())),
        })
    }
}

enum Start {
    InProcess(Arc<dyn Defects>),
    Elsewhere(Elsewhere),
    DialIn(Arc<Lobby>),
    Pair(Elsewhere, Elsewhere),
}

enum Elsewhere {
    Child(Command),
    Http(Site),
}

impl Elsewhere {
    fn start(&self, remote: &Remote, patience: Patience) -> Result<Arc<dyn Endpoint>, Broken> {
        Ok(match self {
            Self::Child(command) => Arc::new(ChildEndpoint::start_within(command, remote.limits, patience)?),
            Self::Http(site) => {
                Arc::new(HttpEndpoint::at(site, &remote.access, patience).map_err(|e| Broken::gone(e.to_string()))?)
            }
        })
    }
}

/// A candidate that can be started, and its gateways.
pub struct Prepared {
    start: Start,
    /// Where its clients will find us.
    pub gateways: Gateways,
    /// How long we wait for its answers.
    pub patience: Patience,
    remote: Remote,
}

impl Prepared {
    /// Starts the candidate; over HTTP, gets ready to call it; if it dials in, waits for it. May be called again after it broke.
    ///
    /// # Errors
    /// If it cannot be started, or does not come.
    pub async fn start(&self) -> Result<Arc<dyn Endpoint>, Broken> {
        Ok(match (&self.start, &self.gateways) {
            (Start::InProcess(defects), Gateways::Memory(memory)) => {
                Arc::new(InProcess::new(Arc::clone(defects), memory.clone(), self.patience))
            }
            (Start::InProcess(_), Gateways::Server(_)) => {
                return Err(Broken::gone("an in-process candidate has no use for a server"));
            }
            (Start::Elsewhere(one), _) => one.start(&self.remote, self.patience)?,
            (Start::Pair(one, other), _) => {
                let one = one.start(&self.remote, self.patience)?;
                match other.start(&self.remote, self.patience) {
                    Ok(other) => Arc::new(PairEndpoint::new(one, other)),
                    Err(cause) => {
                        one.shut_down().await;
                        return Err(cause);
                    }
                }
            }
            (Start::DialIn(lobby), gateways) => {
                lobby.opens(gateways.place().map_or("", |(base, _)| base));
                Arc::new(DialInEndpoint::wait(lobby, self.patience).await?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written() {
        for text in ["builtin", "mutant:skips-mac", "exec:node x.mjs", "http://127.0.0.1:8080", "https://x", "dial-in"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_names_no_candidate_says_what_would() {
        let error = |text: &str| text.parse::<Target>().unwrap_err().to_string();
        assert_eq!(
            error("node x.mjs"),
            "`node x.mjs` names no candidate; write `builtin`, `mutant:ID`, `exec:COMMAND`, `http://HOST:PORT`, `https://HOST:PORT` or \
             `dial-in`"
        );
        assert_eq!(
            error("mutant:skip-mac"),
            "there is no mutant `skip-mac`, perhaps `skips-mac`; `countersign list candidates` shows all"
        );
        // Letters that changed places share neither beginning nor end.
        assert!(error("mutant:sikps-mca").contains("perhaps `skips-mac`"), "{}", error("mutant:sikps-mca"));
        assert!(error("mutant:zzz").starts_with("there is no mutant `zzz`; "));
    }
}
