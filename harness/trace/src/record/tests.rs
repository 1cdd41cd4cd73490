//! A record survives being written, cut off, and is refused when altered.

use super::*;
use crate::{Blobs, Body, Digest, Entry, Event, Input, InstanceResult};
use proptest::prelude::*;

fn header() -> Header {
    Header {
        record: RECORD_VERSION,
        countersign: "0.1.0".into(),
        started: "2026-11-23T00:00:00Z".into(),
        profile: "dma-basic".into(),
        target: "builtin".into(),
        carrier: "in-process".into(),
        seed_commitment: Digest::of(b"seed"),
        jobs: 2,
        only: vec![],
        suite: Digest::of(b""),
        expected_failures: vec![],
        waivers: vec![],
    }
}

fn written(folder: &std::path::Path) -> Vec<u8> {
    let mut writer = RecordWriter::create(folder).unwrap();
    writer.append(&Line::Header(header())).unwrap();
    writer.append(&Line::Suite(SuiteFiles { files: vec![SuiteFile { path: "a".into(), text: "é\n".into() }] })).unwrap();
    writer.append(&Line::Note(Note { text: "the candidate was started again".into() })).unwrap();
    writer.append(&Line::Plan(Plan { selected: vec!["e2ee/x".into()], left_out: vec![], filtered: 0 })).unwrap();
    let blobs: Blobs = [(Digest::of(b"long"), bytes::Bytes::from_static(b"long"))].into();
    writer.store(&blobs).unwrap();
    std::fs::read(folder.join(RECORD_FILE)).unwrap()
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("countersign-record-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

proptest! {
    #[test]
    fn a_record_cut_off_anywhere_still_reads_as_far_as_it_goes(cut in 0.0f64..1.0) {
        let bytes = written(&folder("cut"));
        let first_line = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a position in a small file")]
        let end = first_line + ((bytes.len() - first_line) as f64 * cut) as usize;
        let record = Record::parse(&bytes[..end]).unwrap();
        prop_assert_eq!(record.cut_off, bytes[end - 1] != b'\n');
    }

    #[test]
    fn any_flipped_bit_is_noticed(position in 0.0f64..1.0, bit in 0u8..8) {
        let mut bytes = written(&folder("flip"));
        let whole = Record::parse(&bytes).unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a position in a small file")]
        let at = ((bytes.len() - 1) as f64 * position) as usize;
        bytes[at] ^= 1 << bit;
        // The very last line feed is no part of a line: without it the last line counts as cut off.
        match Record::parse(&bytes) {
            Err(_) => {}
            Ok(record) => prop_assert!(record.cut_off && record != whole),
        }
    }

    #[test]
    fn rubbish_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Record::parse(&bytes);
    }
}

#[test]
fn notes_are_kept_and_stand_behind_the_header() {
    assert_eq!(Record::parse(&written(&folder("notes"))).unwrap().notes, ["the candidate was started again"]);
    let mut writer = RecordWriter::create(&folder("early")).unwrap();
    writer.append(&Line::Note(Note { text: String::new() })).unwrap();
    let bytes = std::fs::read(folder("early").join(RECORD_FILE)).unwrap();
    assert!(matches!(Record::parse(&bytes), Err(RecordError::Order { line: 1, .. })));
}

#[test]
fn lines_out_of_order_are_refused() {
    let mut writer = RecordWriter::create(&folder("order")).unwrap();
    writer.append(&Line::Header(header())).unwrap();
    writer.append(&Line::Header(header())).unwrap();
    let bytes = std::fs::read(folder("order").join(RECORD_FILE)).unwrap();
    assert!(matches!(Record::parse(&bytes), Err(RecordError::Order { line: 2, .. })));
    assert!(matches!(Record::parse(b""), Err(RecordError::Empty)));
}

#[test]
fn long_bodies_are_read_an_instance_at_a_time_and_checked() {
    let (sent, made) = (vec![7; 2_000_000], vec![8; 100_000]);
    let mut blobs = Blobs::new();
    let body = Body::new(&sent, &mut blobs);
    let ours = Body::noted(&made.into(), &blobs);
    let event = |event| Entry { n: 0, at_us: 0, event };
    let request = Input::Request { request: 1, method: "PUT".into(), path: "/media".into(), token: None, body };
    let reply =
        Event::Reply { request: 1, status: 200, content_type: "application/octet-stream".into(), body: ours, disturbed: false };
    let instance = InstanceResult {
        instance: countersign_contract::InstanceId(uuid::Uuid::nil()),
        seed: Digest([0; 32]),
        scenario: "media/x".into(),
        case: None,
        trace: vec![event(Event::Input(request)), event(reply)],
        checks: vec![],
        verdict: crate::Verdict::Pass,
        wall_us: 0,
        own_us: 0,
        crypto_us: 0,
    };
    let folder = folder("bodies");
    RecordWriter::create(&folder).unwrap().store(&blobs).unwrap();
    let beside = BlobFolder::beside(&folder.join(RECORD_FILE));
    // What we made ourselves may be missing, and what the candidate sent comes whole.
    assert_eq!(beside.of(&instance).unwrap(), blobs);
    let mut record = Record::parse(&written(&folder)).unwrap();
    RecordWriter::create(&folder).unwrap().store(&blobs).unwrap();
    record.instances.push(instance);
    assert!(beside.shown(&record).unwrap().values().all(|head| head[..] == sent[..4096]));
    let file = folder.join(BLOBS_FOLDER).join(blobs.keys().next().unwrap().to_string());
    std::fs::write(&file, b"altered").unwrap();
    assert!(matches!(beside.of(&record.instances[0]), Err(RecordError::Blob { .. })));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(beside.shown(&record), Err(RecordError::Blob { .. })));
}
