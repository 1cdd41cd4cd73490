//! Quoted text in HTML: made visible, then escaped.

use crate::visible::{Form, Piece, for_each_piece};
use maud::{Render, html};

/// A text from outside. What was written out or cut is marked, so that a candidate's own `\u{1b}` looks different from one that
/// stands for the character.
pub(super) struct Shown<'a> {
    text: &'a str,
    form: Form,
    longest: usize,
}

impl<'a> Shown<'a> {
    /// On one line, at most 300 characters.
    pub(super) const fn line(text: &'a str) -> Self {
        Self { text, form: Form::Line, longest: 300 }
    }

    /// On one line, at most 160 characters: for lists of many.
    pub(super) const fn short(text: &'a str) -> Self {
        Self { text, form: Form::Line, longest: 160 }
    }

    /// On several lines, at most 4,000 characters.
    pub(super) const fn block(text: &'a str) -> Self {
        Self { text, form: Form::Block, longest: 4_000 }
    }
}

impl Render for Shown<'_> {
    fn render_to(&self, out: &mut String) {
        for_each_piece(self.text, self.form, self.longest, |piece| match piece {
            Piece::Plain(plain) => plain.render_to(out),
            Piece::Written(written) => html! { span.ctl { (written) } }.render_to(out),
            Piece::Cut(cut) => html! { span.cut { (cut) } }.render_to(out),
        });
    }
}
