//! Bursts: messages at planned times, whether or not earlier ones have arrived, while the receiver's events are polled long.

use crate::Instance;
use crate::plan::Output;
use countersign_contract::Call;
use countersign_contract::operations::{Events, Settle};
use countersign_scenarios::language::{self, Burst};
use countersign_trace::event::{Event, Outcome};

/// How long one poll for events waits, in milliseconds. It bounds how long a burst lasts after the last message was shown.
const POLL_MS: u32 = 100;

/// A burst under way.
pub(crate) struct BurstState {
    burst: Burst,
    begin_us: u64,
    next: u32,
    timer: Option<u64>,
    poll: Option<u64>,
    settle: Option<u64>,
    settled: bool,
    last_poll: bool,
}

impl BurstState {
    pub(crate) fn new(burst: &Burst, begin_us: u64) -> Option<Self> {
        (burst.messages > 0).then(|| Self {
            burst: burst.clone(),
            // The first one a little later, so that the poll is under way.
            begin_us: begin_us + u64::from(burst.every_ms) * 1000,
            next: 1,
            timer: None,
            poll: None,
            settle: None,
            settled: false,
            last_poll: false,
        })
    }

    fn planned_us(&self) -> u64 {
        self.begin_us + u64::from(self.next - 1) * u64::from(self.burst.every_ms) * 1000
    }
}

impl Instance {
    /// Sets in motion whatever the burst needs next.
    pub(crate) fn continue_burst(&mut self) {
        let Some(mut state) = self.burst.take() else { return };
        let sending = state.next <= state.burst.messages;
        if sending && state.timer.is_none() {
            let after_us = state.planned_us().saturating_sub(self.at_us);
            state.timer = Some(self.set_timer(after_us));
        }
        let Some(member) = self.members.get(&state.burst.to) else { return self.skip(format!("the user {}", state.burst.to)) };
        let (instance, user, after, unsettled) = (self.plan.instance, member.user, member.cursor, member.unsettled());
        if !sending && !state.settled && state.settle.is_none() {
            match unsettled {
                Some(through) => state.settle = Some(self.emit_call(Call::Settle(Settle { instance, user, through }))),
                None => state.settled = true,
            }
        }
        if state.poll.is_none() {
            if state.settled && state.last_poll {
                return;
            }
            state.last_poll = state.settled;
            let wait_ms = if state.settled { 0 } else { POLL_MS };
            state.poll = Some(self.emit_call(Call::Events(Events { instance, user, after, wait_ms })));
        }
        self.burst = Some(state);
    }

    /// Sets a timer: its number.
    pub(crate) fn set_timer(&mut self, after_us: u64) -> u64 {
        let timer = self.next_timer;
        self.next_timer += 1;
        self.log(Event::SetTimer { timer, after_us });
        self.outputs.push(Output::SetTimer { timer, after_us });
        timer
    }

    pub(crate) fn timer(&mut self, timer: u64) {
        let Some(state) = self.burst.as_mut().filter(|s| s.timer == Some(timer)) else { return };
        state.timer = None;
        let (planned, number) = (state.planned_us(), state.next);
        state.next += 1;
        let content = language::ContentSpec::Text(format!("message {number}"));
        let name = format!("{}{number}", state.burst.name);
        let send = language::Send::plain(&state.burst.from, &state.burst.to, name, content);
        self.send(&send);
        let stanza = self.names.get(&send.name).copied();
        self.log(Event::Disturbed { stanza, how: format!("planned at {planned}") });
        self.continue_burst();
    }

    /// Takes an answer that belongs to the burst. False if it does not.
    pub(crate) fn burst_returned(&mut self, call: u64, outcome: &Outcome) -> bool {
        let Some(state) = self.burst.as_mut() else { return false };
        let user = state.burst.to.clone();
        if state.poll == Some(call) {
            state.poll = None;
            self.take_events(&user, outcome);
        } else if state.settle == Some(call) {
            state.settle = None;
            state.settled = true;
            if let Some(member) = self.members.get_mut(&user) {
                member.settled = member.delivered;
            }
        } else {
            return false;
        }
        match outcome {
            Outcome::Fault { .. } => self.abandon("an answer of the candidate"),
            // A candidate that answers with problems would be asked for ever.
            Outcome::Problem(_) => self.burst = None,
            Outcome::Ok(_) => self.continue_burst(),
        }
        true
    }
}
