//! A chat channel over WebSocket, after the handshake.

use super::stopped;
use crate::transport::{ChatReceiver, ServerEvent};
use countersign_contract::portable::LARGEST_STANZA;
use countersign_contract::{Problem, Reason};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long a client has to answer our close frame before the connection ends without it.
const FAREWELL: Duration = Duration::from_secs(1);

/// Carries frames both ways until one side ends the channel, reports that, and closes.
pub(crate) async fn carry(
    upgraded: Upgraded,
    channel_key: u64,
    events: &mpsc::Sender<ServerEvent>,
    mut from_gateway: ChatReceiver,
    mut stop: watch::Receiver<bool>,
) {
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST_STANZA)).max_frame_size(Some(LARGEST_STANZA));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (mut to_client, mut from_client) = socket.split();
    let overrun = from_gateway.overrun();
    // Both directions at once: a client that writes without reading must not stop us from reading, and the reverse.
    let (code, why) = tokio::select! {
        end = receive(&mut from_client, channel_key, events) => end,
        () = send(&mut from_gateway, &mut to_client) => (CloseCode::Normal, "the gateway ended this channel"),
        () = overrun => (CloseCode::Policy, "too much waits to be read"),
        () = events.closed() => (CloseCode::Away, "the instance is closed"),
        () = stopped(&mut stop) => (CloseCode::Away, "the gateway stops"),
    };
    // If the instance is gone, there is no one to be told.
    let _ = events.send(ServerEvent::ChatClosed { channel_key }).await;
    let farewell = async {
        let frame = CloseFrame { code, reason: why.into() };
        if to_client.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = from_client.next().await {}
        }
    };
    let _ = timeout(FAREWELL, farewell).await;
}

/// Reads until the client ends the channel or breaks the protocol. Pings are answered by the library.
async fn receive(
    from_client: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    channel_key: u64,
    events: &mpsc::Sender<ServerEvent>,
) -> (CloseCode, &'static str) {
    let (code, reason, why) = loop {
        match from_client.next().await {
            Some(Ok(Message::Text(text))) => {
                let text = text.as_bytes().to_vec();
                if events.send(ServerEvent::ChatFrame { channel_key, text }).await.is_err() {
                    return (CloseCode::Away, "the instance is closed");
                }
            }
            Some(Ok(Message::Binary(_))) => {
                break (CloseCode::Unsupported, Reason::Malformed, "a binary frame: stanzas are text frames");
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(_))) | None => return (CloseCode::Normal, "goodbye"),
            Some(Err(Error::Capacity(_))) => {
                break (CloseCode::Size, Reason::TooLarge, "a frame that is larger than the largest stanza");
            }
            Some(Err(Error::Utf8(_))) => break (CloseCode::Invalid, Reason::Malformed, "a text frame that is not UTF-8"),
            // A connection that breaks is no breach of the protocol.
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => return (CloseCode::Normal, "goodbye"),
            Some(Err(Error::Protocol(_))) => {
                break (CloseCode::Protocol, Reason::Malformed, "not the WebSocket protocol");
            }
            Some(Err(_)) => return (CloseCode::Normal, "goodbye"),
        }
    };
    let _ = events.send(ServerEvent::Refused { what: "frame".to_owned(), problem: Problem::new(reason, why) }).await;
    (code, why)
}

/// Writes until the gateway ends the channel. Frames that wait go out together.
async fn send(from_gateway: &mut ChatReceiver, to_client: &mut (impl Sink<Message, Error = Error> + Unpin)) {
    while let Some(text) = from_gateway.next().await {
        let mut written = to_client.feed(Message::text(text)).await;
        while let (Ok(()), Some(more)) = (&written, from_gateway.waiting()) {
            written = to_client.feed(Message::text(more)).await;
        }
        if written.is_err() || to_client.flush().await.is_err() {
            // What the client sent before it went away is still to be read: the reader notices the end by itself.
            std::future::pending::<()>().await;
        }
    }
}
