//! Calls as `POST /{operation}`.

use crate::Sample;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use countersign_contract::carrier::LONGEST_LINE;
use countersign_contract::portable::{JSON, PROBLEM_JSON};
use countersign_contract::{Problem, Reason};
use serde_json::Value;
use std::io;
use tokio::net::TcpListener;

/// Serves calls on `listener` until the task is dropped. An empty body stands for no arguments.
///
/// # Errors
/// When the listener fails.
pub async fn serve_http(sample: Sample, listener: TcpListener) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // A connection that cannot be told to hurry still works.
        let _ = stream.set_nodelay(true);
    });
    let routes = Router::new()
        .route("/{operation}", post(call))
        .layer(DefaultBodyLimit::max(LONGEST_LINE))
        .fallback(nothing_there)
        .with_state(sample);
    axum::serve(listener, routes).await
}

async fn call(State(sample): State<Sample>, Path(operation): Path<String>, body: Bytes) -> Response {
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
