//! The candidate as an HTTP endpoint: `POST {base}/{operation}`.

mod connect;
mod trouble;

use super::once::name_twice;
use super::{Broken, Endpoint, FirstCause, Patience, Raw, quote};
pub use crate::remote::AddressError;
use crate::remote::{Access, AccessError, Redactor, Site};
use async_trait::async_trait;
use bytes::Bytes;
use connect::Pinned;
use countersign_contract::Problem;
use countersign_contract::carrier::LONGEST_LINE;
use countersign_contract::portable::{JSON, PROBLEM_JSON};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE,
};
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::sync::Arc;

/// Why an endpoint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Its address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Credentials or certificates.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// A candidate over HTTP. Follows no redirects, uses no proxy, decompresses nothing, reads at most [`LONGEST_LINE`] bytes of an
/// answer, and connects to nothing but the addresses that its name had at the beginning.
pub struct HttpEndpoint {
    client: Client<Pinned, Full<Bytes>>,
    base: String,
    authorization: Option<HeaderValue>,
    redactor: Redactor,
    patience: Patience,
    cause: FirstCause,
}

impl HttpEndpoint {
    /// An endpoint at a base URL, without credentials. Nothing is sent yet.
    ///
    /// # Errors
    /// If the address is of no use.
    pub async fn new(address: &str, patience: Patience) -> Result<Self, HttpError> {
        let access = Access::default();
        Self::at(&Site::resolve(address, &[], false).await?, &access, patience)
    }

    /// An endpoint at a site. Nothing is sent yet.
    ///
    /// # Errors
    /// If credentials or certificates are of no use.
    pub fn at(site: &Site, access: &Access, patience: Patience) -> Result<Self, HttpError> {
        let unusable = |cause: &str| AccessError::Tls(format!("{}: {cause}", site.base));
        let tls = if site.secure { access.tls()? } else { Access::pinned_to_nothing()? };
        let pinned = Pinned::new(site, Arc::new(tls)).ok_or_else(|| unusable("no certificate can be for this host"))?;
        let authorization = match &access.token {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                    .map_err(|_| unusable("the token cannot stand in a header"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let client = Client::builder(TokioExecutor::new()).build(pinned);
        let redactor = Redactor::new(access.token.clone());
        Ok(Self { client, base: site.base.clone(), authorization, redactor, patience, cause: FirstCause::default() })
    }

    async fn post(&self, op: &str, args: &Value) -> Result<Raw, Broken> {
        let url = format!("{}/{op}", self.base);
        let request = Request::post(&url).header(CONTENT_TYPE, JSON).header(ACCEPT_ENCODING, "identity");
        let request = match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        };
        let request = request
            .body(Full::new(Bytes::from(args.to_string())))
            .map_err(|e| Broken::not_the_contract(format!("cannot write the call: {e}")))?;
        let response = self.client.request(request).await.map_err(|e| {
            let broken = Broken::gone(format!("POST {url}: {}", trouble::chain(&e)));
            trouble::fix(&e).map_or_else(|| broken.clone(), |fix| broken.clone().fixed_by(fix))
        })?;
        let status = response.status();
        if status.is_redirection() {
            let to = self.header(&response, &LOCATION);
            return Err(
                self.strange(op, format!("{status}, a redirect to {}; give the address it leads to", quote(to.as_bytes())))
            );
        }
        let encoding = self.header(&response, &CONTENT_ENCODING);
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
            return Err(self.strange(op, format!("a compressed body ({}), which was not asked for", quote(encoding.as_bytes()))));
        }
        let content_type = self.header(&response, &CONTENT_TYPE);
        let challenged = response.headers().contains_key(WWW_AUTHENTICATE);
        let body = self.body(op, response).await?;
        if self.refuses(status, challenged, &content_type) {
            return Err(self.refused(op, status, &body));
        }
        self.read(op, status, &content_type, &body)
    }

    /// Whether this is the upper tester's word on *our* credentials. A 401 that the gateway gave to the candidate's client is
    /// relayed as a problem, and bears no challenge.
    fn refuses(&self, status: StatusCode, challenged: bool, content_type: &str) -> bool {
        let plain = !essence(content_type).eq_ignore_ascii_case(PROBLEM_JSON);
        (status == StatusCode::UNAUTHORIZED && (challenged || plain)) || (status == StatusCode::FORBIDDEN && plain)
    }

    fn refused(&self, op: &str, status: StatusCode, body: &[u8]) -> Broken {
        let (given, fix) = match self.authorization {
            Some(_) => (
                "the token that it was given",
                "check that the token is the upper tester's own and still holds: --token-file, COUNTERSIGN_TOKEN_FILE or \
                 COUNTERSIGN_TOKEN, or `candidate.token-file` in countersign.toml",
            ),
            None => (
                "a call without a token",
                "give the upper tester's token with --token-file FILE, COUNTERSIGN_TOKEN_FILE or COUNTERSIGN_TOKEN, or \
                 `candidate.token-file` in countersign.toml",
            ),
        };
        let said = if body.is_empty() { String::new() } else { format!("; the body begins {}", quote(body)) };
        Broken::gone(format!("POST {}/{op}: the upper tester refused {given} ({status}){said}", self.base)).fixed_by(fix)
    }

    async fn body(&self, op: &str, response: Response<Incoming>) -> Result<Vec<u8>, Broken> {
        let mut incoming = response.into_body();
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            match frame.map(|frame| frame.into_data().unwrap_or_default()) {
                Ok(chunk) if body.len() + chunk.len() <= LONGEST_LINE => body.extend_from_slice(&chunk),
                Ok(_) => return Err(self.strange(op, format!("a body of more than {LONGEST_LINE} bytes"))),
                Err(e) => {
                    let (base, read, why) = (&self.base, body.len(), trouble::chain(&e));
                    return Err(Broken::gone(format!("POST {base}/{op}: the body broke off after {read} bytes: {why}")));
                }
            }
        }
        Ok(self.redactor.bytes(body))
    }

    fn read(&self, op: &str, status: StatusCode, content_type: &str, body: &[u8]) -> Result<Raw, Broken> {
        let expected = if status == StatusCode::OK { JSON } else { PROBLEM_JSON };
        if !essence(content_type).eq_ignore_ascii_case(expected) {
            let typed = if content_type.is_empty() { "no content type".to_owned() } else { quote(content_type.as_bytes()) };
            return Err(
                self.strange(op, format!("{status} with {typed} where `{expected}` is due; the body begins {}", quote(body)))
            );
        }
        let not_json = |e: serde_json::Error| {
            self.strange(op, format!("{status} with a body that does not fit: {e}; it begins {}", quote(body)))
        };
        if let Some(twice) = name_twice(body) {
            return Err(self.strange(op, format!("{status} with a body that does not fit: {twice}; it begins {}", quote(body))));
        }
        if status == StatusCode::OK {
            serde_json::from_slice(body).map(Raw::Ok).map_err(not_json)
        } else {
            serde_json::from_slice::<Problem>(body).map(Raw::Problem).map_err(not_json)
        }
    }

    fn header(&self, response: &Response<Incoming>, name: &HeaderName) -> String {
        let value = response.headers().get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        self.redactor.text(value.unwrap_or_default())
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
            Ok(Ok(raw)) => raw.without(&self.redactor),
            Ok(Err(broken)) => Raw::Broken(broken).without(&self.redactor),
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

/// A media type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}
