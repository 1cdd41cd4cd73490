//! Where the candidate's clients find the gateway of each instance: one server for all, or memory.

use countersign_contract::InstanceId;
use countersign_gateway::memory::{self, MemoryClient};
use countersign_gateway::server::{InstanceSocket, Limits, Server, base_path};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The URL by which an in-process candidate knows its gateway.
pub const MEMORY_URL: &str = "memory:";

/// All gateways of a run.
#[derive(Debug)]
pub enum Gateways {
    /// One server; each instance has its own path.
    Server(Server),
    /// In this process.
    Memory(MemoryGateways),
}

/// An instance's gateway: where it is, and what its clients do. Closes when dropped.
#[derive(Debug)]
pub struct OpenGateway {
    /// Base URL for `open`.
    pub url: String,
    /// What the candidate's clients do.
    pub socket: InstanceSocket,
    _listed: Option<Listed>,
}

impl Gateways {
    /// Listens for clients over the network. Port 0 takes a free one.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn listen(address: SocketAddr) -> std::io::Result<Self> {
        Server::bind(address, Limits::default()).await.map(Self::Server)
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
            Self::Server(server) => OpenGateway {
                url: format!("http://{}{}", server.local_addr(), base_path(instance)),
                socket: server.register(instance),
                _listed: None,
            },
            Self::Memory(gateways) => {
                let (client, socket) = memory::pair(instance);
                gateways.lock().insert(instance, client);
                let listed = Listed { instance, gateways: gateways.clone() };
                OpenGateway { url: MEMORY_URL.to_owned(), socket, _listed: Some(listed) }
            }
        }
    }

    /// Ends them, with all connections.
    pub async fn shut_down(self) {
        if let Self::Server(server) = self {
            server.shutdown().await;
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
