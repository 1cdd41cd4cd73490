//! What is made from the run's seed: the seeds and names of instances.

use countersign_contract::InstanceId;
use sha2::{Digest as _, Sha256};

/// The seed of the instance of that name.
#[must_use]
pub fn seed(run: &[u8; 32], name: &str) -> [u8; 32] {
    countersign_instance::instance_seed(run, name)
}

/// The id of the instance of that name: a UUID of version 4. It tells a candidate nothing of which test it is in, for it does not
/// know the run's seed.
#[must_use]
pub fn instance(run: &[u8; 32], name: &str) -> InstanceId {
    countersign_instance::instance_id(&seed(run, name))
}

/// That many bytes as hexadecimal digits, at most 32.
pub(crate) fn hex(run: &[u8; 32], name: &str, bytes: usize) -> String {
    labelled("countersign probe", run, name).iter().take(bytes).map(|b| format!("{b:02x}")).collect()
}

fn labelled(label: &str, run: &[u8; 32], name: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(label.as_bytes());
    hash.update(run);
    hash.update(name.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_seeds_tell_instances_and_purposes_apart() {
        let run = [7; 32];
        assert_ne!(seed(&run, "a"), seed(&run, "b"));
        assert_ne!(seed(&run, "a"), seed(&[8; 32], "a"));
        assert_ne!(seed(&run, "a").get(..16), Some(instance(&run, "a").0.as_bytes().as_slice()));
        assert_eq!(instance(&run, "a"), instance(&run, "a"));
        assert_eq!(instance(&run, "a").0.get_version_num(), 4);
    }
}
