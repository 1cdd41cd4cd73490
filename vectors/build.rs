//! New vectors are built in as soon as they are there.

fn main() {
    println!("cargo:rerun-if-changed=files");
    println!("cargo:rerun-if-changed=profiles");
}
