//! What stands between backticks: bold where there is colour, in quotation marks where there is none.

use super::Style;
use super::paint::Paint;

/// A text whose commands and names stand between backticks, as a terminal shows it. A backtick without a partner stays.
#[must_use]
pub fn code(text: &str, style: Style) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((word, behind)) = after.split_once('`') else { break };
        out.push_str(before);
        if style.colour {
            out.push_str(&Paint(true).bold(word))
        } else {
            out.extend(["‘", word, "’"])
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_set_apart_and_a_lone_one_stays() {
        let plain = Style::default();
        assert_eq!(code("`describe` says `a b`", plain), "‘describe’ says ‘a b’");
        assert_eq!(code("it's a ` alone", plain), "it's a ` alone");
        assert_eq!(code("`a` and `", plain), "‘a’ and `");
        assert_eq!(code("", plain), "");
        assert_eq!(code("run `it`", Style { colour: true, ..plain }), "run \u{1b}[1mit\u{1b}[0m");
    }
}
