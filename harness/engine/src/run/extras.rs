//! What a run may do besides: tell of every entry as it happens, and repeat what failed.

use countersign_trace::Entry;
use std::sync::Arc;

/// Is told of every entry of every trace as it is made, with the name of its instance. Called from many threads.
pub type Watch = Arc<dyn Fn(&str, &Entry) + Send + Sync>;

/// What a run does besides. By default nothing.
#[derive(Clone, Default)]
pub struct Extras {
    /// Told of each entry.
    pub watch: Option<Watch>,
    /// Whether scenarios that fail against a live candidate are executed again.
    pub repeats: bool,
}
