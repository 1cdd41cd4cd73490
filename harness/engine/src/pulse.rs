//! Whether this machine let us run: who is not let run for many seconds cannot say who was late.
//!
//! A task that wants to wake every so often notes how much later it woke. That is all this process together: a runtime without a free
//! thread, a machine with other work, a laptop that was closed, a process that was stopped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How often it wants to wake.
const BEAT: Duration = Duration::from_millis(250);
/// How late it may wake. The contract's deadlines begin at 10 s, and what clients wait for by themselves seldom ends under 5 s.
pub(crate) const STANDSTILL: Duration = Duration::from_secs(4);

/// Notes standstills as long as it is there.
#[derive(Debug)]
pub(crate) struct Pulse {
    state: Arc<Mutex<State>>,
    /// Ends with this.
    _task: JoinSet<()>,
}

#[derive(Debug)]
struct State {
    woke: Instant,
    /// When the last standstill ended, and how long it was.
    last: Option<(Instant, Duration)>,
}

impl State {
    fn note(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.woke).saturating_sub(BEAT);
        if late >= STANDSTILL {
            self.last = Some((now, late));
        }
        self.woke = now;
    }
}

impl Pulse {
    /// Begins, within a runtime.
    pub(crate) fn begin() -> Self {
        let state = Arc::new(Mutex::new(State { woke: Instant::now(), last: None }));
        let beats = Arc::clone(&state);
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                beats.lock().unwrap_or_else(PoisonError::into_inner).note(Instant::now());
            }
        });
        Self { state, _task: task }
    }

    /// The last standstill that ended after a moment, if there was one; one from which nobody has woken yet is one as well.
    pub(crate) fn stood_still_since(&self, moment: Instant) -> Option<Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now.saturating_duration_since(state.woke).saturating_sub(BEAT) >= STANDSTILL {
            state.note(now);
        }
        state.last.filter(|(ended, _)| *ended >= moment).map(|(_, late)| late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_not_being_let_run_is_a_standstill() {
        let pulse = Pulse::begin();
        let begin = Instant::now();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(pulse.stood_still_since(begin), None);
        // Nothing else runs meanwhile.
        std::thread::sleep(STANDSTILL + BEAT * 3);
        assert!(pulse.stood_still_since(begin).is_some_and(|late| late >= STANDSTILL));
        tokio::time::sleep(BEAT * 2).await;
        assert!(pulse.stood_still_since(begin).is_some());
        assert_eq!(pulse.stood_still_since(Instant::now()), None);
    }
}
