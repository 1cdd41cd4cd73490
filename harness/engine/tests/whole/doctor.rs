//! The doctor lets a candidate in that works, and names what is wrong with one that does not.

use crate::common::{Ran, options, run_all, sample};
use async_trait::async_trait;
use countersign_contract::InstanceId;
use countersign_engine::carrier::command::Command;
use countersign_engine::carrier::{ChildEndpoint, Raw};
use countersign_engine::doctor::{Patient, examine};
use countersign_engine::{Broken, Endpoint, Gateways, Patience};
use countersign_testkit::broken_children::Child;
use countersign_testkit::broken_http as http;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A target that is a shell with that script.
fn child(child: Child) -> String {
    format!("exec:/bin/sh -c '{}'", child.script().replace('\'', r#"'"'"'"#))
}

async fn examined(target: &str, patience: Patience) -> Ran {
    let mut options = options(target, &["e2ee/from-reference"]);
    options.patience = patience;
    run_all(options).await
}

/// What was unhealthy; and that the run went no further.
async fn refused(target: &str) -> (String, String) {
    refused_within(target, Patience::contract()).await
}

async fn refused_within(target: &str, patience: Patience) -> (String, String) {
    let ran = examined(target, patience).await;
    assert!(ran.plan.is_none() && ran.results.is_empty(), "a run went on after a failed doctor");
    assert!(ran.ended().counts.is_empty());
    ran.unhealthy()
}

const ALL: [&str; 12] = [
    "reachable",
    "contract version",
    "describes itself",
    "clock",
    "claims",
    "invented operation",
    "invented argument",
    "unknown instance",
    "opens an instance",
    "closes an instance",
    "forgets an instance",
    "echo",
];

async fn admitted(target: &str) {
    let ran = examined(target, Patience::contract()).await;
    let names: Vec<&str> = ran.doctor().examinations.iter().map(|e| e.name.as_str()).collect();
    assert!(ran.doctor().healthy(), "{:?}", ran.unhealthy());
    assert_eq!(names, ALL);
    assert!(ran.doctor().description.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_healthy_in_process() {
    admitted("builtin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_healthy_as_a_child() {
    admitted(&format!("exec:{}", sample())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_does_not_exist_and_succeeds_is_found() {
    let (name, found) = refused(&format!("exec:{} invents-operation", sample())).await;
    assert_eq!(name, "invented operation");
    assert!(found.contains("was to be answered `unsupported`, and succeeded with \"{}\""), "{found}");
}

#[tokio::test]
async fn broken_children_are_named() {
    let reachable = |text: &str| ("reachable".to_owned(), text.to_owned());
    assert_eq!(
        refused(&child(Child::DiesAtOnce)).await,
        reachable("the candidate's process `sh` ended: exit status: 7; last on standard error: \"cannot load the library\"")
    );
    assert!(refused(&child(Child::Banner)).await.1.starts_with("on standard output stood a line that is not JSON"));
    assert!(refused(&child(Child::EndlessLine)).await.1.contains("a line of more than 4194304 bytes"));
    let short = Patience::at_most(Duration::from_millis(300));
    assert_eq!(refused_within(&child(Child::Hangs), short).await, reachable("`describe` was not answered within 300 ms"));
    let (name, found) = refused(&child(Child::WrongVersion)).await;
    assert_eq!(
        (name.as_str(), found.as_str()),
        ("contract version", "the candidate speaks contract \"9.4\", and Countersign speaks 1.0")
    );
    let (name, found) = refused(&child(Child::DiesInTheMiddle)).await;
    assert_eq!((name.as_str(), found.as_str()), ("contract version", "`describe` states no version of the contract"));
}

#[tokio::test]
async fn broken_endpoints_are_named() {
    for (response, told) in [
        (http::html(), "text/html"),
        (http::invalid_json(), "EOF while parsing"),
        (http::bare_500(), "500 Internal Server Error"),
        (http::redirect(), "a redirect to"),
        (http::gzip(), "compressed"),
    ] {
        let server = http::answering(response).await;
        let (name, found) = refused(&server.uri()).await;
        assert_eq!(name, "reachable");
        assert!(found.contains(told), "{found}");
    }
    let server = http::answering(http::slow()).await;
    let (_, found) = refused_within(&server.uri(), Patience::at_most(Duration::from_millis(300))).await;
    assert_eq!(found, "`describe` was not answered within 300 ms");
    assert!(refused(&http::endless_body().await.unwrap()).await.1.contains("a body of more than"));
}

#[tokio::test]
async fn a_wrong_clock_is_found() {
    let description = countersign_testkit::broken_children::DESCRIPTION.replace("CLOCK", "1000");
    let server = http::answering(wiremock::ResponseTemplate::new(200).set_body_raw(description, "application/json")).await;
    let (name, found) = refused(&server.uri()).await;
    assert_eq!(name, "clock");
    assert!(found.ends_with(" s behind"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_wrong_is_told_and_left_to_the_scenarios() {
    for (target, told) in
        [("mutant:no-padding", "a message from it was not shown"), ("mutant:plaintext-in-header", "the gateway refused")]
    {
        let ran = examined(target, Patience::contract()).await;
        assert!(ran.doctor().healthy(), "{target}: {:?}", ran.unhealthy());
        let echo = ran.doctor().examinations.last().unwrap();
        assert!(echo.found.contains(told) && echo.found.ends_with("that is for the scenarios to judge"), "{}", echo.found);
    }
}

/// A sample that looks for its gateway at another address than the one it is told, as behind a translated one.
struct Astray {
    sample: ChildEndpoint,
    address: String,
}

#[async_trait]
impl Endpoint for Astray {
    async fn exchange(&self, op: &str, mut args: Value) -> Raw {
        if let Some(gateway) = args.get_mut("gateway") {
            *gateway = self.address.clone().into();
        }
        self.sample.exchange(op, args).await
    }

    fn broken(&self) -> Option<Broken> {
        self.sample.broken()
    }

    fn mark_broken(&self, cause: Broken) {
        self.sample.mark_broken(cause);
    }

    async fn shut_down(&self) {
        self.sample.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_never_reaches_the_gateway_is_found() {
    let options = options("builtin", &[]);
    let gateways = Gateways::listen(options.listen).await.unwrap();
    // A gateway of somebody else, that answers and knows nothing of this candidate.
    let others = Gateways::listen(options.listen).await.unwrap();
    let other = others.open(InstanceId(uuid::Uuid::from_u128(1)));
    drop(other.socket);
    let command = Command::resolve(sample(), &options.folder, None).unwrap();
    let sample = ChildEndpoint::start(&command, options.patience).unwrap();
    let endpoint: Arc<dyn Endpoint> = Arc::new(Astray { sample, address: other.url });
    let (_interrupt, interrupt) = watch::channel(None);
    let patient = Patient {
        endpoint: &endpoint,
        gateways: &gateways,
        profile: &options.profile,
        patience: options.patience,
        seed: options.seed,
        interrupt,
    };
    let doctor = examine(&patient).await;
    endpoint.shut_down().await;
    let last = doctor.examinations.last().unwrap();
    assert!(!doctor.healthy() && last.name == "echo", "{last:?}");
    assert!(last.found.starts_with("no request and no chat channel of the candidate's client reached our gateway"), "{last:?}");
}
