//! Numbers for people.

/// With a comma between groups of three digits: `1,048,576`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time in microseconds, with three significant digits: `820 µs`, `12.3 ms`, `4.07 s`, `312 s`.
pub(crate) fn time(micros: u64) -> String {
    let (value, unit) = match micros {
        0..1_000 => return format!("{micros} µs"),
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        1_000..999_500 => (micros as f64 / 1e3, "ms"),
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        _ => (micros as f64 / 1e6, "s"),
    };
    let decimals = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.decimals$} {unit}")
}

/// `part` of `whole` in whole per cent, halves up; 0 of nothing.
pub(crate) fn per_cent(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        0
    } else {
        u64::try_from((u128::from(part) * 200 + u128::from(whole)) / (u128::from(whole) * 2)).unwrap_or(u64::MAX)
    }
}

/// A number with its noun: `1 scenario`, `12 scenarios`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_048_576, "1,048,576")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn times_have_three_digits() {
        for (micros, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_000, "1.00 ms"),
            (9_995, "10.0 ms"),
            (12_340, "12.3 ms"),
            (999_499, "999 ms"),
            (999_500, "1.00 s"),
            (4_070_000, "4.07 s"),
            (312_000_000, "312 s"),
        ] {
            assert_eq!(time(micros), text, "{micros}");
        }
    }

    #[test]
    fn shares_are_rounded() {
        assert_eq!(
            (per_cent(1, 3), per_cent(2, 3), per_cent(1, 200), per_cent(0, 0), per_cent(u64::MAX, u64::MAX)),
            (33, 67, 1, 0, 100)
        );
    }
}
