//! Pairs replies with calls.

use crate::carrier::once::name_twice;
use crate::carrier::{Broken, Raw, quote};
use countersign_contract::carrier::Reply;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What a stray line usually is.
const HINT: &str = "standard output is for replies only, one JSON object a line; print everything else to standard error";

/// Where replies come from, for messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// As in "on standard output stood".
    pub(crate) came: &'static str,
    /// What a stray one usually is.
    pub(crate) hint: &'static str,
}

/// A child's standard output.
const OUTPUT: Place = Place { came: "on standard output stood", hint: HINT };

/// The calls under way.
#[derive(Debug)]
pub(crate) struct Calls(Mutex<State>, Place);

impl Default for Calls {
    fn default() -> Self {
        Self::over(OUTPUT)
    }
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    pending: BTreeMap<u64, oneshot::Sender<Raw>>,
    given_up: BTreeSet<u64>,
    cause: Option<Broken>,
}

/// A call under way. Dropping it gives it up.
#[derive(Debug)]
pub(crate) struct Pending {
    id: u64,
    answer: oneshot::Receiver<Raw>,
    calls: Arc<Calls>,
}

impl Calls {
    /// Calls whose replies come from there.
    pub(crate) fn over(place: Place) -> Self {
        Self(Mutex::default(), place)
    }

    /// How many have no answer yet.
    pub(crate) fn under_way(&self) -> usize {
        self.state().pending.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next id, unless the endpoint is broken.
    pub(crate) fn begin(self: &Arc<Self>) -> Result<Pending, Broken> {
        let mut state = self.state();
        if let Some(cause) = &state.cause {
            return Err(cause.clone());
        }
        state.last += 1;
        let id = state.last;
        let (sender, answer) = oneshot::channel();
        state.pending.insert(id, sender);
        Ok(Pending { id, answer, calls: Arc::clone(self) })
    }

    pub(crate) fn cause(&self) -> Option<Broken> {
        self.state().cause.clone()
    }

    /// Ends every call with this cause, and all that follow with the first one.
    pub(crate) fn fail_all(&self, cause: Broken) {
        let mut state = self.state();
        let cause = state.cause.get_or_insert(cause).clone();
        for (_, sender) in std::mem::take(&mut state.pending) {
            let _ = sender.send(Raw::Broken(cause.clone()));
        }
    }

    /// Takes a line of the child's standard output, without its line feed.
    ///
    /// # Errors
    /// If it is no reply at all, or one to a call that is not under way: from then on nothing on this channel can be believed.
    pub(crate) fn line(&self, line: &[u8]) -> Result<(), Broken> {
        let noise =
            |what: &str| Broken::not_the_contract(format!("{} {what}: {}; hint: {}", self.1.came, quote(line), self.1.hint));
        let value: Value = serde_json::from_slice(line).map_err(|_| noise("a line that is not JSON"))?;
        let id = value.get("id").and_then(Value::as_u64).ok_or_else(|| noise("a line that is not a reply (it has no `id`)"))?;
        let mut state = self.state();
        if state.given_up.remove(&id) {
            return Ok(());
        }
        let Some(sender) = state.pending.remove(&id) else {
            let what =
                if id == 0 || id > state.last { "a reply to a call that was never made" } else { "a second reply to one call" };
            return Err(noise(what));
        };
        let _ = sender.send(read(value, line));
        Ok(())
    }
}

/// A reply that names its call but does not fit is that call's fault alone.
fn read(value: Value, line: &[u8]) -> Raw {
    let cause = match (name_twice(line), serde_json::from_value::<Reply>(value)) {
        (Some(twice), _) => twice,
        (None, Ok(Reply { ok: Some(answer), problem: None, .. })) => return Raw::Ok(answer),
        (None, Ok(Reply { ok: None, problem: Some(problem), .. })) => return Raw::Problem(problem),
        (None, Ok(_)) => "it needs either `ok` or `problem`".to_owned(),
        (None, Err(error)) => error.to_string(),
    };
    Raw::Broken(Broken::not_the_contract(format!("a reply does not fit: {cause}; it begins {}", quote(line))))
}

impl Pending {
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) async fn answer(mut self) -> Raw {
        match (&mut self.answer).await {
            Ok(raw) => raw,
            // The sender is only ever dropped together with the whole table.
            Err(_) => Raw::Broken(Broken::gone("the candidate was ended")),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut state = self.calls.state();
        if state.pending.remove(&self.id).is_some() {
            state.given_up.insert(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_trace::event::Fault;

    fn answered(pending: &mut Pending) -> Raw {
        pending.answer.try_recv().unwrap()
    }

    #[test]
    fn replies_find_their_calls_in_any_order() {
        let calls = Arc::new(Calls::default());
        let (mut a, mut b) = (calls.begin().unwrap(), calls.begin().unwrap());
        calls.line(br#"{"id":2,"ok":{"n":2}}"#).unwrap();
        calls.line(br#"{"id":1,"problem":{"reason":"busy"}}"#).unwrap();
        assert!(matches!(answered(&mut a), Raw::Problem(_)));
        assert_eq!(answered(&mut b), Raw::Ok(serde_json::json!({ "n": 2 })));
    }

    #[test]
    fn a_reply_that_does_not_fit_concerns_its_call_alone() {
        let calls = Arc::new(Calls::default());
        for line in [
            r#"{"id":1}"#,
            r#"{"id":2,"ok":{},"problem":{"reason":"busy"}}"#,
            r#"{"id":3,"problem":{"reason":"made-up"}}"#,
            r#"{"id":4,"ok":{"events":[],"events":[1]}}"#,
            r#"{"id":5,"ok":{},"ok":{}}"#,
        ] {
            let mut call = calls.begin().unwrap();
            calls.line(line.as_bytes()).unwrap();
            assert!(matches!(answered(&mut call), Raw::Broken(Broken { fault: Fault::NotTheContract, .. })), "{line}");
        }
        assert_eq!(calls.cause(), None);
    }

    #[test]
    fn noise_and_replies_out_of_nowhere_are_refused() {
        let calls = Arc::new(Calls::default());
        let mut call = calls.begin().unwrap();
        for line in ["listening on 8080", "", "7", r#"{"ok":{}}"#, r#"{"id":0,"ok":{}}"#, r#"{"id":2,"ok":{}}"#] {
            let error = calls.line(line.as_bytes()).unwrap_err();
            assert!(error.detail.contains("hint: standard output is for replies only"), "{line}: {error}");
        }
        calls.line(br#"{"id":1,"ok":{}}"#).unwrap();
        assert!(calls.line(br#"{"id":1,"ok":{}}"#).unwrap_err().detail.contains("second reply"));
        assert_eq!(answered(&mut call), Raw::Ok(serde_json::json!({})));
    }

    #[test]
    fn a_late_answer_is_ignored_once() {
        let calls = Arc::new(Calls::default());
        drop(calls.begin().unwrap());
        calls.line(br#"{"id":1,"ok":{}}"#).unwrap();
        assert!(calls.line(br#"{"id":1,"ok":{}}"#).is_err());
    }

    #[test]
    fn the_first_cause_stays() {
        let calls = Arc::new(Calls::default());
        let mut call = calls.begin().unwrap();
        calls.fail_all(Broken::gone("first"));
        calls.fail_all(Broken::gone("second"));
        assert_eq!(answered(&mut call), Raw::Broken(Broken::gone("first")));
        assert_eq!(calls.begin().unwrap_err(), Broken::gone("first"));
    }
}
