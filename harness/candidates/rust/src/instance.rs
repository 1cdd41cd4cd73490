//! Instances, and the operations on them.

use crate::client::{Kept, User};
use crate::defect::{Defect, Defects};
use crate::limits;
use crate::wire::{Wire, WireFactory};
use countersign_contract::claims::{Binding, Capability, Description, Feature, Limits, Suite};
use countersign_contract::operations::{
    Answer, Call, Cloned, Created, Done, Exported, Fetched, ImportedKeys, Open, Outcome, SafetyNumber, SnapshotTaken,
};
use countersign_contract::portable::MOST_PREKEYS;
use countersign_contract::state::Handle;
use countersign_contract::{Bytes, CONTRACT_VERSION, InstanceId, Problem, Reason, UserId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// Most bytes that a defective candidate takes and keeps: more than a child may, and less than a machine has.
const LARGEST_HOARD: usize = 2 << 30;

/// The sample candidate. Clones are handles to the same one.
#[derive(Clone)]
pub struct Sample {
    inner: Arc<Inner>,
}

struct Inner {
    wires: WireFactory,
    defects: Arc<dyn Defects>,
    instances: Mutex<BTreeMap<InstanceId, Arc<Instance>>>,
    collapse: Arc<Collapse>,
}

/// What a defective candidate does to itself as a whole.
#[derive(Default)]
pub(crate) struct Collapse {
    /// Turns true when it has ended.
    pub(crate) ended: watch::Sender<bool>,
    hoard: Mutex<Vec<Vec<u8>>>,
}

impl Collapse {
    /// Takes so many bytes of memory and keeps them.
    pub(crate) fn set_aside(&self, bytes: usize) {
        let mut hoard = self.hoard.lock().unwrap_or_else(PoisonError::into_inner);
        let room = LARGEST_HOARD.saturating_sub(hoard.iter().map(Vec::len).sum());
        // Not of zeros, which a system need not back with memory before they are written.
        hoard.push(vec![1; bytes.min(room)]);
    }
}

/// One instance: a gateway, a clock, and users who know of nothing else.
pub(crate) struct Instance {
    pub(crate) wire: Arc<dyn Wire>,
    pub(crate) defects: Arc<dyn Defects>,
    pub(crate) collapse: Arc<Collapse>,
    pub(crate) suite: Suite,
    /// The key that senders' certificates lead to, where there are sealed messages.
    pub(crate) trust_root: Option<Bytes>,
    clock: AtomicU64,
    users: Mutex<BTreeMap<UserId, Account>>,
    snapshots: Mutex<Shelf<(UserId, Kept)>>,
    clones: Mutex<Shelf<(UserId, User)>>,
}

/// Snapshots, or copies, by their handles.
type Shelf<T> = BTreeMap<Handle, Arc<T>>;

/// A user, or what is left of one.
enum Account {
    Live(Arc<User>),
    /// What is left is for the defect `reconnects-deleted-users` alone.
    Deleted(Option<Arc<User>>),
}

impl Sample {
    /// A candidate that reaches its gateways over `wires` and makes the mistakes that `defects` says; see [`crate::Honest`].
    #[must_use]
    pub fn new(wires: WireFactory, defects: Arc<dyn Defects>) -> Self {
        Self { inner: Arc::new(Inner { wires, defects, instances: Mutex::default(), collapse: Arc::default() }) }
    }

    /// Resolves when the candidate has ended, as only defective ones do by themselves. Whoever carries its calls ends then.
    pub async fn ended(&self) {
        let mut ended = self.inner.collapse.ended.subscribe();
        // The sender lives as long as this handle does.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Executes a call. Each operation blocks on what the contract says.
    ///
    /// # Errors
    /// The problem that the contract's operation names.
    pub async fn call(&self, call: Call) -> Outcome {
        Ok(match call {
            Call::Describe(_) => Answer::Describe(describe()),
            Call::Open(args) => {
                self.open(&args)?;
                Answer::Open(Done {})
            }
            Call::Close(args) => {
                let instance = self.instances().remove(&args.instance).ok_or_else(|| unknown_instance(args.instance))?;
                instance.close().await;
                Answer::Close(Done {})
            }
            Call::CreateUser(args) => {
                if args.one_time_prekeys as usize > MOST_PREKEYS {
                    return Err(Problem::new(Reason::TooLarge, format!("at most {MOST_PREKEYS} one-time prekeys")));
                }
                if args.import.is_some() && args.one_time_prekeys > 0 {
                    let both = "one_time_prekeys is 0 for a user with imported keys, who publishes no others";
                    return Err(Problem::new(Reason::Malformed, both));
                }
                let instance = self.instance(args.instance)?;
                let user = instance.create(args.user, args.one_time_prekeys, args.import.as_ref()).await?;
                Answer::CreateUser(Created { identity_key: user.identity_key().into() })
            }
            Call::DeleteUser(args) => {
                let instance = self.instance(args.instance)?;
                let user = instance.user(args.user)?;
                user.delete().await?;
                let left = instance.defects.has(Defect::ReconnectsDeletedUsers).then_some(user);
                instance.users().insert(args.user, Account::Deleted(left));
                Answer::DeleteUser(Done {})
            }
            Call::Connect(args) => {
                self.user(args.instance, args.user)?.connect().await?;
                for deleted in self.instance(args.instance)?.deleted() {
                    // By mistake, so that no answer to it matters.
                    let _ = deleted.connect().await;
                }
                Answer::Connect(Done {})
            }
            Call::Disconnect(args) => {
                self.user(args.instance, args.user)?.disconnect().await;
                Answer::Disconnect(Done {})
            }
            Call::Send(args) => {
                let user = self.user(args.instance, args.user)?;
                user.send(args.to, args.stanza, &args.content, args.sealed).await?;
                Answer::Send(Done {})
            }
            Call::CreateGroup(args) => {
                self.user(args.instance, args.user)?.create_group(args.group, &args.members).await?;
                Answer::CreateGroup(Done {})
            }
            Call::ChangeGroup(args) => {
                self.user(args.instance, args.user)?.change_group(args.group, &args.add, &args.remove).await?;
                Answer::ChangeGroup(Done {})
            }
            Call::SendToGroup(args) => {
                self.user(args.instance, args.user)?.send_to_group(args.group, args.stanza, &args.content).await?;
                Answer::SendToGroup(Done {})
            }
            Call::Events(args) => {
                let wait = Duration::from_millis(args.wait_ms.into());
                Answer::Events(self.user(args.instance, args.user)?.events(args.after, wait).await)
            }
            Call::Settle(args) => {
                self.user(args.instance, args.user)?.settle(args.through).await?;
                Answer::Settle(Done {})
            }
            Call::FetchKeys(args) => {
                let identity_key = self.user(args.instance, args.user)?.fetch_keys(args.of).await?.into();
                Answer::FetchKeys(Fetched { identity_key })
            }
            Call::RotateKeys(args) => {
                if args.one_time_prekeys as usize > MOST_PREKEYS {
                    return Err(Problem::new(Reason::TooLarge, format!("at most {MOST_PREKEYS} one-time prekeys")));
                }
                self.user(args.instance, args.user)?.rotate(&args).await?;
                Answer::RotateKeys(Done {})
            }
            Call::VerifyIdentity(args) => {
                let digits = self.user(args.instance, args.user)?.safety_number(args.peer)?;
                Answer::VerifyIdentity(SafetyNumber { digits })
            }
            Call::AcceptIdentity(args) => {
                if !self.user(args.instance, args.user)?.accept(args.peer).await {
                    return Err(Problem::new(Reason::NoSession, format!("the identity of {} is not known", args.peer)));
                }
                Answer::AcceptIdentity(Done {})
            }
            Call::Block(args) => {
                self.user(args.instance, args.user)?.block(args.peer, args.blocked).await?;
                Answer::Block(Done {})
            }
            Call::AdvanceClock(args) => {
                // No timer of this client runs on the instance's clock; it decides how old a session is, and stamps messages.
                let by = args.by_ms;
                let instance = self.instance(args.instance)?;
                let _ = instance.clock.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| Some(now.saturating_add(by)));
                Answer::AdvanceClock(Done {})
            }
            Call::Snapshot(args) => {
                let instance = self.instance(args.instance)?;
                let kept = (args.user, instance.user(args.user)?.keep());
                Answer::Snapshot(SnapshotTaken { snapshot: shelve(&instance.snapshots, "snapshot", kept)? })
            }
            Call::Restore(args) => {
                let instance = self.instance(args.instance)?;
                let user = instance.user(args.user)?;
                let kept = found(&instance.snapshots, &args.snapshot).filter(|kept| kept.0 == args.user);
                let kept = kept.ok_or_else(|| Problem::new(Reason::Malformed, "there is no such snapshot of this user"))?;
                user.put_back(&kept.1).await;
                Answer::Restore(Done {})
            }
            Call::Clone(args) => {
                let instance = self.instance(args.instance)?;
                let copy = (args.user, instance.user(args.user)?.detached());
                Answer::Clone(Cloned { clone: shelve(&instance.clones, "clone", copy)? })
            }
            Call::Deliver(args) => {
                let instance = self.instance(args.instance)?;
                let copy = found(&instance.clones, &args.clone);
                let copy = copy.ok_or_else(|| Problem::new(Reason::Malformed, "there is no such copy"))?;
                let original = instance.user(copy.0)?;
                Answer::Deliver(copy.1.feed(args.stanza, &original).await)
            }
            Call::Export(args) => Answer::Export(Exported { parts: self.user(args.instance, args.user)?.export()? }),
        })
    }

    /// Executes a call by its name on the wire and its arguments as JSON, as the carriers do.
    ///
    /// # Errors
    /// `unsupported` for an operation that does not exist, `malformed` for arguments that do not fit, and what [`Self::call`] says.
    pub async fn answer(&self, op: &str, args: Value) -> Result<Value, Problem> {
        match Call::parse(op, args) {
            Ok(call) => self.call(call).await.map(|answer| answer.to_value()),
            Err(problem) if problem.reason == Reason::Unsupported && self.inner.defects.has(Defect::InventsOperation) => {
                Ok(Value::Object(serde_json::Map::new()))
            }
            Err(problem) => Err(problem),
        }
    }

    fn open(&self, args: &Open) -> Result<(), Problem> {
        let wire = (self.inner.wires)(args.instance, &args.gateway, args.trust_anchors.as_deref());
        let wire = wire.map_err(|error| Problem::new(Reason::Malformed, error.to_string()))?;
        let (defects, clock) = (self.inner.defects.clone(), AtomicU64::new(args.clock));
        // Whoever knows of one suite alone means the one that this client had first.
        let suite = args.suite.unwrap_or(Suite::SignalPq);
        let instance = Arc::new(Instance {
            wire,
            defects,
            collapse: Arc::clone(&self.inner.collapse),
            suite,
            trust_root: args.trust_root.clone(),
            clock,
            users: Mutex::default(),
            snapshots: Mutex::default(),
            clones: Mutex::default(),
        });
        let mut instances = self.instances();
        if instances.contains_key(&args.instance) {
            return Err(Problem::new(Reason::Malformed, format!("instance {} is open already", args.instance)));
        }
        if instances.len() >= limits::INSTANCES {
            return Err(Problem::new(Reason::Busy, format!("{} instances are open", limits::INSTANCES)));
        }
        instances.insert(args.instance, instance);
        Ok(())
    }

    fn user(&self, instance: InstanceId, user: UserId) -> Result<Arc<User>, Problem> {
        self.instance(instance)?.user(user)
    }

    fn instance(&self, id: InstanceId) -> Result<Arc<Instance>, Problem> {
        self.instances().get(&id).cloned().ok_or_else(|| unknown_instance(id))
    }

    fn instances(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Arc<Instance>>> {
        self.inner.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instance {
    /// Milliseconds since the Unix epoch, by the instance's own time.
    pub(crate) fn clock(&self) -> u64 {
        self.clock.load(Ordering::Acquire)
    }

    /// Every user but one: for the defect `shared-key-store`.
    pub(crate) fn others(&self, but: UserId) -> Vec<Arc<User>> {
        let users = self.users();
        let live = users.iter().filter_map(|(id, account)| match account {
            Account::Live(user) if *id != but => Some(user.clone()),
            _ => None,
        });
        live.collect()
    }

    /// Users that should be gone: for the defect `reconnects-deleted-users`.
    fn deleted(&self) -> Vec<Arc<User>> {
        let users = self.users();
        users.values().filter_map(|account| if let Account::Deleted(left) = account { left.clone() } else { None }).collect()
    }

    async fn create(
        self: &Arc<Self>,
        id: UserId,
        one_time_prekeys: u32,
        import: Option<&ImportedKeys>,
    ) -> Result<Arc<User>, Problem> {
        // The client before a reinstall is gone, whether or not the new one can enlist.
        let old = self.users().remove(&id);
        let mut backup = None;
        if let Some(Account::Live(old)) = old {
            old.disconnect().await;
            backup = old.take_backup();
        }
        let user = Arc::new(User::enlist(self, id, one_time_prekeys, backup, import).await?);
        self.users().insert(id, Account::Live(user.clone()));
        Ok(user)
    }

    fn user(&self, id: UserId) -> Result<Arc<User>, Problem> {
        match self.users().get(&id) {
            Some(Account::Live(user)) => Ok(user.clone()),
            Some(Account::Deleted(_)) => Err(Problem::new(Reason::DeletedUser, format!("{id} was deleted"))),
            None => Err(Problem::new(Reason::UnknownUser, format!("there is no user {id}"))),
        }
    }

    async fn close(&self) {
        let users = std::mem::take(&mut *self.users());
        for account in users.into_values() {
            if let Account::Live(user) = account {
                user.disconnect().await;
            }
        }
    }

    fn users(&self) -> MutexGuard<'_, BTreeMap<UserId, Account>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps something under a handle of its own.
fn shelve<T>(shelf: &Mutex<Shelf<T>>, kind: &str, thing: T) -> Result<Handle, Problem> {
    let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
    if shelf.len() >= limits::KEPT {
        return Err(Problem::new(Reason::Busy, format!("{} of this kind are kept in this instance", limits::KEPT)));
    }
    let handle = Handle::try_from(format!("{kind}-{}", shelf.len() + 1));
    let handle = handle.map_err(|bad| Problem::new(Reason::Internal, bad.to_string()))?;
    shelf.insert(handle.clone(), Arc::new(thing));
    Ok(handle)
}

fn found<T>(shelf: &Mutex<Shelf<T>>, handle: &Handle) -> Option<Arc<T>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner).get(handle).cloned()
}

fn unknown_instance(id: InstanceId) -> Problem {
    Problem::new(Reason::UnknownInstance, format!("instance {id} is not open"))
}

fn describe() -> Description {
    use Feature as F;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Description {
        name: "Countersign sample".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        build: "libsignal-protocol 0.85.3".into(),
        operator: "Countersign".into(),
        contract: CONTRACT_VERSION.into(),
        clock: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        bindings: vec![Binding::Portable],
        suites: vec![Suite::SignalPq, Suite::SignalClassic],
        features: vec![
            F::Text,
            F::Image,
            F::Video,
            F::Voice,
            F::File,
            F::Reaction,
            F::Reply,
            F::Edit,
            F::Delete,
            F::Typing,
            F::ReadReceipt,
            F::DeliveryReceipt,
            F::Retry,
            F::SafetyNumber,
            F::Block,
            F::Group,
            F::SealedSender,
        ],
        capabilities: vec![
            Capability::VirtualClock,
            Capability::Import,
            Capability::Snapshot,
            Capability::Clone,
            Capability::Export,
        ],
        limits: Limits {
            text_bytes: limits::TEXT_BYTES as u64,
            file_bytes: limits::FILE_BYTES,
            instances: u32::try_from(limits::INSTANCES).unwrap_or(u32::MAX),
        },
        assumptions: vec![
            "The pauses between retries run on real time, not on an instance's virtual clock.".into(),
            "The registration id of a first message is not authenticated by the protocol, and is checked for its range only."
                .into(),
        ],
    }
}
