//! For tests: a record with a header and nothing else, and a failed instance without a trace.

use countersign_contract::InstanceId;
use countersign_trace::record::RECORD_VERSION;
use countersign_trace::{Digest, InstanceResult, Record, Verdict};
use serde_json::json;
use uuid::Uuid;

/// Read as from a file, so that members which are added to records need no change here.
pub(crate) fn record(instances: Vec<InstanceResult>) -> Record {
    let digest = Digest::of(b"");
    let line = json!({ "header": {
        "record": RECORD_VERSION, "countersign": "", "started": "", "profile": "", "target": "", "carrier": "",
        "seed_commitment": digest, "jobs": 1, "only": [], "suite": digest, "expected_failures": [],
    } });
    let line = line.to_string();
    let chain = Digest::of(format!("{}{line}", "0".repeat(64)).as_bytes());
    let mut record = Record::parse(format!("{{\"chain\":\"{chain}\",\"line\":{line}}}\n").as_bytes()).unwrap();
    record.instances = instances;
    record
}

pub(crate) fn instance(scenario: &str) -> InstanceResult {
    InstanceResult {
        scenario: scenario.into(),
        case: None,
        instance: InstanceId(Uuid::from_u128(1)),
        seed: Digest::of(b""),
        trace: vec![],
        verdict: Verdict::Fail,
        checks: vec![],
        wall_us: 1,
        own_us: 1,
        crypto_us: 1,
    }
}
