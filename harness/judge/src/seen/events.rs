//! What users saw: for the candidate's users from the answers of `events`, for ours from what the reference observed.

use countersign_contract::operations::EventList;
use countersign_contract::seen::{NoticeKind, UserContent, What as Reported};
use countersign_contract::{GroupId, MessageId, Reason, StanzaId, UserId};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Most events that one answer may hold.
const MOST_EVENTS: usize = 256;

/// One thing that a user saw, or that its client refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Witnessed {
    /// Position of the entry that says so: for a candidate's user, the answer of `events`.
    pub(crate) at: usize,
    pub(crate) what: What,
}

/// What it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Message { message: MessageId, from: UserId, group: Option<GroupId>, content: UserContent },
    Refused { stanza: StanzaId, reason: Reason },
    Receipt { from: UserId, of: Vec<StanzaId>, retry: bool },
    Notice { notice: NoticeKind, about: UserId, group: Option<GroupId> },
}

impl From<Reported> for What {
    fn from(reported: Reported) -> Self {
        match reported {
            Reported::Message { message, from, group, content } => Self::Message { message, from, group, content },
            Reported::Refused { stanza, reason } => Self::Refused { stanza, reason },
            Reported::Receipt { from, of } => Self::Receipt { from, of, retry: false },
            Reported::Notice { notice, about, group } => Self::Notice { notice, about, group },
        }
    }
}

/// A place where a list of events breaks its own order.
pub(crate) struct Disorder {
    pub(crate) at: usize,
    pub(crate) user: UserId,
    pub(crate) detail: String,
}

/// Takes in the answers of `events` of all candidate users.
#[derive(Default)]
pub(crate) struct Reader {
    /// What each user saw. Kept apart from `seq`, so that nothing can be hidden under a number that was given before.
    pub(crate) witnessed: BTreeMap<UserId, Vec<Witnessed>>,
    pub(crate) disorder: Vec<Disorder>,
    /// By user: what stands under each number that was counted in order.
    counted: BTreeMap<UserId, Vec<What>>,
}

impl Reader {
    /// The user's log begins anew: its numbers start at 1 again.
    pub(crate) fn begin_log(&mut self, user: UserId) {
        self.counted.remove(&user);
    }

    /// How many events a user's log has.
    pub(crate) fn length(&self, user: UserId) -> usize {
        self.counted.get(&user).map_or(0, Vec::len)
    }

    /// The user's log is put back to its first events: later numbers are given again.
    pub(crate) fn cut_log(&mut self, user: UserId, length: usize) {
        if let Some(counted) = self.counted.get_mut(&user) {
            counted.truncate(length);
        }
    }

    /// Reads one answer; false if it is none.
    ///
    /// A repeat counts as the same event only where the cursor asked for it again and it did not change. Anything else is taken as
    /// seen once more, and noted as disorder.
    pub(crate) fn read(&mut self, at: usize, user: UserId, after: u64, answer: &Value) -> bool {
        let Ok(list) = EventList::deserialize(answer) else { return false };
        let counted = self.counted.entry(user).or_default();
        let witnessed = self.witnessed.entry(user).or_default();
        let mut note = |detail: String| self.disorder.push(Disorder { at, user, detail });
        if list.events.len() > MOST_EVENTS {
            note(format!("{} events in one answer; at most {MOST_EVENTS} are allowed", list.events.len()));
        }
        let mut expected = after.saturating_add(1);
        for seen in list.events {
            let what = What::from(seen.what);
            if seen.seq != expected {
                note(format!("event {} stands where {expected} belongs", seen.seq));
                witnessed.push(Witnessed { at, what });
                expected = seen.seq.saturating_add(1);
                continue;
            }
            expected = expected.saturating_add(1);
            let index = usize::try_from(seen.seq.saturating_sub(1)).unwrap_or(usize::MAX);
            match counted.get(index) {
                Some(before) if *before == what => continue,
                Some(_) => note(format!("event {} is another one than before", seen.seq)),
                None if index == counted.len() => counted.push(what.clone()),
                None => note(format!("event {} is the first after {}", seen.seq, counted.len())),
            }
            witnessed.push(Witnessed { at, what });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn notice(seq: u64) -> Value {
        json!({"seq": seq, "what": {"kind": "notice", "notice": "undecryptable", "about": UserId(uuid::Uuid::nil())}})
    }

    fn read(answers: &[(u64, Vec<Value>)]) -> (usize, usize) {
        let mut reader = Reader::default();
        let user = UserId(uuid::Uuid::nil());
        for (at, (after, events)) in answers.iter().enumerate() {
            assert!(reader.read(at, user, *after, &json!({"events": events})));
        }
        (reader.witnessed[&user].len(), reader.disorder.len())
    }

    #[test]
    fn events_are_counted_once_when_asked_for_again() {
        assert_eq!(read(&[(0, vec![notice(1)]), (1, vec![notice(2)]), (0, vec![notice(1), notice(2), notice(3)])]), (3, 0));
    }

    #[test]
    fn repeats_gaps_and_changes_are_noted_and_nothing_is_hidden() {
        assert_eq!(read(&[(0, vec![notice(1), notice(1)])]), (2, 1));
        assert_eq!(read(&[(0, vec![notice(1)]), (1, vec![notice(1)])]), (2, 1));
        assert_eq!(read(&[(0, vec![notice(1), notice(3)])]), (2, 1));
        assert_eq!(read(&[(0, vec![notice(2)])]), (1, 1));
        assert_eq!(read(&[(0, vec![notice(0)])]), (1, 1));
        assert_eq!(read(&[(0, vec![notice(u64::MAX), notice(u64::MAX)])]), (2, 2));
        let mut other = notice(1);
        other["what"]["notice"] = json!("identity-changed");
        assert_eq!(read(&[(0, vec![notice(1)]), (0, vec![other])]), (2, 1));
    }

    #[test]
    fn too_many_in_one_answer_are_noted() {
        assert_eq!(read(&[(0, (1..=257).map(notice).collect())]), (257, 1));
    }

    #[test]
    fn something_else_is_no_list() {
        assert!(!Reader::default().read(0, UserId(uuid::Uuid::nil()), 0, &json!({"events": [{"seq": -1}]})));
    }
}
