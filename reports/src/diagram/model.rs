//! What a diagram is made of. All texts are fit to be shown, and short.

/// A sequence diagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diagram {
    /// From left to right.
    pub(crate) lifelines: Vec<Lifeline>,
    /// From top to bottom.
    pub(crate) rows: Vec<Row>,
}

/// Who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lifeline {
    /// The name that the scenario gives.
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// Whose side somebody is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Reference,
    Gateway,
    Candidate,
}

impl Role {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Gateway => "Countersign",
            Self::Candidate => "candidate",
        }
    }
}

/// One line of the diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Number of the trace's entry from which it is made.
    pub(crate) n: u64,
    pub(crate) shape: Shape,
    pub(crate) sign: Sign,
    /// What it says.
    pub(crate) label: String,
    /// Whether a check that did not pass points to it.
    pub(crate) evidence: bool,
}

/// What a row looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A step of the scenario begins.
    Step,
    /// Something goes from one lifeline to another; both by position.
    Arrow { from: usize, to: usize },
    /// Something happens at a lifeline.
    Note { on: usize },
    /// A check failed here.
    Failure,
    /// Rows are left out.
    Gap,
}

/// What became of a message, or what was done to it. Each is drawn with its own sign, line and word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Plain,
    Held,
    Released,
    Dropped,
    Changed,
    Again,
    Astray,
    Refused,
}

impl Sign {
    /// The sign before the words.
    pub(crate) const fn glyph(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Held => "‖ ",
            Self::Released => "▷ ",
            Self::Dropped => "✕ ",
            Self::Changed => "≠ ",
            Self::Again => "↻ ",
            Self::Astray => "↷ ",
            Self::Refused => "⊘ ",
        }
    }

    /// The class of what is drawn.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "k",
            Self::Held => "k hd",
            Self::Released => "k rl",
            Self::Dropped => "k dr",
            Self::Changed => "k ch",
            Self::Again => "k ag",
            Self::Astray => "k as",
            Self::Refused => "k rf",
        }
    }

    /// What the network did, by the trace's own words for it. Words that are not known are shown as they stand, without a sign.
    pub(crate) fn of_disturbance(how: &str) -> Self {
        const KNOWN: [(&str, Sign); 20] = [
            ("keys of ", Sign::Changed),
            ("download of ", Sign::Changed),
            ("released", Sign::Released),
            ("held", Sign::Held),
            ("delayed", Sign::Held),
            ("dropped", Sign::Dropped),
            ("lost", Sign::Dropped),
            ("refused", Sign::Refused),
            ("tampered", Sign::Changed),
            ("flipped", Sign::Changed),
            ("cut to", Sign::Changed),
            ("replaced", Sign::Changed),
            ("bit ", Sign::Changed),
            ("repeated", Sign::Again),
            ("delivered again", Sign::Again),
            ("injected", Sign::Astray),
            ("as if from", Sign::Astray),
            ("in place of", Sign::Astray),
            ("answered with", Sign::Refused),
            ("fault ", Sign::Refused),
        ];
        // “tampered with, and released” is a change first of all.
        if how.starts_with("tampered") {
            return Self::Changed;
        }
        KNOWN.iter().find(|(word, _)| how.contains(word)).map_or(Self::Plain, |(_, sign)| *sign)
    }
}

impl Diagram {
    /// Who a row is about: `alice → bob`, `bob`, or nothing.
    pub(crate) fn who(&self, row: &Row) -> String {
        let name = |at: usize| self.lifelines.get(at).map_or("?", |l| l.name.as_str());
        match row.shape {
            Shape::Arrow { from, to } => format!("{} → {}", name(from), name(to)),
            Shape::Note { on } => name(on).to_owned(),
            Shape::Step | Shape::Failure | Shape::Gap => String::new(),
        }
    }
}
