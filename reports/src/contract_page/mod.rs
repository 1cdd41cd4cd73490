//! The contract as one HTML page: both OpenAPI documents, the reasons and the content, for whoever writes a candidate. Like the
//! report it needs nothing else: no script, no font, no address outside itself.

mod schema;

use crate::document::head;
use countersign_contract::carrier::LONGEST_LINE;
use countersign_contract::{CONTRACT_VERSION, Reason, content, openapi};
use maud::{DOCTYPE, Markup, html};
use schema::{Types, prose};
use serde_json::{Value, json};

const STYLE: &str = include_str!("style.css");

/// The contract, from its own documents.
#[must_use]
pub fn contract_page() -> String {
    page(&openapi::upper_tester(), &openapi::gateway()).into_string()
}

fn page(upper_tester: &Value, gateway: &Value) -> Markup {
    let types = Types::of(&[upper_tester, gateway]);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(STYLE, html! { "The candidate's contract, version " (CONTRACT_VERSION) " · Countersign" }))
            body {
                a.skip href="#content" { "Skip to the contract" }
                header.top {
                    p.kicker { "Countersign · version " (CONTRACT_VERSION) " · MIT OR Apache-2.0" }
                    h1 { "The candidate’s contract" }
                    p.lead {
                        "A candidate serves the upper tester, through which Countersign acts as its users and sees what they see. Its client "
                        "talks to the gateway, which plays the gatekeeper. Nothing else is asked of a messenger."
                    }
                    (contents(upper_tester, gateway))
                }
                main #content tabindex="-1" {
                    (carriers(&types))
                    (document(upper_tester, "upper-tester", "Upper tester: what a candidate serves", &types))
                    (document(gateway, "gateway", "Gateway: what its client calls", &types))
                    (reasons())
                    (plaintext())
                    (all_types(&types))
                }
                footer { p { "Made by " code { "countersign schema --html" } " from the same types as the OpenAPI documents." } }
            }
        }
    }
}

fn contents(upper_tester: &Value, gateway: &Value) -> Markup {
    let operations = |document: &Value, part: &str| {
        let names: Vec<(String, String)> = operations(document).map(|op| (op.id(part), op.name)).collect();
        html! { ul.names { @for (id, name) in names { li { a href={ "#" (id) } { code { (name) } } } } } }
    };
    html! {
        nav aria-label="Contents" {
            ul.parts {
                li { a href="#carriers" { "Carriers" } }
                li { a href="#upper-tester" { "Upper tester" } (operations(upper_tester, "upper-tester")) }
                li { a href="#gateway" { "Gateway" } (operations(gateway, "gateway")) }
                li { a href="#reasons" { "Reasons" } }
                li { a href="#plaintext" { "Plaintext of a message" } }
                li { a href="#types" { "Types" } }
            }
        }
    }
}

fn carriers(types: &Types<'_>) -> Markup {
    let example = types.operation("send");
    html! {
        section aria-labelledby="carriers" {
            h2 #carriers { "Carriers" }
            p { "An operation is called in one of two ways. Bytes in JSON are base64url without padding, everywhere." }
            h3 { "Lines on standard input and output" }
            p {
                "One JSON object a line, " (LONGEST_LINE / 1024 / 1024) " MiB at most. Replies may come in any order; " code { "id" }
                " pairs them with their requests. Standard output carries replies and nothing else; standard error is for people. Types: "
                (types.link("Request")) " and " (types.link("Reply")) "."
            }
            figure {
                figcaption { "In, then out; or out when it failed" }
                pre {
                    (json!({ "id": 1, "op": "send", "args": example }).to_string()) "\n"
                    (json!({ "id": 1, "ok": {} }).to_string()) "\n"
                    (json!({ "id": 1, "problem": { "reason": "not-connected", "detail": "the user is offline", "status": 409 } }).to_string())
                }
            }
            h3 { "HTTP" }
            p {
                code { "POST /{operation}" } " with the arguments as " code { "application/json" } ". 200 carries the answer; any other status "
                "carries a " (types.link("Problem")) " as " code { "application/problem+json" } "."
            }
        }
    }
}

/// One operation of a document: a method at a path.
struct Operation<'a> {
    method: String,
    path: &'a str,
    name: String,
    value: &'a Value,
}

impl Operation<'_> {
    /// The id of its place in the page.
    fn id(&self, part: &str) -> String {
        format!("{part}-{}", self.name)
    }
}

fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    document.get("paths").and_then(Value::as_object).into_iter().flatten().flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, value)| Operation {
            method: method.to_uppercase(),
            path,
            name: schema::text(value, "operationId").to_owned(),
            value,
        })
    })
}

fn document(document: &Value, part: &str, title: &str, types: &Types<'_>) -> Markup {
    let info = document.get("info").unwrap_or(&Value::Null);
    html! {
        section aria-labelledby=(part) {
            h2 id=(part) { (title) }
            p { (prose(schema::text(info, "description"))) }
            @for op in operations(document) { (operation(&op, part, types)) }
        }
    }
}

fn operation(op: &Operation<'_>, part: &str, types: &Types<'_>) -> Markup {
    let at = |pointer: &str| op.value.pointer(pointer);
    let arguments = at("/requestBody/content/application~1json/schema");
    let answers = op.value.get("responses").and_then(Value::as_object);
    let answer = answers.into_iter().flatten().find(|(status, _)| *status != "default");
    let example = arguments.map(|schema| types.sample(schema));
    let description = schema::text(op.value, "description");
    html! {
        article.operation aria-labelledby=(op.id(part)) {
            h3 id=(op.id(part)) { code { (op.name) } " " span.path { (op.method) " " (op.path) } }
            p { (prose(schema::text(op.value, "summary"))) }
            @if !description.is_empty() { p.waits { (prose(description)) } }
            @if op.value.get("security").is_some() { p.waits { "With " code { "Authorization: Bearer " } "and the token of the user." } }
            h4 { "In" }
            @for parameter in op.value.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                p { "In the path: " code { (schema::text(parameter, "name")) } }
            }
            @if at("/requestBody/content/application~1octet-stream").is_some() { p { "Bytes, as " code { "application/octet-stream" } "." } }
            @match arguments {
                Some(schema) => (types.members(schema)),
                None => @if op.value.get("requestBody").is_none() { p { "No body." } },
            }
            h4 { "Out" }
            @if let Some((status, response)) = answer {
                p { (status) ": " (prose(schema::text(response, "description"))) }
                @if response.pointer("/content/application~1octet-stream").is_some() { p { "Bytes, as " code { "application/octet-stream" } "." } }
                @if let Some(schema) = response.pointer("/content/application~1json/schema") { (types.members(schema)) }
            }
            @if let Some(example) = example {
                figure {
                    figcaption { "Example of a body" }
                    pre { (example.to_string()) }
                }
            }
        }
    }
}

fn reasons() -> Markup {
    html! {
        section aria-labelledby="reasons" {
            h2 #reasons { "Reasons" }
            p { "Why something was refused: a closed list. The detail beside it is for people, and is never matched." }
            table {
                thead { tr { th scope="col" { "Reason" } th scope="col" { "HTTP" } th scope="col" { "Meaning" } } }
                tbody {
                    @for reason in Reason::ALL {
                        tr { th scope="row" { code { (reason.as_str()) } } td { (reason.status()) } td { (prose(reason.meaning())) } }
                    }
                }
            }
        }
    }
}

fn plaintext() -> Markup {
    html! {
        section aria-labelledby="plaintext" {
            h2 #plaintext { "Plaintext of a message" }
            p {
                "A protobuf, to which one byte 0x80 and then zero bytes are appended until its length is a multiple of "
                (content::PADDING_BLOCK) ". A receiver refuses any other padding as " code { "bad-padding" } ". A content has "
                (content::LARGEST_CONTENT / 1024) " KiB at most before padding."
            }
            figure {
                figcaption { code { "content.proto" } }
                pre { (content::PROTO) }
            }
        }
    }
}

fn all_types(types: &Types<'_>) -> Markup {
    html! {
        section aria-labelledby="types" {
            h2 #types { "Types" }
            @for (name, schema) in types.all() {
                article.operation aria-labelledby={ "t-" (name) } {
                    h3 id={ "t-" (name) } { code { (name) } }
                    (types.described(schema))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_contract::Operation as Op;

    /// A document with one operation, so that the snapshot stays small and no new operation changes it.
    #[test]
    fn an_operation_looks_like_this() {
        let document = json!({
            "info": { "description": "What `it` is." },
            "paths": { "/send": { "post": {
                "operationId": "send", "summary": "Sends <it>.", "description": "Blocks on nothing. Deadline: 3 s.",
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Send" } } } },
                "responses": { "200": { "description": "Done.", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Done" } } } } },
            } } },
            "components": { "schemas": {
                "Done": { "type": "object", "description": "Nothing." },
                "Kind": { "oneOf": [{ "const": "one", "description": "The first." }, { "const": "two", "description": "The second." }] },
                "Send": { "type": "object", "required": ["user", "kinds"], "properties": {
                    "user": { "type": "string", "format": "uuid", "description": "Who & why." },
                    "kinds": { "type": "array", "items": { "$ref": "#/components/schemas/Kind" }, "description": "Which." },
                    "note": { "type": ["string", "null"] },
                } },
            } },
        });
        let types = Types::of(&[&document]);
        let shown = html! { (super::document(&document, "part", "Title", &types)) (all_types(&types)) }.into_string();
        insta::assert_snapshot!(shown.replace("><", ">\n<"));
    }

    #[test]
    fn the_page_is_whole() {
        let page = contract_page();
        for op in Op::ALL {
            assert!(page.contains(&format!("id=\"upper-tester-{}\"", op.as_str())), "{op:?}");
        }
        for reason in Reason::ALL {
            assert!(page.contains(&format!("<code>{}</code>", reason.as_str())), "{reason}");
        }
        let ids: Vec<&str> = page.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "an id stands twice");
        for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ids.contains(&target), "a link to #{target}, which is not there");
        }
        assert!(!page.contains("<script"));
    }
}
