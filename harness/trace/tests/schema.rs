//! The schema of a record's lines is checked in. `COUNTERSIGN_BLESS=1 cargo test -p countersign-trace --test schema` writes it anew.

use std::path::Path;

#[test]
fn the_schema_of_the_record_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/record.json");
    let text = serde_json::to_string_pretty(&countersign_trace::record::schema()).unwrap() + "\n";
    let on_disk = std::fs::read_to_string(&path).unwrap_or_default();
    if on_disk != text && std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
        return;
    }
    assert!(on_disk == text, "record.json is out of date: run with COUNTERSIGN_BLESS=1");
}
