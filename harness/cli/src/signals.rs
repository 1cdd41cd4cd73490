//! Requests to stop.

/// Waits until the user or the system asks this process to stop: Ctrl-C, or SIGTERM as from `kill`, `timeout` and CI runners.
///
/// Not SIGHUP: to listen for it would undo `nohup`.
pub(crate) async fn stop_wanted() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            Ok(()) = interrupt => {}
            Some(()) = terminate.recv() => {}
            // Neither can be listened for: the system ends the process in its own way.
            else => std::future::pending().await,
        }
        return;
    }
    if interrupt.await.is_err() {
        std::future::pending::<()>().await;
    }
}
