//! The operations of the contract, and the statement of claims.

use crate::client::{Instance, User};
use crate::contract::{arguments, check, document, malformed, Outcome, Problem};
use crate::gateway::Gateway;
use serde_json::{json, Value};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

// What `describe` claims. Take the mark of comment off a line when it is true, and not before: a claim that turns out to be
// `unsupported` is a failure, and a feature that is not claimed is not tested. The README says which step makes which line true.
const SUITES: &[&str] = &[
    // "signal-pq", // step 1
    // "signal-classic", // in place of it, or beside it
];
const FEATURES: &[&str] = &[
    // "text", // step 1
    // "delivery-receipt", // step 1
    // "retry", // step 2
    // "safety-number", // step 3
    // "image", "video", "voice", "file", // step 4
    // "reaction", "reply", "edit", "delete", "typing", "read-receipt", // step 5
    // "block", // step 6
    // "group", // for the profile dma-groups
    // "sealed-sender", // for the profile sealed-sender
];
const MOST_INSTANCES: usize = 64;
const MOST_PREKEYS: u64 = 100;
const LONGEST_WAIT_MS: u64 = 10_000;

/// Instances, each with its own users, clock and gateway.
#[derive(Default)]
pub struct Candidate {
    instances: Mutex<HashMap<String, Open>>,
}

struct Open {
    shared: Arc<Instance>,
    /// `None` was deleted.
    users: HashMap<String, Option<Arc<User>>>,
}

/// The arguments of a call, checked against the contract.
pub struct Args<'a>(&'a Value);

impl Args<'_> {
    /// A UUID, in one spelling.
    fn name(&self, member: &str) -> String {
        self.0[member].as_str().unwrap_or_default().to_lowercase()
    }

    fn number(&self, member: &str) -> u64 {
        self.0[member].as_u64().unwrap_or_default()
    }

    fn flag(&self, member: &str) -> bool {
        self.0[member] == true
    }

    fn prekeys(&self) -> Outcome<u64> {
        let count = self.number("one_time_prekeys");
        if count > MOST_PREKEYS { Err(malformed(format!("more than {MOST_PREKEYS} one-time prekeys"))) } else { Ok(count) }
    }
}

type Handler = fn(&Candidate, &Args<'_>) -> Outcome<Value>;

/// One entry for each operation of the contract.
pub const OPERATIONS: &[(&str, Handler)] = &[
    ("describe", |_, _| Ok(describe())),
    ("open", |candidate, args| candidate.open(args)),
    ("close", |candidate, args| candidate.close(args)),
    ("create_user", |candidate, args| candidate.create_user(args)),
    ("delete_user", |candidate, args| candidate.delete_user(args)),
    ("connect", |candidate, args| candidate.user(args)?.connect().map(done)),
    ("disconnect", |candidate, args| {
        candidate.user(args)?.disconnect();
        Ok(done(()))
    }),
    ("send", |candidate, args| {
        let user = candidate.user(args)?;
        if args.0["sealed"].as_bool().unwrap_or(false) {
            return Err(Problem::new("unsupported", "sealed sender: here your certificates: see the contract, module sealed"));
        }
        user.send(&args.name("to"), &args.name("stanza"), &args.0["content"]).map(done)
    }),
    ("events", |candidate, args| {
        let wait = Duration::from_millis(args.number("wait_ms").min(LONGEST_WAIT_MS));
        Ok(json!({ "events": candidate.user(args)?.events_after(args.number("after"), wait) }))
    }),
    ("settle", |candidate, args| candidate.user(args)?.settle(&args.name("through")).map(done)),
    ("fetch_keys", |candidate, args| Ok(json!({ "identity_key": candidate.user(args)?.fetch_keys(&args.name("of"))? }))),
    ("rotate_keys", |candidate, args| {
        candidate.user(args)?.rotate(args.flag("signed"), args.flag("kyber"), args.prekeys()?).map(done)
    }),
    ("verify_identity", |candidate, args| Ok(json!({ "digits": candidate.user(args)?.safety_number(&args.name("peer"))? }))),
    ("accept_identity", |candidate, args| candidate.user(args)?.accept_identity(&args.name("peer")).map(done)),
    ("block", |candidate, args| {
        candidate.user(args)?;
        Err(Problem::new("unsupported", "blocking: here your block list: see the contract, module portable"))
    }),
    ("create_group", |candidate, args| {
        candidate.user(args)?;
        Err(Problem::new("unsupported", "groups: here your sender keys: see the contract, module groups"))
    }),
    ("change_group", |candidate, args| {
        candidate.user(args)?;
        Err(Problem::new("unsupported", "groups: here your sender keys: see the contract, module groups"))
    }),
    ("send_to_group", |candidate, args| {
        candidate.user(args)?;
        Err(Problem::new("unsupported", "groups: here your sender keys: see the contract, module groups"))
    }),
    ("advance_clock", |candidate, args| {
        // This client has no timers of its own. If yours has some: fire what falls due, before the answer.
        candidate.instance(args)?.clock.fetch_add(args.number("by_ms"), Ordering::SeqCst);
        Ok(done(()))
    }),
];

fn done((): ()) -> Value {
    json!({})
}

fn describe() -> Value {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    json!({
        "name": "NAME OF YOUR MESSENGER",
        "version": env!("CARGO_PKG_VERSION"),
        "build": "skeleton", // the digest or the name of your build
        "operator": "NAME OF YOUR MESSENGER", // who runs it
        "contract": document()["info"]["version"],
        "clock": u64::try_from(clock.as_millis()).unwrap_or(u64::MAX),
        "bindings": ["portable"],
        "suites": SUITES,
        "features": FEATURES,
        "capabilities": ["virtual-clock"],
        "limits": { "text_bytes": 100_000, "file_bytes": 16 * 1024 * 1024, "instances": MOST_INSTANCES },
        "assumptions": [], // in your own words; they are printed in the report
    })
}

impl Candidate {
    /// Answers an operation.
    pub fn call(&self, name: &str, args: &Value) -> Outcome<Value> {
        let schema = arguments(name).ok_or_else(|| Problem::new("unsupported", format!("there is no operation `{name}`")))?;
        check(args, schema, "args")?;
        let (_, run) = OPERATIONS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| Problem::new("unsupported", format!("`{name}` is of the contract, and has no entry here yet")))?;
        run(self, &Args(args))
    }

    fn instances(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, args: &Args<'_>, action: impl FnOnce(&mut Open) -> T) -> Outcome<T> {
        let name = args.name("instance");
        let mut instances = self.instances();
        instances.get_mut(&name).map(action).ok_or_else(|| Problem::new("unknown-instance", format!("no instance {name} is open")))
    }

    fn instance(&self, args: &Args<'_>) -> Outcome<Arc<Instance>> {
        self.with(args, |open| Arc::clone(&open.shared))
    }

    fn user(&self, args: &Args<'_>) -> Outcome<Arc<User>> {
        let name = args.name("user");
        match self.with(args, |open| open.users.get(&name).cloned())? {
            Some(Some(user)) => Ok(user),
            Some(None) => Err(Problem::new("deleted-user", format!("user {name} was deleted"))),
            None => Err(Problem::new("unknown-user", format!("no user {name} here"))),
        }
    }

    fn open(&self, args: &Args<'_>) -> Outcome<Value> {
        let gateway = Gateway::new(args.0["gateway"].as_str().unwrap_or_default())?;
        let name = args.name("instance");
        let mut instances = self.instances();
        if instances.contains_key(&name) {
            return Err(malformed(format!("instance {name} is open already")));
        }
        if instances.len() >= MOST_INSTANCES {
            return Err(Problem::new("busy", format!("{MOST_INSTANCES} instances are open")));
        }
        let shared = Arc::new(Instance { gateway, clock: AtomicU64::new(args.number("clock")) });
        instances.insert(name, Open { shared, users: HashMap::new() });
        Ok(done(()))
    }

    fn close(&self, args: &Args<'_>) -> Outcome<Value> {
        let users = self.with(args, |open| std::mem::take(&mut open.users))?;
        self.instances().remove(&args.name("instance"));
        users.values().flatten().for_each(|user| user.leave());
        Ok(done(()))
    }

    fn create_user(&self, args: &Args<'_>) -> Outcome<Value> {
        let (batch, instance, name) = (args.prekeys()?, self.instance(args)?, args.name("user"));
        // As after a reinstall: new keys, an empty client.
        if let Some(before) = self.with(args, |open| open.users.remove(&name).flatten())? {
            before.leave();
        }
        let user = User::enlist(&name, &instance, batch)?;
        let identity_key = user.identity_key()?;
        self.with(args, |open| open.users.insert(name, Some(user)))?;
        Ok(json!({ "identity_key": identity_key }))
    }

    fn delete_user(&self, args: &Args<'_>) -> Outcome<Value> {
        let user = self.user(args)?;
        user.delete()?;
        self.with(args, |open| open.users.insert(user.name().to_owned(), None))?;
        Ok(done(()))
    }
}
