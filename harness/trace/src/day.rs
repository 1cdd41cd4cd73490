//! A day of the calendar, in UTC. Judging takes it from the record, and never from a clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A day, written `YYYY-MM-DD`, of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// It is no day of the calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no day of the calendar; write it as YYYY-MM-DD")]
pub struct NoDay(String);

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// Days from the beginning of the year 0 to the Unix epoch.
const EPOCH: i64 = 719_528;

impl Day {
    /// The day in which a moment lies, given as RFC 3339 in UTC: `2026-11-27T12:30:20.5Z`. `None` if it is no such moment.
    #[must_use]
    pub fn of_moment(text: &str) -> Option<Self> {
        let (day, time) = text.split_once('T')?;
        let day = day.parse().ok()?;
        let clock = time.strip_suffix('Z')?;
        (clock.len() >= 8 && clock.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'.')).then_some(day)
    }

    /// Days since 1970-01-01, negative before it.
    #[must_use]
    pub fn number(self) -> i64 {
        let before = |year: i64| year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
        let months: i64 = (1..self.month).map(|month| i64::from(length(self.year, month))).sum();
        before(i64::from(self.year)) + months + i64::from(self.day) - 1 - EPOCH
    }

    /// The number of the day in which a moment lies that is given in milliseconds since the Unix epoch.
    #[must_use]
    pub fn number_of_ms(ms: u64) -> i64 {
        i64::try_from(ms / DAY_MS).unwrap_or(i64::MAX)
    }
}

/// Days of a month; 0 if there is no such month.
const fn length(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let no_day = || NoDay(text.chars().take(40).collect());
        let digits = |part: Option<&str>, count: usize| {
            let part = part.filter(|p| p.len() == count && p.bytes().all(|b| b.is_ascii_digit()))?;
            part.parse::<u16>().ok()
        };
        let mut parts = text.split('-');
        let (year, month, day) = (digits(parts.next(), 4), digits(parts.next(), 2), digits(parts.next(), 2));
        let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else { return Err(no_day()) };
        let (Ok(month), Ok(day)) = (u8::try_from(month), u8::try_from(day)) else { return Err(no_day()) };
        if year == 0 || day == 0 || day > length(year, month) {
            return Err(no_day());
        }
        Ok(Self { year, month, day })
    }
}

impl TryFrom<String> for Day {
    type Error = NoDay;

    fn try_from(text: String) -> Result<Self, NoDay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    #[test]
    fn days_are_those_of_the_calendar() {
        for text in ["2026-11-27", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026",
            "2026-11",
            "2026-11-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2023-02-29",
            "1900-02-29",
            "0000-01-01",
            "26-11-27",
            "2026-1-27",
            "2026-11-27 ",
            "+026-11-27",
            "2026-11-27-1",
            "2026/11/27",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_numbered_from_the_epoch() {
        for (text, number) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("1972-02-29", 789), ("2000-03-01", 11_017), ("2026-11-27", 20_784)]
        {
            assert_eq!(text.parse::<Day>().unwrap().number(), number, "{text}");
        }
        assert_eq!(Day::number_of_ms(1_795_392_000_000), "2026-11-23".parse::<Day>().unwrap().number());
    }

    #[test]
    fn a_moment_has_its_day() {
        let day = "2026-11-27".parse().ok();
        for text in ["2026-11-27T00:00:00Z", "2026-11-27T23:59:59.999999999Z"] {
            assert_eq!(Day::of_moment(text), day, "{text}");
        }
        for text in ["", "2026-11-27", "2026-11-27T12:00:00", "2026-11-27T12:00:00+02:00", "T12:00:00Z", "2026-02-30T12:00:00Z"] {
            assert_eq!(Day::of_moment(text), None, "{text}");
        }
    }
}
