//! Writes pages made from a record that holds every verdict, to be looked at and to be examined for accessibility:
//! `cargo run -p countersign-reports --example specimen -- FOLDER`.

#[path = "../tests/specimen/hostile.rs"]
mod hostile_record;
#[path = "../tests/specimen/mod.rs"]
mod specimen;

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    std::fs::create_dir_all(&folder)?;
    for (name, make) in specimen::ALL {
        std::fs::write(folder.join(format!("{name}.html")), countersign_reports::html(&make().view()))?;
    }
    let hostile = hostile_record::hostile("<script>alert(1)</script>\u{1b}[31m\u{202e}&\"'");
    std::fs::write(folder.join("hostile.html"), countersign_reports::html(&hostile.view()))?;
    Ok(())
}
