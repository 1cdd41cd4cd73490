//! Calls over a WebSocket that this side opens: for a candidate that nobody can reach from outside.

use super::stdio::answer_text;
use crate::Sample;
use crate::network::connect::{CONNECT_LIMIT, Connector, Stream};
use countersign_contract::carrier::LONGEST_LINE;
use futures_util::{SinkExt as _, StreamExt as _};
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

/// Attempts in a row that may fail before this side gives up.
const MOST_ATTEMPTS: u32 = 30;
/// The pause after the first of them; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Replies that may wait for the network.
const WAITING_REPLIES: usize = 64;

/// Where to dial.
#[derive(Clone)]
pub struct DialOut {
    /// The WebSocket's address.
    pub url: String,
    /// The key that opens it.
    pub key: String,
    /// Certificates to trust there, as PEM; those of the system if there are none.
    pub trust_anchors: Option<String>,
}

/// Dials, serves calls, and dials again when the connection breaks off. Ends when the other side says that the run is over.
///
/// # Errors
/// If the address or the key is refused, or if nobody answers there for long.
pub async fn dial_out(sample: Sample, to: &DialOut) -> io::Result<()> {
    let mut failed = 0;
    loop {
        match open(to).await {
            Ok(socket) => {
                failed = 0;
                if serve(&sample, socket).await {
                    return Ok(());
                }
            }
            Err(refused) if refused.kind() == io::ErrorKind::PermissionDenied => return Err(refused),
            Err(cause) if failed + 1 >= MOST_ATTEMPTS => {
                return Err(io::Error::new(cause.kind(), format!("{} could not be reached: {cause}", to.url)));
            }
            Err(_) => failed += 1,
        }
        tokio::time::sleep((FIRST_PAUSE * 2_u32.saturating_pow(failed.min(10))).min(LONGEST_PAUSE)).await;
    }
}

async fn open(to: &DialOut) -> io::Result<WebSocketStream<Stream>> {
    let unusable = |e: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::PermissionDenied, format!("{}: {e}", to.url));
    let mut request = to.url.as_str().into_client_request().map_err(|e| unusable(&e))?;
    let connector = Connector::new(request.uri(), to.trust_anchors.as_deref()).map_err(|e| unusable(&e))?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", to.key)).map_err(|e| unusable(&e))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let limits = WebSocketConfig::default().max_message_size(Some(LONGEST_LINE)).max_frame_size(Some(LONGEST_LINE));
    let stream = connector.connect().await?;
    let shake = tokio_tungstenite::client_async_with_config(request, stream, Some(limits));
    match tokio::time::timeout(CONNECT_LIMIT, shake).await? {
        Ok((socket, _)) => Ok(socket),
        Err(SocketError::Http(answer)) if answer.status() == 401 => Err(unusable(&"the key was refused")),
        Err(cause) => Err(io::Error::other(cause)),
    }
}

/// Answers calls until the connection ends. Whether that was the end of the run.
async fn serve(sample: &Sample, socket: WebSocketStream<Stream>) -> bool {
    let (mut sink, mut calls) = socket.split();
    let (replies, mut waiting) = mpsc::channel::<String>(WAITING_REPLIES);
    let writer = async {
        while let Some(reply) = waiting.recv().await {
            if sink.send(Message::text(reply)).await.is_err() {
                return;
            }
        }
    };
    let reader = async {
        // Ends with this connection, and all calls under way with it: their answers would have nowhere to go.
        let mut under_way = JoinSet::new();
        loop {
            match calls.next().await {
                Some(Ok(Message::Text(text))) => {
                    while under_way.try_join_next().is_some() {}
                    let (sample, replies) = (sample.clone(), replies.clone());
                    under_way.spawn(async move {
                        let reply = answer_text(&sample, text.as_bytes()).await;
                        let _ = replies.send(serde_json::to_string(&reply).unwrap_or_default()).await;
                    });
                }
                Some(Ok(Message::Close(frame))) => return frame.is_some_and(|frame| frame.code == CloseCode::Normal),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            }
        }
    };
    tokio::select! {
        over = reader => over,
        () = writer => false,
    }
}
