//! The server that candidates outside this process talk to: HTTP/1.1 and WebSocket, many instances on one port.
//!
//! It owns its accept loop, so that every way to keep it busy is bounded: connections, time for a request's head and body, sizes of
//! both, bytes of bodies in memory, sizes of WebSocket messages, and time that a peer may refuse to read. An instance's base URL is
//! `http://{address}/i/{instance}`, or `https:` behind an [`Entrance`] with TLS.

mod accept;
mod connection;
mod dial;
mod entrance;
mod requests;
mod websocket;

pub use entrance::{Came, DIAL_PATH, Dial, Entrance};

pub use crate::transport::{ChatGone, ChatSender, InstanceSocket, MOST_WAITING_BYTES, ServerEvent};

use crate::transport::EVENT_QUEUE;
use countersign_contract::{InstanceId, media::LARGEST_BLOB};
use entrance::Turnstile;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// What the server grants a client.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time, WebSockets included. Further ones wait to be accepted.
    pub connections: usize,
    /// How long the head of a request may take, and how long a connection may be idle between requests.
    pub head_time: Duration,
    /// How long a body may take.
    pub body_time: Duration,
    /// How long a client may refuse to read before its connection ends.
    pub write_time: Duration,
    /// Bytes of a request's head; 8,192 at least.
    pub head_bytes: usize,
    /// Header fields of a request.
    pub headers: usize,
    /// Bytes of request bodies in memory at a time, over all instances. Further requests wait. Never less than one largest blob.
    pub bodies_bytes: usize,
    /// How long `shutdown` waits for requests under way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            head_bytes: 32 * 1024,
            headers: 64,
            bodies_bytes: 128 * 1024 * 1024,
            drain: Duration::from_secs(2),
        }
    }
}

/// A running server. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    turnstile: Arc<Turnstile>,
    registry: Arc<Registry>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// What the operating system says if the address cannot be listened on.
    pub async fn bind(address: SocketAddr, limits: Limits) -> io::Result<Self> {
        Self::open(address, limits, Entrance::default()).await
    }

    /// Listens on `address` behind an entrance.
    ///
    /// # Errors
    /// What the operating system says if the address cannot be listened on.
    pub async fn open(address: SocketAddr, mut limits: Limits, entrance: Entrance) -> io::Result<Self> {
        limits.head_bytes = limits.head_bytes.max(8192);
        limits.bodies_bytes = limits.bodies_bytes.max(LARGEST_BLOB);
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let registry = Arc::new(Registry::default());
        let (stop, stopped) = watch::channel(false);
        let turnstile = Arc::new(Turnstile::new(entrance.per_address));
        let accepting =
            tokio::spawn(accept::run(listener, limits, entrance, Arc::clone(&turnstile), Arc::clone(&registry), stopped));
        Ok(Self { address, turnstile, registry, stop, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were closed at once, since their address had as many as it may have.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.turnstile.turned_away()
    }

    /// How many TLS handshakes came to nothing.
    #[must_use]
    pub fn broken_handshakes(&self) -> u64 {
        self.turnstile.broken_handshakes()
    }

    /// Begins to serve an instance, until the socket is dropped. An instance of the same name that was registered before is served
    /// no more.
    #[must_use]
    pub fn register(&self, instance: InstanceId) -> InstanceSocket {
        let (sender, events) = mpsc::channel(EVENT_QUEUE);
        let generation = self.registry.generations.fetch_add(1, Ordering::Relaxed);
        self.registry.lock().insert(instance, (generation, sender));
        let registration = Registration { instance, generation, registry: Arc::downgrade(&self.registry) };
        InstanceSocket { events, _registration: Some(registration) }
    }

    /// Stops accepting, ends WebSockets, lets requests under way finish for at most [`Limits::drain`], then ends all.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // An error here would be a panic of the accept loop, which then has ended too.
        let _ = self.accepting.await;
    }
}

/// The path of an instance under the server's address.
#[must_use]
pub fn base_path(instance: InstanceId) -> String {
    format!("/i/{instance}")
}

/// Resolves when the server is told to stop, or is dropped.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The guard that comes back must not live across an await of the caller.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Which instances are served.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    instances: Mutex<BTreeMap<InstanceId, (u64, mpsc::Sender<ServerEvent>)>>,
    generations: AtomicU64,
    channels: AtomicU64,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceId, (u64, mpsc::Sender<ServerEvent>)>> {
        // Nothing under this lock can panic half-way through a change.
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn events_of(&self, instance: InstanceId) -> Option<mpsc::Sender<ServerEvent>> {
        self.lock().get(&instance).map(|(_, events)| events.clone())
    }

    pub(crate) fn next_channel(&self) -> u64 {
        self.channels.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// An instance's place on the list.
#[derive(Debug)]
pub(crate) struct Registration {
    instance: InstanceId,
    generation: u64,
    registry: Weak<Registry>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            let mut instances = registry.lock();
            if instances.get(&self.instance).is_some_and(|(generation, _)| *generation == self.generation) {
                instances.remove(&self.instance);
            }
        }
    }
}
