//! From arguments and files to what the engine needs to know about candidates elsewhere.

use crate::args::remote::{Remote as Args, Tls as TlsArg};
use crate::fault::Fault;
use crate::output;
use countersign_engine::remote::access::Identity;
use countersign_engine::remote::{Access, ChildLimits, DialIn, Reach, Remote, Secret, Tls, Trust};
use countersign_trace::open_regular;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// No key, certificate or token is longer; in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Holds a bearer token, where a file is not wanted.
pub(crate) const TOKEN: &str = "COUNTERSIGN_TOKEN";
/// Holds the key for a candidate that dials in.
pub(crate) const DIAL_KEY: &str = "COUNTERSIGN_DIAL_KEY";

pub(crate) fn remote(args: &Args) -> Result<Remote, Fault> {
    Ok(Remote { access: access(args)?, reach: reach(args)?, dial: dial(args)?, limits: limits(args) })
}

fn access(args: &Args) -> Result<Access, Fault> {
    let token = match &args.token_file {
        Some(file) => Some(secret(file)?),
        None => from_environment(TOKEN)?,
    };
    let identity = match (&args.client_cert, &args.client_key) {
        (Some(chain), Some(key)) => Some(identity(chain, key)?),
        _ => None,
    };
    let trust = match (&args.ca, &args.pin) {
        (Some(file), _) => Trust::authority(&name(file), &bytes(file)?).map_err(unusable)?,
        (None, Some(pin)) => Trust::pin(pin).map_err(unusable)?,
        (None, None) => Trust::System,
    };
    let allowed = args.allow_address.iter().map(|text| text.parse().map_err(unusable)).collect::<Result<_, _>>()?;
    Ok(Access { token, identity, trust, allowed })
}

fn reach(args: &Args) -> Result<Reach, Fault> {
    let advertise = args.advertise.as_deref().map(Reach::advertised).transpose().map_err(unusable)?;
    let tls = match (args.tls, &args.tls_cert, &args.tls_key) {
        (TlsArg::Generate, Some(_), _) => {
            return Err(Fault::Remote(
                "--tls generate makes a certificate, and --tls-cert gives one; leave one of them out".into(),
            ));
        }
        (TlsArg::Generate, None, _) => Tls::Generate,
        (_, Some(chain), Some(key)) => Tls::Given {
            identity: identity(chain, key)?,
            file: name(chain),
            authorities: args.tls_ca.as_deref().map(text).transpose()?,
        },
        (TlsArg::Given, _, _) => {
            return Err(Fault::Remote("--tls given needs --tls-cert and --tls-key".into()));
        }
        (TlsArg::Off, _, _) => Tls::Off,
    };
    Ok(Reach { advertise, tls, per_address: args.connections_per_address })
}

fn dial(args: &Args) -> Result<DialIn, Fault> {
    let (key, where_key) = match (&args.dial_key_file, from_environment(DIAL_KEY)?) {
        (Some(file), _) => (key(file)?, format!("the key in {}", file.display())),
        (None, Some(key)) => (key, format!("the key in the variable {DIAL_KEY}")),
        (None, None) => {
            let key = Secret::random();
            // The one place where a secret is shown: nobody else knows it, it is for this run alone, and the candidate needs it.
            let told = format!("the one-time key {}", key.expose());
            (key, told)
        }
    };
    let wait = args.dial_wait;
    let announce = move |url: &str| {
        // Not progress: without it nobody knows where to dial.
        output::log(&format!(
            "waiting up to {wait} s for the candidate to dial in at {url} with {where_key}, as `Authorization: Bearer KEY`"
        ));
    };
    Ok(DialIn {
        key,
        wait: Duration::from_secs(wait),
        reconnect: Duration::from_secs(args.dial_reconnect),
        announce: Some(Arc::new(announce)),
    })
}

const fn limits(args: &Args) -> ChildLimits {
    ChildLimits {
        cpu_s: args.child_cpu,
        memory: args.child_memory.saturating_mul(1 << 20),
        file: args.child_file.saturating_mul(1 << 20),
        open_files: args.child_open_files,
    }
}

fn identity(chain: &Path, key: &Path) -> Result<Identity, Fault> {
    Identity::new((&name(chain), &bytes(chain)?), (&name(key), &bytes(key)?)).map_err(unusable)
}

/// The key in a file; a new one, readable by its owner alone, where there is no such file.
fn key(file: &Path) -> Result<Secret, Fault> {
    if file.exists() {
        return secret(file);
    }
    let key = Secret::random();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut file| writeln!(file, "{}", key.expose()));
    written.map_err(|cause| Fault::Remote(format!("cannot write a new key to {}: {cause}; choose another file", name(file))))?;
    Ok(key)
}

/// A secret in a file. A fault names the file, never what is in it.
pub(crate) fn secret(file: &Path) -> Result<Secret, Fault> {
    Secret::new(&text(file)?).map_err(|e| Fault::Remote(format!("what stands in {} is no token: {e}", name(file))))
}

fn from_environment(variable: &str) -> Result<Option<Secret>, Fault> {
    let fault = |why: String| Fault::Remote(format!("what the variable {variable} holds is no token: {why}"));
    match std::env::var(variable) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Secret::new(&text).map(Some).map_err(|e| fault(e.to_string())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(fault("it is not UTF-8".to_owned())),
    }
}

pub(crate) fn bytes(file: &Path) -> Result<Vec<u8>, Fault> {
    let read = || {
        let mut bytes = Vec::new();
        open_regular(file)?.take(LARGEST_FILE).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    read().map_err(|cause| Fault::Remote(format!("cannot read {}: {cause}; check the path", name(file))))
}

pub(crate) fn text(file: &Path) -> Result<String, Fault> {
    String::from_utf8(bytes(file)?).map_err(|_| Fault::Remote(format!("{} is not a text in UTF-8", name(file))))
}

fn name(file: &Path) -> String {
    file.display().to_string()
}

fn unusable(cause: impl std::fmt::Display) -> Fault {
    Fault::Remote(cause.to_string())
}
