//! The candidate as an HTTP endpoint: `POST {base}/{operation}`.

use super::{Broken, Endpoint, FirstCause, Patience, Raw, quote};
use async_trait::async_trait;
use countersign_contract::Problem;
use countersign_contract::carrier::LONGEST_LINE;
use countersign_contract::portable::{JSON, PROBLEM_JSON};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;
use std::error::Error as _;

/// Why an address is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("`{address}` is not a URL: {cause}")]
    NotAUrl {
        /// As it was written.
        address: String,
        /// Why.
        cause: String,
    },
    /// Another scheme.
    #[error("`{0}:` is not spoken here; give the upper tester's address as `http://host:port`")]
    Scheme(String),
    /// A name or a password in it, a query, or a fragment.
    #[error("the address has {0}; give it without")]
    TooMuch(&'static str),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {0}")]
    Client(String),
}

/// A candidate over HTTP. Follows no redirects, uses no proxy, decompresses nothing, reads at most
/// [`LONGEST_LINE`] bytes of an answer.
#[derive(Debug)]
pub struct HttpEndpoint {
    client: Client,
    base: String,
    patience: Patience,
    cause: FirstCause,
}

impl HttpEndpoint {
    /// An endpoint at a base URL. Nothing is sent yet.
    ///
    /// # Errors
    /// If the address is of no use.
    pub fn new(address: &str, patience: Patience) -> Result<Self, AddressError> {
        let url = Url::parse(address).map_err(|e| AddressError::NotAUrl { address: address.to_owned(), cause: e.to_string() })?;
        if url.scheme() != "http" {
            return Err(AddressError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::TooMuch("credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::TooMuch("a query or a fragment"));
        }
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .build()
            .map_err(|e| AddressError::Client(chain(&e)))?;
        Ok(Self { client, base: url.as_str().trim_end_matches('/').to_owned(), patience, cause: FirstCause::default() })
    }

    async fn post(&self, op: &str, args: &Value) -> Result<Raw, Broken> {
        let url = format!("{}/{op}", self.base);
        let gone = |e: reqwest::Error| Broken::gone(format!("POST {url}: {}", chain(&e.without_url())));
        let request = self.client.post(&url).json(args).header(ACCEPT_ENCODING, "identity");
        let response = request.send().await.map_err(gone)?;
        let status = response.status();
        if status.is_redirection() {
            let to = header(&response, &LOCATION);
            return Err(
                self.strange(op, format!("{status}, a redirect to {}; give the address it leads to", quote(to.as_bytes())))
            );
        }
        let encoding = header(&response, &CONTENT_ENCODING);
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
            return Err(self.strange(op, format!("a compressed body ({}), which was not asked for", quote(encoding.as_bytes()))));
        }
        let content_type = header(&response, &CONTENT_TYPE);
        let body = self.body(op, response).await?;
        self.read(op, status, &content_type, &body)
    }

    async fn body(&self, op: &str, mut response: Response) -> Result<Vec<u8>, Broken> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_LINE => body.extend_from_slice(&chunk),
                Ok(Some(_)) => return Err(self.strange(op, format!("a body of more than {LONGEST_LINE} bytes"))),
                Ok(None) => return Ok(body),
                Err(e) => {
                    let detail = format!(
                        "POST {}/{op}: the body broke off after {} bytes: {}",
                        self.base,
                        body.len(),
                        chain(&e.without_url())
                    );
                    return Err(Broken::gone(detail));
                }
            }
        }
    }

    fn read(&self, op: &str, status: StatusCode, content_type: &str, body: &[u8]) -> Result<Raw, Broken> {
        let expected = if status == StatusCode::OK { JSON } else { PROBLEM_JSON };
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(expected) {
            let typed = if content_type.is_empty() { "no content type".to_owned() } else { quote(content_type.as_bytes()) };
            return Err(
                self.strange(op, format!("{status} with {typed} where `{expected}` is due; the body begins {}", quote(body)))
            );
        }
        let not_json = |e: serde_json::Error| {
            self.strange(op, format!("{status} with a body that does not fit: {e}; it begins {}", quote(body)))
        };
        if status == StatusCode::OK {
            serde_json::from_slice(body).map(Raw::Ok).map_err(not_json)
        } else {
            serde_json::from_slice::<Problem>(body).map(Raw::Problem).map_err(not_json)
        }
    }

    fn strange(&self, op: &str, what: String) -> Broken {
        Broken::not_the_contract(format!("POST {}/{op} answered {what}", self.base))
    }
}

#[async_trait]
impl Endpoint for HttpEndpoint {
    async fn exchange(&self, op: &str, args: Value) -> Raw {
        if let Some(cause) = self.cause.get() {
            return Raw::Broken(cause);
        }
        let deadline = self.patience.deadline(op);
        match tokio::time::timeout(deadline, self.post(op, &args)).await {
            Ok(Ok(raw)) => raw,
            Ok(Err(broken)) => Raw::Broken(broken),
            Err(_) => Raw::Broken(Broken::deadline(op, deadline)),
        }
    }

    fn broken(&self) -> Option<Broken> {
        self.cause.get()
    }

    fn mark_broken(&self, cause: Broken) {
        self.cause.set(cause);
    }

    async fn shut_down(&self) {}
}

fn header(response: &Response, name: &HeaderName) -> String {
    response.headers().get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).unwrap_or_default()
}

/// An error with all its causes: reqwest's own message leaves out the one that helps.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
