//! HTTP endpoints that do not do what a candidate has to do.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// An endpoint that answers every request in one way.
pub async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(response).mount(&server).await;
    server
}

/// The error page of a proxy.
#[must_use]
pub fn html() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw("<!doctype html><title>It works!</title>", "text/html; charset=utf-8")
}

/// JSON that is cut off.
#[must_use]
pub fn invalid_json() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw("{\"name\": \"x", "application/json")
}

/// A status 500 without a problem.
#[must_use]
pub fn bare_500() -> ResponseTemplate {
    ResponseTemplate::new(500).set_body_raw("Internal Server Error", "text/plain")
}

/// A problem whose reason is not on the list.
#[must_use]
pub fn invented_reason() -> ResponseTemplate {
    ResponseTemplate::new(500).set_body_raw("{\"reason\":\"out-of-cheese\"}", "application/problem+json")
}

/// An answer that takes longer than anyone waits.
#[must_use]
pub fn slow() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw("{}", "application/json").set_delay(Duration::from_secs(600))
}

/// A redirect.
#[must_use]
pub fn redirect() -> ResponseTemplate {
    ResponseTemplate::new(307).insert_header("location", "http://127.0.0.1:1/elsewhere")
}

/// A body that says that it is compressed.
#[must_use]
pub fn gzip() -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_raw(b"\x1f\x8b\x08\x00".to_vec(), "application/json")
        .insert_header("content-encoding", "gzip")
}

/// An endpoint whose bodies never end. Serves until it is dropped with its runtime; gives its base URL.
///
/// # Errors
/// If no port can be had.
pub async fn endless_body() -> std::io::Result<String> {
    raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n\"".to_vec(), Some(vec![b'x'; 64 * 1024])).await
}

/// An endpoint that closes the connection inside the body.
///
/// # Errors
/// If no port can be had.
pub async fn cut_body() -> std::io::Result<String> {
    raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"na".to_vec(), None).await
}

/// An endpoint that does not speak HTTP at all.
///
/// # Errors
/// If no port can be had.
pub async fn not_http() -> std::io::Result<String> {
    raw(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), None).await
}

async fn raw(head: Vec<u8>, then_for_ever: Option<Vec<u8>>) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (head, then) = (head.clone(), then_for_ever.clone());
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let mut alive = stream.write_all(&head).await.is_ok();
                while let (true, Some(more)) = (alive, &then) {
                    alive = stream.write_all(more).await.is_ok();
                }
            });
        }
    });
    Ok(url)
}
