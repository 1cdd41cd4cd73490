//! Writes the seeds of every target into a folder, for the guided engine: `seeds FOLDER`.

#![expect(clippy::expect_used, reason = "a run that cannot go on must stop")]

use countersign_fuzz::TARGETS;
use std::path::Path;

fn main() {
    let folder = std::env::args().nth(1).expect("the folder to write to");
    for target in TARGETS {
        let folder = Path::new(&folder).join(target.name);
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed).expect("the folder can be written to");
        }
    }
}
