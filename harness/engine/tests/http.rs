//! Broken HTTP endpoints: each call ends with a fault that names place and cause, and none hangs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends when something is not as it has to be")]

use countersign_contract::Call;
use countersign_contract::operations::Describe;
use countersign_engine::Patience;
use countersign_engine::carrier::{Endpoint, HttpEndpoint, Raw};
use countersign_testkit::broken_http as http;
use countersign_trace::event::{Fault, Outcome};
use serde_json::json;
use std::time::Duration;
use wiremock::ResponseTemplate;

async fn ask(url: &str, patience: Patience) -> (Outcome, HttpEndpoint) {
    let endpoint = HttpEndpoint::new(url, patience).await.unwrap();
    let shared: &dyn Endpoint = &endpoint;
    (shared.call(&Call::Describe(Describe {})).await, endpoint)
}

/// The fault of an endpoint that answers everything so, with its address taken out.
async fn fault(response: ResponseTemplate) -> (Fault, String) {
    let server = http::answering(response).await;
    cause(ask(&server.uri(), Patience::contract()).await.0, &server.uri())
}

fn cause(outcome: Outcome, url: &str) -> (Fault, String) {
    match outcome {
        Outcome::Fault { fault, detail } => (fault, detail.replace(url, "BASE")),
        other => panic!("not a fault: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_of_the_contract_is_named() {
    let strange = Fault::NotTheContract;
    let told = |text: &str| (strange, format!("POST BASE/describe answered {text}"));
    assert_eq!(
        fault(http::html()).await,
        told(
            "200 OK with \"text/html; charset=utf-8\" where `application/json` is due; the body begins \"<!doctype html><title>It works!</title>\""
        )
    );
    assert_eq!(
        fault(http::invalid_json()).await,
        told(
            "200 OK with a body that does not fit: EOF while parsing a string at line 1 column 11; it begins \"{\\\"name\\\": \\\"x\""
        )
    );
    assert_eq!(
        fault(http::bare_500()).await,
        told(
            "500 Internal Server Error with \"text/plain\" where `application/problem+json` is due; the body begins \"Internal Server Error\""
        )
    );
    assert_eq!(
        fault(http::redirect()).await,
        told("307 Temporary Redirect, a redirect to \"http://127.0.0.1:1/elsewhere\"; give the address it leads to")
    );
    assert_eq!(fault(http::gzip()).await, told("a compressed body (\"gzip\"), which was not asked for"));
    let (kind, detail) = fault(http::invented_reason()).await;
    assert_eq!(kind, strange);
    assert!(detail.contains("unknown variant `out-of-cheese`"), "{detail}");
}

#[tokio::test]
async fn a_body_without_end_is_cut() {
    let url = http::endless_body().await.unwrap();
    let (outcome, endpoint) = ask(&url, Patience::contract()).await;
    let expected = (Fault::NotTheContract, "POST BASE/describe answered a body of more than 4194304 bytes".to_owned());
    assert_eq!(cause(outcome, &url), expected);
    assert_eq!(endpoint.broken(), None, "one strange answer does not condemn the endpoint");
}

#[tokio::test]
async fn a_body_that_breaks_off_means_that_the_endpoint_is_gone() {
    let url = http::cut_body().await.unwrap();
    let (outcome, endpoint) = ask(&url, Patience::contract()).await;
    let (kind, detail) = cause(outcome, &url);
    assert_eq!(kind, Fault::Gone);
    assert!(detail.starts_with("POST BASE/describe: the body broke off after 4 bytes"), "{detail}");
    assert!(endpoint.broken().is_some());
}

#[tokio::test]
async fn another_protocol_is_not_an_answer() {
    let url = http::not_http().await.unwrap();
    let (kind, detail) = cause(ask(&url, Patience::contract()).await.0, &url);
    assert_eq!(kind, Fault::Gone);
    assert!(detail.contains("invalid HTTP"), "{detail}");
}

#[tokio::test]
async fn a_slow_endpoint_meets_the_deadline_and_is_then_marked_broken() {
    let server = http::answering(http::slow()).await;
    let (outcome, endpoint) = ask(&server.uri(), Patience::at_most(Duration::from_millis(300))).await;
    assert_eq!(cause(outcome, "-"), (Fault::Deadline, "`describe` was not answered within 300 ms".to_owned()));
    let known = endpoint.broken().unwrap();
    assert_eq!(endpoint.exchange("close", json!({})).await, Raw::Broken(known), "others learn of it at once");
}

#[tokio::test]
async fn nobody_there_is_said_at_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let (kind, detail) = cause(ask(&url, Patience::contract()).await.0, &url);
    assert_eq!(kind, Fault::Gone);
    assert!(detail.contains("Connection refused"), "{detail}");
}

#[tokio::test]
async fn an_answer_of_another_form_is_named_with_what_is_wrong() {
    let (kind, detail) = fault(ResponseTemplate::new(200).set_body_json(json!({ "name": "x" }))).await;
    assert_eq!(kind, Fault::NotTheContract);
    assert!(
        detail.starts_with("the answer of `describe` does not have the form of the contract: missing field `version`"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_problem_is_an_answer() {
    let problem = ResponseTemplate::new(501).set_body_raw("{\"reason\":\"unsupported\"}", "application/problem+json");
    let server = http::answering(problem).await;
    assert!(
        matches!(ask(&server.uri(), Patience::contract()).await.0, Outcome::Problem(p) if p.reason.as_str() == "unsupported")
    );
}

#[tokio::test]
async fn addresses_of_no_use_are_refused_with_a_reason() {
    let error = async |address: &str| match HttpEndpoint::new(address, Patience::contract()).await {
        Ok(_) => panic!("{address} was taken"),
        Err(error) => error.to_string(),
    };
    assert_eq!(
        error("ftp://x").await,
        "`ftp:` is not spoken here; give the upper tester's address as `http://host:port` or `https://host:port`"
    );
    assert_eq!(error("http://me:secret@x").await, "the address has credentials; give it without");
    assert_eq!(error("http://x?y").await, "the address has a query or a fragment; give it without");
    assert_eq!(error("http://").await, "`http://` is not a URL: empty host");
}
