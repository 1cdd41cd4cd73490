//! Faults in data files, with the place where each is and a hint how to mend it.

use crate::nearest::distance;
use std::fmt;

/// Most characters of a source line that a snippet shows.
const SNIPPET_CHARS: usize = 140;

/// A place in a file. Lines and columns count from 1; columns and lengths are in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Line.
    pub line: usize,
    /// Column of its first character.
    pub column: usize,
    /// Characters on that line, at least 1.
    pub length: usize,
}

impl Span {
    /// The beginning of a file: for what concerns all of it.
    pub const START: Self = Self { line: 1, column: 1, length: 1 };
}

/// A fault without its file: what the readers and checks of one file produce.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// One fault in one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct Diagnostic {
    /// Path below the suite's folder, with `/`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters concerned, on that line.
    pub length: usize,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// The source line, with control characters replaced, and cut if it is long; empty if there is none.
    pub snippet: String,
    /// Column of the first marked character within `snippet`, from 1.
    pub snippet_column: usize,
}

impl Diagnostic {
    /// A fault in a data file that is read elsewhere.
    #[must_use]
    pub fn at(file: &str, source: &str, span: Span, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(file, source, Fault::new(span, message).hint(hint))
    }

    pub(crate) fn new(file: &str, source: &str, fault: Fault) -> Self {
        let Span { line, column, length } = fault.span;
        let text = source.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        // A window of the line that begins a little before the fault.
        let long = text.chars().count() > SNIPPET_CHARS;
        let skip = if long && column > SNIPPET_CHARS / 2 { column.saturating_sub(20) } else { 0 };
        let snippet: String = text.chars().skip(skip).take(SNIPPET_CHARS).map(plain).collect();
        let snippet = snippet.trim_end().to_owned();
        Self {
            file: file.to_owned(),
            line,
            column,
            length: length.max(1),
            message: fault.message,
            // Whoever found the fault may know no better than the schema.
            hint: fault.hint.or_else(|| Some("`countersign schema` says what may stand here".to_owned())),
            snippet_column: column.saturating_sub(skip).max(1),
            snippet,
        }
    }
}

/// Tabs and control characters would spoil the alignment, or the terminal.
fn plain(c: char) -> char {
    match c {
        '\t' => ' ',
        // Marks that change the direction of writing hide what stands in a line.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// `file:line:column: error: …`, the source line with a caret, and the hint. No line feed at the end.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message: String = self.message.chars().map(plain).collect();
        write!(f, "{}:{}:{}: error: {message}", self.file, self.line, self.column)?;
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        if !self.snippet.is_empty() {
            let room = (self.snippet.chars().count() + 1).saturating_sub(self.snippet_column).max(1);
            let carets = "^".repeat(self.length.min(room));
            let indent = " ".repeat(self.snippet_column.saturating_sub(1));
            write!(f, "\n{gutter} |\n{number} | {}\n{gutter} | {indent}{carets}", self.snippet)?;
        }
        if let Some(hint) = &self.hint {
            let hint: String = hint.chars().map(plain).collect();
            write!(f, "\n{gutter} = hint: {hint}")?;
        }
        Ok(())
    }
}

/// The one of `known` that was probably meant by `word`: few edits away, compared with its length.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The cost grows with the product of both lengths; nobody mistypes a name of that length.
    if word.chars().count() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(edits, candidate)| {
            let shorter = candidate.chars().count().min(word.chars().count());
            *edits < shorter && *edits <= 1 + shorter / 8
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// A hint for a word that is not among the known ones.
pub(crate) fn known_hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(meant) = nearest(word, known.clone()) {
        return format!("did you mean `{meant}`?");
    }
    let all: Vec<&str> = known.into_iter().collect();
    if all.is_empty() { "nothing is known here".to_owned() } else { format!("known here: {}", all.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_what_was_meant() {
        assert_eq!(nearest("sned", ["send", "expect"]), Some("send"));
        assert_eq!(nearest("networks", ["network", "content"]), Some("network"));
        assert_eq!(nearest("X", ["P", "M"]), None);
        assert_eq!(nearest("teleport", ["send", "expect", "release"]), None);
    }

    #[test]
    fn a_long_line_is_cut_around_the_fault() {
        let source = format!("{}FAULT{}", "x".repeat(1000), "y".repeat(1000));
        let fault = Fault::new(Span { line: 1, column: 1001, length: 5 }, "here");
        let text = Diagnostic::new("a.yaml", &source, fault).to_string();
        assert!(text.contains("FAULT") && text.len() < 500, "{text}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[2].find("FAULT"), lines[3].find("^^^^^"));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let fault = Fault::new(Span::START, "bad \u{1b}[31m").hint("\u{7}");
        let text = Diagnostic::new("a.yaml", "a\u{1b}[2Jb", fault).to_string();
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
}
