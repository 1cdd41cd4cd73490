//! Names that a user may have meant: one measure for the command line, candidates and data files.

/// Names that are offered at most.
const MOST: usize = 3;

/// The names that are nearest to `typed`, at most three, the nearest first: those that contain it or are contained in it, and those
/// that differ by few letters. A folder may be left out, and case does not matter.
#[must_use]
pub fn nearest(typed: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    // A name that nobody would type is not worth the time.
    if typed.is_empty() || typed.chars().count() > 100 {
        return Vec::new();
    }
    let typed = typed.to_lowercase();
    let most = 1 + typed.chars().count() / 3;
    let mut found: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(|name| {
            let known = name.to_lowercase();
            // People leave out the folder.
            let tail = known.rsplit('/').next().unwrap_or(&known);
            let differ = distance(&typed, &known).min(distance(&typed, tail));
            let part = typed.chars().count() >= 3 && (known.contains(&typed) || typed.contains(&known));
            (differ <= most || part).then_some((if part { differ.min(most) } else { differ }, name))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// Letters to insert, delete, replace, or swap with their neighbour, until one word is the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(x != *y)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if j > 0 && previous == Some(*y) && b.get(j - 1) == Some(&x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(x);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances_are_those_of_the_textbook() {
        for (a, b, expected) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("mac", "mca", 1), ("abc", "abc", 0)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn slips_parts_and_missing_folders_are_recognised() {
        let names = || ["skips-mac", "skips-media-length", "e2ee/replay-first", "e2ee/replay-later", "SIG-02"].map(str::to_owned);
        assert_eq!(nearest("skips-mca", names()).first().map(String::as_str), Some("skips-mac"));
        assert_eq!(nearest("replay", names()), ["e2ee/replay-first", "e2ee/replay-later"]);
        assert_eq!(nearest("sig-02", names()), ["SIG-02"]);
        assert!(nearest("", names()).is_empty());
        assert!(nearest("something-else-entirely", names()).is_empty());
        assert!(nearest(&"x".repeat(1_000_000), names()).is_empty());
    }
}
