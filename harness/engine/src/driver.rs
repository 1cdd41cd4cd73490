//! Drives one instance: one sequential loop over answers of the candidate, what its clients do, and timers.
//!
//! The instance decides everything; the loop only carries. Whatever comes in is stamped on one monotonic clock in the order in
//! which it is consumed, and that order is all that the trace depends on.

use crate::Patience;
use crate::carrier::Endpoint;
use crate::gateways::{OpenGateway, Received};
use crate::pulse::Pulse;
use crate::remote::Redactor;
use crate::run::Watch;
use countersign_contract::{Call, Reason};
use countersign_gateway::HttpReply;
use countersign_gateway::server::{ChatSender, ServerEvent};
use countersign_instance::{Finished, Instance, InstancePlan, Output};
use countersign_trace::event::{Input, Outcome};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// Most inputs of one instance. A long exchange of messages takes some thousands.
pub const MOST_INPUTS: u64 = 100_000;
/// Most bytes that come in from the candidate during one instance.
pub const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// Most bytes that come in from the candidate during a whole run, repeats included: they are stored with the record. An honest run
/// of all scenarios brings less than a tenth.
pub const MOST_RUN_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// How much longer than a file its buffer is, so that a candidate in this process can encrypt it where it lies.
const ROOM_TO_ENCRYPT: usize = 64;
/// How long an interrupted instance waits for the candidate to close it.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a run is to stop; `None` while it is not.
pub type Interrupt = watch::Receiver<Option<String>>;

/// An instance that was driven to its end.
#[derive(Debug)]
pub struct Driven {
    /// Trace, bodies, time in cryptography.
    pub finished: Finished,
    /// From begin to end.
    pub wall: Duration,
    /// Inside the instance's state machine, cryptography included.
    pub own: Duration,
    /// Waiting for anything to come in while a call to the candidate was under way.
    pub candidate: Duration,
    /// Why it was cut short, if it was.
    pub aborted: Option<String>,
}

/// Microseconds since the first use of this function, on a clock that never goes back: the meter of cryptography.
#[must_use]
pub fn meter() -> u64 {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    micros(BEGIN.elapsed())
}

/// Drives an instance until it is finished, or cut short: by an interrupt, by a candidate that floods it, or because nothing can
/// come in any more.
pub async fn drive(
    plan: InstancePlan,
    gateway: OpenGateway,
    endpoint: Arc<dyn Endpoint>,
    patience: Patience,
    interrupt: Interrupt,
) -> Driven {
    drive_watched(plan, gateway, endpoint, patience, interrupt, None).await
}

/// [`drive`], and tells of each entry of the trace as it is made.
pub async fn drive_watched(
    plan: InstancePlan,
    gateway: OpenGateway,
    endpoint: Arc<dyn Endpoint>,
    patience: Patience,
    interrupt: Interrupt,
    watch: Option<Watch>,
) -> Driven {
    let begin = Instant::now();
    let name = plan.name.clone();
    let close = Call::Close(countersign_contract::operations::Close { instance: plan.instance });
    let mut drive = Drive {
        instance: Instance::new(plan),
        gateway,
        endpoint,
        begin,
        calls: JoinSet::new(),
        begun: BTreeMap::new(),
        pulse: Pulse::begin(),
        timers: BTreeMap::new(),
        requests: BTreeMap::new(),
        last_request: 0,
        accepts: BTreeMap::new(),
        channels: Channels::default(),
        patience,
        own: Duration::ZERO,
        candidate: Duration::ZERO,
        inputs: 0,
        bytes: 0,
        watch: watch.map(|watch| (name, watch)),
    };
    // Creating the reference users makes their keys: that is own time too.
    drive.own = begin.elapsed();
    let aborted = drive.run(interrupt).await;
    drive.calls.abort_all();
    if aborted.is_some() && drive.endpoint.broken().is_none() {
        // So that an endpoint that outlives this run does not keep it open. Whether it works has no consequence.
        let _ = tokio::time::timeout(FAREWELL, drive.endpoint.call(&close)).await;
    }
    let (own, candidate) = (drive.own, drive.candidate);
    Driven { finished: drive.instance.finish(), wall: begin.elapsed(), own, candidate, aborted }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

struct Drive {
    instance: Instance,
    gateway: OpenGateway,
    endpoint: Arc<dyn Endpoint>,
    begin: Instant,
    calls: JoinSet<(u64, Outcome)>,
    /// When each call under way was made.
    begun: BTreeMap<u64, Instant>,
    pulse: Pulse,
    /// Timers by the instant at which they fire.
    timers: BTreeMap<(Instant, u64), ()>,
    requests: BTreeMap<u64, oneshot::Sender<HttpReply>>,
    last_request: u64,
    accepts: BTreeMap<u64, oneshot::Sender<Result<(), HttpReply>>>,
    channels: Channels,
    patience: Patience,
    own: Duration,
    candidate: Duration,
    inputs: u64,
    bytes: u64,
    watch: Option<(String, Watch)>,
}

/// Channels count from 1 within the instance, whatever the transport calls them.
#[derive(Default)]
struct Channels {
    last: u64,
    by_key: BTreeMap<u64, u64>,
    senders: BTreeMap<u64, ChatSender>,
}

/// What the loop woke up for.
enum Woken {
    Returned(u64, Outcome),
    Gateway(ServerEvent),
    Timer(u64),
    Stop(Cut),
}

/// Why an instance is cut short, and whether the candidate did too much in it.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    cause: String,
    too_much: bool,
}

impl From<String> for Cut {
    fn from(cause: String) -> Self {
        Self { cause, too_much: false }
    }
}

impl Drive {
    /// Until the end; why it was cut short, if it was.
    async fn run(&mut self, mut interrupt: Interrupt) -> Option<String> {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        self.feed(Input::Start { now_ms: u64::try_from(now_ms).unwrap_or(u64::MAX) });
        while !self.instance.is_finished() {
            let woken = match self.exhausted() {
                Some(cut) => Woken::Stop(cut),
                None => {
                    let waits = Instant::now();
                    let under_way = !self.calls.is_empty();
                    let woken = self.wake(&mut interrupt).await;
                    if under_way {
                        self.candidate += waits.elapsed();
                    }
                    woken
                }
            };
            match woken {
                Woken::Returned(call, outcome) => match self.says_nothing(call, &outcome) {
                    None => self.feed(Input::Returned { call, outcome }),
                    Some(cause) => {
                        self.feed(Input::Aborted { cause: cause.clone(), too_much: false });
                        return Some(cause);
                    }
                },
                Woken::Gateway(event) => self.gateway_event(event),
                Woken::Timer(timer) => self.feed(Input::Timer { timer }),
                Woken::Stop(Cut { cause, too_much }) => {
                    self.feed(Input::Aborted { cause: cause.clone(), too_much });
                    return Some(cause);
                }
            }
        }
        None
    }

    fn says_nothing(&mut self, call: u64, outcome: &Outcome) -> Option<String> {
        let begun = self.begun.remove(&call)?;
        waited_for_us(outcome, self.pulse.stood_still_since(begun))
    }

    /// Why nothing more may come in, or can.
    fn exhausted(&self) -> Option<Cut> {
        if self.calls.is_empty() && self.timers.is_empty() {
            return Some("nothing is under way that could bring it further".to_owned().into());
        }
        if self.inputs >= MOST_INPUTS {
            let cause = format!("the candidate did more than {MOST_INPUTS} things in one instance");
            return Some(Cut { cause, too_much: true });
        }
        flooded(self.bytes, &self.gateway.received)
    }

    /// Counts what came in.
    fn took(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.gateway.received.add(bytes as u64);
    }

    async fn wake(&mut self, interrupt: &mut Interrupt) -> Woken {
        let timer = self.timers.first_key_value().map(|((at, timer), ())| (*at, *timer));
        let fires = async {
            match timer {
                Some((at, _)) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        // Calls end by their own deadlines. This one is for a fault of ours that would otherwise be a hang.
        let stalled = tokio::time::sleep(self.patience.longest().saturating_mul(3));
        tokio::select! {
            // What the candidate's clients did before a call came back is consumed before it.
            biased;
            cause = stop(interrupt) => Woken::Stop(cause.into()),
            Some(event) = self.gateway.socket.events.recv() => Woken::Gateway(event),
            () = fires => {
                self.timers.pop_first();
                Woken::Timer(timer.map_or(0, |(_, timer)| timer))
            }
            Some(returned) = self.calls.join_next(), if !self.calls.is_empty() => match returned {
                Ok((call, outcome)) => Woken::Returned(call, outcome),
                Err(error) => Woken::Stop(format!("a call broke down on our side: {error}").into()),
            },
            () = stalled => Woken::Stop("nothing happened for three times the longest deadline".to_owned().into()),
        }
    }

    fn gateway_event(&mut self, event: ServerEvent) {
        match redacted(event, &self.gateway.redactor) {
            ServerEvent::Request { http, reply } => {
                self.last_request += 1;
                let request = self.last_request;
                self.requests.insert(request, reply);
                self.took(http.body.len());
                let body = self.instance.shared_body(http.body);
                self.feed(Input::Request { request, method: http.method, path: http.path, token: http.token, body });
            }
            ServerEvent::ChatOpened { token, channel_key, frames, accept } => {
                self.channels.last += 1;
                let channel = self.channels.last;
                self.channels.by_key.insert(channel_key, channel);
                self.channels.senders.insert(channel, frames);
                self.accepts.insert(channel, accept);
                self.feed(Input::ChatOpened { channel, token });
            }
            ServerEvent::ChatFrame { channel_key, text } => {
                let Some(channel) = self.channels.by_key.get(&channel_key).copied() else { return };
                self.took(text.len());
                let text = self.instance.body(&text);
                self.feed(Input::ChatFrame { channel, text });
            }
            ServerEvent::ChatClosed { channel_key } => {
                let Some(channel) = self.channels.by_key.remove(&channel_key) else { return };
                self.channels.senders.remove(&channel);
                self.feed(Input::ChatClosed { channel });
            }
            ServerEvent::BrokenOff { what } => self.feed(Input::broken_off(&what)),
            // The client was told, and nothing of it reaches the gateway.
            ServerEvent::Refused { what, problem } => self.feed(Input::refused(&what, &problem)),
        }
    }

    fn feed(&mut self, input: Input) {
        self.inputs += 1;
        let before = Instant::now();
        let told = self.instance.trace().len();
        let outputs = self.instance.handle(micros(before.duration_since(self.begin)), input);
        self.own += before.elapsed();
        if let Some((name, watch)) = &self.watch {
            self.instance.trace().iter().skip(told).for_each(|entry| watch(name, entry));
        }
        for output in VecDeque::from(outputs) {
            self.carry_out(before, output);
        }
    }

    /// Carries out an output of the input that was consumed at `at`.
    fn carry_out(&mut self, at: Instant, output: Output) {
        match output {
            Output::Call { id, call } => {
                let endpoint = Arc::clone(&self.endpoint);
                self.begun.insert(id, Instant::now());
                self.calls.spawn(async move { (id, endpoint.call(&call).await) });
            }
            Output::Reply { request, mut reply, file } => {
                if let Some(file) = file {
                    reply.body = file.whole(ROOM_TO_ENCRYPT).unwrap_or_default().into();
                }
                if let Some(waiting) = self.requests.remove(&request) {
                    // A client that does not wait any more misses it.
                    let _ = waiting.send(reply);
                }
            }
            Output::AcceptChannel { channel } => self.accept(channel, Ok(())),
            Output::RejectChannel { channel, reply } => {
                self.channels.senders.remove(&channel);
                self.accept(channel, Err(reply));
            }
            Output::Frame { channel, text } => {
                if let Some(sender) = self.channels.senders.get(&channel) {
                    // The event of its closing is on its way.
                    let _ = sender.send(text);
                }
            }
            Output::CloseChannel { channel } => {
                self.channels.senders.remove(&channel);
            }
            Output::SetTimer { timer, after_us } => {
                // Counts from the input, as the trace does: the time that the reference's cryptography took since is no lag.
                self.timers.insert((at + Duration::from_micros(after_us), timer), ());
            }
            Output::Finished => {}
        }
    }

    fn accept(&mut self, channel: u64, answer: Result<(), HttpReply>) {
        if let Some(waiting) = self.accepts.remove(&channel) {
            let _ = waiting.send(answer);
        }
    }
}

/// Why an answer says nothing, if it does not: the candidate waited in vain, and that may have been for us, since this machine did not
/// let us run for so long.
fn waited_for_us(outcome: &Outcome, stood_still: Option<Duration>) -> Option<String> {
    let Outcome::Problem(problem) = outcome else { return None };
    // What it is called when a client has waited long enough, for a stanza or for the gateway.
    let waited = matches!(problem.reason, Reason::Timeout | Reason::GatewayError);
    let late = stood_still.filter(|_| waited)?;
    Some(format!("this machine stood still for {} s while the candidate waited: who was late cannot be told", late.as_secs()))
}

/// Why no more of what a candidate sends is taken, if there is too much of it: in this instance, or in all of the run.
fn flooded(instance: u64, run: &Received) -> Option<Cut> {
    if instance >= MOST_BYTES {
        let cause = format!("the candidate sent more than {MOST_BYTES} bytes in one instance");
        return Some(Cut { cause, too_much: true });
    }
    Some(format!("the candidate sent more than {} bytes in one run", run.reached()?).into())
}

/// What a client did, without secrets of ours that it may have got hold of: no verdict may depend on one, and no record hold one.
fn redacted(event: ServerEvent, redactor: &Redactor) -> ServerEvent {
    match event {
        ServerEvent::Request { mut http, reply } => {
            http.method = redactor.text(http.method);
            http.path = redactor.text(http.path);
            http.token = http.token.map(|token| redactor.text(token));
            http.body = redactor.shared(http.body);
            ServerEvent::Request { http, reply }
        }
        ServerEvent::ChatOpened { token, channel_key, frames, accept } => {
            let token = token.map(|token| redactor.text(token));
            ServerEvent::ChatOpened { token, channel_key, frames, accept }
        }
        ServerEvent::ChatFrame { channel_key, text } => ServerEvent::ChatFrame { channel_key, text: redactor.bytes(text) },
        ServerEvent::Refused { what, mut problem } => {
            problem.detail = redactor.text(problem.detail);
            ServerEvent::Refused { what: redactor.text(what), problem }
        }
        ServerEvent::BrokenOff { what } => ServerEvent::BrokenOff { what: redactor.text(what) },
        closed @ ServerEvent::ChatClosed { .. } => closed,
    }
}

/// Resolves with the cause when the run is to stop.
pub(crate) async fn stop(interrupt: &mut Interrupt) -> String {
    let cause = interrupt.wait_for(Option::is_some).await.ok().and_then(|cause| cause.clone());
    match cause {
        Some(cause) => cause,
        // Whoever could interrupt is gone, and has not.
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, MOST_RUN_BYTES, flooded, redacted, waited_for_us};
    use crate::gateways::Received;
    use crate::remote::{REDACTED, Redactor, Secret};
    use countersign_contract::{Problem, Reason};
    use countersign_gateway::HttpRequest;
    use countersign_gateway::server::ServerEvent;
    use countersign_trace::Outcome;
    use std::time::Duration;
    use tokio::sync::oneshot;

    #[test]
    fn an_instance_and_a_run_take_so_many_bytes_and_no_more() {
        let run = Received::in_run();
        run.add(MOST_RUN_BYTES - 1);
        assert_eq!(flooded(MOST_BYTES - 1, &run), None);
        assert!(flooded(MOST_BYTES, &run).is_some_and(|cut| cut.too_much && cut.cause.ends_with("in one instance")));
        run.add(1);
        assert!(flooded(0, &run).is_some_and(|cut| !cut.too_much && cut.cause.ends_with("in one run")));
        let search = Received::without_end();
        search.add(MOST_RUN_BYTES * 2);
        assert_eq!(flooded(MOST_BYTES - 1, &search), None);
        assert!(flooded(MOST_BYTES, &search).is_some_and(|cut| cut.too_much));
    }

    #[test]
    fn whoever_waited_while_this_machine_stood_still_is_not_to_blame() {
        let answered = |reason| Outcome::Problem(Problem::new(reason, "as it says"));
        let late = Some(Duration::from_secs(21));
        for reason in [Reason::Timeout, Reason::GatewayError] {
            assert!(waited_for_us(&answered(reason), late).is_some_and(|cause| cause.contains("stood still for 21 s")));
            assert_eq!(waited_for_us(&answered(reason), None), None);
        }
        assert_eq!(waited_for_us(&answered(Reason::BadMac), late), None);
        assert_eq!(waited_for_us(&Outcome::Ok(serde_json::json!({})), late), None);
    }

    #[test]
    fn a_secret_that_a_client_got_hold_of_is_in_nothing_that_an_instance_sees() {
        const SECRET: &str = "a-secret-of-ours-0123456789";
        let redactor = Redactor::new([Secret::new(SECRET).unwrap()]);
        let text = || format!("x{SECRET}");
        let http = HttpRequest { method: text(), path: text(), token: Some(text()), body: text().into_bytes().into() };
        let (reply, _) = oneshot::channel();
        let events = [
            ServerEvent::Request { http, reply },
            ServerEvent::ChatFrame { channel_key: 1, text: text().into_bytes() },
            ServerEvent::Refused { what: text(), problem: Problem::new(Reason::Malformed, text()) },
        ];
        for event in events {
            let shown = match redacted(event, &redactor) {
                ServerEvent::Request { http, .. } => {
                    [http.method, http.path, http.token.unwrap(), String::from_utf8(http.body.to_vec()).unwrap()].to_vec()
                }
                ServerEvent::ChatFrame { text, .. } => vec![String::from_utf8(text).unwrap()],
                ServerEvent::Refused { what, problem } => vec![what, problem.detail],
                other => panic!("{other:?}"),
            };
            assert!(shown.iter().all(|text| *text == format!("x{REDACTED}")), "{shown:?}");
        }
    }
}
