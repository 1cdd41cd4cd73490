//! Where candidates arrive that dial in.

use crate::carrier::Broken;
use crate::remote::{DialIn, Redactor};
use countersign_gateway::server::{Came, DIAL_PATH, Dial};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, mpsc};

/// Candidates that have come and were not taken yet.
const WAITING: usize = 4;

/// Where candidates arrive, for as long as the run lasts.
pub struct Lobby {
    options: DialIn,
    came: Mutex<mpsc::Receiver<Came>>,
    refused: Arc<AtomicU64>,
    place: OnceLock<String>,
    begun: AtomicBool,
    redactor: Redactor,
}

impl Lobby {
    /// A lobby, and the door that leads into it.
    #[must_use]
    pub fn new(options: DialIn) -> (Arc<Self>, Dial) {
        let (sender, came) = mpsc::channel(WAITING);
        let refused = Arc::new(AtomicU64::new(0));
        let key = options.key.clone();
        let dial = Dial { admits: Arc::new(move |given| key.is(given)), came: sender, refused: Arc::clone(&refused) };
        let redactor = Redactor::new([options.key.clone()]);
        let (place, begun) = (OnceLock::new(), AtomicBool::new(false));
        (Arc::new(Self { options, came: Mutex::new(came), refused, place, begun, redactor }), dial)
    }

    /// Says where the door is, to whoever wants to know: the gateway's URL is known once it listens.
    pub fn opens(&self, gateway: &str) {
        let url = format!("ws{}{DIAL_PATH}", gateway.strip_prefix("http").unwrap_or_default());
        let url = self.place.get_or_init(|| url);
        if let Some(announce) = &self.options.announce {
            announce(url);
        }
    }

    pub(super) const fn reconnect(&self) -> Duration {
        self.options.reconnect
    }

    pub(super) fn redactor(&self) -> Redactor {
        self.redactor.clone()
    }

    pub(super) async fn came(&self) -> MutexGuard<'_, mpsc::Receiver<Came>> {
        self.came.lock().await
    }

    /// How long to wait for the first connection: for a person the first time, for a program after that.
    pub(super) fn begin(&self) -> Duration {
        if self.begun.swap(true, Ordering::AcqRel) { self.options.reconnect } else { self.options.wait }
    }

    /// What is said if nobody came.
    pub(super) fn nobody(&self) -> Broken {
        let place = self.place.get().map_or("the gateway", String::as_str);
        let waited = self.options.wait.as_secs();
        let refused = self.refused.load(Ordering::Relaxed);
        if refused > 0 {
            let detail = format!("nobody dialled in at {place} within {waited} s; {refused} came with a wrong key or none");
            return Broken::gone(detail)
                .fixed_by("give the candidate the key of this run, as a bearer token: `Authorization: Bearer KEY`");
        }
        Broken::gone(format!("nobody dialled in at {place} within {waited} s, and nobody tried with a wrong key")).fixed_by(
            "start the candidate, and let it open a WebSocket there; check that it can reach the address, and that --advertise names it",
        )
    }
}
