//! The OpenAPI documents are checked in. `COUNTERSIGN_BLESS=1 cargo test -p countersign-contract` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test")]

use countersign_contract::openapi;
use std::path::Path;

fn checked_in(name: &str, document: &serde_json::Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(name);
    let text = serde_json::to_string_pretty(document).unwrap() + "\n";
    let on_disk = std::fs::read_to_string(&path).unwrap_or_default();
    if on_disk != text && std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
        return;
    }
    assert!(on_disk == text, "{name} is out of date: run with COUNTERSIGN_BLESS=1");
}

#[test]
fn upper_tester_is_up_to_date() {
    checked_in("upper-tester.json", &openapi::upper_tester());
}

#[test]
fn gateway_is_up_to_date() {
    checked_in("gateway.json", &openapi::gateway());
}
