//! The forms in which a text may stand in bytes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::ops::Range;

/// Texts in all their forms, one behind the other: there are thousands in an instance, and each by itself would be a piece of memory.
#[derive(Default)]
pub(super) struct Forms {
    bytes: Vec<u8>,
    /// Where each form stands.
    places: Vec<Range<usize>>,
}

impl Forms {
    /// Every form.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().filter_map(|place| self.bytes.get(place.clone()))
    }

    /// Adds all forms of a text that are long enough not to occur by chance.
    pub(super) fn add(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let units = || text.encode_utf16();
        let first = self.places.len();
        let mut form = |write: &dyn Fn(&mut Vec<u8>)| self.form(first, write);
        form(&|f| f.extend_from_slice(bytes));
        form(&|f| text.chars().for_each(|c| c.to_uppercase().for_each(|c| push(f, c))));
        form(&|f| f.extend_from_slice(text.to_lowercase().as_bytes()));
        form(&|f| f.extend(bytes.iter().rev()));
        form(&|f| text.chars().rev().for_each(|c| push(f, c)));
        form(&|f| f.extend(units().flat_map(u16::to_le_bytes)));
        form(&|f| f.extend(units().flat_map(u16::to_be_bytes)));
        for digits in [LOWER, UPPER] {
            form(&|f| bytes.iter().for_each(|b| hex(f, b"", u16::from(*b), 2, digits)));
            form(&|f| bytes.iter().for_each(|b| hex(f, b"%", u16::from(*b), 2, digits)));
            form(&|f| units().for_each(|unit| hex(f, b"\\u", unit, 4, digits)));
        }
        // As a URL or a form has it: letters and digits as they are.
        for space in [&b"%20"[..], b"+"] {
            form(&|f| {
                for b in bytes {
                    match b {
                        b' ' => f.extend_from_slice(space),
                        b if b.is_ascii_alphanumeric() || b"-_.~".contains(b) => f.push(*b),
                        b => hex(f, b"%", u16::from(*b), 2, UPPER),
                    }
                }
            });
        }
        // As JSON has it, with and without what is not ASCII.
        form(&|f| f.extend_from_slice(serde_json::to_string(text).unwrap_or_default().trim_matches('"').as_bytes()));
        form(&|f| {
            for unit in units() {
                match u8::try_from(unit).ok().filter(u8::is_ascii) {
                    Some(b) => f.push(b),
                    None => hex(f, b"\\u", unit, 4, LOWER),
                }
            }
        });
        for skipped in 0..3 {
            for aligned in aligned(bytes, skipped) {
                form(&|f| f.extend_from_slice(aligned.as_bytes()));
            }
        }
    }

    /// Adds one form of a text whose forms begin at `first`: many forms of a plain text are the text itself.
    fn form(&mut self, first: usize, write: &dyn Fn(&mut Vec<u8>)) {
        let from = self.bytes.len();
        write(&mut self.bytes);
        let place = from..self.bytes.len();
        let new = self.bytes.get(place.clone()).unwrap_or_default();
        let known = self.places.iter().skip(first).any(|other| self.bytes.get(other.clone()) == Some(new));
        if known || new.len() < super::SHORTEST_TEXT {
            self.bytes.truncate(from);
        } else {
            self.places.push(place);
        }
    }
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

fn push(form: &mut Vec<u8>, c: char) {
    form.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Appends so many hexadecimal digits of a value. Not by a format string: there are thousands in an instance.
fn hex(form: &mut Vec<u8>, before: &[u8], value: u16, digits: u32, alphabet: &[u8; 16]) {
    form.extend_from_slice(before);
    for at in (0..digits).rev() {
        let digit = usize::from(value >> (4 * at) & 0xf);
        form.extend(alphabet.get(digit));
    }
}

/// Base64 of some bytes that stand `offset` bytes behind a multiple of three, without the digits that depend on neighbours.
fn aligned(bytes: &[u8], offset: usize) -> [String; 2] {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(bytes);
    padded.truncate(padded.len() / 3 * 3);
    let skip = [0, 2, 3].get(offset).copied().unwrap_or(0);
    [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)].map(|mut form| {
        form.drain(..skip.min(form.len()));
        form
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Vec<Vec<u8>> {
        let mut forms = Forms::default();
        forms.add("the forms of another text stand before");
        let before = forms.iter().count();
        forms.add(text);
        forms.iter().skip(before).map(<[u8]>::to_vec).collect()
    }

    fn found(haystack: &[u8], text: &str) -> bool {
        of(text).iter().any(|form| haystack.windows(form.len()).any(|w| w == form))
    }

    proptest! {
        #[test]
        fn base64_is_found_whatever_stands_around(
            before in proptest::collection::vec(any::<u8>(), 0..10),
            after in proptest::collection::vec(any::<u8>(), 0..10),
        ) {
            let text = "canary-0123456789abcdef01234567";
            let whole = [&before[..], text.as_bytes(), &after[..]].concat();
            prop_assert!(found(STANDARD_NO_PAD.encode(&whole).as_bytes(), text));
            prop_assert!(found(URL_SAFE_NO_PAD.encode(&whole).as_bytes(), text));
        }

        #[test]
        fn random_bytes_are_not_taken_for_a_text(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(!found(&bytes, "canary-0123456789abcdef01234567"));
        }
    }

    #[test]
    fn hexadecimal_forms_are_those_of_the_language() {
        let forms = of("canary-\u{e4}\u{20ac} 0123456789");
        let bytes = "canary-\u{e4}\u{20ac} 0123456789".as_bytes();
        let units = || "canary-\u{e4}\u{20ac} 0123456789".encode_utf16();
        for form in [
            bytes.iter().map(|b| format!("{b:02x}")).collect::<String>(),
            bytes.iter().map(|b| format!("{b:02X}")).collect(),
            bytes.iter().map(|b| format!("%{b:02x}")).collect(),
            bytes.iter().map(|b| format!("%{b:02X}")).collect(),
            units().map(|u| format!("\\u{u:04x}")).collect(),
            units().map(|u| format!("\\u{u:04X}")).collect(),
        ] {
            assert!(forms.contains(&form.clone().into_bytes()), "{form}");
        }
    }

    #[test]
    fn other_forms_are_found() {
        let text = "tränen & \"zitate\" am ende";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(found(&utf16, text));
        assert!(found(text.to_uppercase().as_bytes(), text));
        assert!(found(b"tr%C3%A4nen%20%26%20%22zitate%22%20am%20ende", text));
        assert!(found(br#"{"x":"tr\u00e4nen & "zitate" am ende"}"#, text));
        assert!(found(serde_json::to_string(text).unwrap().as_bytes(), text));
        assert!(!found(b"something else altogether, and long enough", text));
    }
}
