//! The format of an encrypted file. The cryptography is left to each implementation; here stands what it must produce.
//!
//! ```text
//! key        32 random bytes, one for each upload, never used again
//! okm        HKDF-SHA256(salt = none, ikm = key, info = "countersign media " + kind, 112 bytes)
//!            kind is image, video, voice or file
//! iv         okm[0..16]     aes key  okm[16..48]     mac key  okm[48..80]     okm[80..112] is not used
//! ciphertext AES-256-CBC(aes key, iv, PKCS#7(plaintext))
//! mac        HMAC-SHA256(mac key, iv || ciphertext), 32 bytes
//! blob       ciphertext || mac                                 this is what is uploaded
//! digest     SHA-256(blob), carried inside the encrypted message
//! ```
//! A receiver checks the digest, then the MAC, and only then decrypts: `bad-digest` and `bad-mac` name which of the two failed,
//! `malformed` a blob that cannot be one or a plaintext whose length is not the stated one, `media-missing` a blob that is not
//! there. Nothing of the message is shown then. A file may be empty: its blob is one block of padding and the MAC.
//!
//! # Name and media type
//! They are shown as they were sent, or the message is refused as `malformed`, and nothing of it is shown: a client repairs neither.
//! [`is_file_name`] and [`is_media_type`] are the rules. An empty name is one: the sender had none. Names that some systems reserve,
//! such as `CON`, and those that begin with a dot are names like others: what a client saves a file under is its own affair. A
//! client sends no other names and types either: `send` with one fails as `malformed`.

use crate::seen::MediaKind;

/// Length of a media key in bytes.
pub const KEY_BYTES: usize = 32;
/// Length of the MAC at the end of a blob in bytes.
pub const MAC_BYTES: usize = 32;
/// Output length of the key derivation in bytes.
pub const OKM_BYTES: usize = 112;
/// Largest blob that the gateway takes, in bytes.
pub const LARGEST_BLOB: usize = 80 * 1024 * 1024;

/// The `info` of the key derivation for a kind of file.
#[must_use]
pub fn info(kind: MediaKind) -> Vec<u8> {
    format!("countersign media {}", kind.as_str()).into_bytes()
}

/// Longest file name and longest media type in bytes.
pub const LONGEST_NAME: usize = 255;

/// Whether a text is the name of a file and nothing else: no path, and nothing that makes it look like another.
///
/// At most [`LONGEST_NAME`] bytes of UTF-8; not `.` or `..`; without `/` and `\`, without control characters (general category Cc),
/// and without those that change the direction of writing (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    let turns = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: char| !matches!(c, '/' | '\\') && !c.is_control() && !turns(c);
    name.len() <= LONGEST_NAME && name != "." && name != ".." && name.chars().all(plain)
}

/// Whether a text is a media type: `type/subtype`, each a token of RFC 9110 (section 5.6.2), and perhaps a semicolon with
/// parameters in printable ASCII. At most [`LONGEST_NAME`] bytes.
#[must_use]
pub fn is_media_type(mime: &str) -> bool {
    let token =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    let (essence, parameters) = mime.split_once(';').unwrap_or((mime, ""));
    mime.len() <= LONGEST_NAME
        && essence.trim_end_matches(' ').split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
        && parameters.bytes().all(|b| (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_nothing_else() {
        let longest = "é".repeat(127) + "x";
        for good in ["", "a", "report.pdf", ".hidden", "...", "CON", "nul.txt", "a b", "名前.txt", "e\u{301}", "C:x", &longest]
        {
            assert!(is_file_name(good), "{good}");
        }
        let long = longest + "x";
        for bad in [
            "/etc/passwd",
            "../x",
            "a/b",
            "a\\b",
            ".",
            "..",
            "a\0b",
            "a\nb",
            "\u{85}",
            "\u{7f}",
            "x\u{202e}gpj.exe",
            "\u{2066}a",
            &long,
        ] {
            assert!(!is_file_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn media_types_are_tokens() {
        for good in ["image/png", "audio/ogg; codecs=opus", "application/vnd.ms-excel", "text/plain;charset=utf-8", "a/b "] {
            assert!(is_media_type(good), "{good}");
        }
        let long = format!("a/{}", "b".repeat(254));
        for bad in [
            "",
            "image",
            "/",
            "image/",
            "/png",
            "image/png/x",
            "a/b\r\nX: y",
            "a/b;\n",
            "a b/c",
            "../x/y",
            "text/é",
            "a/b\0",
            &long,
        ] {
            assert!(!is_media_type(bad), "{bad:?}");
        }
    }
}
