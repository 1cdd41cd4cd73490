//! Requests of ours go to the candidate and nowhere else, and no secret of ours comes back with an answer.

#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it has to be")]

use countersign_engine::Patience;
use countersign_engine::carrier::{Endpoint, HttpEndpoint, Raw};
use countersign_engine::remote::{Access, AddressError, REDACTED, Secret, Site};
use countersign_testkit::broken_http as http;
use countersign_trace::event::Fault;
use serde_json::json;
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "the-partners-own-token-0123456789";

async fn with_token(url: &str) -> HttpEndpoint {
    let access = Access { token: Some(Secret::new(TOKEN).unwrap()), ..Access::default() };
    HttpEndpoint::at(&Site::resolve(url, &[], true).await.unwrap(), &access, Patience::contract()).unwrap()
}

async fn describe(endpoint: &HttpEndpoint) -> Raw {
    endpoint.exchange("describe", json!({})).await
}

#[tokio::test]
async fn no_redirect_is_followed_whatever_its_kind() {
    for status in [301, 302, 303, 307, 308] {
        let inside = http::answering(ResponseTemplate::new(200).set_body_json(json!({}))).await;
        let redirect = ResponseTemplate::new(status).insert_header("location", format!("{}/describe", inside.uri()).as_str());
        let outside = http::answering(redirect).await;
        let Raw::Broken(broken) = describe(&with_token(&outside.uri()).await).await else { panic!("{status} was an answer") };
        assert_eq!(broken.fault, Fault::NotTheContract);
        assert!(broken.detail.contains("a redirect to"), "{broken}");
        assert_eq!(inside.received_requests().await.unwrap().len(), 0, "{status} was followed");
        assert_eq!(outside.received_requests().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_token_goes_with_every_call() {
    let server = MockServer::start().await;
    let fits = header("authorization", format!("Bearer {TOKEN}").as_str());
    Mock::given(fits).respond_with(ResponseTemplate::new(200).set_body_json(json!({}))).mount(&server).await;
    assert_eq!(describe(&with_token(&server.uri()).await).await, Raw::Ok(json!({})));
}

#[tokio::test]
async fn a_token_that_comes_back_is_taken_out() {
    let answer = json!({ "name": format!("x{TOKEN}y"), TOKEN: [TOKEN] });
    let server = http::answering(ResponseTemplate::new(200).set_body_json(answer)).await;
    let expected = json!({ "name": format!("x{REDACTED}y"), REDACTED: [REDACTED] });
    assert_eq!(describe(&with_token(&server.uri()).await).await, Raw::Ok(expected));

    // Another spelling of the same text.
    let escaped: String = TOKEN.bytes().map(|b| format!("\\u{b:04x}")).collect();
    let spelt = ResponseTemplate::new(200).set_body_raw(format!("{{\"name\":\"x{escaped}\"}}"), "application/json");
    let server = http::answering(spelt).await;
    assert_eq!(describe(&with_token(&server.uri()).await).await, Raw::Ok(json!({ "name": format!("x{REDACTED}") })));

    for strange in [
        ResponseTemplate::new(200).set_body_raw(format!("hello {TOKEN}"), "text/html"),
        ResponseTemplate::new(307).insert_header("location", format!("/login?token={TOKEN}").as_str()),
        ResponseTemplate::new(200).insert_header("content-encoding", TOKEN),
        ResponseTemplate::new(200).set_body_raw("{}", TOKEN),
        ResponseTemplate::new(401).set_body_raw(format!("not {TOKEN}"), "text/plain"),
    ] {
        let server = http::answering(strange).await;
        let Raw::Broken(broken) = describe(&with_token(&server.uri()).await).await else { panic!("that was no answer") };
        assert!(broken.detail.contains(REDACTED) && !broken.detail.contains(TOKEN), "{broken}");
    }
}

#[tokio::test]
async fn a_refusal_of_our_token_is_told_from_one_that_the_gateway_gave_to_the_candidate() {
    let problem = || ResponseTemplate::new(401).set_body_raw(r#"{"reason":"unauthorized"}"#, "application/problem+json");
    let relayed = http::answering(problem()).await;
    assert!(matches!(describe(&with_token(&relayed.uri()).await).await, Raw::Problem(_)), "that is the candidate's answer");
    for ours in [
        problem().insert_header("www-authenticate", "Bearer"),
        ResponseTemplate::new(401),
        ResponseTemplate::new(403).set_body_raw("<h1>Forbidden</h1>", "text/html"),
    ] {
        let server = http::answering(ours).await;
        let Raw::Broken(broken) = describe(&with_token(&server.uri()).await).await else { panic!("that was no answer") };
        assert!(broken.detail.contains("the upper tester refused the token that it was given"), "{broken}");
        assert!(broken.fix.is_some_and(|fix| fix.contains("--token-file")), "{broken:?}");
    }
}

#[tokio::test]
async fn a_name_that_is_none_is_named() {
    let error = Site::resolve("http://no-such-name.invalid", &[], false).await.unwrap_err();
    assert!(matches!(&error, AddressError::Unknown { host, .. } if host == "no-such-name.invalid"), "{error}");
}

#[tokio::test]
async fn a_name_is_resolved_once_and_used_from_then_on() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(json!({}))).mount(&server).await;
    let port = server.address().port();
    // A name that leads nowhere: only what it led to at the beginning is ever asked.
    let site = Site {
        addresses: vec![*server.address()],
        ..Site::resolve(&format!("http://localhost:{port}"), &[], false).await.unwrap()
    };
    let site = Site { base: format!("http://moved.invalid:{port}"), host: "moved.invalid".to_owned(), ..site };
    let endpoint = HttpEndpoint::at(&site, &Access::default(), Patience::contract()).unwrap();
    assert_eq!(describe(&endpoint).await, Raw::Ok(json!({})));
    let asked = server.received_requests().await.unwrap();
    assert_eq!(asked[0].headers["host"], format!("moved.invalid:{port}").as_str(), "the name is still said");
}
