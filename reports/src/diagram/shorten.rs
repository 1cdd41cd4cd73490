//! A long diagram cut to what matters, with a word for each stretch that is left out.

use super::model::{Row, Shape, Sign};
use crate::measure::counted;

/// Rows kept around one that a check points to.
const AROUND: usize = 3;
/// Rows kept at the beginning and at the end.
const BEGINNING: usize = 12;
const END: usize = 6;

/// At most about `longest` of the rows: failures and what they point to first, then what the network did, then the end and the
/// beginning. Stretches left out become one row that counts them.
pub(super) fn shorten(rows: Vec<Row>, longest: usize) -> Vec<Row> {
    if rows.len() <= longest {
        return rows;
    }
    let length = rows.len();
    let mut keep = vec![false; length];
    let mut kept = 0;
    let mut take = |at: usize, keep: &mut Vec<bool>| {
        if let Some(slot) = keep.get_mut(at)
            && !*slot
            && kept < longest
        {
            *slot = true;
            kept += 1;
        }
    };
    let failures: Vec<usize> = positions(&rows, |row| row.shape == Shape::Failure);
    for at in &failures {
        take(*at, &mut keep);
    }
    for at in &failures {
        for near in at.saturating_sub(AROUND)..=at + AROUND {
            take(near, &mut keep);
        }
    }
    let steps = positions(&rows, |row| row.shape == Shape::Step);
    for at in steps.into_iter().take(longest / 2) {
        take(at, &mut keep);
    }
    for at in positions(&rows, |row| row.evidence).into_iter().take(longest / 12) {
        take(at, &mut keep);
    }
    for at in positions(&rows, |row| row.sign != Sign::Plain).into_iter().take(longest / 3) {
        for near in at.saturating_sub(1)..=at + 1 {
            take(near, &mut keep);
        }
    }
    for at in length.saturating_sub(END)..length {
        take(at, &mut keep);
    }
    for at in 0..BEGINNING {
        take(at, &mut keep);
    }
    gather(rows, &keep)
}

fn positions(rows: &[Row], wanted: impl Fn(&Row) -> bool) -> Vec<usize> {
    rows.iter().enumerate().filter(|(_, row)| wanted(row)).map(|(at, _)| at).collect()
}

fn gather(rows: Vec<Row>, keep: &[bool]) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::new();
    let mut left: Vec<Row> = Vec::new();
    for (row, keep) in rows.into_iter().zip(keep) {
        if !keep {
            left.push(row);
            continue;
        }
        close(&mut left, &mut out);
        out.push(row);
    }
    close(&mut left, &mut out);
    out
}

/// Ends a stretch that is left out. One row takes no more room than the word for it.
fn close(left: &mut Vec<Row>, out: &mut Vec<Row>) {
    let Some(first) = left.first() else { return };
    if left.len() == 1 {
        out.append(left);
        return;
    }
    let n = first.n;
    let messages = left.iter().filter(|row| matches!(row.shape, Shape::Arrow { .. })).count() as u64;
    let others = left.len() as u64 - messages;
    let more = |number: u64, noun: &str| counted(number, noun).replacen(' ', " more ", 1);
    let label = match (messages, others) {
        (0, others) => format!("… {}", more(others, "event")),
        (messages, 0) => format!("… {}", more(messages, "message")),
        (messages, others) => format!("… {} and {}", more(messages, "message"), counted(others, "event")),
    };
    out.push(Row { n, shape: Shape::Gap, sign: Sign::Plain, label, evidence: false });
    left.clear();
}
