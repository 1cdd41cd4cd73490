//! How much of the machine's memory instances may take at once. Small ones run side by side, large ones one after another.

use countersign_scenarios::Planned;
use countersign_trace::Blobs;
use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of files that instances under way, and those that nobody has taken over yet, may send in all. One larger than this runs
/// when no other that sends files does.
pub const ROOM_BYTES: u64 = 96 * 1024 * 1024;

/// Files are counted in units of this many bytes, begun ones included.
const UNIT: u64 = 64 * 1024;

/// The room that is left.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// What an instance takes of it, until this is dropped.
pub(super) type Taken = Arc<OwnedSemaphorePermit>;

/// The long bodies of an instance. As long as they are held, they take their part of the memory that a run allows itself: whoever
/// reads the events of a run lets go of them when they are stored.
#[derive(Clone, Debug, Default)]
pub struct Held {
    blobs: Blobs,
    taken: Option<Taken>,
}

impl Deref for Held {
    type Target = Blobs;

    fn deref(&self) -> &Blobs {
        &self.blobs
    }
}

impl Held {
    pub(super) const fn new(blobs: Blobs, taken: Option<Taken>) -> Self {
        Self { blobs, taken }
    }

    /// Its part of the room.
    pub(super) fn taken(&self) -> Option<Taken> {
        self.taken.clone()
    }
}

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(usize::try_from(ROOM_BYTES / UNIT).unwrap_or(Semaphore::MAX_PERMITS))))
    }

    /// The first instance of the queue that there is room for, with its part of the room. If `idle`, nothing is under way that
    /// could end: then it is the first of all, as soon as the reader of the events has let go of enough.
    pub(super) async fn next(&self, queue: &mut VecDeque<Planned>, idle: bool) -> Option<(Planned, Taken)> {
        for at in 0..queue.len() {
            let units = units(queue.get(at)?);
            if let Ok(taken) = Arc::clone(&self.0).try_acquire_many_owned(units) {
                return Some((queue.remove(at)?, Arc::new(taken)));
            }
        }
        let first = queue.front().filter(|_| idle)?;
        let taken = Arc::clone(&self.0).acquire_many_owned(units(first)).await.ok()?;
        Some((queue.pop_front()?, Arc::new(taken)))
    }
}

fn units(planned: &Planned) -> u32 {
    let bytes: u64 = planned.scenario.file_bytes().sum::<u64>().min(ROOM_BYTES);
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_scenarios::Suite;
    use countersign_scenarios::language::{ContentSpec, FileSpec, Step};

    /// A queue of instances that send files of these lengths.
    fn queue(lengths: &[u32]) -> VecDeque<Planned> {
        let suite = Suite::builtin().unwrap();
        let profile = suite.profiles.get("dma-basic").unwrap();
        let planned = suite.instances(profile).into_iter().find(|p| p.scenario.file_bytes().count() == 1).unwrap();
        let sized = |(at, length): (usize, &u32)| {
            let mut scenario = (*planned.scenario).clone();
            for step in &mut scenario.steps {
                if let Step::Send(send) = step
                    && let ContentSpec::File(FileSpec { bytes, .. }) = &mut send.content
                {
                    *bytes = *length;
                }
            }
            Planned { name: at.to_string(), scenario: Arc::new(scenario), ..planned.clone() }
        };
        lengths.iter().enumerate().map(sized).collect()
    }

    #[tokio::test]
    async fn large_instances_run_one_after_another_and_small_ones_beside_them() {
        const LARGE: u32 = 64 * 1024 * 1024;
        let (room, mut queue) = (Room::new(), queue(&[LARGE, LARGE, 1, 1024 * 1024, u32::MAX, 0]));
        let mut begun = Vec::new();
        while let Some((planned, taken)) = room.next(&mut queue, false).await {
            begun.push((planned.name, taken));
        }
        let names = |begun: &[(String, Taken)]| begun.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&begun), ["0", "2", "3", "5"]);
        // Room that is still held by whoever reads the events is waited for.
        let held = begun.swap_remove(0);
        begun.clear();
        let (next, freed) = tokio::join!(room.next(&mut queue, true), async { drop(held) });
        let () = freed;
        let next = next.unwrap();
        assert_eq!(next.0.name, "1");
        assert!(room.next(&mut queue, false).await.is_none());
        drop(next);
        // What is larger than all of the room has all of it.
        assert_eq!(room.next(&mut queue, false).await.unwrap().0.name, "4");
        assert!(room.next(&mut queue, true).await.is_none());
    }
}
