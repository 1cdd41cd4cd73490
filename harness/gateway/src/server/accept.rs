//! The accept loop.

use super::connection::Held;
use super::entrance::{Entrance, Turnstile};
use super::requests::Requests;
use super::{Limits, Registry, stopped};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long to wait when the system has no descriptor left for another connection.
const EXHAUSTED: Duration = Duration::from_millis(50);

pub(crate) async fn run(
    listener: TcpListener,
    limits: Limits,
    entrance: Entrance,
    turnstile: Arc<Turnstile>,
    registry: Arc<Registry>,
    mut stop: watch::Receiver<bool>,
) {
    let mut http = http1::Builder::new();
    // The buffer may run over its size by one read, so the head has a bound of its own.
    // hyper's version sniffing is under no deadline, so HTTP/1 is served directly. Its head deadline covers idle connections too.
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes)
        .max_header_size(limits.head_bytes)
        .max_headers(limits.headers);
    let places = Arc::new(Semaphore::new(limits.connections));
    let tls = entrance.acceptor();
    let requests = Requests::new(registry, limits, entrance.dial, stop.clone());
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    let mut connections = JoinSet::new();
    loop {
        // No more is accepted than is granted: what is above waits in the system's queue.
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stopped(&mut stop) => break,
        };
        let Ok(place) = place else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match stream {
            Ok((stream, from)) => {
                while connections.try_join_next().is_some() {}
                let Some(passed) = turnstile.pass(from.ip()) else { continue };
                // A stanza is small and is waited for: without this, each would wait for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                let held = Held::new(stream, limits.write_time, place, passed, alive.clone());
                let (http, requests, stop) = (http.clone(), requests.clone(), stop.clone());
                match tls.clone() {
                    None => drop(connections.spawn(serve(held, from, http, requests, stop))),
                    Some(tls) => {
                        let turnstile = Arc::clone(&turnstile);
                        connections.spawn(async move {
                            match timeout(limits.head_time, tls.accept(held)).await {
                                Ok(Ok(stream)) => serve(stream, from, http, requests, stop).await,
                                _ => turnstile.handshake_broke(),
                            }
                        });
                    }
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(_) => sleep(EXHAUSTED).await,
        }
    }
    drop((listener, alive));
    // Whatever is left after the grace ends with `connections`; WebSockets have been told to end and are under deadlines of their own.
    let _ = timeout(limits.drain, all_gone.recv()).await;
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: SocketAddr,
    http: http1::Builder,
    requests: Requests,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let requests = requests.clone();
        async move { Ok::<_, std::convert::Infallible>(requests.serve(request, from).await) }
    });
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    // How a connection ends is the peer's affair: what it asked for, and got, went through the instance's events.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
