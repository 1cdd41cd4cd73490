//! The gateway over TCP: HTTP/1.1 for requests, a WebSocket for the chat channel.

use crate::wire::{Chat, Wire, WireError, WireFactory, WireReply, WireRequest};
use async_trait::async_trait;
use countersign_contract::media::LARGEST_BLOB;
use countersign_contract::portable::{LARGEST_BODY, LARGEST_STANZA};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
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
/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Wires over the network: plain HTTP to the URL that `open` names, no proxy, no redirects, no decompression, bounded answers.
#[must_use]
pub fn network_wire() -> WireFactory {
    Arc::new(|_, gateway| {
        let base = reqwest::Url::parse(gateway).ok().filter(|url| url.scheme() == "http" && url.has_host());
        let base = base.ok_or_else(|| WireError::Address(gateway.chars().take(200).collect()))?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_LIMIT)
            .build()
            .map_err(|e| WireError::Unreachable(e.to_string()))?;
        Ok(Arc::new(Network { client, base: base.as_str().trim_end_matches('/').to_owned() }))
    })
}

struct Network {
    client: reqwest::Client,
    base: String,
}

#[async_trait]
impl Wire for Network {
    async fn request(&self, http: WireRequest) -> Result<WireReply, WireError> {
        let method = reqwest::Method::from_bytes(http.method.as_bytes()).map_err(unreachable)?;
        let limit =
            if http.path.starts_with("/media/") || http.path.starts_with("/files/") { LARGEST_BLOB } else { LARGEST_BODY };
        let mut request = self.client.request(method, format!("{}{}", self.base, http.path));
        if let Some(token) = &http.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if !http.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, http.content_type).body(http.body);
        }
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let retry_after_s = retry_after(response.headers());
        // One buffer of the stated length, with room for a file to be encrypted where it lies.
        let stated = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(limit);
        let mut body = Vec::with_capacity(stated + SPARE);
        while let Some(chunk) = response.chunk().await.map_err(|_| WireError::BrokenOff)? {
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
        let host = request.uri().host().unwrap_or_default().to_owned();
        let port = request.uri().port_u16().unwrap_or(80);
        let stream = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect((host.trim_matches(['[', ']']), port)));
        let stream = stream.await.map_err(unreachable)?.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
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
async fn carry(socket: WebSocketStream<TcpStream>, mut from_client: mpsc::Receiver<String>, to_client: mpsc::Sender<String>) {
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
