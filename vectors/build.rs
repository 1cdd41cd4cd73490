//! New vectors are built in as soon as they are there.

fn main() {
    for folder in [
        "prekey-bundle",
        "x3dh",
        "pqxdh",
        "double-ratchet",
        "spqr",
        "sender-keys",
        "sealed-sender",
        "safety-number",
        "content-padding",
        "media-blob",
        "requirements",
        "profiles",
    ] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
