//! What stands between the network and the gateway: TLS, a cap for each address, and the door for candidates that dial out to us.

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// The path of the WebSocket for candidates that dial out to us.
pub const DIAL_PATH: &str = "/dial";

/// How clients come in.
#[derive(Clone, Default)]
pub struct Entrance {
    /// TLS on every connection; none without it.
    pub tls: Option<Arc<ServerConfig>>,
    /// Connections of one address at a time; a further one is closed at once, and counted. 0 for no such bound.
    pub per_address: usize,
    /// Takes candidates that dial in.
    pub dial: Option<Dial>,
}

/// The door for candidates that dial out to us.
#[derive(Clone)]
pub struct Dial {
    /// Whether a bearer token opens the door. Should take equally long for any.
    pub admits: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// Where those go that came in.
    pub came: mpsc::Sender<Came>,
    /// How many were turned away.
    pub refused: Arc<AtomicU64>,
}

/// A candidate that dialled in, after the WebSocket handshake.
pub struct Came {
    /// From where.
    pub from: SocketAddr,
    /// The connection.
    pub stream: TokioIo<Upgraded>,
}

impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tls, dial) = (self.tls.is_some(), self.dial.is_some());
        f.debug_struct("Entrance").field("tls", &tls).field("per_address", &self.per_address).field("dial", &dial).finish()
    }
}

impl fmt::Debug for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Came").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Entrance {
    pub(crate) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.tls.clone().map(TlsAcceptor::from)
    }
}

/// Connections by address, and what was turned away.
#[derive(Debug, Default)]
pub(crate) struct Turnstile {
    most: usize,
    inside: Mutex<BTreeMap<IpAddr, usize>>,
    turned_away: AtomicU64,
    broken_handshakes: AtomicU64,
}

/// A connection's place among those of its address.
#[derive(Debug)]
pub(crate) struct Passed {
    turnstile: Arc<Turnstile>,
    address: IpAddr,
}

impl Turnstile {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    pub(crate) fn pass(self: &Arc<Self>, address: IpAddr) -> Option<Passed> {
        // A client may use either form of its address; it is one client.
        let address = address.to_canonical();
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(address).or_default();
        if self.most != 0 && *count >= self.most {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        *count += 1;
        Some(Passed { turnstile: Arc::clone(self), address })
    }

    pub(crate) fn handshake_broke(&self) {
        self.broken_handshakes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    pub(crate) fn broken_handshakes(&self) -> u64 {
        self.broken_handshakes.load(Ordering::Relaxed)
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        let mut inside = self.turnstile.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.address);
            }
        }
    }
}
