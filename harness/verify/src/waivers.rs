//! The waivers of a record: fit to be applied, and on the day on which the traces say that they were made.

use crate::{FindingKind, Verification};
use countersign_judge::Waivers;
use countersign_scenarios::waivers::waiver_faults;
use countersign_trace::{Day, Event, Input, Record};
use std::collections::BTreeSet;

/// How many days after the run's beginning an instance may begin. One before it, as a clock may be put back at midnight.
const DAYS: std::ops::RangeInclusive<i64> = -1..=2;

/// The waivers, ready; `None` if there is one by which nothing can be judged.
pub(crate) fn ready<'a>(record: &'a Record, out: &mut Verification) -> Option<Waivers<'a>> {
    let header = &record.header;
    let mut ids = BTreeSet::new();
    for waiver in &header.waivers {
        if !ids.insert(&waiver.id) {
            out.add(None, FindingKind::Waivers, format!("two are called {}", waiver.id));
        }
        // A file with such a waiver is refused before a run begins.
        for (path, message, _) in waiver_faults(waiver) {
            out.add(None, FindingKind::Waivers, format!("{}: {}: {message}", waiver.id, path.join("/")));
        }
    }
    if !header.waivers.is_empty() {
        check_day(record, out);
    }
    match Waivers::new(header) {
        Ok(waivers) => Some(waivers),
        Err(error) => {
            out.add(None, FindingKind::Waivers, error.to_string());
            None
        }
    }
}

/// Whoever puts back the date of a run makes an expired waiver hold. The instances' own clocks would have to be put back with it.
fn check_day(record: &Record, out: &mut Verification) {
    let Some(day) = Day::of_moment(&record.header.started) else {
        out.add(None, FindingKind::Waivers, "the header does not say on what day the run was");
        return;
    };
    for result in &record.instances {
        let began = result.trace.iter().find_map(|entry| match &entry.event {
            Event::Input(Input::Start { now_ms }) => Some(Day::number_of_ms(*now_ms)),
            _ => None,
        });
        if let Some(began) = began.filter(|began| !DAYS.contains(&(began - day.number()))) {
            let what = format!("the header says that the run was on {day}, and it began {} days from then", began - day.number());
            out.add(Some(&result.name()), FindingKind::Waivers, what);
        }
    }
}
