//! The door for candidates that dial out to us: a WebSocket handshake with a key.

use super::entrance::{Came, Dial};
use super::requests::{Reply, bearer, handshake, response, switching};
use crate::HttpReply;
use countersign_contract::{Problem, Reason};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

impl Dial {
    /// Answers a candidate that knocks. With the right key its connection is handed on; whoever takes it decides how many there may
    /// be.
    pub(super) fn open(&self, mut request: Request<Incoming>, from: SocketAddr) -> Reply {
        if !bearer(request.headers()).is_some_and(|key| (self.admits)(&key)) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            let problem = Problem::new(Reason::Unauthorized, "the key of this run is missing or wrong");
            let mut reply = response(HttpReply::problem(&problem));
            reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return reply;
        }
        let Some(key) = handshake(request.headers()) else {
            let problem = Problem::new(Reason::Malformed, "not a WebSocket handshake of version 13");
            return response(HttpReply::problem(&problem));
        };
        let Ok(place) = self.came.clone().try_reserve_owned() else {
            return response(HttpReply::refuse(Reason::Busy, "too many candidates dial in at once"));
        };
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            // A candidate that is gone before the handshake ends has not come.
            if let Ok(upgraded) = upgrade.await {
                place.send(Came { from, stream: TokioIo::new(upgraded) });
            }
        });
        switching(&key)
    }
}
