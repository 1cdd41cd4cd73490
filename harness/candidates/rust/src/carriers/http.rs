//! Calls as `POST /{operation}`.

use super::guard::{Guard, Secured};
use crate::Sample;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use countersign_contract::carrier::LONGEST_LINE;
use countersign_contract::portable::{JSON, PROBLEM_JSON};
use countersign_contract::{Problem, Reason};
use serde_json::Value;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves calls on `listener` until the task is dropped. An empty body stands for no arguments.
///
/// # Errors
/// When the listener fails.
pub async fn serve_http(sample: Sample, listener: TcpListener) -> io::Result<()> {
    serve_guarded(sample, listener, Guard::default()).await
}

/// As [`serve_http`], for those alone whom the guard lets in.
///
/// # Errors
/// When the listener fails.
pub async fn serve_guarded(sample: Sample, listener: TcpListener, guard: Guard) -> io::Result<()> {
    let (tls, guard) = (guard.acceptor(), Arc::new(guard));
    let sample_at = sample.clone();
    let routes = Router::new()
        .route("/{operation}", post(call))
        .layer(DefaultBodyLimit::max(LONGEST_LINE))
        .fallback(nothing_there)
        .with_state((sample, guard));
    let ended = sample_at.ended();
    let listener = listener.tap_io(|stream| {
        // A connection that cannot be told to hurry still works.
        let _ = stream.set_nodelay(true);
    });
    let serving = async {
        match tls {
            None => axum::serve(listener, routes).await,
            Some(tls) => axum::serve(Secured::new(listener, tls)?, routes).await,
        }
    };
    tokio::select! {
        served = serving => served,
        () = ended => Err(io::Error::other("the candidate broke down")),
    }
}

async fn call(
    State((sample, guard)): State<(Sample, Arc<Guard>)>,
    Path(operation): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !guard.admits(headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes)) {
        let mut refusal = refuse(&Problem::new(Reason::Unauthorized, "the bearer token is missing or wrong"));
        refusal.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return refusal;
    }
    let args = if body.is_empty() { Ok(Value::Object(serde_json::Map::new())) } else { serde_json::from_slice(&body) };
    let outcome = match args {
        Ok(args) => sample.answer(&operation, args).await,
        Err(cause) => Err(Problem::new(Reason::Malformed, format!("the body is not JSON: {cause}"))),
    };
    match outcome {
        Ok(answer) => respond(StatusCode::OK, JSON, answer.to_string()),
        Err(problem) => refuse(&problem),
    }
}

async fn nothing_there() -> Response {
    refuse(&Problem::unsupported("this path"))
}

fn refuse(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.reason.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(status, PROBLEM_JSON, serde_json::to_string(problem).unwrap_or_default())
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response()
}
