//! Calls as lines on standard input, replies as lines on standard output.

use crate::Sample;
use countersign_contract::carrier::{LONGEST_LINE, Reply, Request};
use countersign_contract::{Problem, Reason};
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Replies that may wait for a slow reader before calls wait too.
const WAITING_REPLIES: usize = 64;

/// Serves calls until `input` ends: each as it comes, beside the others, so that replies may come in any order.
///
/// A line that is no call gets a `malformed` problem under the id that it bears, or 0 if none can be read. A line longer than the
/// contract allows is skipped up to its end and answered alike.
///
/// # Errors
/// When reading or writing fails.
pub async fn serve_stdio<R, W>(sample: Sample, input: R, output: W) -> io::Result<()>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (replies, waiting) = mpsc::channel(WAITING_REPLIES);
    let writer = tokio::spawn(write_replies(waiting, output));
    let mut input = BufReader::new(input);
    let mut calls = JoinSet::new();
    loop {
        let line = tokio::select! {
            biased;
            () = sample.ended() => return Err(io::Error::other("the candidate broke down")),
            line = next_line(&mut input) => line?,
        };
        let Some(line) = line else { break };
        let replies = replies.clone();
        let sample = sample.clone();
        calls.spawn(async move {
            let reply = answer(&sample, line).await;
            // The writer is gone only if the output is closed; the serving loop reports that.
            let _ = replies.send(reply).await;
        });
        while calls.try_join_next().is_some() {}
        if writer.is_finished() {
            break;
        }
    }
    while calls.join_next().await.is_some() {}
    drop(replies);
    writer.await.map_err(io::Error::other)?
}

/// A line of input.
enum Line {
    Text(Vec<u8>),
    TooLong,
}

/// The next line; `None` at the end of input. Never holds more than [`LONGEST_LINE`] bytes.
async fn next_line<R: AsyncBufRead + Unpin>(input: &mut R) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let buffer = input.fill_buf().await?;
        if buffer.is_empty() {
            return Ok(if too_long {
                Some(Line::TooLong)
            } else if line.is_empty() {
                None
            } else {
                Some(Line::Text(line))
            });
        }
        let end = buffer.iter().position(|b| *b == b'\n');
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        too_long |= line.len() + part.len() >= LONGEST_LINE;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(part);
        }
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(Some(if too_long { Line::TooLong } else { Line::Text(line) }));
        }
    }
}

async fn answer(sample: &Sample, line: Line) -> Reply {
    let Line::Text(text) = line else {
        let problem = Problem::new(Reason::TooLarge, format!("a line is at most {LONGEST_LINE} bytes"));
        return Reply { id: 0, ok: None, problem: Some(problem) };
    };
    answer_text(sample, &text).await
}

/// The reply to a call as it came; one that is no call gets a `malformed` problem under the id that it bears.
pub(super) async fn answer_text(sample: &Sample, text: &[u8]) -> Reply {
    match serde_json::from_slice::<Request>(text) {
        Ok(request) => match sample.answer(&request.op, request.args).await {
            Ok(answer) => Reply { id: request.id, ok: Some(answer), problem: None },
            Err(problem) => Reply { id: request.id, ok: None, problem: Some(problem) },
        },
        Err(cause) => {
            let id = serde_json::from_slice::<serde_json::Value>(text).ok().and_then(|v| v.get("id")?.as_u64());
            let problem = Problem::new(Reason::Malformed, format!("not a call: {cause}"));
            Reply { id: id.unwrap_or(0), ok: None, problem: Some(problem) }
        }
    }
}

async fn write_replies<W: AsyncWrite + Unpin>(mut replies: mpsc::Receiver<Reply>, mut output: W) -> io::Result<()> {
    while let Some(reply) = replies.recv().await {
        let mut line = serde_json::to_vec(&reply).map_err(io::Error::other)?;
        line.push(b'\n');
        output.write_all(&line).await?;
        if replies.is_empty() {
            output.flush().await?;
        }
    }
    output.flush().await
}
