//! The contract as OpenAPI 3.1: the upper tester that a candidate serves, and the gateway that it calls.

use crate::operations::Operation;
use crate::portable::{
    BlockList, Deleted, Enlist, Enlisted, GroupList, KeyBundle, KeyCount, PublishKeys, SenderCertificate, Stanza, Uploaded,
};
use crate::{CONTRACT_VERSION, Problem, carrier};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|s| {
            s.definitions_path = "/components/schemas".into();
            s.meta_schema = None;
        })
        .into_generator()
}

fn problem_response(generator: &mut SchemaGenerator, description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/problem+json": { "schema": generator.subschema_for::<Problem>() } },
    })
}

fn json_response(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn document(title: &str, description: &str, paths: Map<String, Value>, mut generator: SchemaGenerator) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": CONTRACT_VERSION,
            "description": description,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": generator.take_definitions(true) },
    })
}

/// The upper tester: what a candidate serves to us over HTTP. The same messages travel on standard input and output, inside
/// [`carrier::Request`] and [`carrier::Reply`].
#[must_use]
pub fn upper_tester() -> Value {
    let mut generator = generator();
    let mut paths = Map::new();
    for op in Operation::ALL {
        let (args, answer) = op.schemas(&mut generator);
        let failed = problem_response(&mut generator, "It failed; `reason` says why.");
        paths.insert(
            format!("/{}", op.as_str()),
            json!({
                "post": {
                    "operationId": op.as_str(),
                    "summary": op.summary(),
                    "description": format!("Blocks on {}. Deadline: {} s.", op.blocks_on(), op.deadline().as_secs()),
                    "requestBody": { "required": true, "content": { "application/json": { "schema": args } } },
                    "responses": { "200": json_response("Done.", &answer.to_value()), "default": failed },
                },
            }),
        );
    }
    generator.subschema_for::<carrier::Request>();
    generator.subschema_for::<carrier::Reply>();
    document(
        "Countersign upper tester",
        "The test interface that a candidate adds. Served over HTTP, or as lines of `Request` and `Reply` on standard input and output.",
        paths,
        generator,
    )
}

/// The gateway of one instance: what a candidate's client calls. Paths are relative to the base URL that `open` gave.
#[must_use]
pub fn gateway() -> Value {
    let mut generator = generator();
    let g = &mut generator;
    let failed = problem_response(g, "It failed; `reason` says why.");
    let user = json!([{ "name": "user", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }]);
    let name = json!([{ "name": "name", "in": "path", "required": true, "schema": { "type": "string" } }]);
    let octets = json!({ "application/octet-stream": {} });
    let stanza = g.subschema_for::<Stanza>();
    let schema = |s: schemars::Schema| s.to_value();
    let (enlist, enlisted) = (schema(g.subschema_for::<Enlist>()), schema(g.subschema_for::<Enlisted>()));
    let (bundle, publish) = (schema(g.subschema_for::<KeyBundle>()), schema(g.subschema_for::<PublishKeys>()));
    let (count, uploaded) = (schema(g.subschema_for::<KeyCount>()), schema(g.subschema_for::<Uploaded>()));
    let (blocks, deleted) = (schema(g.subschema_for::<BlockList>()), schema(g.subschema_for::<Deleted>()));
    let certificate = schema(g.subschema_for::<SenderCertificate>());
    let list = schema(g.subschema_for::<GroupList>());
    let group = json!([{ "name": "group", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }]);
    let body = |s: &Value| json!({ "required": true, "content": { "application/json": { "schema": s } } });
    let bearer = json!([{ "bearer": [] }]);
    let paths = json!({
        "/enlist": { "post": { "operationId": "enlist", "summary": "Enlists a user, or enlists it anew with new keys.",
            "requestBody": body(&enlist), "responses": { "200": json_response("Enlisted.", &enlisted), "default": failed } } },
        "/keys/{user}": { "get": { "operationId": "getKeys", "summary": "Hands out a prekey bundle; each one-time prekey once.",
            "security": bearer, "parameters": user, "responses": { "200": json_response("A bundle.", &bundle), "default": failed } } },
        "/keys": { "put": { "operationId": "putKeys", "summary": "Publishes further or new keys.", "security": bearer,
            "requestBody": body(&publish), "responses": { "200": json_response("What is left.", &count), "default": failed } } },
        "/media": { "put": { "operationId": "putMedia", "summary": "Uploads an encrypted file.", "security": bearer,
            "requestBody": { "required": true, "content": octets },
            "responses": { "200": json_response("Where it is.", &uploaded), "default": failed } } },
        "/media/{name}": { "get": { "operationId": "getMedia", "summary": "Downloads an encrypted file.", "security": bearer,
            "parameters": name, "responses": { "200": { "description": "The blob.", "content": octets }, "default": failed } } },
        "/files/{name}": { "get": { "operationId": "getFile", "summary": "A plaintext file that `send` refers to: part of the test, not of the product.",
            "security": bearer, "parameters": name, "responses": { "200": { "description": "The file.", "content": octets }, "default": failed } } },
        "/blocks": {
            "get": { "operationId": "getBlocks", "summary": "The block list of the user of the token.", "security": bearer,
                "responses": { "200": json_response("The list.", &blocks), "default": failed } },
            "put": { "operationId": "putBlocks", "summary": "Sets the whole block list.", "security": bearer,
                "requestBody": body(&blocks), "responses": { "200": json_response("The list as it is now.", &blocks), "default": failed } },
        },
        "/groups": { "post": { "operationId": "postGroup", "summary": "Creates a group.", "security": bearer,
            "requestBody": body(&list), "responses": { "200": json_response("The group.", &list), "default": failed } } },
        "/groups/{group}": {
            "get": { "operationId": "getGroup", "summary": "The members of a group that the user of the token is in.", "security": bearer,
                "parameters": group, "responses": { "200": json_response("The list.", &list), "default": failed } },
            "put": { "operationId": "putGroup", "summary": "Sets the whole list of members.", "security": bearer, "parameters": group,
                "requestBody": body(&list), "responses": { "200": json_response("The list as it is now.", &list), "default": failed } },
        },
        "/certificate": { "get": { "operationId": "getCertificate", "summary": "A certificate of the user of the token, for sealed messages.",
            "security": bearer, "responses": { "200": json_response("A certificate.", &certificate), "default": failed } } },
        "/user": { "delete": { "operationId": "deleteUser", "summary": "Un-enlists the user of the token.", "security": bearer,
            "responses": { "200": json_response("Deleted.", &deleted), "default": failed } } },
        "/chat": { "get": { "operationId": "chat", "summary": "Opens the chat channel: a WebSocket whose text frames are `Stanza`s.",
            "security": bearer, "responses": { "101": { "description": "Switching to WebSocket.", "content": { "application/json": { "schema": stanza } } }, "default": failed } } },
    });
    let paths = paths.as_object().cloned().unwrap_or_default();
    let mut document = document(
        "Countersign gateway, portable binding",
        "What a candidate's client calls. Paths are relative to the base URL that the operation `open` gave.",
        paths,
        generator,
    );
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".into(), json!({ "bearer": { "type": "http", "scheme": "bearer" } }));
    }
    document
}
