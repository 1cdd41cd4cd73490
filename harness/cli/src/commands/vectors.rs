//! `countersign vectors`.

use crate::args::Generate;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_vectors::KINDS;
use countersign_vectors::generate::generate as make;
use std::collections::BTreeSet;
use std::path::Path;

pub(crate) fn generate(args: &Generate) -> Result<Exit, Fault> {
    let made = make().map_err(|error| Fault::Builtin(error.to_string()))?;
    let mut differing: BTreeSet<String> = left_over(&args.folder, |path| made.contains_key(path))?;
    for (path, text) in &made {
        let file = args.folder.join(path);
        let there = match std::fs::read_to_string(&file) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(cause) => return Err(Fault::Write { path: file, cause }),
        };
        if there.as_ref() == Some(text) {
            continue;
        }
        if !args.check {
            let folder = file.parent().unwrap_or(&args.folder);
            std::fs::create_dir_all(folder).map_err(|cause| Fault::Write { path: folder.to_owned(), cause })?;
            std::fs::write(&file, text).map_err(|cause| Fault::Write { path: file.clone(), cause })?;
        }
        differing.insert(path.clone());
    }
    if differing.is_empty() {
        if !output::quiet() {
            output::data(&format!("{} files are as the generator makes them", made.len()))?;
        }
        return Ok(Exit::Conforms);
    }
    if args.check {
        return Err(Fault::NotAsGenerated { folder: args.folder.clone(), files: differing.into_iter().collect() });
    }
    output::data(&differing.iter().map(|path| format!("wrote {path}")).collect::<Vec<_>>().join("\n"))?;
    Ok(Exit::Conforms)
}

/// Files in the folders of the kinds that the generator does not make.
fn left_over(folder: &Path, made: impl Fn(&str) -> bool) -> Result<BTreeSet<String>, Fault> {
    let mut found = BTreeSet::new();
    for kind in KINDS {
        let Ok(entries) = std::fs::read_dir(folder.join(kind.name)) else { continue };
        for entry in entries {
            let entry = entry.map_err(|cause| Fault::Read { path: folder.join(kind.name), cause })?;
            let path = format!("{}/{}", kind.name, entry.file_name().to_string_lossy());
            if path.ends_with(".json") && !made(&path) {
                found.insert(path);
            }
        }
    }
    Ok(found)
}
