//! A stored form for what has none of its own: lengths and bytes, one after another.

/// What is written.
#[derive(Default)]
pub(super) struct Written(pub(super) Vec<u8>);

impl Written {
    /// A number, 4 bytes.
    pub(super) fn number(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// Bytes, after their length.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.extend(bytes);
        self
    }

    /// A text, after its length.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }
}
