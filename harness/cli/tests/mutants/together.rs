//! Runs side by side. Most of the time of a run of a broken candidate is waiting for what it never sends; only what measures time, or
//! takes all of the machine, has it for itself.

use super::SUITE;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Runs at once in each test; the tests themselves run side by side too.
const AT_ONCE: usize = 3;

/// Held by whoever measures time alone, and by all others together.
static CLOCKS: RwLock<()> = RwLock::new(());

/// For as long as a run lasts.
pub(crate) enum Turn {
    Alone { _guard: RwLockWriteGuard<'static, ()> },
    Beside { _guard: RwLockReadGuard<'static, ()> },
}

/// Waits until these scenarios can be run.
pub(crate) fn turn(only: &[String]) -> Turn {
    let scenarios = only.iter().filter_map(|id| SUITE.scenarios.get(id));
    if scenarios.map(|s| &s.scenario).any(|s| s.exclusive || s.heavy) {
        Turn::Alone { _guard: CLOCKS.write().unwrap_or_else(PoisonError::into_inner) }
    } else {
        Turn::Beside { _guard: CLOCKS.read().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// Does the same for each of these, several at once. What fails for one fails for all.
pub(crate) fn each<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(item);
                }
            });
        }
    });
}
