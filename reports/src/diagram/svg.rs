//! A diagram drawn as SVG. Colours and fonts are the page's; every sign has a form and a word, so that none rests on colour.

use super::model::{Diagram, Role, Row, Shape, Sign};
use maud::{Markup, PreEscaped, Render, html};
use std::fmt::Write as _;

/// Distance of the first and last lifeline from the edge.
const EDGE: usize = 92;
/// Height of the names.
const HEAD: usize = 44;
/// Height of a row.
const ROW: usize = 26;
/// Width of a character on average, in tenths; and of a bold one.
const CHARACTER: usize = 66;
const BOLD: usize = 74;

/// The drawing. Its label is the same for all: whose it is stands before it.
pub(crate) fn svg(diagram: &Diagram) -> Markup {
    let pitch = match diagram.lifelines.len() {
        0..=3 => 224,
        4 => 176,
        _ => 150,
    };
    let width = 2 * EDGE + pitch * diagram.lifelines.len().saturating_sub(1);
    let height = HEAD + ROW * diagram.rows.len() + 10;
    let mut out = Canvas { out: String::new(), pitch, width };
    for at in 0..diagram.lifelines.len() {
        let x = out.column(at);
        out.put(format_args!("<path class=\"ll\" d=\"M{x} {HEAD}V{height}\"></path>"));
    }
    for (at, lifeline) in diagram.lifelines.iter().enumerate() {
        let (x, side) = (out.column(at), if lifeline.role == Role::Gateway { "hg" } else { "h" });
        out.put(format_args!("<text class=\"{side}\" x=\"{x}\" y=\"18\">"));
        out.text(&lifeline.name);
        out.put(format_args!("</text><text class=\"hr\" x=\"{x}\" y=\"34\">{}</text>", lifeline.role.as_str()));
    }
    for (at, row) in diagram.rows.iter().enumerate() {
        out.row(row, HEAD + ROW * at);
    }
    html! {
        svg.sq role="img" aria-label="Sequence diagram. The list after it says the same in words." viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) {
            (PreEscaped(out.out))
        }
    }
}

struct Canvas {
    out: String,
    pitch: usize,
    width: usize,
}

impl Canvas {
    fn column(&self, at: usize) -> usize {
        EDGE + self.pitch * at
    }

    fn put(&mut self, part: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(part);
    }

    /// Text, escaped.
    fn text(&mut self, text: &str) {
        text.render_to(&mut self.out);
    }

    fn row(&mut self, row: &Row, top: usize) {
        let base = top + 17;
        if row.evidence {
            let (y, width, height) = (top + 1, self.width, ROW - 2);
            self.put(format_args!("<rect class=\"ev\" x=\"0\" y=\"{y}\" width=\"{width}\" height=\"{height}\"></rect>"));
            self.put(format_args!("<text class=\"ev\" x=\"3\" y=\"{base}\">▸</text>"));
        }
        match row.shape {
            Shape::Step => {
                let width = self.width;
                self.put(format_args!("<path class=\"st\" d=\"M0 {}H{width}\"></path>", top + 3));
                self.line("st", 4, base, &row.label);
            }
            Shape::Failure => {
                let (y, width, height) = (top + 2, self.width - 2, ROW - 4);
                self.put(format_args!(
                    "<rect class=\"fl\" x=\"1\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"3\"></rect>"
                ));
                self.line("fl", 8, base + 1, &row.label);
            }
            Shape::Gap => {
                let middle = self.width / 2;
                let wave: String = "q4 -4 8 0t8 0".repeat(self.width / 16);
                self.put(format_args!("<path class=\"gp\" d=\"M0 {}{wave}\"></path>", top + ROW / 2));
                self.boxed("gp", middle, base, top, &row.label, 0);
            }
            Shape::Arrow { from, to } => self.arrow(row, self.column(from), self.column(to), top),
            Shape::Note { on } => {
                let label = format!("{}{}", row.sign.glyph(), row.label);
                // The form of the box differs as well: cut corners, round ends, broken lines.
                let round = match row.sign {
                    Sign::Plain => 3,
                    Sign::Held | Sign::Released => 11,
                    _ => 0,
                };
                self.boxed(row.sign.class(), self.column(on), base, top, &label, round);
            }
        }
    }

    fn arrow(&mut self, row: &Row, from: usize, to: usize, top: usize) {
        let y = top + 21;
        // The head is drawn as a line, so that it has the line's colour everywhere; apart from a line that is broken.
        let head = if to > from { "m-7 -4 7 4-7 4" } else { "m7 -4-7 4 7 4" };
        let class = row.sign.class();
        match row.sign {
            Sign::Plain => self.put(format_args!("<path class=\"k\" d=\"M{from} {y}H{to}{head}\"></path>")),
            _ => self.put(format_args!(
                "<path class=\"{class}\" d=\"M{from} {y}H{to}\"></path><path class=\"{class} he\" d=\"M{to} {y}{head}\"></path>"
            )),
        }
        let near = from.abs_diff(to) / self.pitch.max(1);
        let middle = match near {
            // Past the gateway the label stands in the first stretch, beside the sender.
            0 | 1 => from.midpoint(to),
            _ if to > from => from + self.pitch / 2,
            _ => from - self.pitch / 2,
        };
        let label = fitted(&format!("{}{}", row.sign.glyph(), row.label), self.pitch - 10, CHARACTER);
        self.put(format_args!("<text class=\"m\" x=\"{middle}\" y=\"{}\">", top + 16));
        self.text(&label);
        self.put(format_args!("</text>"));
    }

    /// A line of text from the left, cut to the width.
    fn line(&mut self, class: &str, x: usize, y: usize, label: &str) {
        let label = fitted(label, self.width - 2 * x, BOLD);
        self.put(format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">"));
        self.text(&label);
        self.put(format_args!("</text>"));
    }

    /// A text in a box that stays within the drawing.
    fn boxed(&mut self, class: &str, middle: usize, base: usize, top: usize, label: &str, round: usize) {
        let label = fitted(label, self.width - 24, CHARACTER);
        let width = (length(&label) * CHARACTER / 10 + 16).min(self.width - 2);
        let x = middle.saturating_sub(width / 2).clamp(1, (self.width - width).max(1));
        let (y, height, centre) = (top + 3, ROW - 5, x + width / 2);
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"></rect>"
        ));
        self.put(format_args!("<text class=\"m\" x=\"{centre}\" y=\"{base}\">"));
        self.text(&label);
        self.put(format_args!("</text>"));
    }
}

/// The text cut so that it takes no more than about `width`.
fn fitted(text: &str, width: usize, character: usize) -> String {
    let most = width * 10 / character;
    if length(text) <= most {
        return text.to_owned();
    }
    let mut taken = 1;
    let cut = text.chars().take_while(|c| {
        taken += wide(*c);
        taken <= most
    });
    cut.collect::<String>() + "…"
}

/// Length in characters of ordinary width.
fn length(text: &str) -> usize {
    text.chars().map(wide).sum()
}

/// Scripts whose characters are about twice as wide count double.
const fn wide(c: char) -> usize {
    if c >= '\u{1100}' && !matches!(c, '\u{2000}'..='\u{2bff}') { 2 } else { 1 }
}
