//! Credentials of the operator: the only secrets of a run. They are typed, they are never shown, and what comes in is searched for
//! them before it is recorded.

use bytes::Bytes;
use memchr::memmem;
use rand::RngCore as _;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Fewest characters of a secret. A shorter one can be guessed, and would occur in a record by chance.
pub const LEAST: usize = 16;

/// A bearer token or key. Shows itself to nobody: there is no `Display`, and `Debug` says only that there is one.
#[derive(Clone)]
pub struct Secret(Arc<str>);

/// Why a text is no secret. Does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Too short.
    #[error("it has {0} characters, and needs {LEAST} at least: a shorter one can be guessed")]
    Short(usize),
    /// Other characters.
    #[error("it has a character that a bearer token cannot have; letters, digits and `-._~+/=` are possible (RFC 6750)")]
    Character,
}

impl Secret {
    /// A secret from a file or an environment variable. White space around it does not count.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b)) {
            return Err(SecretError::Character);
        }
        if text.len() < LEAST {
            return Err(SecretError::Short(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// A new one: 256 bits of the operating system, as hexadecimal digits.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        Self(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().into())
    }

    /// Whether this is it. Takes equally long for any text of the same length.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// The secret itself, for the one who has to hand it over: to a header, or to the file that the partner gets.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// Takes secrets out of what comes in, before anything is recorded, judged or shown.
#[derive(Clone, Debug, Default)]
pub struct Redactor(Arc<[Secret]>);

impl Redactor {
    /// One for these secrets.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self(secrets.into_iter().collect())
    }

    /// The bytes, with each secret replaced by [`REDACTED`].
    #[must_use]
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.iter().fold(bytes, |bytes, secret| {
            let needle = secret.0.as_bytes();
            let Some(first) = memmem::find(&bytes, needle) else { return bytes };
            let (mut out, mut rest) = (Vec::with_capacity(bytes.len()), bytes.as_slice());
            let mut next = Some(first);
            while let Some((before, after)) = next.and_then(|at| Some((rest.get(..at)?, rest.get(at + needle.len()..)?))) {
                out.extend_from_slice(before);
                out.extend_from_slice(REDACTED.as_bytes());
                rest = after;
                next = memmem::find(rest, needle);
            }
            out.extend_from_slice(rest);
            out
        })
    }

    /// The same of bytes that others hold too: without a copy if there is no secret in them.
    #[must_use]
    pub fn shared(&self, bytes: Bytes) -> Bytes {
        if self.0.iter().any(|secret| memmem::find(&bytes, secret.0.as_bytes()).is_some()) {
            return self.bytes(bytes.into()).into();
        }
        bytes
    }

    /// The text, with each secret replaced by [`REDACTED`].
    #[must_use]
    pub fn text(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| if text.contains(&*secret.0) { text.replace(&*secret.0, REDACTED) } else { text })
    }

    /// The value, with each secret in its texts and names replaced by [`REDACTED`]: JSON has many spellings of one text, and only
    /// when it is read are they one.
    #[must_use]
    pub fn value(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(list) => list.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(members) => members.into_iter().map(|(name, value)| (self.text(name), self.value(value))).collect(),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "correct-horse-battery";

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        let secret = Secret::new(&format!(" {TOKEN}\n")).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
        assert!(secret.is(TOKEN) && !secret.is("correct-horse-batterx") && !secret.is(""));
        assert_ne!(Secret::random().expose(), Secret::random().expose());
    }

    #[test]
    fn what_can_be_guessed_or_sent_by_no_header_is_refused() {
        assert_eq!(Secret::new("short").unwrap_err(), SecretError::Short(5));
        for bad in ["with a space in it ok", "with\"quotes\"in-it-ok", "with\\backslash-in-it", "with-a-\u{e9}-letter-in-it"] {
            assert_eq!(Secret::new(bad).unwrap_err(), SecretError::Character, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_secret_is_left_and_nothing_else_is_lost(parts in proptest::collection::vec("[a-z \"\\\\]{0,12}", 1..6)) {
            let redactor = Redactor::new([Secret::new(TOKEN).unwrap(), Secret::new("another-secret-of-ours").unwrap()]);
            let text = parts.join(TOKEN);
            let expected = parts.join(REDACTED);
            prop_assert_eq!(redactor.text(text.clone()), expected.clone());
            prop_assert_eq!(redactor.bytes(text.into_bytes()), expected.into_bytes());
        }
    }
}
