//! `countersign.toml`: tables of settings. An unknown key is an error, and so is a value of another form.
//!
//! Errors show where, never the line itself: somebody may have put a token there.

use super::{Form, SETTINGS, Setting, from_folder};
use crate::fault::Fault;
use countersign_scenarios::nearest::nearest;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Most bytes of the file.
const LARGEST: u64 = 1024 * 1024;

/// A value, and where it stands.
pub(super) struct Value {
    pub(super) setting: &'static Setting,
    pub(super) values: Vec<String>,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Reads the file; `None` where there is none and none was named.
pub(super) fn load(path: &Path, named: bool) -> Result<Option<Vec<Value>>, Fault> {
    let fault = |cause: std::io::Error| Fault::Remote(format!("cannot read {}: {cause}; check --config", path.display()));
    let length = match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(fault(std::io::Error::other("not a regular file"))),
        Ok(metadata) => metadata.len(),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && !named => return Ok(None),
        Err(cause) => return Err(fault(cause)),
    };
    if length > LARGEST {
        return Err(Fault::Remote(format!("{} has more than {LARGEST} bytes; it is no file of settings", path.display())));
    }
    let text = std::fs::read(path).map_err(fault)?;
    let text = String::from_utf8(text).map_err(|_| Fault::Remote(format!("{} is not UTF-8", path.display())))?;
    Source { path, text: &text }.read().map(Some)
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn read(&self) -> Result<Vec<Value>, Fault> {
        let tables = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let first = error.message().lines().next().unwrap_or_default().to_owned();
            self.fault(at, first, "tables are written `[candidate]`, and settings `key = \"text\"`")
        })?;
        let mut values = Vec::new();
        for (name, table) in tables.get_ref() {
            let at = name.span().start;
            let Some(table) = table.get_ref().as_table() else {
                return Err(self.unknown(at, name.get_ref(), ""));
            };
            let prefix = format!("{}.", name.get_ref());
            if !SETTINGS.iter().any(|s| s.key.starts_with(&prefix)) {
                return Err(self.unknown(at, name.get_ref(), ""));
            }
            for (key, value) in table {
                let at = key.span().start;
                let full = format!("{prefix}{}", key.get_ref());
                let Some(setting) = SETTINGS.iter().find(|s| s.key == full) else {
                    return Err(self.unknown(at, &full, &prefix));
                };
                let (line, column) = self.place(at);
                values.push(Value { setting, values: self.values(setting, value)?, line, column });
            }
        }
        Ok(values)
    }

    fn values(&self, setting: &'static Setting, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, Fault> {
        let wrong = |form: &str| {
            self.fault(
                value.span().start,
                format!("`{}` has to be {form}", setting.key),
                "see `countersign config` for all settings",
            )
        };
        let text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
        match setting.form {
            Form::Text => text(value).map(|text| vec![text]).ok_or_else(|| wrong("a text in quotation marks")),
            Form::Path => match text(value) {
                Some(path) => Ok(vec![from_folder(self.path, &path)]),
                None => Err(wrong("a path in quotation marks")),
            },
            Form::Number => match value.get_ref() {
                DeValue::Integer(number) => Ok(vec![number.to_string()]),
                _ => Err(wrong("a whole number")),
            },
            Form::List => match value.get_ref() {
                DeValue::Array(list) => {
                    list.iter().map(text).collect::<Option<_>>().ok_or_else(|| wrong("a list of texts: [\"…\", \"…\"]"))
                }
                _ => Err(wrong("a list of texts: [\"…\", \"…\"]")),
            },
        }
    }

    /// A table or key that nothing has. The nearest names are offered, those of the same table first.
    fn unknown(&self, at: usize, name: &str, table: &str) -> Fault {
        let tail = name.strip_prefix(table).unwrap_or(name);
        let near: Vec<String> = if table.is_empty() {
            let mut tables: Vec<String> =
                SETTINGS.iter().filter_map(|s| s.key.split_once('.')).map(|(table, _)| table.to_owned()).collect();
            tables.dedup();
            nearest(tail, tables)
        } else {
            let inside = SETTINGS.iter().filter_map(|s| s.key.strip_prefix(table)).map(str::to_owned);
            nearest(tail, inside).into_iter().map(|key| format!("{table}{key}")).collect()
        };
        let elsewhere = SETTINGS.iter().filter(|s| s.key.rsplit('.').next() == Some(tail)).map(|s| s.key.to_owned());
        let near: Vec<String> = near.into_iter().chain(elsewhere).take(3).map(|name| format!("`{name}`")).collect();
        let hint = if near.is_empty() {
            "see `countersign config` for all settings".to_owned()
        } else {
            format!("perhaps {}; see `countersign config` for all settings", near.join(" or "))
        };
        self.fault(at, format!("there is no setting `{name}`"), &hint)
    }

    fn fault(&self, at: usize, what: String, hint: &str) -> Fault {
        let (line, column) = self.place(at);
        Fault::Config { path: self.path.to_owned(), line, column, what, hint: hint.to_owned() }
    }

    /// Line and column, from 1.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}
