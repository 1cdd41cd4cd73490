//! The generator reproduces every file bit for bit, and the schemas are those of the code. `COUNTERSIGN_BLESS=1` writes both.

use countersign_vectors::generate::generate;
use countersign_vectors::{KINDS, builtin_files, schemas};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn bless() -> bool {
    std::env::var_os("COUNTERSIGN_BLESS").is_some()
}

#[test]
fn the_generator_reproduces_every_file() {
    let made = generate().unwrap();
    let mut there = BTreeMap::new();
    for kind in KINDS {
        for entry in std::fs::read_dir(root().join(kind.name)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{}/{}", kind.name, path.file_name().unwrap().to_str().unwrap());
            if bless() && !made.contains_key(&name) {
                std::fs::remove_file(path).unwrap();
                continue;
            }
            there.insert(name, std::fs::read_to_string(path).unwrap());
        }
    }
    if bless() {
        // A file that is written anew builds half of the workspace again, whether anything is new in it or not.
        for (path, text) in made.iter().filter(|(path, text)| there.get(*path) != Some(*text)) {
            std::fs::write(root().join(path), text).unwrap();
        }
        return;
    }
    assert_eq!(made.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (path, text) in &made {
        assert!(there[path] == *text, "{path} is not what the generator makes: COUNTERSIGN_BLESS=1 writes it anew");
    }
    assert_eq!(there, builtin_files(), "what is built in is not what lies in the folders");
}

#[test]
fn two_runs_of_the_generator_make_the_same() {
    assert!(generate().unwrap() == generate().unwrap());
}

#[test]
fn schemas_are_up_to_date() {
    let folder = root().join("schemas");
    let made: BTreeMap<String, String> = schemas()
        .into_iter()
        .map(|(name, schema)| (format!("{name}.json"), serde_json::to_string_pretty(&schema).unwrap() + "\n"))
        .collect();
    if bless() {
        for (name, text) in &made {
            std::fs::write(folder.join(name), text).unwrap();
        }
        return;
    }
    let there: BTreeMap<String, String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect();
    assert!(made == there, "the schemas are not those of the code: COUNTERSIGN_BLESS=1 writes them anew");
}
