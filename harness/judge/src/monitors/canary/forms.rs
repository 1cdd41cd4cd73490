//! The forms in which a text may stand in bytes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

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
        let mut form = String::with_capacity(6 * bytes.len());
        each(&mut form);
        out.push(form.into_bytes());
    };
    for digits in [LOWER, UPPER] {
        written(&|f| bytes.iter().for_each(|b| hex(f, "", u16::from(*b), 2, digits)));
        written(&|f| bytes.iter().for_each(|b| hex(f, "%", u16::from(*b), 2, digits)));
        written(&|f| text.encode_utf16().for_each(|unit| hex(f, "\\u", unit, 4, digits)));
    }
    // As a URL or a form has it: letters and digits as they are.
    for space in ["%20", "+"] {
        written(&|f| {
            for b in bytes {
                match b {
                    b' ' => f.push_str(space),
                    b if b.is_ascii_alphanumeric() || b"-_.~".contains(b) => f.push(char::from(*b)),
                    b => hex(f, "%", u16::from(*b), 2, UPPER),
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
                None => hex(f, "\\u", unit, 4, LOWER),
            }
        }
    });
    for offset in 0..3 {
        out.extend(aligned(bytes, offset));
    }
    // Many forms of a plain text are the text itself.
    let mut different: Vec<Vec<u8>> = Vec::with_capacity(out.len());
    for form in out {
        if form.len() >= super::SHORTEST_TEXT && !different.contains(&form) {
            different.push(form);
        }
    }
    different
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Appends so many hexadecimal digits of a value. Not by a format string: there are thousands in an instance.
fn hex(form: &mut String, before: &str, value: u16, digits: u32, alphabet: &[u8; 16]) {
    form.push_str(before);
    for at in (0..digits).rev() {
        let digit = usize::from(value >> (4 * at) & 0xf);
        form.extend(alphabet.get(digit).map(|digit| char::from(*digit)));
    }
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
