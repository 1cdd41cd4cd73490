//! Plans and executes: doctor, carriers, many instances at once. Emits traces, never prints, never judges.

pub mod carrier;

pub use carrier::{Broken, Endpoint, Patience};
