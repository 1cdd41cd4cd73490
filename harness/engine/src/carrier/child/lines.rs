//! Lines out of a byte stream, of bounded length; and the tail of one that nobody reads.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

/// Why there is no further line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The stream ended at the end of a line.
    Closed,
    /// The stream ended inside a line, which begins so.
    CutOff(Vec<u8>),
    /// A line is longer than allowed; it begins so.
    TooLong(Vec<u8>),
}

/// Reads the next line, without its line feed, of at most `longest` bytes with it. A read error counts as the end.
pub(super) async fn next_line(from: &mut (impl AsyncBufRead + Unpin), longest: usize) -> Result<Vec<u8>, End> {
    let mut line = Vec::new();
    loop {
        let buffer = from.fill_buf().await.unwrap_or_default();
        if buffer.is_empty() {
            return Err(if line.is_empty() { End::Closed } else { End::CutOff(line) });
        }
        let feed = buffer.iter().position(|b| *b == b'\n');
        let part = buffer.get(..feed.unwrap_or(buffer.len())).unwrap_or_default();
        if line.len() + part.len() >= longest {
            return Err(End::TooLong(line.into_iter().chain(part.iter().copied()).take(longest).collect()));
        }
        line.extend_from_slice(part);
        let used = feed.map_or(part.len(), |at| at + 1);
        from.consume(used);
        if feed.is_some() {
            return Ok(line);
        }
    }
}

/// Reads to the end and hands the last `most` bytes to `keep` whenever there are new ones.
pub(super) async fn keep_tail(from: impl AsyncRead + Unpin, most: usize, mut keep: impl FnMut(&[u8])) {
    let mut from = BufReader::new(from);
    let mut tail: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        tail.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let surplus = tail.len().saturating_sub(most);
        tail.drain(..surplus);
        keep(&tail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_whole_across_buffers() {
        let mut from = BufReader::with_capacity(3, &b"abcdefg\n\nxy"[..]);
        assert_eq!(next_line(&mut from, 100).await, Ok(b"abcdefg".to_vec()));
        assert_eq!(next_line(&mut from, 100).await, Ok(Vec::new()));
        assert_eq!(next_line(&mut from, 100).await, Err(End::CutOff(b"xy".to_vec())));
        assert_eq!(next_line(&mut from, 100).await, Err(End::Closed));
    }

    #[tokio::test]
    async fn a_line_has_a_longest_length() {
        assert_eq!(next_line(&mut BufReader::new(&b"abc\n"[..]), 4).await, Ok(b"abc".to_vec()));
        assert_eq!(next_line(&mut BufReader::new(&b"abcd\n"[..]), 4).await, Err(End::TooLong(b"abcd".to_vec())));
        let endless = BufReader::with_capacity(1 << 16, tokio::io::repeat(b'x'));
        assert_eq!(next_line(&mut { endless }, 1000).await, Err(End::TooLong(vec![b'x'; 1000])));
    }

    #[tokio::test]
    async fn the_tail_is_bounded() {
        let mut last = Vec::new();
        keep_tail(&[b"x".repeat(100_000), b"the end".to_vec()].concat()[..], 10, |tail| last = tail.to_vec()).await;
        assert_eq!(last, b"xxxthe end");
    }
}
