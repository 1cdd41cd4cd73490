//! The transport for a candidate in the same process: the very same requests and frames, without a socket.

use crate::transport::{ChatReceiver, EVENT_QUEUE, InstanceSocket, ServerEvent, chat};
use crate::{HttpReply, HttpRequest};
use countersign_contract::portable::{LARGEST_BODY, LARGEST_STANZA};
use countersign_contract::{InstanceId, Problem, Reason, media::LARGEST_BLOB};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Frames that wait in either direction before their sender waits.
const FRAME_QUEUE: usize = 256;

/// A candidate's way to the gateway of one instance.
#[derive(Clone, Debug)]
pub struct MemoryClient {
    instance: InstanceId,
    events: mpsc::Sender<ServerEvent>,
    last_key: Arc<AtomicU64>,
}

/// An open chat channel: text frames to the gateway, and text frames from it. Dropping the sender, or receiving `None`, is its end.
pub type MemoryChat = (mpsc::Sender<String>, mpsc::Receiver<String>);

/// A client and the socket of the instance that it talks to.
#[must_use]
pub fn pair(instance: InstanceId) -> (MemoryClient, InstanceSocket) {
    let (sender, events) = mpsc::channel(EVENT_QUEUE);
    let client = MemoryClient { instance, events: sender, last_key: Arc::new(AtomicU64::new(0)) };
    (client, InstanceSocket { events, _registration: None })
}

impl MemoryClient {
    /// Which instance this leads to.
    #[must_use]
    pub const fn instance(&self) -> InstanceId {
        self.instance
    }

    /// Makes a request. An answer whose `breaks_off` is set is one whose connection broke. An instance that is gone answers `unknown-instance`.
    pub async fn request(&self, mut http: HttpRequest) -> HttpReply {
        let limit = if http.method == "PUT" && http.path == "/media" { LARGEST_BLOB } else { LARGEST_BODY };
        if http.body.len() > limit {
            let problem = Problem::new(Reason::TooLarge, format!("a body of more than {limit} bytes"));
            let reply = HttpReply::problem(&problem);
            let refused = ServerEvent::Refused { what: format!("{} {}", http.method, http.path), problem };
            return if self.events.send(refused).await.is_ok() { reply } else { gone() };
        }
        if let Some(query) = http.path.find('?') {
            http.path.truncate(query);
        }
        let (reply, answer) = oneshot::channel();
        if self.events.send(ServerEvent::Request { http, reply }).await.is_err() {
            return gone();
        }
        answer.await.unwrap_or_else(|_| gone())
    }

    /// Opens a chat channel. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The gateway's answer in place of a channel.
    pub async fn chat(&self, token: Option<&str>) -> Result<MemoryChat, HttpReply> {
        let channel_key = self.last_key.fetch_add(1, Ordering::Relaxed) + 1;
        let (frames, from_gateway) = chat();
        let (accept, accepted) = oneshot::channel();
        let opened = ServerEvent::ChatOpened { token: token.map(str::to_owned), channel_key, frames, accept };
        self.events.send(opened).await.map_err(|_| gone())?;
        let (to_gateway, client_frames) = mpsc::channel(FRAME_QUEUE);
        let (to_client, client_receives) = mpsc::channel(FRAME_QUEUE);
        let events = self.events.clone();
        let (ready, outcome) = oneshot::channel();
        // A task of its own: if the client gives up waiting for the answer, the channel must still be reported as closed.
        tokio::spawn(async move {
            let answer = accepted.await.unwrap_or_else(|_| Err(gone()));
            let open = answer.is_ok();
            if ready.send(answer).is_err() || !open {
                drop(client_frames);
            } else {
                carry(channel_key, &events, client_frames, to_client, from_gateway).await;
            }
            if open {
                // Nobody is left to be told if the instance is gone.
                let _ = events.send(ServerEvent::ChatClosed { channel_key }).await;
            }
        });
        outcome.await.unwrap_or_else(|_| Err(gone())).map(|()| (to_gateway, client_receives))
    }
}

async fn carry(
    channel_key: u64,
    events: &mpsc::Sender<ServerEvent>,
    mut from_client: mpsc::Receiver<String>,
    to_client: mpsc::Sender<String>,
    mut from_gateway: ChatReceiver,
) {
    let overrun = from_gateway.overrun();
    let up = async {
        while let Some(text) = from_client.recv().await {
            let event = if text.len() > LARGEST_STANZA {
                let problem = Problem::new(Reason::TooLarge, format!("a frame of more than {LARGEST_STANZA} bytes"));
                let _ = events.send(ServerEvent::Refused { what: "frame".to_owned(), problem }).await;
                return;
            } else {
                ServerEvent::ChatFrame { channel_key, text: text.into_bytes() }
            };
            if events.send(event).await.is_err() {
                return;
            }
        }
    };
    let down = async {
        while let Some(text) = from_gateway.next().await {
            if to_client.send(text).await.is_err() {
                // The client reads no more, but what it sent before is still to be carried: its sender ends the channel.
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
        () = overrun => {}
        () = events.closed() => {}
    }
}

fn gone() -> HttpReply {
    HttpReply::refuse(Reason::UnknownInstance, "this instance is not open")
}
