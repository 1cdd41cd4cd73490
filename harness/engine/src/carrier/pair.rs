//! Two candidates as one: so that two messengers talk to each other, with the gateway between them and the judge watching.
//!
//! The users of an instance belong to the first and to the second candidate in turn, in the order in which they are created; a user
//! that is created anew stays where it was. What concerns an instance as a whole goes to both. Each of them sees only its own
//! users, as it would with us alone.

use super::{Broken, Endpoint, Raw};
use async_trait::async_trait;
use countersign_contract::claims::{Description, Limits, Suite};
use countersign_contract::{CONTRACT_VERSION, InstanceId, UserId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Two candidates that play one together.
pub struct PairEndpoint {
    first: Arc<dyn Endpoint>,
    second: Arc<dyn Endpoint>,
    /// Whose each user is, by instance.
    homes: Mutex<BTreeMap<InstanceId, BTreeMap<UserId, Home>>>,
    /// What each of them claims to speak, once they described themselves.
    suites: Mutex<[Vec<Suite>; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    First,
    Second,
}

impl PairEndpoint {
    /// Both of them, started.
    #[must_use]
    pub fn new(first: Arc<dyn Endpoint>, second: Arc<dyn Endpoint>) -> Self {
        Self { first, second, homes: Mutex::default(), suites: Mutex::default() }
    }

    fn homes(&self) -> MutexGuard<'_, BTreeMap<InstanceId, BTreeMap<UserId, Home>>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a user lives; a new one goes where the last one did not.
    fn home(&self, instance: InstanceId, user: UserId, creates: bool) -> Option<Home> {
        let mut homes = self.homes();
        let users = homes.get_mut(&instance)?;
        if let Some(home) = users.get(&user) {
            return Some(*home);
        }
        let home = if users.len().is_multiple_of(2) { Home::First } else { Home::Second };
        creates.then(|| *users.entry(user).or_insert(home))
    }

    fn at(&self, home: Home) -> &Arc<dyn Endpoint> {
        match home {
            Home::First => &self.first,
            Home::Second => &self.second,
        }
    }

    /// Arguments of `open` for each: one that claims several suites is told which, and one that claims this alone is not.
    fn to_open(&self, args: &Value) -> [Value; 2] {
        let claimed = self.suites.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let [first, second] = &claimed;
        let common = first.iter().find(|suite| second.contains(suite)).and_then(|suite| serde_json::to_value(suite).ok());
        let suite = args.get("suite").cloned().or(common);
        claimed.each_ref().map(|claimed| {
            let mut args = args.clone();
            if let (Some(members), Some(suite)) = (args.as_object_mut(), &suite) {
                members.remove("suite");
                if claimed.len() > 1 {
                    members.insert("suite".to_owned(), suite.clone());
                }
            }
            args
        })
    }

    /// Asks both: they agree, or it is answered what there is to be said against.
    async fn both(&self, op: &str, args: Value) -> Raw {
        let [of_one, of_other] = if op == "open" { self.to_open(&args) } else { [args.clone(), args] };
        let (one, other) = futures_util::join!(self.first.exchange(op, of_one), self.second.exchange(op, of_other));
        match (one, other) {
            (broken @ Raw::Broken(_), _) | (_, broken @ Raw::Broken(_)) => broken,
            (problem @ Raw::Problem(_), _) if concerns_all(op) => problem,
            // What does not exist has to be refused by both: the one that takes it is the one to look at.
            (taken @ Raw::Ok(_), _) if !concerns_all(op) => taken,
            (_, other) => other,
        }
    }

    async fn describe(&self, args: Value) -> Raw {
        let (one, other) =
            futures_util::join!(self.first.exchange("describe", args.clone()), self.second.exchange("describe", args));
        let (one, other) = match (one, other) {
            (Raw::Ok(one), Raw::Ok(other)) => (one, other),
            (Raw::Ok(_), other) => return other,
            (other, _) => return other,
        };
        // One that does not describe itself by the contract is for the doctor to see as it is.
        let Ok(first) = serde_json::from_value::<Description>(one.clone()) else { return Raw::Ok(one) };
        let Ok(second) = serde_json::from_value::<Description>(other.clone()) else { return Raw::Ok(other) };
        *self.suites.lock().unwrap_or_else(PoisonError::into_inner) = [first.suites.clone(), second.suites.clone()];
        Raw::Ok(serde_json::to_value(together(first, second)).unwrap_or_default())
    }
}

/// Whether an operation concerns an instance as a whole.
fn concerns_all(op: &str) -> bool {
    matches!(op, "open" | "close" | "advance_clock")
}

/// What both claim.
fn together(one: Description, other: Description) -> Description {
    fn common<T: PartialEq>(one: Vec<T>, other: &[T]) -> Vec<T> {
        one.into_iter().filter(|claim| other.contains(claim)).collect()
    }
    let by_both = one.assumptions.into_iter().map(|said| format!("{}: {said}", one.name));
    let by_both = by_both.chain(other.assumptions.into_iter().map(|said| format!("{}: {said}", other.name))).collect();
    Description {
        name: format!("{} and {}", one.name, other.name),
        version: format!("{} and {}", one.version, other.version),
        build: format!("{} and {}", one.build, other.build),
        operator: format!("{} and {}", one.operator, other.operator),
        contract: if one.contract == CONTRACT_VERSION { other.contract } else { one.contract },
        // The one that is further from the other's is further from ours too, or both are right.
        clock: one.clock.min(other.clock),
        bindings: common(one.bindings, &other.bindings),
        suites: common(one.suites, &other.suites),
        features: common(one.features, &other.features),
        capabilities: common(one.capabilities, &other.capabilities),
        limits: Limits {
            text_bytes: one.limits.text_bytes.min(other.limits.text_bytes),
            file_bytes: one.limits.file_bytes.min(other.limits.file_bytes),
            instances: one.limits.instances.min(other.limits.instances),
        },
        assumptions: by_both,
    }
}

fn member<T: std::str::FromStr>(args: &Value, name: &str) -> Option<T> {
    args.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok())
}

#[async_trait]
impl Endpoint for PairEndpoint {
    async fn exchange(&self, op: &str, args: Value) -> Raw {
        let instance = member::<InstanceId>(&args, "instance");
        if op == "describe" && args.as_object().is_some_and(serde_json::Map::is_empty) {
            return self.describe(args).await;
        }
        if let Some(instance) = instance {
            match op {
                "open" => {
                    self.homes().insert(instance, BTreeMap::new());
                }
                "close" => {
                    self.homes().remove(&instance);
                }
                _ => {
                    let home = member(&args, "user").and_then(|user| self.home(instance, user, op == "create_user"));
                    if let Some(home) = home {
                        return self.at(home).exchange(op, args).await;
                    }
                }
            }
        }
        self.both(op, args).await
    }

    fn broken(&self) -> Option<Broken> {
        self.first.broken().or_else(|| self.second.broken())
    }

    fn mark_broken(&self, cause: Broken) {
        self.first.mark_broken(cause.clone());
        self.second.mark_broken(cause);
    }

    fn stderr_tail(&self) -> Option<String> {
        let tails = [self.first.stderr_tail(), self.second.stderr_tail()];
        let both: Vec<String> = tails.into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join("\n"))
    }

    fn take_note(&self) -> Option<String> {
        self.first.take_note().or_else(|| self.second.take_note())
    }

    async fn shut_down(&self) {
        futures_util::join!(self.first.shut_down(), self.second.shut_down());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_contract::{Problem, Reason};
    use serde_json::json;
    use uuid::Uuid;

    /// Notes what it is asked.
    struct Deaf {
        name: &'static str,
        asked: Mutex<Vec<String>>,
        answer: Raw,
    }

    impl Deaf {
        fn new(name: &'static str, answer: Raw) -> Arc<Self> {
            Arc::new(Self { name, asked: Mutex::default(), answer })
        }

        fn asked(&self) -> Vec<String> {
            std::mem::take(&mut *self.asked.lock().unwrap())
        }
    }

    #[async_trait]
    impl Endpoint for Deaf {
        async fn exchange(&self, op: &str, args: Value) -> Raw {
            let user = args.get("user").map_or(String::new(), |user| format!(" {user}"));
            self.asked.lock().unwrap().push(format!("{op}{user}"));
            self.answer.clone()
        }
        fn broken(&self) -> Option<Broken> {
            None
        }
        fn mark_broken(&self, _: Broken) {}
        fn stderr_tail(&self) -> Option<String> {
            Some(self.name.to_owned())
        }
        async fn shut_down(&self) {}
    }

    fn of(user: u128) -> Value {
        json!({ "instance": InstanceId(Uuid::from_u128(1)), "user": UserId(Uuid::from_u128(user)) })
    }

    #[tokio::test]
    async fn users_live_with_one_and_the_other_in_turn_and_stay_there() {
        let (one, other) = (Deaf::new("one", Raw::Ok(json!({}))), Deaf::new("other", Raw::Ok(json!({}))));
        let pair = PairEndpoint::new(one.clone(), other.clone());
        pair.exchange("open", json!({ "instance": InstanceId(Uuid::from_u128(1)) })).await;
        assert_eq!((one.asked().len(), other.asked().len()), (1, 1));
        for user in [1, 2, 3, 2] {
            pair.exchange("create_user", of(user)).await;
        }
        pair.exchange("send", of(3)).await;
        pair.exchange("settle", of(2)).await;
        let users = |asked: Vec<String>| {
            asked.iter().map(|said| said.replace("00000000-0000-0000-0000-00000000000", "")).collect::<Vec<_>>()
        };
        assert_eq!(users(one.asked()), ["create_user \"1\"", "create_user \"3\"", "send \"3\""]);
        assert_eq!(users(other.asked()), ["create_user \"2\"", "create_user \"2\"", "settle \"2\""]);
        assert_eq!(pair.stderr_tail().unwrap(), "one\nother");
    }

    #[test]
    fn who_claims_several_suites_is_told_which_of_them() {
        let fine = || Deaf::new("", Raw::Ok(json!({})));
        let pair = PairEndpoint::new(fine(), fine());
        *pair.suites.lock().unwrap() = [vec![Suite::SignalPq, Suite::SignalClassic], vec![Suite::SignalClassic]];
        let [one, other] = pair.to_open(&json!({ "clock": 1 }));
        assert_eq!((one, other), (json!({ "clock": 1, "suite": "signal-classic" }), json!({ "clock": 1 })));
        let [one, other] = pair.to_open(&json!({ "suite": "signal-pq" }));
        assert_eq!((one, other), (json!({ "suite": "signal-pq" }), json!({})));
    }

    #[tokio::test]
    async fn both_have_to_agree_and_both_have_to_refuse() {
        let problem = || Raw::Problem(Problem::new(Reason::Unsupported, ""));
        let fine = || Raw::Ok(json!({}));
        for (one, other, op, agreed) in [
            (fine(), fine(), "open", true),
            (problem(), fine(), "open", false),
            (fine(), problem(), "open", false),
            (problem(), fine(), "invented", true),
            (fine(), problem(), "invented", true),
            (problem(), problem(), "invented", false),
        ] {
            let pair = PairEndpoint::new(Deaf::new("one", one), Deaf::new("other", other));
            assert_eq!(matches!(pair.exchange(op, of(1)).await, Raw::Ok(_)), agreed, "{op}");
        }
        let gone = Raw::Broken(Broken::gone("test"));
        let pair = PairEndpoint::new(Deaf::new("one", problem()), Deaf::new("other", gone.clone()));
        assert_eq!(pair.exchange("invented", json!({})).await, gone);
    }

    #[test]
    fn they_claim_what_both_claim() {
        let claims = |name: &str, suites: &[&str], text: u64| -> Description {
            serde_json::from_value(json!({
                "name": name, "version": "1", "build": "b", "operator": "o", "contract": CONTRACT_VERSION, "clock": text,
                "bindings": ["portable"], "suites": suites, "features": ["text", name], "capabilities": [],
                "limits": { "text_bytes": text, "file_bytes": text, "instances": 8 }, "assumptions": ["a"],
            }))
            .unwrap()
        };
        let both = together(claims("image", &["signal-pq", "signal-classic"], 7), claims("video", &["signal-classic"], 6));
        assert_eq!(serde_json::to_value(&both.suites).unwrap(), json!(["signal-classic"]));
        assert_eq!(serde_json::to_value(&both.features).unwrap(), json!(["text"]));
        assert_eq!((both.limits.text_bytes, both.name.as_str()), (6, "image and video"));
        assert_eq!(both.assumptions, ["image: a", "video: a"]);
    }
}
