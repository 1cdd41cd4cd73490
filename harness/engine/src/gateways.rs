//! Where the candidate's clients find the gateway of each instance: one server for all, or memory.

use crate::driver::MOST_RUN_BYTES;
use crate::remote::{Entry, Reach, ReachError, Redactor};
use countersign_contract::InstanceId;
use countersign_gateway::memory::{self, MemoryClient};
use countersign_gateway::server::{Dial, Entrance, InstanceSocket, Limits, Server, base_path};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The URL by which an in-process candidate knows its gateway.
pub const MEMORY_URL: &str = "memory:";

/// All gateways of a run.
#[derive(Debug)]
pub enum Gateways {
    /// One server; each instance has its own path.
    Server(Box<Listening>),
    /// In this process.
    Memory(MemoryGateways),
}

/// A gateway on the network.
#[derive(Debug)]
pub struct Listening {
    server: Server,
    base: String,
    trust_anchors: Option<String>,
    redactor: Redactor,
}

/// Why there is no gateway on the network.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The candidate could not reach it.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The operating system.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Bytes that came in from the candidate over several instances, and how many may.
#[derive(Debug)]
pub struct Received {
    bytes: AtomicU64,
    most: u64,
}

impl Received {
    /// In a whole run, which stores them with its record.
    #[must_use]
    pub const fn in_run() -> Self {
        Self { bytes: AtomicU64::new(0), most: MOST_RUN_BYTES }
    }

    /// Where nothing is stored: however many, as long as each instance keeps to what one may bring.
    #[must_use]
    pub const fn without_end() -> Self {
        Self { bytes: AtomicU64::new(0), most: u64::MAX }
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many may come in, if that many have.
    pub(crate) fn reached(&self) -> Option<u64> {
        (self.bytes.load(Ordering::Relaxed) >= self.most).then_some(self.most)
    }
}

/// An instance's gateway: where it is, and what its clients do. Closes when dropped.
#[derive(Debug)]
pub struct OpenGateway {
    /// Base URL for `open`.
    pub url: String,
    /// What the candidate is to trust there, for `open`.
    pub trust_anchors: Option<String>,
    /// Takes our secrets out of what its clients say.
    pub redactor: Redactor,
    /// What the candidate's clients do.
    pub socket: InstanceSocket,
    /// Bytes that came in, over all instances that share this.
    pub received: Arc<Received>,
    _listed: Option<Listed>,
}

impl Gateways {
    /// Listens for clients over the network. Port 0 takes a free one.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn listen(address: SocketAddr) -> std::io::Result<Self> {
        let server = Server::bind(address, Limits::default()).await?;
        let base = format!("http://{}", server.local_addr());
        Ok(Self::Server(Box::new(Listening { server, base, trust_anchors: None, redactor: Redactor::default() })))
    }

    /// Listens for clients from elsewhere: TLS, an address that is advertised, candidates that dial in.
    ///
    /// # Errors
    /// If the candidate could not reach us so, or if the address cannot be listened on.
    pub async fn listen_for(
        address: SocketAddr,
        reach: &Reach,
        dial: Option<Dial>,
        redactor: Redactor,
    ) -> Result<Self, ListenError> {
        let Entry { base, trust_anchors, tls } = reach.entry(address)?;
        let server = Server::open(address, Limits::default(), Entrance { tls, per_address: reach.per_address, dial }).await?;
        // Only now is the port known.
        let base = match &reach.advertise {
            Some(_) => base,
            None => format!("{}://{}", base.split_once(':').map_or("http", |(scheme, _)| scheme), server.local_addr()),
        };
        Ok(Self::Server(Box::new(Listening { server, base, trust_anchors, redactor })))
    }

    /// The URL under which all instances are, and where we listen; nothing in memory.
    #[must_use]
    pub fn place(&self) -> Option<(&str, SocketAddr)> {
        match self {
            Self::Server(listening) => Some((&listening.base, listening.server.local_addr())),
            Self::Memory(_) => None,
        }
    }

    /// What stood at the gateway's entrance and did not come in, in words, if anything did.
    #[must_use]
    pub fn turned_away(&self) -> Option<String> {
        let Self::Server(listening) = self else { return None };
        let (closed, broken) = (listening.server.turned_away(), listening.server.broken_handshakes());
        let mut said = Vec::new();
        if closed > 0 {
            let why = "as many were open from the same address as it may have (--connections-per-address)";
            said.push(format!("{closed} connections to the gateway were closed at once, since {why}"));
        }
        if broken > 0 {
            let why = "a client that does not trust the gateway's certificate breaks off there";
            said.push(format!("{broken} TLS handshakes at the gateway came to nothing: {why}"));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// Gateways in this process.
    #[must_use]
    pub fn memory() -> (Self, MemoryGateways) {
        let gateways = MemoryGateways::default();
        (Self::Memory(gateways.clone()), gateways)
    }

    /// Opens the gateway of an instance.
    #[must_use]
    pub fn open(&self, instance: InstanceId) -> OpenGateway {
        match self {
            Self::Server(listening) => OpenGateway {
                url: format!("{}{}", listening.base, base_path(instance)),
                trust_anchors: listening.trust_anchors.clone(),
                redactor: listening.redactor.clone(),
                socket: listening.server.register(instance),
                received: Arc::new(Received::in_run()),
                _listed: None,
            },
            Self::Memory(gateways) => {
                let (client, socket) = memory::pair(instance);
                gateways.lock().insert(instance, client);
                let listed = Listed { instance, gateways: gateways.clone() };
                OpenGateway {
                    url: MEMORY_URL.to_owned(),
                    trust_anchors: None,
                    redactor: Redactor::default(),
                    socket,
                    received: Arc::new(Received::in_run()),
                    _listed: Some(listed),
                }
            }
        }
    }

    /// Ends them, with all connections.
    pub async fn shut_down(self) {
        if let Self::Server(listening) = self {
            listening.server.shutdown().await;
        }
    }
}

/// Gateways in this process, by instance. Clones are handles to the same.
#[derive(Clone, Debug, Default)]
pub struct MemoryGateways(Arc<Mutex<BTreeMap<InstanceId, MemoryClient>>>);

impl MemoryGateways {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceId, MemoryClient>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to the gateway of an instance, while it is open.
    #[must_use]
    pub fn client(&self, instance: InstanceId) -> Option<MemoryClient> {
        self.lock().get(&instance).cloned()
    }
}

#[derive(Debug)]
struct Listed {
    instance: InstanceId,
    gateways: MemoryGateways,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.gateways.lock().remove(&self.instance);
    }
}
