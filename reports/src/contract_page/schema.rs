//! The JSON Schemas of the documents, as lists of members, choices and examples.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

/// An id for examples.
const UUID: &str = "6f2b1c3e-5a4d-4e8f-9b0a-1c2d3e4f5a6b";
/// Deepest example. No schema of the contract contains itself; if one ever does, its example ends here.
const DEEPEST: u32 = 12;

/// The named types of some documents.
pub(super) struct Types<'a> {
    all: Map<String, Value>,
    documents: Vec<&'a Value>,
}

/// A member that is a text, or nothing.
pub(super) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// A documentation text: what stands between backticks is code. Links of the source's documentation lose their brackets.
pub(super) fn prose(text: &str) -> Markup {
    let text = text.replace("[`", "`").replace("`]", "`");
    let parts: Vec<&str> = text.split('`').collect();
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

impl<'a> Types<'a> {
    pub(super) fn of(documents: &[&'a Value]) -> Self {
        let mut named: Vec<(String, Value)> = Vec::new();
        for document in documents {
            let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
            for (name, schema) in schemas.into_iter().flatten() {
                if !named.iter().any(|(known, _)| known == name) {
                    named.push((name.clone(), schema.clone()));
                }
            }
        }
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self { all: named.into_iter().collect(), documents: documents.to_vec() }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.all.iter()
    }

    /// A link to a type's place in the page.
    pub(super) fn link(&self, name: &str) -> Markup {
        html! { @if self.all.contains_key(name) { a href={ "#t-" (name) } { code { (name) } } } @else { code { (name) } } }
    }

    /// An example of the arguments of an operation.
    pub(super) fn operation(&self, name: &str) -> Value {
        let pointer = format!("/paths/~1{name}/post/requestBody/content/application~1json/schema");
        self.documents.iter().find_map(|document| document.pointer(&pointer)).map_or(Value::Null, |schema| self.sample(schema))
    }

    fn name(schema: &Value) -> Option<&str> {
        schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next())
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        Self::name(schema).and_then(|name| self.all.get(name)).unwrap_or(schema)
    }

    /// The members of an object, or the type's name if it is none; with the type's name.
    pub(super) fn members(&self, schema: &Value) -> Markup {
        let named = Self::name(schema);
        let resolved = self.resolved(schema);
        html! {
            @if let Some(name) = named { p.type { "Type: " (self.link(name)) } }
            @if named.is_none() || resolved.get("properties").is_some() { (self.fields(resolved)) }
        }
    }

    /// All that there is to say of a type.
    pub(super) fn described(&self, schema: &Value) -> Markup {
        let description = text(schema, "description");
        let choices = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
        html! {
            @if !description.is_empty() { p { (prose(description)) } }
            @match choices {
                None => (self.fields(schema)),
                Some(choices) => {
                    p.type { "One of:" }
                    ul.choices { @for choice in choices { li { (self.choice(choice)) } } }
                }
            }
        }
    }

    fn choice(&self, choice: &Value) -> Markup {
        let kind = choice.pointer("/properties/kind/const");
        let label = kind.or_else(|| choice.get("const")).and_then(Value::as_str);
        html! {
            @if let Some(label) = label { code { (label) } " " } @else { (self.kind(choice)) " " }
            (prose(text(choice, "description")))
            @if kind.is_some() { (self.fields(choice)) }
        }
    }

    fn fields(&self, schema: &Value) -> Markup {
        let required = |name: &str| {
            schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|required| required == name))
        };
        let members: Vec<(&String, &Value)> = schema.get("properties").and_then(Value::as_object).into_iter().flatten().collect();
        html! {
            @if members.is_empty() && schema.get("type").is_some_and(|kind| kind == "object") { p.type { "No members: " code { "{}" } } }
            @else if members.is_empty() { p.type { (self.kind(schema)) } }
            @else {
                dl.fields {
                    @for (name, member) in members {
                        div {
                            dt { code { (name) } " " span.kind { (self.kind(member)) @if !required(name) { ", optional" } } }
                            dd { (prose(text(member, "description"))) }
                        }
                    }
                }
            }
        }
    }

    /// A type in a few words.
    fn kind(&self, schema: &Value) -> Markup {
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let (format, constant) = (text(schema, "format"), schema.get("const"));
        html! {
            @if let Some(name) = Self::name(schema) { (self.link(name)) }
            @else if let Some(constant) = constant { "always " code { (constant) } }
            @else if let Some(items) = schema.get("items") { "list of " (self.kind(items)) }
            @else if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
                @for (at, choice) in choices.iter().enumerate() { @if at > 0 { " or " } (self.kind(choice)) }
            }
            @else if types.is_empty() { "any JSON" }
            @else { (types.join(" or ")) @if !format.is_empty() { " (" (format) ")" } }
        }
    }

    /// A value that fits a schema.
    pub(super) fn sample(&self, schema: &Value) -> Value {
        self.sample_within(schema, DEEPEST)
    }

    fn sample_within(&self, schema: &Value, depth: u32) -> Value {
        let Some(deeper) = depth.checked_sub(1) else { return Value::Null };
        let schema = self.resolved(schema);
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        let choices = schema.get("oneOf").or_else(|| schema.get("anyOf"));
        if let Some(first) = choices.and_then(|choices| choices.get(0)) {
            return self.sample_within(first, deeper);
        }
        let kind = schema.get("type").map(|kind| kind.get(0).unwrap_or(kind));
        match kind.and_then(Value::as_str) {
            Some("object") => {
                let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
                let member = |name: &str| {
                    let member = schema.get("properties").and_then(|members| members.get(name)).unwrap_or(&Value::Null);
                    (name.to_owned(), self.sample_within(member, deeper))
                };
                Value::Object(required.map(member).collect())
            }
            Some("array") => json!([self.sample_within(schema.get("items").unwrap_or(&Value::Null), deeper)]),
            Some("string") => json!(if text(schema, "format") == "uuid" { UUID } else { "AbCd" }),
            Some("integer") => json!(1),
            Some("boolean") => json!(true),
            _ => Value::Null,
        }
    }
}
