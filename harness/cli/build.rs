//! Changed skeletons of candidates are built in as soon as they are there.

fn main() {
    println!("cargo:rerun-if-changed=../candidates/template");
    println!("cargo:rerun-if-changed=build.rs");
}
