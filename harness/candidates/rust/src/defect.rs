//! The mistakes that this client can be told to make, so that the harness can show that it would notice them.
//!
//! The honest client makes none. Each defect is consulted at the very place where a real team would make the mistake, and leaves
//! everything else as it is.

mod list;
mod suites;

pub use list::Defect;
use std::fmt;
use std::str::FromStr;

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|d| d.as_str() == text).ok_or_else(|| UnknownDefect(text.to_owned()))
    }
}

/// A name that no defect has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a defect of the sample")]
pub struct UnknownDefect(pub String);

/// Says which mistakes a client makes.
pub trait Defects: Send + Sync + 'static {
    /// Whether it makes this one.
    fn has(&self, defect: Defect) -> bool;
}

/// The client without any defect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;

impl Defects for Honest {
    fn has(&self, _: Defect) -> bool {
        false
    }
}

/// The client with exactly one.
impl Defects for Defect {
    fn has(&self, defect: Defect) -> bool {
        *self == defect
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_read_back() {
        let names: BTreeSet<_> = Defect::ALL.iter().map(|d| d.as_str()).collect();
        assert_eq!(names.len(), Defect::ALL.len());
        for defect in Defect::ALL {
            assert_eq!(defect.as_str().parse::<Defect>().unwrap(), *defect);
            assert!(defect.summary().ends_with('.') && defect.summary().len() > 20, "{defect}");
        }
        assert!("made-up".parse::<Defect>().is_err());
    }

    #[test]
    fn what_a_suite_alone_has_is_code_of_its_own() {
        for defect in Defect::ALL.iter().filter(|defect| defect.suites().len() == 1) {
            assert!(defect.has_code_per_suite() || defect.is_about_groups() || defect.is_about_sealing(), "{defect}");
        }
    }
}
