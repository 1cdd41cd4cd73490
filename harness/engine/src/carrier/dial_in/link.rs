//! One connection of a candidate that dialled in.

use super::Farewell;
use crate::carrier::child::calls::{Calls, Place};
use crate::carrier::quote;
use crate::remote::Redactor;
use countersign_contract::carrier::LONGEST_LINE;
use countersign_gateway::server::Came;
use futures_util::{SinkExt as _, StreamExt as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Calls that wait for the network.
const QUEUE: usize = 64;
/// How often we ask whether the other side is still there; also keeps a translated address alive.
const PING: Duration = Duration::from_secs(15);
/// Silence after which it is not.
const SILENCE: Duration = Duration::from_secs(40);

/// Where replies come from here.
const FRAMES: Place = Place {
    came: "on the connection that the candidate dialled came",
    hint: "every text frame from the candidate is one reply: a JSON object with `id`, and `ok` or `problem`",
};

/// The sending half of a connection. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct Link {
    /// Counts from 1 within the endpoint.
    pub(super) number: u64,
    pub(super) from: SocketAddr,
    pub(super) calls: Arc<Calls>,
    pub(super) out: mpsc::Sender<String>,
}

/// How a connection ended.
pub(super) struct Ended {
    pub(super) why: String,
    /// Calls that had no answer.
    pub(super) under_way: usize,
}

/// Takes a connection into use. The future carries its frames until it ends.
pub(super) async fn open(
    came: Came,
    redactor: Redactor,
    over: watch::Receiver<Option<Farewell>>,
) -> (Link, impl Future<Output = Ended> + Send + 'static) {
    let limits = WebSocketConfig::default().max_message_size(Some(LONGEST_LINE)).max_frame_size(Some(LONGEST_LINE));
    let from = came.from;
    let socket = WebSocketStream::from_raw_socket(came.stream, Role::Server, Some(limits)).await;
    let calls = Arc::new(Calls::over(FRAMES));
    let (out, queue) = mpsc::channel(QUEUE);
    let link = Link { number: 0, from, calls: Arc::clone(&calls), out };
    let carried = async move {
        let why = carry(socket, queue, &calls, &redactor, over).await;
        Ended { why, under_way: calls.under_way() }
    };
    (link, carried)
}

/// Carries frames both ways until either side ends it; why it ended.
async fn carry<S>(
    socket: WebSocketStream<S>,
    mut queue: mpsc::Receiver<String>,
    calls: &Calls,
    redactor: &Redactor,
    mut over: watch::Receiver<Option<Farewell>>,
) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (mut sink, mut frames) = socket.split();
    let mut ping = tokio::time::interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    let write = async {
        loop {
            let frame = tokio::select! {
                call = queue.recv() => match call {
                    Some(text) => Message::text(text),
                    None => std::future::pending().await,
                },
                _ = ping.tick() => Message::Ping(bytes::Bytes::new()),
            };
            if let Err(cause) = sink.send(frame).await {
                return format!("it cannot be written to: {cause}");
            }
        }
    };
    let read = async {
        loop {
            match tokio::time::timeout_at(heard + SILENCE, frames.next()).await {
                Err(_) => return format!("nothing was heard of it for {} s", SILENCE.as_secs()),
                Ok(frame) => {
                    heard = Instant::now();
                    if let Some(why) = received(frame, calls, redactor) {
                        return why;
                    }
                }
            }
        }
    };
    let (why, code) = tokio::select! {
        why = read => (why, CloseCode::Policy),
        why = write => (why, CloseCode::Away),
        farewell = over.wait_for(Option::is_some) => {
            let done = matches!(farewell.ok().and_then(|f| *f), Some(Farewell::Done));
            ("the run ended it".to_owned(), if done { CloseCode::Normal } else { CloseCode::Restart })
        }
    };
    let farewell = async {
        let frame = CloseFrame { code, reason: "".into() };
        if sink.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = frames.next().await {}
        }
    };
    let _ = tokio::time::timeout(super::FAREWELL, farewell).await;
    why
}

/// What a frame says; why the connection is of no further use, if so.
fn received(frame: Option<Result<Message, Error>>, calls: &Calls, redactor: &Redactor) -> Option<String> {
    match frame {
        Some(Ok(Message::Text(text))) => {
            let text = redactor.bytes(text.as_bytes().to_vec());
            calls.line(&text).err().map(|noise| noise.detail)
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
        Some(Ok(Message::Binary(bytes))) => Some(format!(
            "a binary frame came, and replies are text frames; it begins {}",
            quote(&redactor.bytes(bytes.to_vec()))
        )),
        Some(Ok(Message::Close(Some(frame)))) => {
            let reason = redactor.bytes(frame.reason.as_bytes().to_vec());
            Some(format!("the candidate closed it with code {} and the words {}", u16::from(frame.code), quote(&reason)))
        }
        Some(Ok(Message::Close(None))) => Some("the candidate closed it".to_owned()),
        Some(Err(Error::Capacity(_))) => Some(format!("a frame of more than {LONGEST_LINE} bytes came")),
        Some(Err(cause)) => Some(cause.to_string()),
        None => Some("the connection ended".to_owned()),
    }
}
