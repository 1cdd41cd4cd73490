//! Typed values from a tree, with the place of each fault.

use super::{Kind, Node};
use crate::diagnostic::{Fault, Span, known_hint};
use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};
use std::cell::RefCell;
use std::fmt;

/// Takes faults that do not end the reading, such as an unknown key.
pub(crate) type Sink = RefCell<Vec<Fault>>;

/// Reads a value. `None` if it could not be read: then at least one fault was added.
pub(crate) fn from_node<T: DeserializeOwned>(node: &Node, sink: &Sink) -> Option<T> {
    match T::deserialize(Reader { node, sink }) {
        Ok(value) => Some(value),
        Err(Error { span, message, hint }) => {
            sink.borrow_mut().push(Fault { span: span.unwrap_or(node.span), message, hint });
            None
        }
    }
}

#[derive(Debug)]
struct Error {
    span: Option<Span>,
    message: String,
    hint: Option<String>,
}

impl Error {
    fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), message: message.into(), hint: None }
    }

    /// The innermost place stays.
    fn or_at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(msg: T) -> Self {
        Self { span: None, message: msg.to_string(), hint: None }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self { span: None, message: format!("expected {expected}, found {}", words(found)), hint: None }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let hint = known_hint(variant, expected.iter().copied());
        Self { span: None, message: format!("unknown word `{variant}`"), hint: Some(hint) }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = known_hint(field, expected.iter().copied());
        Self { span: None, message: format!("unknown key `{field}`"), hint: Some(hint) }
    }

    fn missing_field(field: &'static str) -> Self {
        let hint = Some(format!("add `{field}: …`"));
        Self { span: None, message: format!("the key `{field}` is missing"), hint }
    }
}

fn words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Unit => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        Unexpected::Str(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
        Unexpected::Unsigned(n) => format!("`{n}`"),
        Unexpected::Signed(n) => format!("`{n}`"),
        Unexpected::Bool(b) => format!("`{b}`"),
        other => other.to_string(),
    }
}

/// What people call the variants of an enum.
fn noun(name: &str) -> &'static str {
    match name {
        "Step" => "step",
        "Expect" => "expectation",
        "ContentSpec" => "content",
        "Network" => "network rule",
        "Reason" => "reason",
        "BundleBend" => "bundle rule",
        "Feature" => "feature",
        "Capability" => "test capability",
        _ => "word",
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    sink: &'a Sink,
}

impl<'a> Reader<'a> {
    fn unexpected(&self) -> Unexpected<'a> {
        match &self.node.kind {
            Kind::Scalar { .. } if self.is_nothing() => Unexpected::Unit,
            Kind::Scalar { text, .. } => Unexpected::Str(text),
            Kind::Seq(_) => Unexpected::Seq,
            Kind::Map(_) => Unexpected::Map,
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(&self.node.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    fn wrong(&self, expected: &dyn de::Expected) -> Error {
        <Error as de::Error>::invalid_type(self.unexpected(), expected).or_at(self.node.span)
    }

    fn plain(&self) -> Option<&'a str> {
        if let Kind::Scalar { text, plain: true } = &self.node.kind { Some(text) } else { None }
    }

    fn same(&self, node: &'a Node) -> Self {
        Self { node, sink: self.sink }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let Some(number) = self.plain().and_then(|text| text.parse::<$type>().ok()) else {
                return Err(self.wrong(&"a number that fits"));
            };
            visitor.$visit(number).map_err(|e: Error| e.or_at(self.node.span))
        })*
    };
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Scalar { .. } if self.is_nothing() => visitor.visit_unit(),
            Kind::Scalar { text, .. } => visitor.visit_str(text),
            Kind::Seq(items) => visitor.visit_seq(Items { reader: self, items: items.iter() }),
            Kind::Map(entries) => visitor.visit_map(Entries::of(self, entries.iter().collect())),
        }
        .map_err(|e: Error| e.or_at(self.node.span))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain() {
            Some("true") => visitor.visit_bool(true),
            Some("false") => visitor.visit_bool(false),
            _ => Err(self.wrong(&"`true` or `false`")),
        }
    }

    numbers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_f32 visit_f32 f32;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Scalar { text, .. } if !self.is_nothing() => {
                visitor.visit_str(text).map_err(|e: Error| e.or_at(self.node.span))
            }
            _ => Err(self.wrong(&"a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        Err(self.wrong(&visitor))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        Err(self.wrong(&visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_nothing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_nothing() { visitor.visit_unit() } else { Err(self.wrong(&"nothing")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Seq(items) => {
                visitor.visit_seq(Items { reader: self, items: items.iter() }).map_err(|e: Error| e.or_at(self.node.span))
            }
            _ => Err(self.wrong(&"a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        // An array takes its first items and would pass over the rest.
        if let Kind::Seq(items) = &self.node.kind
            && items.len() != length
        {
            return Err(Error::at(self.node.span, format!("expected a list of {length}, found {}", items.len())));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Map(entries) => {
                visitor.visit_map(Entries::of(self, entries.iter().collect())).map_err(|e: Error| e.or_at(self.node.span))
            }
            _ => Err(self.wrong(&"a table")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Kind::Map(entries) = &self.node.kind else { return Err(self.wrong(&"a table")) };
        let mut known = Vec::new();
        for entry in entries {
            match entry.0.text() {
                Some(key) if !fields.contains(&key) => {
                    // Reported, and then left out: the rest of the table can still be read.
                    let fault = Fault::new(entry.0.span, format!("unknown key `{key}`"));
                    self.sink.borrow_mut().push(fault.hint(known_hint(key, fields.iter().copied())));
                }
                _ => known.push(entry),
            }
        }
        visitor.visit_map(Entries::of(self, known)).map_err(|e: Error| e.or_at(self.node.span))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (key, value) = match &self.node.kind {
            Kind::Scalar { .. } if !self.is_nothing() => (self.node, None),
            Kind::Map(entries) => match entries.as_slice() {
                [(key, value)] => (key, Some(value)),
                [_, (second, _), ..] => {
                    return Err(Error {
                        span: Some(second.span),
                        message: format!("a {} is a table with one key, and this is a second", noun(name)),
                        hint: Some(
                            "indent it if it belongs to the first; between { } put quotes around a text with a comma".to_owned(),
                        ),
                    });
                }
                [] => return Err(Error::at(self.node.span, format!("an empty table where a {} should be", noun(name)))),
            },
            _ => return Err(self.wrong(&format!("a {}", noun(name)).as_str())),
        };
        let word = key.text().unwrap_or_default();
        if !variants.contains(&word) {
            return Err(Error {
                span: Some(key.span),
                message: format!("unknown {} `{word}`", noun(name)),
                hint: Some(known_hint(word, variants.iter().copied())),
            });
        }
        visitor.visit_enum(Variant { reader: self, key, value }).map_err(|e: Error| e.or_at(key.span))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

struct Items<'a> {
    reader: Reader<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(node) = self.items.next() else { return Ok(None) };
        seed.deserialize(self.reader.same(node)).map(Some).map_err(|e| e.or_at(node.span))
    }
}

struct Entries<'a> {
    reader: Reader<'a>,
    entries: std::vec::IntoIter<&'a (Node, Node)>,
    value: Option<&'a Node>,
}

impl<'a> Entries<'a> {
    fn of(reader: Reader<'a>, entries: Vec<&'a (Node, Node)>) -> Self {
        Self { reader, entries: entries.into_iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(self.reader.same(key)).map(Some).map_err(|e| e.or_at(key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(value) = self.value.take() else { return Err(de::Error::custom("a key without a value")) };
        seed.deserialize(self.reader.same(value)).map_err(|e| e.or_at(value.span))
    }
}

struct Variant<'a> {
    reader: Reader<'a>,
    key: &'a Node,
    value: Option<&'a Node>,
}

impl Variant<'_> {
    fn value(&self) -> Result<Reader<'_>, Error> {
        match self.value {
            Some(value) => Ok(self.reader.same(value)),
            None => {
                let word = self.key.text().unwrap_or_default();
                Err(Error {
                    span: Some(self.key.span),
                    message: format!("`{word}` needs a value"),
                    hint: Some(format!("write `{word}: …`")),
                })
            }
        }
    }
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = seed.deserialize(self.reader.same(self.key))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.value {
            None => Ok(()),
            Some(value) => {
                let word = self.key.text().unwrap_or_default();
                Err(Error::at(value.span, format!("`{word}` takes no value")))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let reader = self.value()?;
        seed.deserialize(reader).map_err(|e| e.or_at(reader.node.span))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_tuple(self.value()?, length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_struct(self.value()?, "", fields, visitor)
    }
}
