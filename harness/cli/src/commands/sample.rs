//! `countersign sample`: the built-in candidate as a process of its own.

use crate::args::Sample as SampleArgs;
use crate::args::remote::SampleRemote;
use crate::commands::remote;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_sample::{Defect, Defects, DialOut, Guard, Honest, Sample, dial_out, network_wire, serve_guarded, serve_stdio};
use countersign_scenarios::nearest::nearest;
use std::sync::Arc;

pub(crate) fn sample(args: &SampleArgs) -> Result<Exit, Fault> {
    let defects: Arc<dyn Defects> = match &args.defect {
        None => Arc::new(Honest),
        Some(name) => Arc::new(name.parse::<Defect>().map_err(|_| Fault::Unknown {
            name: name.clone(),
            hint: match nearest(name, Defect::ALL.iter().map(ToString::to_string)).first() {
                Some(near) => format!("perhaps `{near}`; `countersign list candidates` shows all mutants"),
                None => "`countersign list candidates` shows all mutants".to_owned(),
            },
        })?),
    };
    let sample = Sample::new(network_wire(), defects);
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    let (guard, dial) = (guard(&args.remote)?, dial(&args.remote)?);
    let served = runtime.block_on(async {
        let serving = async {
            match (args.http, &dial) {
                (None, None) => serve_stdio(sample, tokio::io::stdin(), tokio::io::stdout()).await,
                (None, Some(dial)) => dial_out(sample, dial).await,
                (Some(address), _) => {
                    let listener = tokio::net::TcpListener::bind(address).await?;
                    let scheme = if guard.is_tls() { "https" } else { "http" };
                    let place = format!("{scheme}://{}", listener.local_addr()?);
                    output::data(&place).map_err(|e| std::io::Error::other(e.to_string()))?;
                    serve_guarded(sample, listener, guard).await
                }
            }
        };
        if args.until_input_ends && (args.http.is_some() || dial.is_some()) {
            tokio::select! {
                served = serving => served,
                ended = input_end() => ended,
            }
        } else {
            serving.await
        }
    });
    // Reading standard input cannot be cancelled; nothing is lost by not waiting for it.
    runtime.shutdown_background();
    served.map(|()| Exit::Conforms).map_err(|cause| match &dial {
        Some(_) => Fault::Sample(cause.to_string()),
        None => Fault::Runtime(cause),
    })
}

/// Whom it lets call over HTTP.
fn guard(args: &SampleRemote) -> Result<Guard, Fault> {
    let mut guard = Guard::default();
    if let (Some(chain), Some(key)) = (&args.tls_cert, &args.tls_key) {
        let client_ca = args.client_ca.as_deref().map(remote::bytes).transpose()?;
        let with = guard.tls(&remote::bytes(chain)?, &remote::bytes(key)?, client_ca.as_deref());
        guard = with.map_err(|e| Fault::Remote(e.to_string()))?;
    }
    if let Some(file) = &args.token_file {
        guard = guard.token(remote::secret(file)?.expose().to_owned());
    }
    Ok(guard)
}

/// Where it dials.
fn dial(args: &SampleRemote) -> Result<Option<DialOut>, Fault> {
    let (Some(url), Some(file)) = (&args.dial, &args.dial_key_file) else { return Ok(None) };
    let key = remote::secret(file)?.expose().to_owned();
    let trust_anchors = args.ca.as_deref().map(remote::text).transpose()?;
    Ok(Some(DialOut { url: url.clone(), key, trust_anchors }))
}

/// Waits for the end of standard input, and takes no notice of what comes before.
async fn input_end() -> std::io::Result<()> {
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await.map(drop)
}
