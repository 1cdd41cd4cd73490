//! One open chat channel.

use super::gateway::Pauses;
use crate::defect::{Defect, Defects};
use crate::wire::Chat;
use countersign_contract::portable::{LARGEST_STANZA, Stanza, Unreadable};
use countersign_contract::{Problem, Reason, StanzaId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// How long closing waits for work under way, and then for the other side.
const CLOSING: Duration = Duration::from_secs(5);

/// What the gateway delivered.
pub(super) enum Arrived {
    /// A stanza to process.
    Stanza(Stanza),
    /// Something under an id that can be acknowledged, and nothing else: why.
    Unreadable(StanzaId, Reason),
}

type Verdict = Result<(), Problem>;

/// The sending half of a chat channel, and who waits for the gateway's word on a stanza.
pub(super) struct Link {
    inner: Mutex<Inner>,
    closed: AtomicBool,
    /// Turns true when the client wants to close: no further stanza is begun.
    pub(super) closing: watch::Sender<bool>,
}

struct Inner {
    out: Option<mpsc::Sender<String>>,
    waiting: HashMap<StanzaId, oneshot::Sender<Verdict>>,
    reader: Option<JoinHandle<()>>,
    worker: Option<JoinHandle<()>>,
}

impl Link {
    /// Takes a channel into use. What the gateway delivers comes out of the second value in order; its word on our own stanzas
    /// goes to whoever waits for it, at once. `changed` is told when the channel closes.
    pub(super) fn open(
        chat: Chat,
        changed: watch::Sender<()>,
        defects: Arc<dyn Defects>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Arrived>) {
        let (deliver, arriving) = mpsc::unbounded_channel();
        let inner = Inner { out: Some(chat.frames_out), waiting: HashMap::new(), reader: None, worker: None };
        let link =
            Arc::new(Self { inner: Mutex::new(inner), closed: AtomicBool::new(false), closing: watch::Sender::new(false) });
        let reader = tokio::spawn(read(link.clone(), chat.frames_in, deliver, defects, changed));
        link.inner().reader = Some(reader);
        (link, arriving)
    }

    /// Names the task that works on what is delivered, so that closing can wait for it.
    pub(super) fn work(&self, worker: JoinHandle<()>) {
        self.inner().worker = Some(worker);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Puts a stanza on its way. The gateway's word comes out of the answer.
    ///
    /// # Errors
    /// `not-connected`.
    pub(super) async fn post(&self, id: StanzaId, text: String) -> Result<oneshot::Receiver<Verdict>, Problem> {
        let (verdict, word) = oneshot::channel();
        let out = {
            let mut inner = self.inner();
            inner.waiting.insert(id, verdict);
            inner.out.clone()
        };
        send(out, text).await?;
        Ok(word)
    }

    /// Waits for the gateway's word on a stanza, and posts it again while the gateway is busy.
    ///
    /// # Errors
    /// The gateway's problem, or `not-connected` if the channel closed before.
    pub(super) async fn word(
        &self,
        id: StanzaId,
        text: &str,
        mut word: oneshot::Receiver<Verdict>,
        defects: Arc<dyn Defects>,
    ) -> Verdict {
        let mut pauses = Pauses::new(defects);
        loop {
            let verdict = word.await.unwrap_or_else(|_| Err(offline()));
            let Err(problem) = verdict else { return Ok(()) };
            pauses.after(problem, None).await?;
            word = self.post(id, text.to_owned()).await?;
        }
    }

    /// Posts a stanza and waits for the gateway's word on it.
    ///
    /// # Errors
    /// As for [`Self::word`].
    pub(super) async fn submit(&self, stanza: &Stanza, defects: Arc<dyn Defects>) -> Verdict {
        let text = stanza.to_json();
        let word = self.post(stanza.id(), text.clone()).await?;
        self.word(stanza.id(), &text, word, defects).await
    }

    /// Tells the gateway that a delivered stanza is processed. If the channel is closed the gateway delivers it again.
    pub(super) async fn acknowledge(&self, id: StanzaId) {
        let out = self.inner().out.clone();
        let _ = send(out, Stanza::Ack { id }.to_json()).await;
    }

    /// Closes the channel: lets the stanza in work be finished, then waits for the other side.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        let worker = self.inner().worker.take();
        finish(worker).await;
        let reader = {
            let mut inner = self.inner();
            inner.out = None;
            inner.reader.take()
        };
        finish(reader).await;
        self.closed.store(true, Ordering::Release);
        self.inner().waiting.clear();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a task, and ends it if it does not end by itself.
async fn finish(task: Option<JoinHandle<()>>) {
    if let Some(mut task) = task
        && tokio::time::timeout(CLOSING, &mut task).await.is_err()
    {
        task.abort();
    }
}

async fn send(out: Option<mpsc::Sender<String>>, text: String) -> Verdict {
    let out = out.ok_or_else(offline)?;
    out.send(text).await.map_err(|_| offline())
}

async fn read(
    link: Arc<Link>,
    mut frames: mpsc::Receiver<String>,
    deliver: mpsc::UnboundedSender<Arrived>,
    defects: Arc<dyn Defects>,
    changed: watch::Sender<()>,
) {
    while let Some(frame) = frames.recv().await {
        if frame.len() > LARGEST_STANZA {
            continue;
        }
        let stanza = match read_frame(&frame, defects.as_ref()) {
            Ok(stanza) => stanza,
            Err(Unreadable { known: true, .. }) if defects.has(Defect::ClosesOverBadStanza) && !frame.contains("\"body\"") => {
                break;
            }
            Err(Unreadable { id, known }) => {
                // What has no id cannot be acknowledged: there is nothing to do but to go on.
                if let Some(id) = id.filter(|_| known || !defects.has(Defect::DropsUnknownStanzas)) {
                    let reason = if known { Reason::Malformed } else { Reason::Unsupported };
                    let _ = deliver.send(Arrived::Unreadable(id, reason));
                }
                continue;
            }
        };
        let (id, verdict) = match stanza {
            Stanza::Accepted { id } => (id, Ok(())),
            Stanza::Refused { id, problem } => (id, Err(problem)),
            delivered => {
                // Nobody takes stanzas any more once the client is closing; they come again.
                let _ = deliver.send(Arrived::Stanza(delivered));
                continue;
            }
        };
        if let Some(waiting) = link.inner().waiting.remove(&id) {
            let _ = waiting.send(verdict);
        }
    }
    link.closed.store(true, Ordering::Release);
    let mut inner = link.inner();
    inner.out = None;
    inner.waiting.clear();
    drop(inner);
    changed.send_replace(());
}

fn read_frame(frame: &str, defects: &dyn Defects) -> Result<Stanza, Unreadable> {
    let stanza = Stanza::from_gateway(frame)?;
    let to_be_processed = !matches!(stanza, Stanza::Accepted { .. } | Stanza::Refused { .. });
    if to_be_processed && defects.has(Defect::StumblesOverNewMembers) && Stanza::from_json(frame).is_err() {
        return Err(Unreadable { id: Some(stanza.id()), known: true });
    }
    Ok(stanza)
}

fn offline() -> Problem {
    Problem::new(Reason::NotConnected, "the chat channel is closed")
}
