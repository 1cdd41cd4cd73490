//! The tree, and its limits.

use crate::diagnostic::{Fault, Span};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span as Range, options};
use std::collections::{BTreeMap, BTreeSet};

/// Deepest nesting of a data file. The language needs about 8.
const DEEPEST: usize = 24;

/// One value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A word, number or text; `plain` if it stands without quotes.
    Scalar { text: String, plain: bool },
    /// A list.
    Seq(Vec<Node>),
    /// A table, in the order of the file. No key stands in it twice.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A key and its value.
    pub(crate) fn entry(&self, key: &str) -> Option<(&Self, &Self)> {
        self.entries().iter().find(|(k, _)| k.text() == Some(key)).map(|(k, v)| (k, v))
    }

    /// The entries of a table; none for anything else.
    pub(crate) fn entries(&self) -> &[(Self, Self)] {
        if let Kind::Map(entries) = &self.kind { entries } else { &[] }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Self] {
        if let Kind::Seq(items) = &self.kind { items } else { &[] }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }

    /// The node at a path of keys and positions, or the deepest one on the way that there is.
    pub(crate) fn at(&self, path: &[&str]) -> &Self {
        let mut here = self;
        for part in path {
            let next = match &here.kind {
                Kind::Seq(items) => part.parse::<usize>().ok().and_then(|n| items.get(n)),
                _ => here.get(part),
            };
            match next {
                Some(node) => here = node,
                None => break,
            }
        }
        here
    }

    /// All texts of scalars inside, keys included.
    pub(crate) fn texts<'a>(&'a self, out: &mut BTreeSet<&'a str>) {
        match &self.kind {
            Kind::Scalar { text, .. } => {
                out.insert(text);
            }
            Kind::Seq(items) => items.iter().for_each(|i| i.texts(out)),
            Kind::Map(entries) => entries.iter().for_each(|(k, v)| {
                k.texts(out);
                v.texts(out);
            }),
        }
    }

    /// Replaces each `${name}` by its value. Places stay those of the file. Reports names without a value, and collects those
    /// that were used.
    pub(crate) fn replaced(
        &self,
        values: &BTreeMap<String, String>,
        used: &mut BTreeSet<String>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let kind = match &self.kind {
            Kind::Scalar { text, plain } => {
                let (text, any) = replace(text, self.span, values, used, faults);
                // In a flow table a `${…}` has to be quoted; its value may still be a number.
                // An empty one is an empty text, not nothing.
                let plain = *plain || (any && !text.is_empty());
                Kind::Scalar { text, plain }
            }
            Kind::Seq(items) => Kind::Seq(items.iter().map(|i| i.replaced(values, used, faults)).collect()),
            Kind::Map(entries) => Kind::Map(
                entries.iter().map(|(k, v)| (k.replaced(values, used, faults), v.replaced(values, used, faults))).collect(),
            ),
        };
        Self { span: self.span, kind }
    }
}

fn replace(
    text: &str,
    span: Span,
    values: &BTreeMap<String, String>,
    used: &mut BTreeSet<String>,
    faults: &mut Vec<Fault>,
) -> (String, bool) {
    let mut out = String::new();
    let mut rest = text;
    let mut any = false;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else {
            faults.push(Fault::new(span, "`${` without `}`").hint("close it with `}`"));
            break;
        };
        out.push_str(before);
        if let Some(value) = values.get(name) {
            out.push_str(value);
            any = true;
            used.insert(name.to_owned());
        } else {
            let hint = if values.is_empty() {
                "give the scenario `cases`, each with a value for it".to_owned()
            } else {
                crate::diagnostic::known_hint(name, values.keys().map(String::as_str).collect::<Vec<_>>())
            };
            faults.push(Fault::new(span, format!("`${{{name}}}` has no value")).hint(hint));
            out.push_str(name);
        }
        rest = tail;
    }
    out.push_str(rest);
    (out, any)
}

fn span_of(range: &Range, text: &str) -> Span {
    let (start, end) = (range.start, range.end);
    let length = if start.line() == end.line() {
        end.col().saturating_sub(start.col())
    } else {
        // Only what stands on the first line is marked.
        text.lines().nth(start.line().saturating_sub(1)).map_or(1, |l| l.trim_end().chars().count().saturating_sub(start.col()))
    };
    Span { line: start.line().max(1), column: start.col() + 1, length: length.max(1) }
}

/// Something that was begun and is not yet complete.
enum Open {
    Seq { span: Span, items: Vec<Node> },
    Map { span: Span, entries: Vec<(Node, Node)>, keys: BTreeSet<String>, key: Option<Node> },
}

/// Reads a file of one document. Faults that do not hide what follows are collected in `faults`.
///
/// # Errors
/// The fault after which nothing more can be said: no YAML, too deep, or anchors, aliases and tags, which data files have no use
/// for and which make it possible to write much in few bytes.
pub(crate) fn parse(text: &str, faults: &mut Vec<Fault>) -> Result<Node, Fault> {
    let options = options! {
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut stack: Vec<Open> = Vec::new();
    let mut root: Option<Node> = None;
    let mut documents = 0;
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, range) = next.map_err(|e| malformed(&e, text))?;
        let span = span_of(&range, text);
        let done = match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(Fault::new(span, "a second document in one file").hint("one file holds one document"));
                }
                continue;
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) | Event::Anchor(..) => return Err(no_anchors(span)),
            Event::Scalar(value, style, anchor, tag) => {
                refuse(span, anchor, tag.is_some())?;
                Node { span, kind: Kind::Scalar { text: value.into_owned(), plain: style == ScalarStyle::Plain } }
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse(span, anchor, tag.is_some())?;
                push(&mut stack, Open::Seq { span, items: Vec::new() })?;
                continue;
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse(span, anchor, tag.is_some())?;
                push(&mut stack, Open::Map { span, entries: Vec::new(), keys: BTreeSet::new(), key: None })?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match stack.pop() {
                Some(Open::Seq { span, items }) => Node { span, kind: Kind::Seq(items) },
                Some(Open::Map { span, entries, .. }) => Node { span, kind: Kind::Map(entries) },
                None => continue,
            },
            _ => continue,
        };
        match stack.last_mut() {
            Some(Open::Seq { items, .. }) => items.push(done),
            Some(Open::Map { entries, keys, key, .. }) => match key.take() {
                None => *key = Some(done),
                Some(name) => match name.text().map(str::to_owned) {
                    None => faults.push(Fault::new(name.span, "a key has to be a word")),
                    Some(word) if keys.contains(&word) => {
                        faults.push(Fault::new(name.span, format!("the key `{word}` stands here twice")).hint("keep one"));
                    }
                    Some(word) => {
                        keys.insert(word);
                        entries.push((name, done));
                    }
                },
            },
            None => root = Some(done),
        }
    }
    root.ok_or_else(|| Fault::new(Span::START, "the file is empty").hint("write it, or delete it"))
}

fn push(stack: &mut Vec<Open>, open: Open) -> Result<(), Fault> {
    if stack.len() >= DEEPEST {
        let (Open::Seq { span, .. } | Open::Map { span, .. }) = open;
        return Err(Fault::new(span, format!("nested more than {DEEPEST} deep")).hint("no data file needs that"));
    }
    stack.push(open);
    Ok(())
}

fn refuse(span: Span, anchor: usize, tagged: bool) -> Result<(), Fault> {
    if anchor != 0 {
        return Err(no_anchors(span));
    }
    if tagged {
        return Err(Fault::new(span, "tags have no place in a data file").hint("leave out the word that begins with `!`"));
    }
    Ok(())
}

fn no_anchors(span: Span) -> Fault {
    Fault::new(span, "anchors and aliases have no place in a data file").hint("write it out, or use `cases` for what varies")
}

fn malformed(error: &serde_saphyr::granit_parser::ScanError, text: &str) -> Fault {
    let mark = error.marker();
    let span = Span { line: mark.line().max(1), column: mark.col() + 1, length: 1 };
    let line = text.lines().nth(span.line.saturating_sub(1)).unwrap_or_default();
    let fault = Fault::new(span, format!("malformed YAML: {}", error.kind()));
    if line.contains("${") {
        fault.hint("between { } or [ ] a `${…}` has to stand in quotes")
    } else if line.contains('\t') {
        fault.hint("indent with spaces: YAML takes no tabs")
    } else {
        fault.hint("check the indentation, and put quotes around a text with `: ` or ` #` in it")
    }
}
