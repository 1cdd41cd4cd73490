//! What every transport hands to whoever drives an instance, and takes back from it.

use crate::{HttpReply, HttpRequest};
use countersign_contract::Problem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc, oneshot};

/// Bytes of frames that may wait for one client that does not read. A client that falls further behind loses its channel; what it
/// did not acknowledge waits in its mailbox.
pub const MOST_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// How many events may wait for an instance before its clients are made to wait.
pub(crate) const EVENT_QUEUE: usize = 64;

/// Something a client of the candidate did. Events of one instance arrive in the order in which the transport received them; those
/// of one channel in the order in which the client sent them.
#[derive(Debug)]
pub enum ServerEvent {
    /// A request, to be answered through `reply`. An instance that drops `reply` answers `unknown-instance`.
    Request {
        /// The request.
        http: HttpRequest,
        /// Where the answer goes.
        reply: oneshot::Sender<HttpReply>,
    },
    /// A client asks for a chat channel.
    ChatOpened {
        /// The bearer token, if there was one.
        token: Option<String>,
        /// The number of the channel in the events that follow. Never used twice.
        channel_key: u64,
        /// Frames to the client. They may be sent before `accept` is answered, and reach the client after it. Dropping this ends
        /// the channel, after all frames in it.
        frames: ChatSender,
        /// Whether there is a channel, or else the answer in its place. Dropping it answers `unknown-instance`.
        accept: oneshot::Sender<Result<(), HttpReply>>,
    },
    /// A text frame.
    ChatFrame {
        /// On which channel.
        channel_key: u64,
        /// The frame, as received.
        text: Vec<u8>,
    },
    /// A channel that was accepted is gone. Nothing more comes from it.
    ChatClosed {
        /// Which.
        channel_key: u64,
    },
    /// The transport itself refused something that is not of the binding and that the gateway therefore never sees: a body that is
    /// too large, a binary frame, a frame that is too large.
    Refused {
        /// Which request or frame, in words.
        what: String,
        /// What was wrong with it.
        problem: Problem,
    },
    /// A request ended before its body did. That may be the network's doing, and nobody was told anything.
    BrokenOff {
        /// Which request, in words.
        what: String,
    },
}

/// The channel is gone, or its client does not read and too much waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the channel is gone")]
pub struct ChatGone;

/// Sends frames to one client, without waiting.
#[derive(Debug)]
pub struct ChatSender {
    queue: mpsc::UnboundedSender<String>,
    backlog: Arc<Backlog>,
}

/// The transport's end of a [`ChatSender`].
#[derive(Debug)]
pub(crate) struct ChatReceiver {
    queue: mpsc::UnboundedReceiver<String>,
    backlog: Arc<Backlog>,
}

#[derive(Debug, Default)]
struct Backlog {
    bytes: AtomicUsize,
    overrun: Notify,
}

pub(crate) fn chat() -> (ChatSender, ChatReceiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let backlog = Arc::new(Backlog::default());
    (ChatSender { queue: sender, backlog: Arc::clone(&backlog) }, ChatReceiver { queue: receiver, backlog })
}

impl ChatSender {
    /// Puts a frame into the queue of this client.
    ///
    /// # Errors
    /// [`ChatGone`]; a `ChatClosed` event follows or has come.
    pub fn send(&self, text: String) -> Result<(), ChatGone> {
        let waiting = self.backlog.bytes.fetch_add(text.len(), Ordering::Relaxed).saturating_add(text.len());
        if waiting > MOST_WAITING_BYTES {
            self.backlog.overrun.notify_one();
            return Err(ChatGone);
        }
        self.queue.send(text).map_err(|_| ChatGone)
    }
}

impl ChatReceiver {
    /// The next frame; `None` once the sender is gone and the queue is empty.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let frame = self.queue.recv().await;
        self.forget(frame)
    }

    /// A frame that waits already.
    pub(crate) fn waiting(&mut self) -> Option<String> {
        let frame = self.queue.try_recv().ok();
        self.forget(frame)
    }

    /// Resolves when the client has fallen too far behind.
    pub(crate) fn overrun(&self) -> impl Future<Output = ()> + Send + use<> {
        let backlog = Arc::clone(&self.backlog);
        async move { backlog.overrun.notified().await }
    }

    fn forget(&self, frame: Option<String>) -> Option<String> {
        if let Some(text) = &frame {
            self.backlog.bytes.fetch_sub(text.len(), Ordering::Relaxed);
        }
        frame
    }
}

/// The receiving end of one instance. Dropping it ends the instance's channels, and its requests are answered `unknown-instance`
/// from then on.
#[derive(Debug)]
pub struct InstanceSocket {
    /// What the clients of this instance do.
    pub events: mpsc::Receiver<ServerEvent>,
    /// Takes the instance off the server's list when it is dropped.
    pub(crate) _registration: Option<crate::server::Registration>,
}
