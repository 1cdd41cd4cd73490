//! A user's client: what the user does and sees, the chat channel, and what the client does by itself.
//!
//! Operations run in their caller's task; stanzas that arrive are processed one after another in a task of the connection. Both
//! share [`State`], which is locked for moments only and never across a wait.

mod gateway;
mod groups;
mod incoming;
mod link;
mod media;
mod outgoing;
mod repeats;
mod retry;
mod sealed;
mod state;
mod stumbles;
mod talk;

use crate::defect::{Defect, Defects};
use crate::instance::Instance;
use crate::vault::{Backup, Vault};
use countersign_contract::conversation::Conversation;
use countersign_contract::groups::Groups;
use countersign_contract::operations::{EventList, ImportedKeys, RotateKeys};
use countersign_contract::portable::{Enlisted, JSON, SenderCertificate, Stanza};
use countersign_contract::seen::{NoticeKind, Seen, What};
use countersign_contract::{Problem, Reason, StanzaId, UserId};
use gateway::json;
use link::Link;
pub(crate) use state::Kept;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Most events in one answer.
const MOST_EVENTS: usize = 256;
/// Longest that `events` may wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long `settle` waits: less than its deadline, so that the caller hears the reason.
const LONGEST_SETTLE: Duration = Duration::from_secs(25);
/// How long the defects that are slow work on each message: longer than a scenario leaves between two, so that messages queue.
const SLOW: Duration = Duration::from_millis(60);

/// One user of one instance.
pub(crate) struct User {
    id: UserId,
    instance: Weak<Instance>,
    defects: Arc<dyn Defects>,
    gateway: gateway::Gateway,
    token: String,
    batch: u32,
    state: Mutex<State>,
    /// Changes whenever something may have become true that somebody waits for.
    changed: watch::Sender<()>,
    link: Mutex<Option<Arc<Link>>>,
    /// Held while a session is set up and a message encrypted, so that two sends do not both fetch a bundle.
    turn: tokio::sync::Mutex<()>,
    /// A copy for a thief: it has no connection, and fetches nothing.
    detached: bool,
}

/// What a client remembers.
struct State {
    vault: Vault,
    events: Vec<What>,
    /// Stanzas that were delivered, with the number of the connection.
    begun: BTreeMap<StanzaId, u32>,
    /// Those of them that are done with.
    processed: BTreeSet<StanzaId>,
    /// Messages that were shown, so that a resend is not shown again.
    shown: BTreeSet<(UserId, StanzaId)>,
    /// What the user and each peer said to each other.
    talks: BTreeMap<UserId, Conversation>,
    /// Whom the user has blocked.
    blocked: BTreeSet<UserId>,
    /// Messages that a peer deleted: for the defect `shows-repeated-delete`.
    deleted: BTreeSet<StanzaId>,
    sent: retry::Sent,
    /// The user's certificate for sealed messages, once it was needed.
    certificate: Option<SenderCertificate>,
    /// The groups that the user knows of, and what went to them.
    groups: Groups,
    to_groups: BTreeMap<StanzaId, groups::SentToGroup>,
    asked: retry::Asked,
    /// Receipts that could not be delivered before the connection broke.
    unsent: Vec<Stanza>,
    /// How often the user was online.
    connections: u32,
    /// For the defects `shows-repeated-stanza` and `shows-repeats-of-earlier-connections`.
    cache: BTreeMap<StanzaId, What>,
    /// For the defects that keep plaintexts in memory.
    kept: repeats::Kept,
    /// For the defect `loses-skipped-keys-on-return`: the signed prekey was renewed since the user last came online.
    rotated: bool,
    /// For the defect `reuses-media-key`.
    media_key: Option<[u8; 32]>,
    /// For the defect `slow-delivery`: what is still to be shown of a stanza.
    late: BTreeMap<StanzaId, What>,
    /// For the defects `restores-backup-on-reinstall` and `restores-keys-only`.
    backup: Option<Backup>,
    /// For the defects that are slow: the last of the tasks that work one after another.
    queue: Option<JoinHandle<()>>,
}

impl User {
    /// Makes a user's keys, or takes those that are imported, and enlists it at the gateway.
    ///
    /// # Errors
    /// What is wrong with imported keys, and what the gateway answered.
    pub(crate) async fn enlist(
        instance: &Arc<Instance>,
        id: UserId,
        batch: u32,
        backup: Option<Backup>,
        import: Option<&ImportedKeys>,
    ) -> Result<Self, Problem> {
        let defects = instance.defects.clone();
        let gateway = gateway::Gateway::new(instance.wire.clone(), defects.clone());
        let mut vault = Vault::new(instance.suite, id, defects.clone());
        if let Some(backup) = backup {
            vault.restore(backup);
        }
        let keys = match import {
            Some(keys) => vault.import(keys, instance.clock()).map_err(|reason| Problem::new(reason, "the imported keys"))?,
            None => vault.enlist(batch, instance.clock()).map_err(|reason| Problem::new(reason, "making keys"))?,
        };
        let answer = gateway.request("POST", "/enlist".into(), None, JSON, json(&keys)?).await?;
        let Enlisted { token } = gateway::parse(&answer)?;
        let backs_up = defects.has(Defect::RestoresBackupOnReinstall) || defects.has(Defect::RestoresKeysOnly);
        let backup = backs_up.then(|| vault.back_up());
        let state = State {
            vault,
            backup,
            events: Vec::new(),
            begun: BTreeMap::new(),
            processed: BTreeSet::new(),
            shown: BTreeSet::new(),
            talks: BTreeMap::new(),
            blocked: BTreeSet::new(),
            deleted: BTreeSet::new(),
            sent: retry::Sent::default(),
            certificate: None,
            groups: Groups::default(),
            to_groups: BTreeMap::new(),
            asked: retry::Asked::default(),
            unsent: Vec::new(),
            connections: 0,
            cache: BTreeMap::new(),
            kept: repeats::Kept::default(),
            rotated: false,
            media_key: None,
            late: BTreeMap::new(),
            queue: None,
        };
        Ok(Self {
            id,
            instance: Arc::downgrade(instance),
            defects,
            gateway,
            token,
            batch,
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
            link: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
            detached: false,
        })
    }

    /// The user's identity key, 33 bytes.
    pub(crate) fn identity_key(&self) -> Vec<u8> {
        self.state().vault.identity_key()
    }

    /// Un-enlists the user and ends its connection.
    ///
    /// # Errors
    /// What the gateway answered; the user is then as before, but offline.
    pub(crate) async fn delete(&self) -> Result<(), Problem> {
        self.disconnect().await;
        if self.has(Defect::DeletesLocallyOnly) {
            return Ok(());
        }
        self.gateway.request("DELETE", "/user".into(), Some(&self.token), "", Vec::new()).await.map(drop)
    }

    /// The keys as they were at enlistment: for the defect `restores-backup-on-reinstall`.
    pub(crate) fn take_backup(&self) -> Option<Backup> {
        self.state().backup.take().filter(|_| self.has(Defect::RestoresBackupOnReinstall))
    }

    /// Opens the chat channel; a user who is online stays so.
    ///
    /// # Errors
    /// What the gateway answered.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<(), Problem> {
        if self.online().is_ok() {
            return Ok(());
        }
        let chat = match self.gateway.chat(&self.token).await {
            Err(problem) if problem.reason == Reason::NotEnlisted && self.has(Defect::ConnectsAlthoughUnEnlisted) => {
                return Ok(());
            }
            chat => chat?,
        };
        if self.has(Defect::ForgetsPrekeysAfterAWeek) {
            let clock = self.clock();
            self.state().vault.forget_replaced(clock);
        }
        if self.has(Defect::LosesSkippedKeysOnReturn) {
            let mut state = self.state();
            if std::mem::take(&mut state.rotated) {
                state.vault.lose_skipped();
            }
        }
        if self.has(Defect::ForgetsSentOnReturn) {
            self.state().sent.forget_what_can_be_asked_for();
        }
        let (link, arriving) = Link::open(chat, self.changed.clone(), self.defects.clone());
        let again = {
            let mut state = self.state();
            state.connections += 1;
            state.connections > 1
        };
        if again && self.has(Defect::ForgetsTalkOnReturn) {
            self.state().talks.clear();
        }
        let unsent = std::mem::take(&mut self.state().unsent);
        link.work(tokio::spawn(incoming::work(self.clone(), link.clone(), arriving, unsent, again)));
        let old = self.link_slot().replace(link);
        if let Some(old) = old {
            old.close().await;
        }
        Ok(())
    }

    /// Closes the chat channel and waits until it is closed. What was delivered and not yet processed comes again.
    pub(crate) async fn disconnect(&self) {
        let link = self.link_slot().take();
        if let Some(link) = link {
            link.close().await;
        }
        self.changed.send_replace(());
    }

    /// What the user saw after the cursor; waits for a first event if there is none.
    pub(crate) async fn events(&self, after: u64, wait: Duration) -> EventList {
        let until = Instant::now() + wait.min(LONGEST_WAIT);
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            let events: Vec<Seen> = {
                let state = self.state();
                let numbered = (1..).zip(&state.events).skip(usize::try_from(after).unwrap_or(usize::MAX));
                numbered.take(MOST_EVENTS).map(|(seq, what)| Seen { seq, what: what.clone() }).collect()
            };
            if !events.is_empty() || tokio::time::timeout_at(until, changed.changed()).await.is_err() {
                return EventList { events };
            }
        }
    }

    /// Waits until a stanza is processed.
    ///
    /// # Errors
    /// `not-connected` if the user is offline or goes offline meanwhile, `timeout` if the stanza does not come.
    pub(crate) async fn settle(&self, through: StanzaId) -> Result<(), Problem> {
        let until = Instant::now() + LONGEST_SETTLE;
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            self.online()?;
            if self.state().processed.contains(&through) {
                return Ok(());
            }
            if tokio::time::timeout_at(until, changed.changed()).await.is_err() {
                return Err(Problem::new(Reason::Timeout, format!("stanza {through} was not delivered")));
            }
        }
    }

    /// Makes and publishes keys.
    ///
    /// # Errors
    /// What the gateway answered.
    pub(crate) async fn rotate(&self, ask: &RotateKeys) -> Result<(), Problem> {
        let clock = self.clock();
        let keys = self.state().vault.rotate(ask.signed, ask.kyber, ask.one_time_prekeys, clock);
        let keys = keys.map_err(|reason| Problem::new(reason, "making keys"))?;
        self.state().rotated |= ask.signed;
        self.gateway.request("PUT", "/keys".into(), Some(&self.token), JSON, json(&keys)?).await.map(drop)
    }

    /// The safety number with a peer.
    ///
    /// # Errors
    /// `no-session` if the peer's identity is not known.
    pub(crate) fn safety_number(&self, peer: UserId) -> Result<String, Problem> {
        let number = self.state().vault.safety_number(peer);
        number.ok_or_else(|| Problem::new(Reason::NoSession, format!("the identity of {peer} is not known")))
    }

    /// The chat channel.
    fn online(&self) -> Result<Arc<Link>, Problem> {
        let link = self.link_slot().clone().filter(|link| !link.is_closed());
        link.ok_or_else(|| Problem::new(Reason::NotConnected, format!("{} is offline", self.id)))
    }

    /// Adds to what the user saw.
    fn see(&self, what: What) {
        self.state().events.push(what);
        self.changed.send_replace(());
    }

    fn tell_of_identity(&self, about: UserId) {
        self.see(What::Notice { notice: NoticeKind::IdentityChanged, about, group: None });
    }

    fn has(&self, defect: Defect) -> bool {
        self.defects.has(defect)
    }

    /// The instance's clock in milliseconds since the Unix epoch.
    fn clock(&self) -> u64 {
        self.instance.upgrade().map_or(0, |instance| instance.clock())
    }

    fn now(&self) -> std::time::SystemTime {
        std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(self.clock())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn link_slot(&self) -> MutexGuard<'_, Option<Arc<Link>>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
