//! What the network between the parties can be told to do. All of it is data, armed before what it concerns.

use countersign_contract::portable::{KeyBundle, Prekey, ReceiptType, SignedKey, Stanza};
use countersign_contract::{Bytes, Reason, StanzaId, UserId};
use std::collections::{BTreeMap, VecDeque};

/// What happens to a stanza on its way. Several rules on one stanza take effect in the order in which they were armed; what
/// stands after a `Hold`, `Delay` or `Bend` takes effect when the stanza is released.
///
/// The sender learns nothing of it: its stanza is accepted as any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Keep it until it is released or dropped.
    Hold,
    /// The same, by the name that a report should show.
    Delay,
    /// It never arrives.
    Drop,
    /// Deliver it, and then this many times more, under the same id.
    Repeat(u32),
    /// Flip one bit of the body.
    FlipByte {
        /// Position in the body, from 0. Past the end, nothing is flipped and the effect says so.
        offset: usize,
        /// Which bit, 0 (lowest) to 7.
        bit: u8,
    },
    /// Deliver other bytes in place of the body.
    Replace {
        /// The other bytes.
        body: Vec<u8>,
    },
    /// Deliver it to somebody else.
    Redirect(UserId),
    /// Hand the body out as [`crate::Effect::Bend`] and keep the stanza until [`crate::Gateway::release_bent`].
    Bend,
}

/// How an answer to `GET /keys/{user}` is bent. Several rules on one answer compose in the order in which they were armed, except
/// that `Whole`, `ServeAgain` and `WithoutOneTime` (strongest first) choose what the others then change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleRule {
    /// Another signed prekey.
    ReplaceSignedPrekey(SignedKey),
    /// Another Kyber prekey.
    ReplaceKyber(SignedKey),
    /// Another one-time prekey, or none although one was used up.
    ReplaceOneTime(Option<Prekey>),
    /// Another identity key.
    ReplaceIdentity(Bytes),
    /// One bit of the signed prekey's signature flipped.
    FlipSignedSignature,
    /// One bit of the Kyber prekey's signature flipped.
    FlipKyberSignature,
    /// The one-time prekeys of the last answer about this user once more. As usual if there was no answer before.
    ServeAgain,
    /// No one-time prekey and the last-resort Kyber prekey; nothing is used up.
    WithoutOneTime,
    /// Another bundle altogether; nothing is used up.
    Whole(Box<KeyBundle>),
}

/// How downloads of blobs are bent. A rule stays until [`crate::Gateway::clear_media_rules`]; of several that match a download,
/// all take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRule {
    /// Which downloads.
    pub on: Downloads,
    /// What is done to them.
    pub bend: MediaBend,
}

/// Which downloads a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Downloads {
    /// All.
    All,
    /// Only this one, counted from 1 since the rule was armed.
    Nth(u64),
    /// So many, from the next one on.
    First(u64),
    /// All of this blob, by the URL that the upload returned.
    Url(String),
}

/// What is done to a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaBend {
    /// Flip the lowest bit of the byte at this position; a negative one counts from the end.
    Flip(i64),
    /// Leave out this many bytes at the end.
    Truncate(usize),
    /// Append this many zero bytes.
    Extend(usize),
    /// Answer `media-missing`.
    Missing,
    /// Promise all of it, send that many bytes, and let the connection break. A shorter one arrives whole.
    BreakOff(usize),
}

/// Requests of the candidate that are answered with a gateway error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which requests.
    pub on: Endpoint,
    /// 503 (`busy`) or 502 (`gateway-error`); anything else counts as 503.
    pub status: u16,
    /// How many.
    pub times: u32,
    /// `Retry-After` in seconds. A stanza's refusal has no place for it.
    pub retry_after_s: Option<u32>,
}

impl Fault {
    pub(crate) const fn reason(&self) -> Reason {
        match self.status {
            502 => Reason::GatewayError,
            _ => Reason::Busy,
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /enlist`.
    Enlist,
    /// `GET /keys/{user}`.
    GetKeys,
    /// `PUT /keys`.
    PutKeys,
    /// `PUT /media`.
    PutMedia,
    /// `GET /media/{name}`.
    GetMedia,
    /// Any stanza that a client sends on the chat channel, but for `ack`.
    Stanza,
}

/// All that is armed.
#[derive(Clone, Default)]
pub(crate) struct Armed {
    stanzas: BTreeMap<StanzaId, VecDeque<Rule>>,
    copies: BTreeMap<(StanzaId, UserId), VecDeque<Rule>>,
    next: VecDeque<(UserId, UserId, Rule)>,
    receipts: BTreeMap<(StanzaId, bool), VecDeque<Rule>>,
    bundles: BTreeMap<UserId, Vec<(Option<UserId>, BundleRule)>>,
    media: Vec<(MediaRule, u64)>,
    faults: Vec<Fault>,
}

impl Armed {
    pub(crate) fn arm(&mut self, stanza: StanzaId, rule: Rule) {
        self.stanzas.entry(stanza).or_default().push_back(rule);
    }

    pub(crate) fn arm_copy(&mut self, stanza: StanzaId, to: UserId, rule: Rule) {
        self.copies.entry((stanza, to)).or_default().push_back(rule);
    }

    pub(crate) fn arm_next(&mut self, from: UserId, to: UserId, rule: Rule) {
        self.next.push_back((from, to, rule));
    }

    /// The rules for one member's copy of a group message. They are used up.
    pub(crate) fn take_copy(&mut self, stanza: StanzaId, to: UserId) -> VecDeque<Rule> {
        self.copies.remove(&(stanza, to)).unwrap_or_default()
    }

    /// The first rule for the next message of one user to another. It is used up.
    pub(crate) fn take_next(&mut self, from: UserId, to: UserId) -> Option<Rule> {
        let index = self.next.iter().position(|(f, t, _)| *f == from && *t == to)?;
        self.next.remove(index).map(|(_, _, rule)| rule)
    }

    pub(crate) fn arm_receipt(&mut self, of: StanzaId, receipt: ReceiptType, rule: Rule) {
        self.receipts.entry((of, receipt == ReceiptType::Retry)).or_default().push_back(rule);
    }

    pub(crate) fn arm_bundle(&mut self, of: UserId, fetcher: Option<UserId>, rule: BundleRule) {
        self.bundles.entry(of).or_default().push((fetcher, rule));
    }

    pub(crate) fn arm_media(&mut self, rule: MediaRule) {
        self.media.push((rule, 0));
    }

    pub(crate) fn clear_media(&mut self) {
        self.media.clear();
    }

    pub(crate) fn arm_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The rules for a stanza that just arrived. They are used up: each is for one arrival.
    pub(crate) fn take(&mut self, stanza: &Stanza) -> VecDeque<Rule> {
        let mut rules = self.stanzas.remove(&stanza.id()).unwrap_or_default();
        if let Stanza::Receipt { of, r#type, .. } = stanza {
            rules.extend(self.receipts.remove(&(*of, *r#type == ReceiptType::Retry)).unwrap_or_default());
        }
        rules
    }

    /// The rules for one answer about `of`. They are used up.
    pub(crate) fn take_bundle(&mut self, of: UserId, fetcher: UserId) -> Vec<BundleRule> {
        let Some(rules) = self.bundles.get_mut(&of) else { return Vec::new() };
        rules.extract_if(.., |(only, _)| only.is_none_or(|only| only == fetcher)).map(|(_, rule)| rule).collect()
    }

    /// What is done to this download.
    pub(crate) fn on_download(&mut self, url: &str) -> Vec<MediaBend> {
        let mut bends = Vec::new();
        for (rule, seen) in &mut self.media {
            *seen += 1;
            let applies = match &rule.on {
                Downloads::All => true,
                Downloads::Nth(n) => *seen == *n,
                Downloads::First(n) => *seen <= *n,
                Downloads::Url(only) => only == url,
            };
            if applies {
                bends.push(rule.bend);
            }
        }
        bends
    }

    /// The fault that meets this request, if one is armed. Faults on the same endpoint take effect one after the other.
    pub(crate) fn fault(&mut self, on: Endpoint) -> Option<Fault> {
        self.faults.retain(|f| f.times > 0);
        let fault = self.faults.iter_mut().find(|f| f.on == on)?;
        fault.times -= 1;
        Some(*fault)
    }
}
