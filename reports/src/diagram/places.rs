//! Who takes part in a trace, and who stands behind a token or a channel.

use super::model::{Lifeline, Role};
use crate::visible::visible;
use countersign_contract::portable::Enlisted;
use countersign_contract::{StanzaId, UserId};
use countersign_trace::{Blobs, Entry, Event, Input};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// More lifelines than this are not drawn: whoever comes later is told of at the gateway.
const MOST_LIFELINES: usize = 8;
/// Longest name that is shown, in characters.
const LONGEST_NAME: usize = 24;

/// Lifelines, and how to find them.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(super) lifelines: Vec<Lifeline>,
    /// Position of the gateway.
    pub(super) gateway: usize,
    columns: BTreeMap<UserId, usize>,
    names: BTreeMap<UserId, String>,
    tokens: BTreeMap<String, UserId>,
    channels: BTreeMap<u64, UserId>,
}

/// The part of an enlistment that matters here.
#[derive(Deserialize)]
struct Whose {
    user: UserId,
}

impl Places {
    /// Those of a trace: reference users on the left, the gateway, users of the candidate on the right.
    pub(crate) fn of(trace: &[Entry], blobs: &Blobs) -> Self {
        let mut places = Self::default();
        let mut ours = BTreeSet::new();
        let mut order: Vec<UserId> = Vec::new();
        let mut enlisting: BTreeMap<u64, UserId> = BTreeMap::new();
        for entry in trace {
            match &entry.event {
                Event::Named { name, stanza } => {
                    if let Some(name) = name.strip_prefix("user:") {
                        let user = UserId(stanza.0);
                        order.push(user);
                        places.names.entry(user).or_insert_with(|| visible(name, LONGEST_NAME));
                    }
                }
                Event::FromReference { user, .. } | Event::ToReference { user, .. } => {
                    ours.insert(*user);
                    order.push(*user);
                }
                Event::Observed { user: Some(user), .. } => order.push(*user),
                Event::Input(Input::Request { request, path, body, .. }) if path == "/enlist" => {
                    let user = body.bytes(blobs).and_then(|b| serde_json::from_slice::<Whose>(b).ok());
                    if let Some(Whose { user }) = user {
                        enlisting.insert(*request, user);
                        order.push(user);
                    }
                }
                Event::Reply { request, body, .. } => {
                    let token = body.bytes(blobs).filter(|b| b.len() < 4_096);
                    if let Some(user) = enlisting.remove(request)
                        && let Some(Enlisted { token }) = token.and_then(|b| serde_json::from_slice(b).ok())
                    {
                        places.tokens.insert(token, user);
                    }
                }
                Event::Input(Input::ChatOpened { channel, token }) => {
                    if let Some(user) = token.as_deref().and_then(|t| places.tokens.get(t)) {
                        places.channels.insert(*channel, *user);
                    }
                }
                _ => {}
            }
        }
        places.lay_out(&order, &ours);
        places
    }

    fn lay_out(&mut self, order: &[UserId], ours: &BTreeSet<UserId>) {
        let mut seen = BTreeSet::new();
        let order: Vec<UserId> = order.iter().copied().filter(|user| seen.insert(*user)).take(MOST_LIFELINES - 1).collect();
        let (left, right): (Vec<UserId>, Vec<UserId>) = order.into_iter().partition(|user| ours.contains(user));
        for user in &left {
            self.place(*user, Role::Reference);
        }
        self.gateway = self.lifelines.len();
        self.lifelines.push(Lifeline { name: "gateway".into(), role: Role::Gateway });
        for user in &right {
            self.place(*user, Role::Candidate);
        }
    }

    fn place(&mut self, user: UserId, role: Role) {
        self.columns.insert(user, self.lifelines.len());
        self.lifelines.push(Lifeline { name: self.name(user), role });
    }

    /// Where a user stands; at the gateway if there is no room for a lifeline.
    pub(super) fn column(&self, user: Option<UserId>) -> usize {
        user.and_then(|u| self.columns.get(&u)).copied().unwrap_or(self.gateway)
    }

    /// The user's name in the scenario, or the beginning of its id.
    pub(super) fn name(&self, user: UserId) -> String {
        self.known(user).unwrap_or_else(|| format!("user {}", user.to_string().chars().take(8).collect::<String>()))
    }

    /// The user's name in the scenario, if it has one.
    pub(super) fn known(&self, user: UserId) -> Option<String> {
        self.names.get(&user).cloned()
    }

    pub(super) fn behind_token(&self, token: Option<&str>) -> Option<UserId> {
        self.tokens.get(token?).copied()
    }

    pub(crate) fn behind_channel(&self, channel: u64) -> Option<UserId> {
        self.channels.get(&channel).copied()
    }
}

/// The names that the scenario gave to stanzas.
pub(super) fn stanza_names(trace: &[Entry]) -> BTreeMap<StanzaId, String> {
    let named = trace.iter().filter_map(|entry| match &entry.event {
        Event::Named { name, stanza } if !name.starts_with("user:") => Some((*stanza, visible(name, LONGEST_NAME))),
        _ => None,
    });
    named.collect()
}
