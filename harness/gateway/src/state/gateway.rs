//! The state of one instance's gateway, who is in it, and the passing of its time.

use super::directory::Keys;
use super::disturbance::{Armed, BundleRule, Fault, MediaRule, Rule};
use super::effect::{ChannelId, Effect};
use super::groups::Group;
use super::limits::THIRTY_DAYS_MS;
use super::mailbox::Mailbox;
use super::media::Media;
use super::names::Names;
use super::transit::Transit;
use countersign_contract::claims::Suite;
use countersign_contract::portable::{KeyCount, ReceiptType, SenderCertificate, Stanza};
use countersign_contract::{GroupId, StanzaId, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a client is told whose user is not enlisted any more.
pub(crate) const NOT_ENLISTED: &str = "this user is not enlisted any more";

/// Makes the certificate of a user for sealed messages, from its id, the identity key that it is enlisted with, and the gateway's
/// time in milliseconds, which begins at 0. `None` if it cannot be made.
pub type Certify = dyn Fn(UserId, &[u8], u64) -> Option<SenderCertificate> + Send + Sync;

/// The gateway of one instance.
///
/// It plays the gatekeeper's server to the clients of the candidate, and relays between them and the reference users, whom the
/// caller plays. What it is told to disturb, it disturbs; apart from that, stanzas to one user are delivered in the order in
/// which they were accepted, each until it is acknowledged, and a one-time prekey is handed out once.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) suite: Suite,
    pub(crate) names: Names,
    pub(crate) now_ms: u64,
    pub(crate) users: BTreeMap<UserId, User>,
    /// Every name that was ever enlisted, so that the number of names is bounded.
    pub(crate) known: BTreeSet<UserId>,
    /// Users whom the caller plays, and whether each is online.
    pub(crate) references: BTreeMap<UserId, bool>,
    pub(crate) tokens: BTreeMap<String, UserId>,
    /// Tokens that were valid once, and whose: using one is refused, but is no breach of the binding.
    pub(crate) ended_tokens: BTreeMap<String, UserId>,
    pub(crate) channels: BTreeMap<ChannelId, UserId>,
    /// The highest channel number seen, so that none is used twice.
    pub(crate) last_channel: Option<ChannelId>,
    pub(crate) stanzas: BTreeMap<StanzaId, StoredStanza>,
    pub(crate) stanza_bytes: usize,
    /// What is held, by stanza and recipient: a group message has a copy for each member.
    pub(crate) transit: BTreeMap<(StanzaId, UserId), Transit>,
    pub(crate) media: Media,
    pub(crate) armed: Armed,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    /// Who signs certificates; `None` if this instance has no sealed messages.
    pub(crate) certify: Option<Arc<Certify>>,
    /// Who is not told of the next change of which group.
    pub(crate) untold: BTreeSet<(GroupId, UserId)>,
}

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) keys: Keys,
    pub(crate) token: String,
    pub(crate) mailbox: Mailbox,
    pub(crate) channel: Option<ChannelId>,
    /// Whom the user has blocked.
    pub(crate) blocked: BTreeSet<UserId>,
    /// When the user was last connected, or else enlisted.
    pub(crate) seen_ms: u64,
}

/// A stanza that the gateway accepted or made, as it arrived: before any disturbance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStanza {
    /// The sender; `None` if the gateway itself made it.
    pub from: Option<UserId>,
    /// The recipient that the sender named; of a group message the first member to whom it goes.
    pub to: UserId,
    /// Further members to whom a group message goes.
    pub also: Vec<UserId>,
    /// The stanza in the form in which it is delivered: with `from`, without `to`.
    pub stanza: Arc<Stanza>,
    /// When it arrived, in milliseconds of the gateway's time, which begins at 0.
    pub at_ms: u64,
}

impl Gateway {
    /// A gateway without users, whose directory takes the keys of one suite. Tokens and the names that it makes itself follow from `token_seed`: no one without the seed can
    /// guess them, and the same seed gives them again.
    #[must_use]
    pub fn new(token_seed: [u8; 32], suite: Suite) -> Self {
        Self {
            suite,
            names: Names::new(token_seed),
            now_ms: 0,
            users: BTreeMap::new(),
            known: BTreeSet::new(),
            references: BTreeMap::new(),
            tokens: BTreeMap::new(),
            ended_tokens: BTreeMap::new(),
            channels: BTreeMap::new(),
            last_channel: None,
            stanzas: BTreeMap::new(),
            stanza_bytes: 0,
            transit: BTreeMap::new(),
            media: Media::default(),
            armed: Armed::default(),
            groups: BTreeMap::new(),
            certify: None,
            untold: BTreeSet::new(),
        }
    }

    /// Says that `user` is one whom the caller plays. It begins offline; what it is sent then waits in its mailbox. The candidate
    /// cannot enlist this name.
    pub fn register_reference(&mut self, user: UserId) {
        self.references.entry(user).or_insert(false);
    }

    /// Answers `GET /certificate` with what this makes. Without it the request is `unsupported`.
    pub fn certify_by(&mut self, certify: Arc<Certify>) {
        self.certify = Some(certify);
    }

    /// Brings a reference user online or offline. Coming online gives it all that waits in its mailbox, in order. Has no effect
    /// on a user that is not registered as a reference.
    pub fn set_reference_online(&mut self, user: UserId, online: bool) -> Vec<Effect> {
        let Some(flag) = self.references.get_mut(&user) else { return Vec::new() };
        let comes = online && !*flag;
        *flag = online;
        let now_ms = self.now_ms;
        let Some(state) = self.users.get_mut(&user) else { return Vec::new() };
        state.seen_ms = now_ms;
        if !comes {
            return Vec::new();
        }
        let waiting = state.mailbox.give_all();
        waiting.into_iter().map(|stanza| Effect::ToReference { user, stanza: Stanza::clone(&stanza) }).collect()
    }

    /// Arms a rule for the stanza of this id: it takes effect when the stanza arrives, from whichever side.
    pub fn arm(&mut self, stanza: StanzaId, rule: Rule) {
        self.armed.arm(stanza, rule);
    }

    /// Arms a rule for the next receipt of this type about the stanza `of`: of receipts we do not choose the id.
    pub fn arm_receipt(&mut self, of: StanzaId, receipt: ReceiptType, rule: Rule) {
        self.armed.arm_receipt(of, receipt, rule);
    }

    /// Arms a rule for the next answer to `GET /keys/{of}`, whoever fetches.
    pub fn arm_bundle(&mut self, of: UserId, rule: BundleRule) {
        self.armed.arm_bundle(of, None, rule);
    }

    /// Arms a rule for the next answer to `GET /keys/{of}` by `fetcher`.
    pub fn arm_bundle_for(&mut self, of: UserId, fetcher: UserId, rule: BundleRule) {
        self.armed.arm_bundle(of, Some(fetcher), rule);
    }

    /// Arms a rule for downloads of blobs, by whomever.
    pub fn arm_media(&mut self, rule: MediaRule) {
        self.armed.arm_media(rule);
    }

    /// Downloads are as they were uploaded again.
    pub fn clear_media_rules(&mut self) {
        self.armed.clear_media();
    }

    /// Lets the next requests of the candidate of one kind fail.
    pub fn arm_fault(&mut self, fault: Fault) {
        self.armed.arm_fault(fault);
    }

    /// Serves a plaintext file at `/files/{name}`. The answers name it, and the caller puts its bytes in: see [`HttpReply::file`].
    ///
    /// [`HttpReply::file`]: crate::HttpReply::file
    pub fn put_file(&mut self, name: &str) {
        self.media.files.insert(name.to_owned());
    }

    /// Puts a blob under a path of the caller's choice, such as `/media/0b7c…`: for stored messages that name it.
    pub fn store_blob(&mut self, path: &str, blob: &[u8]) {
        self.media.put(path.to_owned(), bytes::Bytes::copy_from_slice(blob));
    }

    /// A blob as it was uploaded, by the URL that the upload returned.
    #[must_use]
    pub fn media(&self, url: &str) -> Option<&[u8]> {
        self.media.get(url).map(AsRef::as_ref)
    }

    /// How many one-time prekeys of a user are left; none of one that is not enlisted.
    #[must_use]
    pub fn keys_left(&self, user: UserId) -> KeyCount {
        self.users.get(&user).map_or(KeyCount { one_time_prekeys: 0, one_time_kyber_prekeys: 0 }, |u| u.keys.left())
    }

    /// A stanza that was accepted, or that the gateway made, by its id.
    #[must_use]
    pub fn stanza(&self, id: StanzaId) -> Option<&StoredStanza> {
        self.stanzas.get(&id)
    }

    /// Whose channel it is, while it is open.
    #[must_use]
    pub fn user_of(&self, channel: ChannelId) -> Option<UserId> {
        self.channels.get(&channel).copied()
    }

    /// Whether a user of the candidate has a channel open.
    #[must_use]
    pub fn is_online(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(|u| u.channel.is_some())
    }

    /// Moves the instance's time forward. Stanzas that waited for more than 30 days are dropped; users that were not connected
    /// for more than 30 days are un-enlisted: to others they are unknown, and their token is answered `not-enlisted`.
    pub fn advance(&mut self, by_ms: u64) -> Vec<Effect> {
        self.now_ms = self.now_ms.saturating_add(by_ms);
        let mut out = Vec::new();
        let mut away = Vec::new();
        for (name, user) in &mut self.users {
            if user.channel.is_some() || self.references.get(name) == Some(&true) {
                user.seen_ms = self.now_ms;
            } else if self.now_ms.saturating_sub(user.seen_ms) > THIRTY_DAYS_MS {
                away.push(*name);
                continue;
            }
            let old = user.mailbox.expire(self.now_ms);
            out.extend(old.into_iter().map(|id| disturbed(id, "dropped after 30 days in the mailbox")));
        }
        for name in away {
            self.remove(name, &mut out);
            out.push(Effect::Disturbed { stanza: None, how: format!("{name} un-enlisted after 30 days without a connection") });
        }
        out
    }

    /// Takes a user out, with its keys, mailbox, token and channel.
    pub(crate) fn remove(&mut self, name: UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.remove(&name) else { return };
        self.tokens.remove(&user.token);
        self.ended_tokens.insert(user.token, name);
        if let Some(channel) = user.channel {
            self.channels.remove(&channel);
            out.push(Effect::CloseChannel { channel });
        }
    }

    /// Whether a token was valid once, and its user is not enlisted any more.
    pub(crate) fn is_un_enlisted(&self, token: &str) -> bool {
        self.ended_tokens.get(token).is_some_and(|owner| !self.users.contains_key(owner))
    }

    /// Gives a client of the candidate a frame that is no stanza of this version, under an id that it may acknowledge. It does not
    /// wait in the mailbox: nothing happens if the user is offline.
    pub fn say(&mut self, to: UserId, id: StanzaId, text: String) -> Vec<Effect> {
        let Some((user, channel)) = self.users.get_mut(&to).and_then(|user| Some((user.channel?, user))).map(|(c, u)| (u, c))
        else {
            return vec![disturbed(id, "not said: its recipient is offline")];
        };
        user.mailbox.given(id);
        vec![disturbed(id, "said by the gateway"), Effect::Frame { channel, text }]
    }

    /// Puts a stanza into a user's mailbox, and gives it to the user if it is connected. False if there is no such user, or no
    /// room in its mailbox.
    pub(crate) fn deliver(&mut self, to: UserId, stanza: &Arc<Stanza>, out: &mut Vec<Effect>) -> bool {
        let Some(user) = self.users.get_mut(&to) else { return false };
        if !user.mailbox.put(Arc::clone(stanza), self.now_ms) {
            return false;
        }
        let effect = match (self.references.get(&to), user.channel) {
            (Some(true), _) => Effect::ToReference { user: to, stanza: Stanza::clone(stanza) },
            (None, Some(channel)) => Effect::Frame { channel, text: stanza.to_json() },
            _ => return true,
        };
        user.mailbox.given(stanza.id());
        out.push(effect);
        true
    }
}

pub(crate) fn disturbed(stanza: StanzaId, how: impl Into<String>) -> Effect {
    Effect::Disturbed { stanza: Some(stanza), how: how.into() }
}
