//! The JSON Schemas are checked in. `COUNTERSIGN_BLESS=1 cargo test -p countersign-scenarios` writes them anew.

use countersign_scenarios::schemas;
use std::path::Path;

#[test]
fn they_are_up_to_date() {
    for (name, schema) in schemas() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let on_disk = std::fs::read_to_string(&path).unwrap_or_default();
        if on_disk != text && std::env::var_os("COUNTERSIGN_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
            continue;
        }
        assert!(on_disk == text, "{name}.json is out of date: run with COUNTERSIGN_BLESS=1");
    }
}

#[test]
fn unknown_keys_are_errors_in_them_too() {
    let (_, scenario) = schemas().into_iter().find(|(name, _)| *name == "scenario").unwrap();
    assert_eq!(scenario["additionalProperties"], false);
    assert_eq!(scenario["required"].as_array().unwrap().len(), 6);
    assert_eq!(scenario["$defs"]["Send"]["additionalProperties"], false);
}
