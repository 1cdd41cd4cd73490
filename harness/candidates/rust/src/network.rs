//! The gateway over TCP: HTTP/1.1 for requests, a WebSocket for the chat channel.

pub(crate) mod connect;

use crate::wire::{Chat, Wire, WireError, WireFactory, WireReply, WireRequest};
use async_trait::async_trait;
use bytes::Bytes;
use connect::{CONNECT_LIMIT, Connector, Stream};
use countersign_contract::media::LARGEST_BLOB;
use countersign_contract::portable::{LARGEST_BODY, LARGEST_STANZA};
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body as _;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

/// Frames that may wait in either direction.
const WAITING_FRAMES: usize = 256;
/// Bytes by which an answer's buffer is longer than the answer: padding and MAC of a file.
const SPARE: usize = 64;

/// Wires over the network: HTTP to the URL that `open` names, over TLS if that says so; no proxy, no redirects, no decompression,
/// bounded answers.
#[must_use]
pub fn network_wire() -> WireFactory {
    Arc::new(|_, gateway, trust_anchors| {
        let not_one = || WireError::Address(gateway.chars().take(200).collect());
        let url: Uri = gateway.parse().map_err(|_| not_one())?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none_or(str::is_empty) {
            return Err(not_one());
        }
        let connector = Connector::new(&url, trust_anchors).map_err(unreachable)?;
        let client = Client::builder(TokioExecutor::new()).build(connector.clone());
        Ok(Arc::new(Network { client, connector, base: gateway.trim_end_matches('/').to_owned() }))
    })
}

struct Network {
    client: Client<Connector, Full<Bytes>>,
    connector: Connector,
    base: String,
}

#[async_trait]
impl Wire for Network {
    async fn request(&self, http: WireRequest) -> Result<WireReply, WireError> {
        let limit =
            if http.path.starts_with("/media/") || http.path.starts_with("/files/") { LARGEST_BLOB } else { LARGEST_BODY };
        let mut request = Request::builder().method(http.method).uri(format!("{}{}", self.base, http.path));
        if let Some(token) = &http.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if !http.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, http.content_type);
        }
        let request = request.body(Full::new(http.body)).map_err(|e| WireError::Address(e.to_string()))?;
        let response = self.client.request(request).await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let retry_after_s = retry_after(response.headers());
        let mut incoming = response.into_body();
        // One buffer of the stated length, with room for a file to be encrypted where it lies.
        let stated = incoming.size_hint().exact().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(limit);
        let mut body = Vec::with_capacity(stated + SPARE);
        while let Some(frame) = incoming.frame().await {
            let Ok(chunk) = frame.map_err(|_| WireError::BrokenOff)?.into_data() else { continue };
            if body.len() + chunk.len() > limit {
                return Err(WireError::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(WireReply { status, retry_after_s, body: body.into() })
    }

    async fn chat(&self, token: &str) -> Result<Chat, WireError> {
        let url = format!("ws{}/chat", self.base.strip_prefix("http").unwrap_or_default());
        let mut request = url.into_client_request().map_err(|e| WireError::Address(e.to_string()))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(unreachable)?;
        request.headers_mut().insert(AUTHORIZATION.as_str(), bearer);
        let stream = self.connector.connect().await.map_err(unreachable)?;
        let limits = WebSocketConfig::default().max_message_size(Some(LARGEST_STANZA)).max_frame_size(Some(LARGEST_STANZA));
        let shake = tokio_tungstenite::client_async_with_config(request, stream, Some(limits));
        let (socket, _) = tokio::time::timeout(CONNECT_LIMIT, shake).await.map_err(unreachable)?.map_err(refused)?;
        let (frames_out, from_client) = mpsc::channel(WAITING_FRAMES);
        let (to_client, frames_in) = mpsc::channel(WAITING_FRAMES);
        tokio::spawn(carry(socket, from_client, to_client));
        Ok(Chat { frames_out, frames_in })
    }
}

/// Carries frames between socket and client until either closes. What the client sent before it closed still goes out.
async fn carry(socket: WebSocketStream<Stream>, mut from_client: mpsc::Receiver<String>, to_client: mpsc::Sender<String>) {
    let (mut sink, mut stream) = socket.split();
    let outward = async {
        while let Some(text) = from_client.recv().await {
            if sink.feed(Message::text(text)).await.is_err() {
                return;
            }
            if from_client.is_empty() && sink.flush().await.is_err() {
                return;
            }
        }
        // The closing handshake may fail, since the peer may be gone; the channel is closed all the same.
        let _ = sink.send(Message::Close(None)).await;
    };
    let inward = async {
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Text(text) = message
                && to_client.send(text.as_str().to_owned()).await.is_err()
            {
                return;
            }
        }
    };
    let mut outward = std::pin::pin!(outward);
    let mut inward = std::pin::pin!(inward);
    tokio::select! {
        () = &mut inward => {}
        () = &mut outward => {
            // The other side answers the close; a silent one is not waited for long.
            let _ = tokio::time::timeout(Duration::from_secs(1), inward).await;
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<u32> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// An error with all its causes: the outermost says only that there was no connection.
fn no_answer(error: hyper_util::client::legacy::Error) -> WireError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    WireError::Unreachable(text)
}

fn unreachable(cause: impl std::fmt::Display) -> WireError {
    WireError::Unreachable(cause.to_string())
}

fn refused(error: SocketError) -> WireError {
    match error {
        SocketError::Http(response) => {
            let retry_after_s = response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.trim().parse().ok());
            let status = response.status().as_u16();
            WireError::Refused(WireReply { status, retry_after_s, body: response.into_body().unwrap_or_default().into() })
        }
        other => unreachable(other),
    }
}
