//! Encrypted files, and the messages that name them.

use super::room::{Room, SENT_AT, With};
use super::{GenerateError, Sheet};
use crate::file::StoredFile;
use aes::Aes256;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockEncryptMut as _, KeyIvInit as _};
use countersign_contract::claims::{Feature, Suite};
use countersign_contract::content::{Attachment, Content, attachment};
use countersign_contract::media::{KEY_BYTES, OKM_BYTES, info};
use countersign_contract::seen::{FileRef, MediaKind, UserContent};
use countersign_contract::{Bytes, Reason};
use countersign_reference::media::seal;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "digest-not-checked",
        "The digest in the message is not compared with the file's.",
        "The server exchanges one file for another.",
    ),
    (
        "file-mac-not-checked",
        "The file is decrypted although its authentication code does not match.",
        "Whoever stores files changes them, or learns from the way in which decryption fails.",
    ),
    ("file-kind", "The keys of a file are not derived for its kind.", "A file of one kind is passed off as another."),
    ("file-length", "The stated length is not compared with the file's.", "Something is cut off, or appended."),
    (
        "file-padding",
        "The padding of the cipher is not checked, or not before the file is shown.",
        "Two clients see different files.",
    ),
    ("file-form", "A blob that cannot be one is given to the cipher.", "Crashes."),
    (
        "file-missing",
        "The answer of a failed download is taken for the file.",
        "An empty picture is shown in place of what was sent.",
    ),
    (
        "file-name",
        "A name that is more than a name is used as it is, or repaired.",
        "Files are written where the sender wants them.",
    ),
    ("file-type", "Any text is taken for a media type.", "What handles the file is chosen by the sender."),
    ("file-lengths", "Files of some lengths are not read to their end.", "Files arrive damaged."),
];

const DIGEST: &[Reason] = &[Reason::BadDigest];
const MAC: &[Reason] = &[Reason::BadMac];
const FORM: &[Reason] = &[Reason::Malformed];
const FORM_OR_MAC: &[Reason] = &[Reason::Malformed, Reason::BadMac];
const MISSING: &[Reason] = &[Reason::MediaMissing];

const PEER: &str = "dave";

/// Everything about one file that a vector may change.
struct Parts {
    kind: MediaKind,
    plaintext: Vec<u8>,
    blob: Vec<u8>,
    key: [u8; KEY_BYTES],
    digest: Vec<u8>,
    length: u64,
    mime: &'static str,
    name: &'static str,
    stored: bool,
    stated_kind: attachment::Kind,
    stated_key: Vec<u8>,
}

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    let mut room = Room::new("media-blob", "blobs", Suite::SignalPq, 1)?;
    room.add_library_peer(PEER);
    honest(&mut room)?;
    bent(&mut room)?;
    Sheet {
        kind: "media-blob",
        name: "blobs",
        title: "Encrypted files and the messages that name them, with and without faults.",
        source: "Countersign contract 1.0, module media (ours, after the media format of an open-source client of the gatekeeper)",
        flags: FLAGS.to_vec(),
        groups: vec![room.group()],
    }
    .write(files)
}

fn feature(kind: MediaKind) -> Feature {
    match kind {
        MediaKind::Image => Feature::Image,
        MediaKind::Video => Feature::Video,
        MediaKind::Voice => Feature::Voice,
        MediaKind::File => Feature::File,
    }
}

/// One file between honest messages.
fn file(
    room: &mut Room,
    (id, comment, flag, requirement): (&str, &str, &str, &str),
    (kind, length): (MediaKind, usize),
    reasons: &[Reason],
    bend: impl FnOnce(&mut Parts),
) -> Result<(), GenerateError> {
    let mut scene = room.scene(id, comment, &[flag], &[requirement]);
    scene.needs(feature(kind));
    scene.begin(PEER, With::FIRST, &[])?;
    scene.say(PEER, "before")?;
    let stanza = scene.next_stanza();
    let mut rng = scene.rng("file");
    let key: [u8; KEY_BYTES] = rng.random();
    let plaintext: Vec<u8> = (0..length).map(|_| rng.random()).collect();
    let sealed = seal(kind, &key, &plaintext);
    let mut parts = Parts {
        kind,
        blob: sealed.blob,
        key,
        digest: sealed.digest.to_vec(),
        length: plaintext.len() as u64,
        mime: "application/octet-stream",
        name: "file.bin",
        stored: true,
        stated_kind: kind.into(),
        stated_key: key.to_vec(),
        plaintext,
    };
    bend(&mut parts);
    let path = format!("/media/{}", scene.uuid("path"));
    let content = UserContent::Media {
        media: kind,
        mime: parts.mime.to_owned(),
        name: parts.name.to_owned(),
        file: FileRef {
            url: None,
            sha256: Bytes(Sha256::digest(&parts.plaintext).to_vec()),
            length: parts.plaintext.len() as u64,
        },
    };
    let attachment = Attachment {
        kind: parts.stated_kind.into(),
        url: path.clone(),
        key: parts.stated_key,
        digest: parts.digest,
        length: parts.length,
        mime: parts.mime.to_owned(),
        name: parts.name.to_owned(),
    };
    let padded = Content::from_user(stanza, SENT_AT, &content, Some(attachment)).map(|c| c.to_padded()).unwrap_or_default();
    if parts.stored {
        scene.files.push(StoredFile { of: PEER.to_owned(), path, bytes: Bytes(parts.blob) });
    }
    let made = scene.raw(PEER, stanza, content, &padded, &[])?;
    if reasons.is_empty() {
        scene.valid(made);
    } else {
        scene.invalid(made, reasons);
    }
    scene.say(PEER, "after")?;
    room.add(scene);
    Ok(())
}

fn honest(room: &mut Room) -> Result<(), GenerateError> {
    for kind in MediaKind::ALL {
        let id = format!("honest-{}", kind.as_str());
        let comment = "A file, whole and with the right keys.";
        file(room, (&id, comment, "file-kind", "MED-03"), (kind, 100), &[], |_| {})?;
    }
    for length in [0, 1, 15, 16, 17, 31, 32, 1000] {
        let id = format!("length-{length}");
        let comment = "A file of a length around the blocks of the cipher.";
        file(room, (&id, comment, "file-lengths", "MED-11"), (MediaKind::Image, length), &[], |_| {})?;
    }
    let row = ("name-empty", "A file without a name.", "file-name", "MED-14");
    file(room, row, (MediaKind::File, 20), &[], |parts| parts.name = "")
}

fn flip(bytes: &mut [u8], at: usize) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
}

/// With the digest of what is there, so that only what follows can tell.
fn digested(parts: &mut Parts) {
    parts.digest = Sha256::digest(&parts.blob).to_vec();
}

fn bent(room: &mut Room) -> Result<(), GenerateError> {
    let image = (MediaKind::Image, 100);
    let row = ("digest-flipped", "The digest in the message is another one.", "digest-not-checked", "MED-02");
    file(room, row, image, DIGEST, |p| flip(&mut p.digest, 0))?;
    let row = ("blob-flipped", "A bit of the stored file is flipped.", "digest-not-checked", "MED-02");
    file(room, row, image, DIGEST, |p| flip(&mut p.blob, 3))?;
    let row = ("blob-cut", "The stored file is cut off.", "digest-not-checked", "MED-08");
    file(room, row, image, DIGEST, |p| p.blob.truncate(60))?;
    let row = ("blob-extended", "A byte follows the stored file.", "digest-not-checked", "MED-02");
    file(room, row, image, DIGEST, |p| p.blob.push(0))?;
    let row = ("digest-short", "The digest in the message is cut off.", "digest-not-checked", "MED-02");
    file(room, row, image, &[Reason::BadDigest, Reason::Malformed], |p| p.digest.truncate(16))?;
    let row = (
        "ciphertext-flipped",
        "A bit of the ciphertext is flipped, and the digest is that of the file.",
        "file-mac-not-checked",
        "MED-01",
    );
    file(room, row, image, MAC, |p| {
        flip(&mut p.blob, 3);
        digested(p);
    })?;
    let row = (
        "mac-flipped",
        "The last bit of the authentication code is flipped, and the digest is that of the file.",
        "file-mac-not-checked",
        "MED-01",
    );
    file(room, row, image, MAC, |p| {
        let last = p.blob.len() - 1;
        flip(&mut p.blob, last);
        digested(p);
    })?;
    let row = (
        "mac-cut",
        "Of the authentication code only ten bytes stand there, and the digest is that of the file.",
        "file-mac-not-checked",
        "MED-01",
    );
    file(room, row, image, FORM_OR_MAC, |p| {
        p.blob.truncate(p.blob.len() - 22);
        digested(p);
    })?;
    let row = ("other-key", "The key in the message is another one.", "file-mac-not-checked", "MED-01");
    file(room, row, image, MAC, |p| flip(&mut p.stated_key, 0))?;
    let row = ("key-short", "The key in the message is a byte too short.", "file-form", "MED-01");
    file(room, row, image, FORM_OR_MAC, |p| p.stated_key.truncate(31))?;
    let row = ("other-kind", "The file is encrypted as one of another kind than the message says.", "file-kind", "MED-12");
    file(room, row, image, MAC, |p| {
        p.blob = seal(MediaKind::Video, &p.key, &p.plaintext).blob;
        digested(p);
    })?;
    let row = ("no-kind", "The message names no kind of file.", "file-kind", "MED-12");
    file(room, row, image, FORM_OR_MAC, |p| p.stated_kind = attachment::Kind::Unspecified)?;
    let row = ("length-longer", "The stated length is a byte more than the file's.", "file-length", "MED-07");
    file(room, row, image, FORM, |p| p.length += 1)?;
    let row = ("length-shorter", "The stated length is a byte less than the file's.", "file-length", "MED-07");
    file(room, row, image, FORM, |p| p.length -= 1)?;
    let row = ("length-largest", "The stated length is the largest that can be written.", "file-length", "MED-07");
    file(room, row, image, &[Reason::Malformed, Reason::TooLarge], |p| p.length = u64::MAX)?;
    for (id, comment, last) in [
        ("padding-zero", "Under digest and authentication code, the cipher's padding ends in 0.", 0),
        ("padding-long", "Under digest and authentication code, the cipher's padding states 17 bytes.", 17),
        ("padding-uneven", "Under digest and authentication code, the bytes of the cipher's padding differ.", 12),
    ] {
        file(room, (id, comment, "file-padding", "MED-07"), image, FORM, |p| {
            let mut blocks = p.plaintext.clone();
            blocks.resize(112, 0xee);
            blocks.iter_mut().rev().take(1).for_each(|byte| *byte = last);
            p.blob = sealed_blocks(p.kind, &p.key, &blocks);
            digested(p);
        })?;
    }
    let row = ("blob-empty", "The stored file is empty.", "file-form", "MED-08");
    file(room, row, image, FORM_OR_MAC, |p| {
        p.blob.clear();
        digested(p);
    })?;
    let row = ("blob-mac-alone", "The stored file is an authentication code over nothing.", "file-form", "MED-08");
    file(room, row, image, FORM, |p| {
        p.blob = sealed_blocks(p.kind, &p.key, &[]);
        digested(p);
    })?;
    let row = ("blob-missing", "There is no such file at the gateway.", "file-missing", "MED-06");
    file(room, row, image, MISSING, |p| p.stored = false)?;
    for (id, name) in [
        ("name-path", "../../etc/passwd"),
        ("name-line-feed", "a\nb.png"),
        ("name-direction", "photo\u{202e}gnp.exe"),
        ("name-dots", ".."),
    ] {
        let comment = "The name of the file is more than a name.";
        file(room, (id, comment, "file-name", "MED-14"), (MediaKind::File, 20), FORM, |p| p.name = name)?;
    }
    for (id, mime) in [("type-none", ""), ("type-no-slash", "png"), ("type-line-feed", "image/png\r\nX: y")] {
        let comment = "The media type is none by its form.";
        file(room, (id, comment, "file-type", "MED-15"), (MediaKind::File, 20), FORM, |p| p.mime = mime)?;
    }
    Ok(())
}

/// Whole blocks, encrypted as they are, and the right authentication code.
fn sealed_blocks(kind: MediaKind, key: &[u8; KEY_BYTES], blocks: &[u8]) -> Vec<u8> {
    let mut okm = [0; OKM_BYTES];
    // 112 bytes can always be derived.
    let _ = Hkdf::<Sha256>::new(None, key).expand(&info(kind), &mut okm);
    let (iv, rest) = okm.split_at(16);
    let (cipher_key, rest) = rest.split_at(32);
    let (mac_key, _) = rest.split_at(32);
    let Ok(cipher) = cbc::Encryptor::<Aes256>::new_from_slices(cipher_key, iv) else { return Vec::new() };
    let mut blob = cipher.encrypt_padded_vec_mut::<NoPadding>(blocks);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(mac_key) else { return Vec::new() };
    mac.update(iv);
    mac.update(&blob);
    blob.extend_from_slice(&mac.finalize().into_bytes());
    blob
}
