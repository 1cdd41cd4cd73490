//! How the client talks to the gateway: requests with the retries of the contract, and a WebSocket, over plain TCP. Use those of
//! your own client where it has them; for a gateway at `https:` you need its TLS.

use crate::contract::{encode, malformed, random_bytes, schema, Outcome, Problem};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LARGEST_BODY: usize = 1024 * 1024;
const LARGEST_BLOB: usize = 80 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause after a failed attempt, which grows; `None` after the last one.
pub fn pause(attempt: u32) -> Option<Duration> {
    let [chance] = random_bytes();
    (attempt < ATTEMPTS).then(|| FIRST_PAUSE * 2_u32.pow(attempt - 1) + Duration::from_millis(u64::from(chance) / 16))
}

/// Tries again what failed with `busy` or `gateway-error`, after pauses that grow, six times in all.
fn with_retries<T>(action: impl Fn() -> Result<T, (Problem, Duration)>) -> Outcome<T> {
    let mut attempt = 1;
    loop {
        match action() {
            Err((problem, at_least)) if problem.passes() => match pause(attempt) {
                Some(pause) => std::thread::sleep(pause.max(at_least)),
                None => return Err(Problem::new("gateway-error", format!("{attempt} attempts: {}", problem.detail))),
            },
            outcome => return outcome.map_err(|(problem, _)| problem),
        }
        attempt += 1;
    }
}

/// The gateway of one instance, at the base URL that `open` gave.
#[derive(Clone, Debug)]
pub struct Gateway {
    address: String,
    path: String,
}

impl Gateway {
    pub fn new(base: &str) -> Outcome<Self> {
        let rest = base.strip_prefix("http://").ok_or_else(|| Problem::new("unsupported", "a gateway that is not at http:"))?;
        let (address, path) = rest.split_once('/').map_or((rest, String::new()), |(address, path)| (address, format!("/{path}")));
        let address = if address.rsplit(']').next().is_some_and(|end| end.contains(':')) { address.to_owned() } else { format!("{address}:80") };
        Ok(Self { address, path: path.trim_end_matches('/').to_owned() })
    }

    pub fn json(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Outcome<Value> {
        let body = body.map(|body| body.to_string().into_bytes());
        let answer = with_retries(|| self.once(method, path, token, body.as_deref(), "application/json", LARGEST_BODY))?;
        serde_json::from_slice(&answer).map_err(|error| Problem::new("gateway-error", format!("{method} {path}: {error}")))
    }

    pub fn upload(&self, token: &str, blob: &[u8]) -> Outcome<String> {
        let answer = with_retries(|| self.once("PUT", "/media", token, Some(blob), "application/octet-stream", LARGEST_BODY))?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        answer["url"].as_str().map(str::to_owned).ok_or_else(|| Problem::new("gateway-error", "an upload without a place"))
    }

    /// Bytes from a path under `/media` or `/files`. A peer named it: the token must not travel elsewhere.
    pub fn download(&self, folder: &str, path: &str, token: &str) -> Outcome<Vec<u8>> {
        let name = path.strip_prefix(&format!("/{folder}/")).unwrap_or_default();
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b)) {
            return Err(malformed(format!("not a path under /{folder}")));
        }
        with_retries(|| self.once("GET", path, token, None, "", LARGEST_BLOB))
    }

    fn once(&self, method: &str, path: &str, token: &str, body: Option<&[u8]>, kind: &str, most: usize) -> Result<Vec<u8>, (Problem, Duration)> {
        let mut head = format!("{method} {}{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.path, self.address);
        if !token.is_empty() {
            head += &format!("Authorization: Bearer {token}\r\n");
        }
        if let Some(body) = body {
            head += &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        }
        let failed = |error: std::io::Error| (Problem::new("gateway-error", format!("{method} {path}: {error}")), Duration::ZERO);
        let (mut stream, answer) = self.exchange(&head, body.unwrap_or_default()).map_err(failed)?;
        let body = answer.body(&mut stream, most).map_err(failed)?;
        if body.len() > most {
            return Err((Problem::new("too-large", format!("an answer of more than {most} bytes")), Duration::ZERO));
        }
        if (200..300).contains(&answer.status) { Ok(body) } else { Err(answer.problem(&body)) }
    }

    fn exchange(&self, head: &str, body: &[u8]) -> std::io::Result<(BufReader<TcpStream>, Answer)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        stream.write_all(body)?;
        let mut stream = BufReader::new(stream);
        let answer = Answer::read(&mut stream)?;
        Ok((stream, answer))
    }

    /// Opens the chat channel.
    pub fn chat(&self, token: &str) -> Outcome<(ChatReader, ChatWriter)> {
        let key = encode(&random_bytes::<16>()).replace('-', "+").replace('_', "/") + "==";
        let head = format!(
            "GET {}/chat HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n",
            self.path, self.address
        );
        let failed = |error: std::io::Error| (Problem::new("gateway-error", format!("chat channel: {error}")), Duration::ZERO);
        with_retries(|| {
            let (mut stream, answer) = self.exchange(&head, b"").map_err(failed)?;
            if answer.status != 101 {
                let body = answer.body(&mut stream, LARGEST_BODY).map_err(failed)?;
                return Err(answer.problem(&body));
            }
            stream.get_ref().set_read_timeout(None).map_err(failed)?;
            let writing = stream.get_ref().try_clone().map_err(failed)?;
            Ok((ChatReader { stream }, ChatWriter { stream: Mutex::new(writing) }))
        })
    }
}

/// Status and headers of an answer.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Answer {
    fn read(stream: &mut impl BufRead) -> std::io::Result<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let length = stream.by_ref().take(16 * 1024).read_line(&mut line)?;
            if length == 0 || lines.len() > 100 {
                return Err(std::io::Error::other("the answer has no end"));
            }
            if line.trim_end().is_empty() {
                break;
            }
            lines.push(line);
        }
        let status = lines.first().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.trim().parse().ok());
        let headers = lines.iter().filter_map(|line| line.split_once(':')).map(|(n, v)| (n.to_lowercase(), v.trim().to_owned())).collect();
        Ok(Self { status: status.ok_or_else(|| std::io::Error::other("not HTTP"))?, headers })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// At most one byte more than `most`. Chunked bodies are put together.
    fn body(&self, stream: &mut impl BufRead, most: usize) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked")) {
            while body.len() <= most {
                let mut line = String::new();
                stream.by_ref().take(64).read_line(&mut line)?;
                let length = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16).map_err(std::io::Error::other)?;
                let before = body.len();
                stream.by_ref().take(length.min(most as u64 + 1)).read_to_end(&mut body)?;
                if length == 0 || (body.len() - before) as u64 != length {
                    break;
                }
                stream.by_ref().take(2).read_line(&mut line)?;
            }
            return Ok(body);
        }
        let length = self.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(u64::MAX);
        stream.take(length.min(most as u64 + 1)).read_to_end(&mut body)?;
        if length != u64::MAX && (body.len() as u64) < length.min(most as u64) {
            return Err(std::io::Error::other("the answer broke off"));
        }
        Ok(body)
    }

    /// The problem as the gateway answered it, with the least pause; an answer that is none is judged by its status.
    fn problem(&self, body: &[u8]) -> (Problem, Duration) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let known = schema("Reason")["oneOf"].as_array().is_some_and(|reasons| reasons.iter().any(|r| r["const"] == body["reason"]));
        let reason = match (known, self.status) {
            (true, _) => body["reason"].as_str().unwrap_or_default(),
            (_, 401) => "unauthorized",
            (_, 413) => "too-large",
            (_, 429 | 503) => "busy",
            _ => "gateway-error",
        };
        let detail = body["detail"].as_str().map_or_else(|| format!("the gateway answered {}", self.status), str::to_owned);
        let after = self.header("retry-after").and_then(|after| after.parse().ok()).unwrap_or(0);
        (Problem::new(reason, detail), Duration::from_secs(after))
    }
}

/// The reading half of the client's side of RFC 6455, as far as text frames need it.
pub struct ChatReader {
    stream: BufReader<TcpStream>,
}

/// The writing half.
pub struct ChatWriter {
    stream: Mutex<TcpStream>,
}

/// What came, or how it ended.
pub enum Frame {
    Text(String),
    /// The gateway closed the channel in order.
    Closed,
    Lost,
}

impl ChatReader {
    pub fn receive(&mut self, writer: &ChatWriter) -> Frame {
        self.next(writer).unwrap_or(Frame::Lost)
    }

    fn next(&mut self, writer: &ChatWriter) -> std::io::Result<Frame> {
        let mut text = Vec::new();
        loop {
            let [first, second] = self.exactly::<2>()?;
            let length = match second & 0x7f {
                126 => u64::from(u16::from_be_bytes(self.exactly()?)),
                127 => u64::from_be_bytes(self.exactly()?),
                short => u64::from(short),
            };
            if text.len() as u64 + length > LARGEST_BODY as u64 {
                return Ok(Frame::Lost);
            }
            let mut data = vec![0; length as usize];
            self.stream.read_exact(&mut data)?;
            match first & 0x0f {
                8 => {
                    let _ = writer.frame(8, &data);
                    return Ok(if data.starts_with(&1000_u16.to_be_bytes()) { Frame::Closed } else { Frame::Lost });
                }
                9 => writer.frame(10, &data)?,
                0 | 1 => {
                    text.extend(data);
                    if first & 0x80 != 0 {
                        return Ok(Frame::Text(String::from_utf8_lossy(&text).into_owned()));
                    }
                }
                _ => {}
            }
        }
    }

    fn exactly<const N: usize>(&mut self) -> std::io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl ChatWriter {
    pub fn send(&self, text: &str) -> std::io::Result<()> {
        self.frame(1, text.as_bytes())
    }

    /// Says goodbye; the reading half ends when the gateway has answered.
    pub fn close(&self) {
        let _ = self.frame(8, &1000_u16.to_be_bytes());
    }

    fn frame(&self, opcode: u8, data: &[u8]) -> std::io::Result<()> {
        let mut frame = vec![0x80 | opcode];
        match data.len() {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            middle @ 126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        let mask: [u8; 4] = random_bytes();
        frame.extend(mask);
        frame.extend(data.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write_all(&frame)
    }
}
