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

    #[test]
    fn only_not_being_let_run_is_a_standstill() {
        let begin = Instant::now();
        let after = |times: f64| begin + BEAT.mul_f64(times);
        let mut state = State { woke: begin, last: None };
        for beat in 1..=8 {
            state.note(after(f64::from(beat)));
        }
        assert_eq!(state.last, None);
        // A busy machine lets nobody wake on time.
        state.note(after(9.0) + STANDSTILL / 2);
        assert_eq!(state.last, None);
        let woken = after(10.0) + STANDSTILL / 2 + STANDSTILL;
        state.note(woken);
        assert_eq!(state.last, Some((woken, STANDSTILL)));
        state.note(woken + BEAT);
        assert_eq!(state.last, Some((woken, STANDSTILL)), "it is kept for whoever waited meanwhile");
    }
}
