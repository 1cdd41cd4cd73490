//! Writes pages made from a record that holds every verdict, to be looked at and to be examined for accessibility:
//! `cargo run -p countersign-reports --example specimen -- FOLDER`.

#[path = "../tests/specimen/mod.rs"]
mod specimen;

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    std::fs::create_dir_all(&folder)?;
    let hostile = "<script>alert(1)</script>\u{1b}[31m\u{202e}&\"'";
    for (name, specimen) in [
        ("every-verdict", specimen::every_verdict()),
        ("conforming", specimen::conforming()),
        ("killed", specimen::killed()),
        ("unhealthy", specimen::unhealthy()),
        ("hostile", specimen::hostile(hostile)),
    ] {
        std::fs::write(folder.join(format!("{name}.html")), countersign_reports::html(&specimen.view()))?;
    }
    Ok(())
}
