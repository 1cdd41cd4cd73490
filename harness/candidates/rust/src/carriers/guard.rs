//! Who may call: TLS with or without client certificates, and a bearer token.

use axum::serve::Listener;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Connections whose handshake is done and that nobody has taken yet.
const WAITING: usize = 16;

/// Who may call. By default, anybody.
#[derive(Clone, Default)]
pub struct Guard {
    tls: Option<Arc<ServerConfig>>,
    token: Option<String>,
}

/// Why a guard cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A PEM file.
    #[error("{0} cannot be read as PEM: {1}")]
    Pem(&'static str, String),
    /// Certificate and key, or the verifier of client certificates.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl Guard {
    /// Asks every caller for this bearer token.
    #[must_use]
    pub fn token(self, token: String) -> Self {
        Self { token: Some(token), ..self }
    }

    /// Serves over TLS with a certificate chain and its key, both PEM. With `client_ca`, only callers with a certificate under it
    /// come in.
    ///
    /// # Errors
    /// See [`GuardError`].
    pub fn tls(self, chain: &[u8], key: &[u8], client_ca: Option<&[u8]>) -> Result<Self, GuardError> {
        let unusable = |e: &dyn std::fmt::Display| GuardError::Tls(e.to_string());
        let chain = certificates("the certificate", chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| GuardError::Pem("the key", e.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| unusable(&e))?;
        let builder = match client_ca {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates("the client CA", pem)? {
                    roots.add(certificate).map_err(|e| unusable(&e))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|e| unusable(&e))?)
            }
        };
        let config = builder.with_single_cert(chain, key).map_err(|e| unusable(&e))?;
        Ok(Self { tls: Some(Arc::new(config)), ..self })
    }

    /// Whether callers come over TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.tls.clone().map(TlsAcceptor::from)
    }

    /// Whether this value of the header `Authorization` lets a call in.
    pub(super) fn admits(&self, authorization: Option<&[u8]>) -> bool {
        let Some(token) = &self.token else { return true };
        let given = authorization.and_then(|value| value.strip_prefix(b"Bearer "));
        given.is_some_and(|given| given.ct_eq(token.as_bytes()).into())
    }
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, GuardError> {
    let bad = |e: &dyn std::fmt::Display| GuardError::Pem(what, e.to_string());
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|e| bad(&e))?;
    if all.is_empty() { Err(bad(&"there is no certificate in it")) } else { Ok(all) }
}

/// A listener that hands out connections after their TLS handshake. A peer that is slow with its handshake holds up nobody else.
pub(super) struct Secured {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Secured {
    pub(super) fn new<L>(mut listener: L, tls: TlsAcceptor) -> io::Result<Self>
    where
        L: Listener<Io = TcpStream, Addr = SocketAddr>,
    {
        let address = listener.local_addr()?;
        let (done, ready) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            while !done.is_closed() {
                let (stream, from) = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = done.closed() => return,
                };
                let (tls, done) = (tls.clone(), done.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                        // Nobody takes it any more if serving has ended.
                        let _ = done.send((stream, from)).await;
                    }
                });
            }
        });
        Ok(Self { ready, address })
    }
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The accepting task ends only with this value.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
