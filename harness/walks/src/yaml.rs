//! Writes data files as a person would: tables in lines, and each step of a scenario in one line.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Longest line of a text that is folded.
const WIDTH: usize = 130;
/// Longest that a list is written in one line.
const SHORT: usize = 100;

/// A table as a file. `lines` names the lists of which each item has a line of its own.
pub(crate) fn file(table: &Map<String, Value>, lines: &[&str]) -> String {
    let mut out = String::new();
    for (key, value) in table {
        entry(&mut out, key, value, lines);
    }
    out
}

/// The same without the members that say nothing: those of a scenario may all be left out.
pub(crate) fn file_without_defaults(table: &Map<String, Value>, lines: &[&str]) -> String {
    file(&table.iter().filter_map(|(key, value)| Some((key.clone(), pruned(value)?))).collect(), lines)
}

fn entry(out: &mut String, key: &str, value: &Value, lines: &[&str]) {
    match value {
        Value::Array(items) if lines.contains(&key) || flow(value).len() > SHORT => {
            let _ = writeln!(out, "{key}:");
            for item in items {
                let _ = writeln!(out, "  - {}", flow(item));
            }
        }
        Value::Object(members) if flow(value).len() > SHORT => {
            let _ = writeln!(out, "{key}:");
            for (name, member) in members {
                let _ = writeln!(out, "  {}: {}", scalar(name), flow(member));
            }
        }
        Value::String(text) if text.len() > WIDTH - 10 && text.is_ascii() && !text.contains('\n') => {
            let _ = writeln!(out, "{key}: >-");
            folded(out, text);
        }
        _ => {
            let _ = writeln!(out, "{key}: {}", flow(value));
        }
    }
}

fn folded(out: &mut String, text: &str) {
    let mut line = String::from(" ");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}

/// Without what says nothing; `None` if nothing is left.
fn pruned(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(pruned).collect())),
        Value::Object(members) => {
            Some(Value::Object(members.iter().filter_map(|(key, member)| Some((key.clone(), pruned(member)?))).collect()))
        }
        other => Some(other.clone()),
    }
}

/// In one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members: Vec<String> = members.iter().map(|(key, member)| format!("{}: {}", scalar(key), flow(member))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A word as it stands, if it cannot be taken for something else; else between quotation marks, as JSON has them and YAML reads them.
fn scalar(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | ' ' | '(' | ')');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let plain = begins && !text.ends_with(' ') && text.chars().all(fits) && !reserved.contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_is_written_in_lines_and_a_step_in_one() {
        let value = json!({
            "id": "walks/x", "twin": false, "cases": [], "verifies": ["DMA-7(2)(a)"],
            "steps": [{ "send": { "from": "alice", "as": "y", "network": null, "content": { "text": "1 2" } } }],
        });
        let text = file_without_defaults(value.as_object().unwrap(), &["steps"]);
        assert_eq!(
            text,
            "id: walks/x\nverifies: [DMA-7(2)(a)]\nsteps:\n  - { send: { from: alice, as: \"y\", content: { text: \"1 2\" } } }\n"
        );
    }
}
