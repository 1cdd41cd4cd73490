//! New data files are built in as soon as they are there.

fn main() {
    for folder in [
        "adversary",
        "content",
        "e2ee",
        "groups",
        "keys",
        "life",
        "media",
        "pairs",
        "sealed",
        "timing",
        "requirements",
        "profiles",
    ] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
