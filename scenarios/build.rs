//! New data files are built in as soon as they are there.

#[expect(clippy::print_stdout, reason = "that is how a build script talks to Cargo")]
fn main() {
    for folder in ["e2ee", "keys", "media", "timing", "requirements", "profiles"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
