//! Text from outside made legible and harmless: what a terminal would obey or a reader could not see is written out.

use crate::measure::grouped;
use std::fmt::Write as _;

/// A stretch of a text that was made visible.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Characters that stand for themselves.
    Plain(&'a str),
    /// A character that was written out, such as `\u{1b}`.
    Written(String),
    /// The text goes on; this says how long it is in all.
    Cut(String),
}

/// Whether line feeds are part of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One line: line feeds and tabs are written out.
    Line,
    /// Several lines: line feeds and tabs stand for themselves.
    Block,
}

/// Makes `text` fit for one line of a terminal or page: control characters (C0, C1, so ANSI escapes too), line feeds,
/// bidirectional controls and invisible characters are written as `\n` or `\u{1b}`; after `longest` characters the text is cut
/// and its length in bytes stated.
#[must_use]
pub fn visible(text: &str, longest: usize) -> String {
    joined(text, Form::Line, longest)
}

/// Like [`visible()`], but line feeds and tabs stay: for places that have several lines.
#[must_use]
pub fn visible_block(text: &str, longest: usize) -> String {
    joined(text, Form::Block, longest)
}

fn joined(text: &str, form: Form, longest: usize) -> String {
    let mut out = String::new();
    for_each_piece(text, form, longest, |piece| match piece {
        Piece::Plain(plain) => out.push_str(plain),
        Piece::Written(written) | Piece::Cut(written) => out.push_str(&written),
    });
    out
}

/// Hands the pieces of `text` to `take`, in order.
pub(crate) fn for_each_piece<'a>(text: &'a str, form: Form, longest: usize, mut take: impl FnMut(Piece<'a>)) {
    let mut begin = 0;
    for (count, (at, c)) in text.char_indices().enumerate() {
        let cut = count == longest;
        if !cut && !needs_writing(c, form) {
            continue;
        }
        if let Some(plain) = text.get(begin..at).filter(|p| !p.is_empty()) {
            take(Piece::Plain(plain));
        }
        if cut {
            take(Piece::Cut(format!("… [cut: {} bytes in all]", grouped(text.len() as u64))));
            return;
        }
        take(Piece::Written(written(c)));
        begin = at + c.len_utf8();
    }
    if let Some(plain) = text.get(begin..).filter(|p| !p.is_empty()) {
        take(Piece::Plain(plain));
    }
}

fn written(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        other => {
            let mut out = String::new();
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(other));
            out
        }
    }
}

fn needs_writing(c: char, form: Form) -> bool {
    match c {
        '\n' | '\t' => form == Form::Line,
        _ => c.is_control() || invisible(c),
    }
}

/// Characters that show nothing, or that change the order in which others are shown; and noncharacters, which XML and HTML
/// do not admit.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        assert_eq!(visible("a\u{1b}[31mb\u{9b}2Jc\u{7f}\0", 99), "a\\u{1b}[31mb\\u{9b}2Jc\\u{7f}\\u{0}");
        assert_eq!(visible("one\r\n\ttwo", 99), "one\\r\\n\\ttwo");
        assert_eq!(visible_block("one\r\n\ttwo", 99), "one\\r\n\ttwo");
        assert_eq!(visible("\u{202e}evil\u{2066}\u{200b}\u{feff}", 99), "\\u{202e}evil\\u{2066}\\u{200b}\\u{feff}");
    }

    #[test]
    fn ordinary_text_of_any_script_stays() {
        for text in ["", "naïve", "日本語", "שלום", "👍🏽", "e\u{301}", "\u{2764}\u{fe0f}"] {
            assert_eq!(visible(text, 99), text);
        }
    }

    #[test]
    fn long_text_is_cut_and_its_length_stated() {
        assert_eq!(visible(&"é".repeat(1_000_000), 3), "ééé… [cut: 2,000,000 bytes in all]");
        assert_eq!(visible("abc", 3), "abc");
        assert_eq!(visible("abc", 0), "… [cut: 3 bytes in all]");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>(), longest in 0usize..64) {
            let line = visible(&text, longest);
            prop_assert!(!line.chars().any(|c| c.is_control() || invisible(c)));
            let block = visible_block(&text, longest);
            prop_assert!(!block.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || invisible(c)));
        }
    }
}
