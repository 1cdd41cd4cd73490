//! The beginning of hostile bytes, fit for one line of a message.

/// Bytes of the original that are shown.
const SHOWN: usize = 160;

/// Quotes the beginning of some bytes on one line: control characters escaped, invalid UTF-8 replaced, the rest counted.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    let (head, rest) = bytes.split_at(bytes.len().min(SHOWN));
    let text: String = String::from_utf8_lossy(head).chars().flat_map(char::escape_debug).collect();
    if rest.is_empty() { format!("\"{text}\"") } else { format!("\"{text}\" and {} bytes more", rest.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quote_is_short_and_has_no_control_characters(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let quoted = quote(&bytes);
            prop_assert!(!quoted.chars().any(char::is_control));
            prop_assert!(quoted.chars().count() <= SHOWN * 10 + 40);
        }
    }

    #[test]
    fn the_rest_is_counted() {
        assert_eq!(quote(b"a\x1b[31m\n"), "\"a\\u{1b}[31m\\n\"");
        assert!(quote(&[b'x'; 1000]).ends_with("and 840 bytes more"));
    }
}
