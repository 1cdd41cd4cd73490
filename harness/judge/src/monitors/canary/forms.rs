//! The forms in which a text may stand in bytes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fmt::Write as _;

/// All forms of a text that are long enough not to occur by chance.
pub(super) fn of(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out = vec![
        bytes.to_vec(),
        text.to_uppercase().into_bytes(),
        text.to_lowercase().into_bytes(),
        bytes.iter().rev().copied().collect(),
        text.chars().rev().collect::<String>().into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ];
    let mut written = |each: &dyn Fn(&mut String)| {
        let mut form = String::new();
        each(&mut form);
        out.push(form.into_bytes());
    };
    written(&|f| bytes.iter().for_each(|b| put(f, format_args!("{b:02x}"))));
    written(&|f| bytes.iter().for_each(|b| put(f, format_args!("{b:02X}"))));
    written(&|f| bytes.iter().for_each(|b| put(f, format_args!("%{b:02x}"))));
    written(&|f| bytes.iter().for_each(|b| put(f, format_args!("%{b:02X}"))));
    written(&|f| text.encode_utf16().for_each(|u| put(f, format_args!("\\u{u:04x}"))));
    written(&|f| text.encode_utf16().for_each(|u| put(f, format_args!("\\u{u:04X}"))));
    // As a URL or a form has it: letters and digits as they are.
    for space in ["%20", "+"] {
        written(&|f| {
            for b in bytes {
                match b {
                    b' ' => f.push_str(space),
                    b if b.is_ascii_alphanumeric() || b"-_.~".contains(b) => f.push(char::from(*b)),
                    b => put(f, format_args!("%{b:02X}")),
                }
            }
        });
    }
    // As JSON has it, with and without what is not ASCII.
    written(&|f| f.push_str(serde_json::to_string(text).unwrap_or_default().trim_matches('"')));
    written(&|f| {
        for unit in text.encode_utf16() {
            match u8::try_from(unit).ok().filter(u8::is_ascii) {
                Some(b) => f.push(char::from(b)),
                None => put(f, format_args!("\\u{unit:04x}")),
            }
        }
    });
    for offset in 0..3 {
        out.extend(aligned(bytes, offset));
    }
    out.retain(|form| form.len() >= super::SHORTEST_TEXT);
    out
}

/// Writing to a string never fails.
fn put(form: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = form.write_fmt(text);
}

/// Base64 of some bytes that stand `offset` bytes behind a multiple of three, without the digits that depend on neighbours.
fn aligned(bytes: &[u8], offset: usize) -> [Vec<u8>; 2] {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(bytes);
    padded.truncate(padded.len() / 3 * 3);
    let skip = [0, 2, 3].get(offset).copied().unwrap_or(0);
    [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)]
        .map(|form| form.as_bytes().get(skip..).unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
