//! Candidates that dial in: what they lose with a connection, and that nothing hangs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends when something is not as it has to be")]

use countersign_contract::Call;
use countersign_contract::operations::Describe;
use countersign_engine::carrier::dial_in::Lobby;
use countersign_engine::carrier::{DialInEndpoint, Endpoint, Raw};
use countersign_engine::remote::{DialIn, REDACTED, Reach, Redactor, Secret};
use countersign_engine::{Broken, Gateways, Patience};
use countersign_trace::event::{Fault, Outcome};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

const KEY: &str = "the-key-of-this-run-0123456789";
const LONG: Duration = Duration::from_secs(600);

/// A gateway with a door, and who waits behind it.
struct House {
    gateways: Gateways,
    lobby: Arc<Lobby>,
}

async fn house(wait: Duration, reconnect: Duration) -> House {
    let options = DialIn { key: Secret::new(KEY).unwrap(), wait, reconnect, announce: None };
    let (lobby, door) = Lobby::new(options);
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let gateways = Gateways::listen_for(listen, &Reach::default(), Some(door), Redactor::default()).await.unwrap();
    lobby.opens(gateways.place().unwrap().0);
    House { gateways, lobby }
}

/// A candidate's end.
struct Dialled(WebSocketStream<TcpStream>);

impl House {
    async fn dial_with(&self, key: &str) -> Result<Dialled, Error> {
        let address = self.gateways.place().unwrap().1;
        let mut request = format!("ws://{address}/dial").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        let stream = TcpStream::connect(address).await.unwrap();
        tokio_tungstenite::client_async(request, stream).await.map(|(socket, _)| Dialled(socket))
    }

    /// A candidate that came, and our endpoint for it.
    async fn met(&self, patience: Patience) -> (Dialled, DialInEndpoint) {
        let (dialled, endpoint) = tokio::join!(self.dial_with(KEY), DialInEndpoint::wait(&self.lobby, patience));
        (dialled.unwrap(), endpoint.unwrap())
    }
}

impl Dialled {
    /// The next call.
    async fn call(&mut self) -> Value {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("no call: {other:?}"),
            }
        }
    }

    async fn say(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    async fn answer(&mut self, call: &Value, ok: Value) {
        self.say(json!({ "id": call["id"], "ok": ok }).to_string()).await;
    }
}

fn broken(raw: Raw) -> Broken {
    match raw {
        Raw::Broken(broken) => broken,
        other => panic!("answered: {other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_key_opens_nothing() {
    let house = house(LONG, LONG).await;
    for key in ["", "wrong", "the-key-of-this-run-0123456780"] {
        let Err(Error::Http(refusal)) = house.dial_with(key).await else { panic!("{key} opened the door") };
        assert_eq!((refusal.status().as_u16(), refusal.headers()["www-authenticate"].to_str().unwrap()), (401, "Bearer"));
    }
}

#[tokio::test]
async fn replies_find_their_calls_in_any_order() {
    let house = house(LONG, LONG).await;
    let (mut candidate, endpoint) = house.met(Patience::contract()).await;
    let theirs = async {
        let (a, b) = (candidate.call().await, candidate.call().await);
        candidate.answer(&b, b["op"].clone()).await;
        candidate.answer(&a, a["op"].clone()).await;
    };
    let (describe, close) = (endpoint.exchange("describe", json!({})), endpoint.exchange("close", json!({})));
    let (describe, close, ()) = tokio::join!(describe, close, theirs);
    assert_eq!((describe, close), (Raw::Ok(json!("describe")), Raw::Ok(json!("close"))));
}

#[tokio::test]
async fn a_connection_that_breaks_off_takes_its_calls_and_instances_with_it_and_no_more() {
    let house = house(LONG, LONG).await;
    let (mut first, endpoint) = house.met(Patience::contract()).await;
    let open = |name: &str| json!({ "instance": name, "gateway": "", "clock": 0 });
    let (opened, ()) = tokio::join!(endpoint.exchange("open", open("one")), async {
        let call = first.call().await;
        first.answer(&call, json!({})).await;
    });
    assert_eq!(opened, Raw::Ok(json!({})));
    let (under_way, ()) = tokio::join!(endpoint.exchange("describe", json!({})), async {
        first.call().await;
        drop(first);
    });
    let cause = broken(under_way);
    assert_eq!(cause.fault, Fault::Gone);
    assert!(cause.detail.starts_with("the candidate's connection broke off in the middle: "), "{cause}");

    // It comes back: what was open is closed there, lost here, and new instances work.
    let mut second = house.dial_with(KEY).await.unwrap();
    let (reopened, closed) = tokio::join!(endpoint.exchange("open", open("two")), async {
        let mut closed = Value::Null;
        for _ in 0..2 {
            let call = second.call().await;
            if call["op"] == "close" {
                closed = call["args"]["instance"].clone();
            }
            second.answer(&call, json!({})).await;
        }
        closed
    });
    assert_eq!((reopened, closed), (Raw::Ok(json!({})), json!("one")));
    for op in ["events", "close"] {
        let lost = broken(endpoint.exchange(op, json!({ "instance": "one" })).await);
        assert!(lost.detail.contains("the connection on which this instance was opened broke off"), "{lost}");
    }
    assert_eq!(endpoint.broken(), None);
    let notes: Vec<String> = std::iter::from_fn(|| endpoint.take_note()).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("broke off") && notes[0].contains("1 calls were under way and are lost"), "{notes:?}");
    assert!(notes[1].contains("dialled in again from 127.0.0.1:"), "{notes:?}");
}

#[tokio::test]
async fn one_that_does_not_come_back_is_broken_with_its_cause() {
    let house = house(LONG, Duration::from_millis(100)).await;
    let (first, endpoint) = house.met(Patience::contract()).await;
    drop(first);
    let endpoint: &dyn Endpoint = &endpoint;
    let Outcome::Fault { fault, detail } = endpoint.call(&Call::Describe(Describe {})).await else { panic!("answered") };
    assert_eq!(fault, Fault::Gone);
    assert!(detail.contains("broke off"), "{detail}");
    assert!(endpoint.broken().is_some(), "others learn of it at once");
}

#[tokio::test]
async fn one_that_dials_anew_takes_the_place_of_its_old_connection() {
    let house = house(LONG, LONG).await;
    let (mut first, endpoint) = house.met(Patience::contract()).await;
    let (under_way, second) = tokio::join!(endpoint.exchange("describe", json!({})), async {
        first.call().await;
        house.dial_with(KEY).await.unwrap()
    });
    assert!(broken(under_way).detail.contains("dialled in anew"));
    let mut second = second;
    let (answered, ()) = tokio::join!(endpoint.exchange("describe", json!({})), async {
        let call = second.call().await;
        second.answer(&call, json!({ "second": true })).await;
    });
    assert_eq!(answered, Raw::Ok(json!({ "second": true })));
}

#[tokio::test]
async fn two_that_compete_for_one_run_are_stopped() {
    let house = house(LONG, LONG).await;
    let (first, endpoint) = house.met(Patience::contract()).await;
    let mut dialled = vec![first];
    // Each handshake is answered before its connection is taken: the last one may not be yet.
    while endpoint.broken().is_none() {
        match house.dial_with(KEY).await {
            Ok(next) => dialled.push(next),
            Err(Error::Http(busy)) => assert_eq!(busy.status().as_u16(), 503),
            Err(other) => panic!("{other}"),
        }
        assert!(dialled.len() < 100, "it goes on for ever");
    }
    assert!(dialled.len() > 20, "{} are no competition", dialled.len());
    let cause = broken(endpoint.exchange("describe", json!({})).await);
    assert!(cause.detail.contains("perhaps two candidates compete for it"), "{cause}");
}

#[tokio::test]
async fn what_is_no_reply_ends_the_connection_with_a_hint() {
    for (noise, said) in [
        ("listening", "a line that is not JSON: \"listening\"; hint: every text frame"),
        ("{\"id\":9,\"ok\":1}", "a reply to a call that was never made"),
    ] {
        let house = house(LONG, Duration::from_millis(50)).await;
        let (mut candidate, endpoint) = house.met(Patience::contract()).await;
        let (raw, ()) = tokio::join!(endpoint.exchange("describe", json!({})), async {
            candidate.call().await;
            candidate.say(noise).await;
        });
        let cause = broken(raw);
        assert!(cause.detail.contains(said), "{cause}");
    }
}

#[tokio::test]
async fn a_key_that_comes_back_is_taken_out() {
    let house = house(LONG, LONG).await;
    let (mut candidate, endpoint) = house.met(Patience::contract()).await;
    let (raw, ()) = tokio::join!(endpoint.exchange("describe", json!({})), async {
        let call = candidate.call().await;
        candidate.answer(&call, json!({ "key": KEY })).await;
    });
    assert_eq!(raw, Raw::Ok(json!({ "key": REDACTED })));
}

#[tokio::test]
async fn the_end_of_the_run_is_told() {
    let house = house(LONG, LONG).await;
    let (mut candidate, endpoint) = house.met(Patience::contract()).await;
    let ((), code) = tokio::join!(endpoint.shut_down(), async {
        loop {
            match candidate.0.next().await {
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
                Some(Ok(_)) => {}
                other => panic!("no close frame: {other:?}"),
            }
        }
    });
    assert_eq!(code, Some(1000));
}

#[tokio::test]
async fn nobody_is_said_with_what_came_instead() {
    let house = house(Duration::from_millis(200), LONG).await;
    let (waited, refused) = tokio::join!(DialInEndpoint::wait(&house.lobby, Patience::contract()), house.dial_with("wrong"));
    assert!(refused.is_err());
    let Err(cause) = waited else { panic!("somebody came") };
    assert!(cause.detail.contains("1 came with a wrong key or none"), "{cause}");
}
