//! Padding and form of contents, under encryption by Signal's library.

use super::room::{Room, SENT_AT, Scene, With};
use super::{GenerateError, Sheet};
use countersign_contract::Reason;
use countersign_contract::StanzaId;
use countersign_contract::claims::Suite;
use countersign_contract::content::{Content, PADDING_BLOCK, pad};
use countersign_contract::seen::UserContent;
use prost::Message as _;
use std::collections::BTreeMap;

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "padding-length",
        "The length of the padded content is not checked.",
        "Lengths tell what is written, and two clients read one message in two ways.",
    ),
    ("padding-marker", "The padding is cut off at some byte that looks right.", "Two clients read one message in two ways."),
    (
        "padding-zeros",
        "Bytes behind the marker are passed over, whatever they are.",
        "Something travels in the padding that nobody sees.",
    ),
    (
        "content-form",
        "A plaintext that is no content of the contract is shown as if it were one.",
        "Empty or garbled messages in somebody's name, or a client that ends.",
    ),
    (
        "content-id",
        "The id inside the content is not checked.",
        "Replies, edits and receipts refer to something else than what is shown.",
    ),
    ("text-altered", "Texts are trimmed, normalised or cut.", "People read something else than was written."),
];

const PADDING: &[Reason] = &[Reason::BadPadding];
const FORM: &[Reason] = &[Reason::Malformed];
const EITHER: &[Reason] = &[Reason::BadPadding, Reason::Malformed];

/// The peer who speaks by Signal's library.
const PEER: &str = "dave";

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    let mut room = Room::new("content-padding", "contents", Suite::SignalPq, 1)?;
    room.add_library_peer(PEER);
    texts(&mut room)?;
    paddings(&mut room)?;
    forms(&mut room)?;
    Sheet {
        kind: "content-padding",
        name: "contents",
        title: "What stands inside an authentic message: padding, form, and texts of all kinds.",
        source: "Countersign contract 1.0, module content (ours, not a gatekeeper's)",
        flags: FLAGS.to_vec(),
        groups: vec![room.group()],
    }
    .write(files)
}

fn encoded(stanza: StanzaId, content: &UserContent) -> Vec<u8> {
    Content::from_user(stanza, SENT_AT, content, None).map(|content| content.encode_to_vec()).unwrap_or_default()
}

fn text(text: impl Into<String>) -> UserContent {
    UserContent::Text { text: text.into() }
}

/// A text that fills its content to a length in bytes.
fn filling(stanza: StanzaId, length: usize) -> UserContent {
    let text_of = |n: usize| text("x".repeat(n));
    let fits = (0..length).find(|n| encoded(stanza, &text_of(*n)).len() == length);
    text_of(fits.unwrap_or_default())
}

fn texts(room: &mut Room) -> Result<(), GenerateError> {
    for (id, comment, what) in [
        ("text-empty", "An empty text.", String::new()),
        ("text-white-space", "White space at both ends.", " \t text \n ".to_owned()),
        ("text-zero", "A text with a zero byte, and with the marker of the padding as a character.", "a\0b\u{80}\0".to_owned()),
        ("text-two-forms", "One word in two normal forms.", "\u{e9} e\u{301}".to_owned()),
        (
            "text-directions",
            "Both directions of writing, and a family of one character.",
            "\u{5d0}\u{202b}\u{627}\u{202c} \u{1f469}\u{200d}\u{1f680}".to_owned(),
        ),
        ("text-planes", "Characters of every plane.", "\u{1d11e}\u{20000}\u{30000}\u{e0041}\u{f0000}\u{10fffd}".to_owned()),
    ] {
        let mut scene = room.scene(id, comment, &["text-altered"], &["CT-01"]);
        scene.begin(PEER, With::FIRST, &[])?;
        scene.say(PEER, &what)?;
        room.add(scene);
    }
    for (id, comment, length) in [
        ("padding-full-block", "The content leaves room for the marker alone.", PADDING_BLOCK - 1),
        ("padding-new-block", "The content fills a block, and the marker stands in the next.", PADDING_BLOCK),
        ("padding-one-more", "The content is a byte longer than a block.", PADDING_BLOCK + 1),
    ] {
        let mut scene = room.scene(id, comment, &["padding-length"], &["CT-11"]);
        scene.begin(PEER, With::FIRST, &[])?;
        let stanza = scene.next_stanza();
        let content = filling(stanza, length);
        let plaintext = pad(encoded(stanza, &content));
        let made = scene.raw(PEER, stanza, content, &plaintext, &[])?;
        scene.valid(made);
        room.add(scene);
    }
    Ok(())
}

/// One plaintext is wrong, between honest messages.
fn wrong(
    room: &mut Room,
    (id, comment, flag): (&str, &str, &str),
    reasons: &[Reason],
    plaintext: impl FnOnce(&Scene, Vec<u8>) -> Vec<u8>,
) -> Result<(), GenerateError> {
    let mut scene = room.scene(id, comment, &[flag], &["CT-11"]);
    scene.begin(PEER, With::FIRST, &[])?;
    scene.say(PEER, "before")?;
    let stanza = scene.next_stanza();
    let content = text("not to be shown");
    let plaintext = plaintext(&scene, encoded(stanza, &content));
    let made = scene.raw(PEER, stanza, content, &plaintext, &[])?;
    scene.invalid(made, reasons);
    scene.say(PEER, "after")?;
    room.add(scene);
    Ok(())
}

fn paddings(room: &mut Room) -> Result<(), GenerateError> {
    wrong(room, ("padding-none", "The content is not padded.", "padding-length"), PADDING, |_, content| content)?;
    wrong(room, ("plaintext-empty", "There is no plaintext at all.", "padding-length"), EITHER, |_, _| Vec::new())?;
    wrong(room, ("padding-short", "The padding ends a byte before the block.", "padding-length"), PADDING, |_, content| {
        let mut padded = pad(content);
        padded.pop();
        padded
    })?;
    wrong(
        room,
        ("padding-other-block", "The padding fills blocks of 16 bytes.", "padding-length"),
        PADDING,
        |_, mut content| {
            content.push(0x80);
            content.resize(content.len().next_multiple_of(16), 0);
            if content.len().is_multiple_of(PADDING_BLOCK) {
                content.resize(content.len() + 16, 0);
            }
            content
        },
    )?;
    wrong(room, ("padding-zeros-alone", "The plaintext is zeros.", "padding-marker"), EITHER, |_, _| vec![0; PADDING_BLOCK])?;
    wrong(
        room,
        ("padding-without-marker", "The content is followed by zeros alone.", "padding-marker"),
        EITHER,
        |_, mut content| {
            content.resize(PADDING_BLOCK, 0);
            content
        },
    )?;
    wrong(room, ("padding-other-marker", "The marker is 0x81.", "padding-marker"), EITHER, |_, content| {
        let at = content.len();
        let mut padded = pad(content);
        padded.iter_mut().skip(at).take(1).for_each(|byte| *byte = 0x81);
        padded
    })?;
    wrong(
        room,
        ("padding-noise", "A byte that is not zero stands behind the marker.", "padding-zeros"),
        EITHER,
        |_, content| {
            let mut padded = pad(content);
            padded.iter_mut().rev().take(1).for_each(|byte| *byte = 0x01);
            padded
        },
    )?;
    wrong(room, ("padding-block-more", "A whole block of zeros follows.", "padding-zeros"), PADDING, |_, content| {
        let mut padded = pad(content);
        padded.resize(padded.len() + PADDING_BLOCK, 0);
        padded
    })?;
    wrong(room, ("padding-pkcs7", "The content is padded as for the cipher.", "padding-marker"), EITHER, |_, mut content| {
        let length = content.len().next_multiple_of(PADDING_BLOCK);
        let by = length - content.len();
        content.resize(length, u8::try_from(by).unwrap_or(1));
        content
    })
}

/// A length-delimited protobuf field with a short value.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(value.len()).unwrap_or_default()][..], value].concat()
}

fn forms(room: &mut Room) -> Result<(), GenerateError> {
    wrong(room, ("content-noise", "The content is no protobuf.", "content-form"), FORM, |_, _| pad(vec![0xff; 40]))?;
    wrong(room, ("content-empty", "The content is empty.", "content-form"), FORM, |_, _| pad(Vec::new()))?;
    wrong(room, ("content-cut", "The content is cut off.", "content-form"), FORM, |_, mut content| {
        content.truncate(content.len() - 3);
        pad(content)
    })?;
    wrong(
        room,
        ("content-without-body", "The content has an id and a time, and nothing to show.", "content-form"),
        FORM,
        |scene, _| {
            let id = scene.uuid("an id").to_string();
            pad(Content { message_id: id, sent_at: SENT_AT, group: None, body: None }.encode_to_vec())
        },
    )?;
    wrong(room, ("content-unknown-body", "The content is of a kind that there is not.", "content-form"), FORM, |scene, _| {
        let id = scene.uuid("an id").to_string();
        let bare = Content { message_id: id, sent_at: SENT_AT, group: None, body: None }.encode_to_vec();
        // Number 30, whose key takes two bytes.
        pad([bare, vec![0xf2, 0x01, 0x02, 0x68, 0x69]].concat())
    })?;
    wrong(room, ("content-not-utf8", "The text is not UTF-8.", "content-form"), FORM, |scene, _| {
        let id = scene.uuid("an id").to_string();
        let bare = Content { message_id: id, sent_at: SENT_AT, group: None, body: None }.encode_to_vec();
        pad([bare, field(10, &field(1, &[0xc3, 0x28]))].concat())
    })?;
    wrong(room, ("content-without-id", "The content has no id.", "content-id"), FORM, |_, _| {
        pad(field(10, &field(1, b"hello")))
    })?;
    wrong(room, ("content-id-no-uuid", "The id of the content is no UUID.", "content-id"), FORM, |_, _| {
        pad([field(1, b"message 7"), field(10, &field(1, b"hello"))].concat())
    })
}
