//! Arguments about candidates elsewhere, and about what one may use that is here.

use clap::ValueEnum;
use std::path::PathBuf;

/// Where help lists them. Not as the heading of all that follow: those of `run` follow.
pub(crate) const ELSEWHERE: &str = "Candidates elsewhere";

/// Every one of these has a key in `countersign.toml` too, and a variable `COUNTERSIGN_…`: see `countersign config`.
#[derive(Debug, clap::Args)]
pub(crate) struct Remote {
    /// Settings are read from this file; `countersign.toml` in the current folder unless said, if there is one.
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The upper tester's bearer token stands in this file (or in the variable `COUNTERSIGN_TOKEN`; never on the command line).
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Our client certificate for the upper tester, PEM.
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Trust the authorities in this PEM file as the upper tester's, rather than those of this machine.
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE", conflicts_with = "pin")]
    pub(crate) ca: Option<PathBuf>,
    /// Trust the one certificate with this SHA-256 as the upper tester's.
    #[arg(long, help_heading = ELSEWHERE, value_name = "SHA256")]
    pub(crate) pin: Option<String>,
    /// Let the upper tester's name lead to this link-local or otherwise unlikely address or network. May be repeated.
    #[arg(long, help_heading = ELSEWHERE, value_name = "ADDRESS[/BITS]")]
    pub(crate) allow_address: Vec<String>,
    /// What the candidate is told as the gateway's address, where that is not the one of --listen.
    #[arg(long, help_heading = ELSEWHERE, value_name = "URL")]
    pub(crate) advertise: Option<String>,
    /// TLS on the gateway: `generate` makes a certificate for this run; `given` uses --tls-cert and --tls-key.
    #[arg(long, help_heading = ELSEWHERE, value_enum, default_value_t)]
    pub(crate) tls: Tls,
    /// The gateway's certificate chain, PEM.
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Authorities that the candidate is told to trust at the gateway, PEM.
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Connections of one address to the gateway at a time.
    #[arg(long, help_heading = ELSEWHERE, value_name = "N", default_value_t = countersign_engine::remote::reach::PER_ADDRESS)]
    pub(crate) connections_per_address: usize,
    /// The key for `--candidate dial-in` stands in this file; if there is none, a new key is written into it.
    #[arg(long, help_heading = ELSEWHERE, value_name = "FILE")]
    pub(crate) dial_key_file: Option<PathBuf>,
    /// Seconds to wait for a candidate to dial in.
    #[arg(long, help_heading = ELSEWHERE, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) dial_wait: u64,
    /// Seconds that it may take to dial in again.
    #[arg(long, help_heading = ELSEWHERE, value_name = "SECONDS", default_value_t = 8)]
    pub(crate) dial_reconnect: u64,
    /// Seconds of processor time that each process of an `exec:` candidate may use.
    #[arg(long, help_heading = ELSEWHERE, value_name = "SECONDS", default_value_t = 1800)]
    pub(crate) child_cpu: u64,
    /// MiB of memory that all its processes together may use.
    #[arg(long, help_heading = ELSEWHERE, value_name = "MIB", default_value_t = 4096)]
    pub(crate) child_memory: u64,
    /// MiB of each file that it writes.
    #[arg(long, help_heading = ELSEWHERE, value_name = "MIB", default_value_t = 1024)]
    pub(crate) child_file: u64,
    /// Files and sockets that each of its processes may have open.
    #[arg(long, help_heading = ELSEWHERE, value_name = "N", default_value_t = 8192)]
    pub(crate) child_open_files: u64,
}

/// TLS on the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tls {
    /// None, unless a certificate is given.
    #[default]
    Off,
    /// With a certificate made for this run.
    Generate,
    /// With the certificate that is given.
    Given,
}

/// How the sample is reached if it plays a partner elsewhere.
#[derive(Debug, clap::Args)]
pub(crate) struct SampleRemote {
    /// Over HTTP, ask for the bearer token in this file.
    #[arg(long, value_name = "FILE", requires = "http")]
    pub(crate) token_file: Option<PathBuf>,
    /// Serve over HTTPS with this certificate chain, PEM.
    #[arg(long, value_name = "FILE", requires = "http", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Over HTTPS, ask for a client certificate under an authority in this PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) client_ca: Option<PathBuf>,
    /// Dial out to a run with `--candidate dial-in` rather than be called.
    #[arg(long, value_name = "URL", conflicts_with = "http", requires = "dial_key_file")]
    pub(crate) dial: Option<String>,
    /// The key of that run stands in this file.
    #[arg(long, value_name = "FILE", requires = "dial")]
    pub(crate) dial_key_file: Option<PathBuf>,
    /// Trust the authorities in this PEM file where we dial.
    #[arg(long, value_name = "FILE", requires = "dial")]
    pub(crate) ca: Option<PathBuf>,
}
