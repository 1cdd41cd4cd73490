//! Requests to stop.

/// Requests to stop: Ctrl-C, or SIGTERM as from `kill`, `timeout` and CI runners. From its making on they are counted rather than
/// ending the process, so that it is made before anything is started that has to be ended in order.
///
/// Not SIGHUP: to listen for it would undo `nohup`.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    /// Begins to listen. What cannot be listened for ends the process in the system's own way. To be called within a runtime.
    pub(crate) fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self { interrupt: signal(SignalKind::interrupt()).ok(), terminate: signal(SignalKind::terminate()).ok() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Waits for the next request.
    pub(crate) async fn wanted(&mut self) {
        #[cfg(unix)]
        {
            let Self { interrupt, terminate } = self;
            tokio::select! {
                Some(()) = next(interrupt) => {}
                Some(()) = next(terminate) => {}
                else => std::future::pending().await,
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
async fn next(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    signal.as_mut()?.recv().await
}
