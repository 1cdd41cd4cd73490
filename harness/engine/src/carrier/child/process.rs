//! The child process itself: started apart from our own environment, watched, and ended with everything that it started.

use super::calls::Calls;
use super::limits;
use super::lines::{End, keep_tail, next_line};
use super::{Command, GRACE, LONGEST_LINE};
use crate::carrier::{Broken, quote};
use crate::remote::ChildLimits;
use countersign_trace::event::Fault;
use rustix::process::{Pid, Signal, kill_process_group};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How much of standard error is kept, in bytes.
const TAIL: usize = 4096;

/// A running child.
#[derive(Debug)]
pub(super) struct Process {
    group: Option<Pid>,
    ended: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    stderr: Arc<Mutex<Vec<u8>>>,
    limits: ChildLimits,
    _folder: TempDir,
}

impl Process {
    pub(super) fn start(
        command: &Command,
        limits: ChildLimits,
        calls: Arc<Calls>,
        queue: mpsc::Receiver<Vec<u8>>,
    ) -> Result<Self, Broken> {
        let program = command.program.display();
        let failed = |e: std::io::Error| {
            Broken::gone(format!("cannot start {program}: {e}; check that it is a program and may be executed"))
        };
        let folder = TempDir::with_prefix("countersign-")
            .map_err(|e| Broken::gone(format!("cannot make a folder for the candidate: {e}")))?;
        let mut child = tokio::process::Command::new(&command.program)
            .args(&command.args)
            .current_dir(folder.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("TMPDIR", folder.path())
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            limits::impose(group, &limits)
                .map_err(|e| Broken::gone(format!("cannot limit what {program} may use: {e}; check the --child options")))?;
        }
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(Broken::gone("the candidate was started without its pipes"));
        };
        let tail = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&tail);
        let (ended_sender, ended) = watch::channel(false);
        let (stop, stop_receiver) = watch::channel(false);
        let watcher = Watcher {
            name: command.program.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            group,
            replies: tokio::spawn(replies(stdout, Arc::clone(&calls))),
            errors: tokio::spawn(keep_tail(stderr, TAIL, move |bytes| bytes.clone_into(&mut lock(&kept)))),
            requests: tokio::spawn(requests(stdin, queue)),
            stderr: Arc::clone(&tail),
            calls,
            limits,
            stop: stop_receiver,
        };
        tokio::spawn(async move {
            watcher.watch(child).await;
            ended_sender.send_replace(true);
        });
        Ok(Self { group, ended, stop, stderr: tail, limits, _folder: folder })
    }

    /// What is to be said of the child if its first process alone uses more memory now than it may. It is ended then.
    ///
    /// All of its processes are looked at now and then; this one is looked at when it says that it is done with something, so that
    /// what made it grow is known.
    pub(super) fn outgrown(&self) -> Option<Broken> {
        let used = limits::memory_of_first(self.group?);
        if used <= self.limits.memory || *self.ended.borrow() {
            return None;
        }
        signal(self.group, Signal::KILL);
        let what = format!("the candidate's process {}", limits::memory_fault(used, self.limits.memory));
        Some(Broken::exceeded(what).fixed_by(limits::MEMORY_FIX))
    }

    /// Which part of its processor time the process that used most of it has used up.
    pub(super) fn wear(&self) -> f64 {
        let used = self.group.map(limits::processor_time).unwrap_or_default();
        used.as_secs_f64() / (self.limits.cpu_s.max(1) as f64)
    }

    pub(super) fn stderr_tail(&self) -> Option<String> {
        let tail = String::from_utf8_lossy(&lock(&self.stderr)).trim().to_owned();
        (!tail.is_empty()).then_some(tail)
    }

    /// Asks the child to end, waits a little, ends it by force. Returns when it is gone.
    pub(super) async fn end(&self) {
        self.stop.send_replace(true);
        // An error means that the watching task itself was dropped, and the child with it.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once it is reaped, its number may belong to somebody else.
        if !*self.ended.borrow() {
            signal(self.group, Signal::KILL);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // The group may be gone already; there is nothing else to be done about an error.
        let _ = kill_process_group(group, signal);
    }
}

/// Adds what the candidate wrote to standard error to a cause.
pub(super) fn append_tail(detail: &mut String, tail: Option<String>) {
    if let Some(tail) = tail {
        let last: String = tail.lines().rev().take(3).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
        detail.push_str("; last on standard error: ");
        detail.push_str(&quote(last.as_bytes()));
    }
}

struct Watcher {
    name: String,
    group: Option<Pid>,
    replies: JoinHandle<Option<Broken>>,
    errors: JoinHandle<()>,
    requests: JoinHandle<()>,
    stderr: Arc<Mutex<Vec<u8>>>,
    calls: Arc<Calls>,
    limits: ChildLimits,
    stop: watch::Receiver<bool>,
}

/// What happened first.
enum First {
    Exit(std::io::Result<ExitStatus>),
    TooMuchMemory(u64),
    NoMoreReplies(Option<Broken>),
    Stop,
}

impl Watcher {
    /// Until the child is gone, for whatever reason. Every call is answered when this returns.
    async fn watch(mut self, mut child: Child) {
        let first = {
            tokio::select! {
                status = child.wait() => First::Exit(status),
                said = &mut self.replies => First::NoMoreReplies(said.ok().flatten()),
                used = limits::too_much_memory(self.group, self.limits.memory) => First::TooMuchMemory(used),
                _ = self.stop.wait_for(|stop| *stop) => First::Stop,
            }
        };
        let status = match first {
            First::Exit(status) => status,
            First::TooMuchMemory(used) => {
                let what = limits::memory_fault(used, self.limits.memory);
                let cause = Broken { fault: Fault::Exceeded, ..self.described(&what) };
                self.calls.fail_all(cause.fixed_by(limits::MEMORY_FIX));
                signal(self.group, Signal::KILL);
                child.wait().await
            }
            First::NoMoreReplies(Some(noise)) => {
                self.calls.fail_all(noise);
                self.end(&mut child).await
            }
            // The exit is to be expected, and says more.
            First::NoMoreReplies(None) => match tokio::time::timeout(GRACE, child.wait()).await {
                Ok(status) => status,
                Err(_) => {
                    self.calls.fail_all(self.described("closed its standard output"));
                    self.end(&mut child).await
                }
            },
            First::Stop => {
                self.calls.fail_all(Broken::gone("the candidate's process was ended with the run"));
                self.end(&mut child).await
            }
        };
        self.gone(&status).await;
    }

    async fn end(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
        self.requests.abort();
        signal(self.group, Signal::TERM);
        match tokio::time::timeout(GRACE, child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                signal(self.group, Signal::KILL);
                child.wait().await
            }
        }
    }

    async fn gone(&mut self, status: &std::io::Result<ExitStatus>) {
        self.requests.abort();
        // Nothing that it started outlives it, and nothing of that keeps our pipes open.
        signal(self.group, Signal::KILL);
        if !self.replies.is_finished() {
            // Replies that it wrote before it ended still count.
            if let Ok(Ok(Some(noise))) = tokio::time::timeout(GRACE, &mut self.replies).await {
                self.calls.fail_all(noise);
            }
        }
        let _ = tokio::time::timeout(GRACE, &mut self.errors).await;
        let how = match status {
            Ok(status) => match limits::exceeded(status, &self.limits) {
                Some((fault, what, fix)) => {
                    self.calls.fail_all(Broken { fault, ..self.described(&what) }.fixed_by(fix));
                    return;
                }
                None => format!("ended: {status}"),
            },
            Err(error) => format!("is gone: {error}"),
        };
        self.calls.fail_all(self.described(&how));
    }

    fn described(&self, what: &str) -> Broken {
        let mut detail = format!("the candidate's process `{}` {what}", self.name);
        let tail = String::from_utf8_lossy(&lock(&self.stderr)).trim().to_owned();
        append_tail(&mut detail, (!tail.is_empty()).then_some(tail));
        Broken::gone(detail)
    }
}

/// Reads replies until there are no more; what came instead of one, if something did.
async fn replies(stdout: ChildStdout, calls: Arc<Calls>) -> Option<Broken> {
    let mut stdout = BufReader::with_capacity(64 * 1024, stdout);
    loop {
        match next_line(&mut stdout, LONGEST_LINE).await {
            Ok(line) => {
                if let Err(noise) = calls.line(&line) {
                    return Some(noise);
                }
            }
            Err(End::Closed) => return None,
            // A reply that its process did not live to finish.
            Err(End::CutOff(line)) if line.first() == Some(&b'{') => return None,
            Err(End::CutOff(line)) => return calls.line(&line).err(),
            Err(End::TooLong(line)) => {
                let what = format!("on standard output stood a line of more than {LONGEST_LINE} bytes: {}", quote(&line));
                return Some(Broken::not_the_contract(what));
            }
        }
    }
}

/// Writes calls until the child does not take them any more; its exit then says why.
async fn requests(mut stdin: ChildStdin, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(line) = queue.recv().await {
        if stdin.write_all(&line).await.is_err() {
            return;
        }
    }
}
