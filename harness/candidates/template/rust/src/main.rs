//! The upper tester of NAME OF YOUR MESSENGER: lines of JSON on standard input and output. Standard output carries replies and
//! nothing else; `eprintln!` speaks to people. (To serve HTTP, call `Candidate::call` from your web server: `POST /{operation}`
//! carries the arguments, 200 the answer, and any other status a problem as `application/problem+json`.)

use candidate::contract::{Problem, LONGEST_LINE};
use candidate::operations::Candidate;
use serde_json::{json, Value};
use std::io::{BufRead, Read, Write};
use std::sync::Arc;

fn main() {
    let candidate = Arc::new(Candidate::default());
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = Vec::new();
        match input.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(length) if length > LONGEST_LINE => {
                eprintln!("a line of more than {LONGEST_LINE} bytes");
                std::process::exit(1);
            }
            Ok(_) => {}
        }
        // Every call has its own thread: an `events` or `settle` that waits must not hold up the others.
        let candidate = Arc::clone(&candidate);
        std::thread::spawn(move || {
            let reply = format!("{}\n", answer(&candidate, &line));
            let mut output = std::io::stdout().lock();
            let _ = output.write_all(reply.as_bytes()).and_then(|()| output.flush());
        });
    }
}

/// One reply for one request. A request that is wrong elsewhere is still answered under its id; 0 is no request's.
fn answer(candidate: &Candidate, line: &[u8]) -> Value {
    let request: Value = serde_json::from_slice(line).unwrap_or(Value::Null);
    let id = request["id"].as_u64().unwrap_or(0);
    let outcome = match (request.as_object().map(|members| members.len()), request["op"].as_str(), request.get("args")) {
        (Some(3), Some(op), Some(args)) => candidate.call(op, args),
        _ => Err(Problem::new("malformed", "a request has the members id, op and args")),
    };
    match outcome {
        Ok(answer) => json!({ "id": id, "ok": answer }),
        Err(problem) => json!({ "id": id, "problem": problem.json() }),
    }
}
