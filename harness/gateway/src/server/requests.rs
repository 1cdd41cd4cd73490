//! From an HTTP request to an event of its instance, and from the answer to an HTTP response.

use super::entrance::{DIAL_PATH, Dial};
use super::{Limits, Registry, websocket};
use crate::transport::{ServerEvent, chat};
use crate::{HttpReply, HttpRequest};
use bytes::{Bytes, BytesMut};
use countersign_contract::portable::LARGEST_BODY;
use countersign_contract::{InstanceId, Problem, Reason, media::LARGEST_BLOB};
use futures_util::{StreamExt as _, future::ready, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, Request, Response, StatusCode};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::str::FromStr as _;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub(super) type Reply = Response<BoxBody<Bytes, BrokeOff>>;

/// An answer ends here although more was promised: the connection is ended for it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("broken off, as the scenario says")]
pub(crate) struct BrokeOff;

/// Bodies are counted against the bound on memory in units of this many bytes.
const UNIT: usize = 1024;

/// What all connections share.
#[derive(Clone)]
pub(crate) struct Requests {
    registry: Arc<Registry>,
    limits: Limits,
    memory: Arc<Semaphore>,
    dial: Option<Dial>,
    stop: watch::Receiver<bool>,
}

impl Requests {
    pub(crate) fn new(registry: Arc<Registry>, limits: Limits, dial: Option<Dial>, stop: watch::Receiver<bool>) -> Self {
        let units = (limits.bodies_bytes / UNIT).min(Semaphore::MAX_PERMITS);
        Self { registry, limits, memory: Arc::new(Semaphore::new(units)), dial, stop }
    }

    pub(crate) async fn serve(&self, request: Request<Incoming>, from: SocketAddr) -> Reply {
        if let Some(dial) = self.dial.as_ref().filter(|_| request.uri().path() == DIAL_PATH) {
            return dial.open(request, from);
        }
        let Some((events, path)) = self.instance(request.uri().path()) else { return response(gone()) };
        let token = bearer(request.headers());
        if path == "/chat" && request.method() == Method::GET && has(request.headers(), UPGRADE.as_str(), "websocket") {
            return self.chat(request, events, token).await;
        }
        let method = request.method().as_str().to_owned();
        let limit = if method == "PUT" && path == "/media" { LARGEST_BLOB } else { LARGEST_BODY };
        let (body, _memory) = match self.body(request.into_body(), limit).await {
            Ok(read) => read,
            Err(Unread::Gone) => return response(gone()),
            Err(Unread::BrokenOff) => {
                // If the instance is gone, there is no one to be told.
                let _ = events.send(ServerEvent::BrokenOff { what: format!("{method} {path}") }).await;
                return closing(response(HttpReply::refuse(Reason::Malformed, "the body ended early")));
            }
            Err(Unread::Refused(problem, status)) => {
                let reply = HttpReply { status, ..HttpReply::problem(&problem) };
                // If the instance is gone, there is no one to be told.
                let _ = events.send(ServerEvent::Refused { what: format!("{method} {path}"), problem }).await;
                return closing(response(reply));
            }
        };
        let (reply, answer) = oneshot::channel();
        let http = HttpRequest { method, path, token, body };
        if events.send(ServerEvent::Request { http, reply }).await.is_err() {
            return response(gone());
        }
        response(answer.await.unwrap_or_else(|_| gone()))
    }

    /// The instance that a path leads to, and the rest of the path.
    fn instance(&self, path: &str) -> Option<(mpsc::Sender<ServerEvent>, String)> {
        let (name, rest) = path.strip_prefix("/i/")?.split_once('/')?;
        let instance = InstanceId::from_str(name).ok().filter(|id| id.to_string() == name)?;
        Some((self.registry.events_of(instance)?, format!("/{rest}")))
    }

    async fn body(&self, body: Incoming, limit: usize) -> Result<(Bytes, OwnedSemaphorePermit), Unread> {
        let too_large = || Unread::Refused(Problem::new(Reason::TooLarge, format!("a body of more than {limit} bytes")), 413);
        let stated = body.size_hint();
        if stated.lower() > limit as u64 {
            return Err(too_large());
        }
        let most = stated.upper().and_then(|n| usize::try_from(n).ok()).unwrap_or(limit).min(limit);
        let units = u32::try_from(most.div_ceil(UNIT)).unwrap_or(u32::MAX);
        // The permit is kept until the instance has answered, since until then the body is in memory.
        let memory = Arc::clone(&self.memory).acquire_many_owned(units).await.map_err(|_| Unread::Gone)?;
        // One buffer of the stated length: pieces that are put together at the end would be there twice.
        let exact = stated.exact().and_then(|n| usize::try_from(n).ok());
        match timeout(self.limits.body_time, read(body, exact.unwrap_or(0), limit)).await {
            Ok(Ok(Some(bytes))) => Ok((bytes, memory)),
            Ok(Ok(None)) => Err(too_large()),
            Ok(Err(e)) if is_not_http(&e) => {
                Err(Unread::Refused(Problem::new(Reason::Malformed, format!("the body is not HTTP: {e}")), 400))
            }
            Ok(Err(_)) => Err(Unread::BrokenOff),
            Err(_) => Err(Unread::Refused(Problem::new(Reason::Timeout, "the body took too long"), 408)),
        }
    }

    async fn chat(&self, mut request: Request<Incoming>, events: mpsc::Sender<ServerEvent>, token: Option<String>) -> Reply {
        let Some(key) = handshake(request.headers()) else {
            let problem = Problem::new(Reason::Malformed, "not a WebSocket handshake of version 13");
            let reply = response(HttpReply::problem(&problem));
            let _ = events.send(ServerEvent::Refused { what: "GET /chat".to_owned(), problem }).await;
            return reply;
        };
        let channel_key = self.registry.next_channel();
        let (frames, from_gateway) = chat();
        let (accept, accepted) = oneshot::channel();
        let upgrade = hyper::upgrade::on(&mut request);
        let stop = self.stop.clone();
        let (ready, outcome) = oneshot::channel();
        // A task of its own: if the client gives up during the handshake, hyper drops this future, and the channel must still be
        // reported as closed.
        tokio::spawn(async move {
            let opened = ServerEvent::ChatOpened { token, channel_key, frames, accept };
            let answer =
                if events.send(opened).await.is_err() { Err(gone()) } else { accepted.await.unwrap_or_else(|_| Err(gone())) };
            let open = answer.is_ok();
            if ready.send(answer).is_ok()
                && open
                && let Ok(upgraded) = upgrade.await
            {
                websocket::carry(upgraded, channel_key, &events, from_gateway, stop).await;
            } else if open {
                let _ = events.send(ServerEvent::ChatClosed { channel_key }).await;
            }
        });
        match outcome.await.unwrap_or_else(|_| Err(gone())) {
            Ok(()) => switching(&key),
            Err(refused) => response(refused),
        }
    }
}

/// Why there is no body.
enum Unread {
    /// The server is stopping.
    Gone,
    /// It ended before it was whole.
    BrokenOff,
    /// With this problem, and this status.
    Refused(Problem, u16),
}

/// Whether what came of a body broke its framing. If not, nothing came any more.
fn is_not_http(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| matches!(cause.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData))
}

/// All of a body; `None` if it is longer than `limit`.
async fn read(mut body: Incoming, capacity: usize, limit: usize) -> Result<Option<Bytes>, hyper::Error> {
    let mut bytes = BytesMut::with_capacity(capacity);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes.len().saturating_add(data.len()) > limit {
            return Ok(None);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Some(bytes.freeze()))
}

fn gone() -> HttpReply {
    HttpReply::refuse(Reason::UnknownInstance, "no such instance is open")
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Whether a header that is a comma-separated list has an entry.
fn has(headers: &HeaderMap, name: &str, entry: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|v| v.trim().eq_ignore_ascii_case(entry))
}

/// The key of a WebSocket handshake (RFC 6455, section 4.2.1): 16 bytes in base64, which always is 22 characters and `==`.
pub(super) fn handshake(headers: &HeaderMap) -> Option<String> {
    let key = headers.get(SEC_WEBSOCKET_KEY)?.to_str().ok()?.trim();
    let well_formed = key
        .strip_suffix("==")
        .is_some_and(|k| k.len() == 22 && k.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/'));
    (well_formed && has(headers, CONNECTION.as_str(), "upgrade") && headers.get(SEC_WEBSOCKET_VERSION)?.as_bytes() == b"13")
        .then(|| key.to_owned())
}

pub(super) fn switching(key: &str) -> Reply {
    let mut reply = Response::new(whole(Bytes::new()));
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    reply.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    // The key derived from is base64 itself, so its derivative always is a valid header.
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        reply.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    reply
}

fn closing(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

fn whole(body: Bytes) -> BoxBody<Bytes, BrokeOff> {
    BodyExt::boxed(Full::new(body).map_err(|never| match never {}))
}

pub(super) fn response(reply: HttpReply) -> Reply {
    let mut out = Response::new(match reply.breaks_off {
        None => whole(reply.body),
        Some(_) => {
            // What waits is written out whenever a body is not ready: else the bytes before the break would be lost with it.
            let breaks = stream::once(async {
                tokio::task::yield_now().await;
                Err(BrokeOff)
            });
            BodyExt::boxed(StreamBody::new(stream::once(ready(Ok(Frame::data(reply.body)))).chain(breaks)))
        }
    });
    if let Some(promised) = reply.breaks_off {
        out.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(promised));
    }
    *out.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    out.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if let Some(seconds) = reply.retry_after_s {
        out.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    out
}
