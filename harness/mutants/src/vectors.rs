//! Which mutants fail which stored vectors, and which classes of bugs have no mutant.

use crate::MutantError;
use countersign_sample::Defect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The data file.
pub const VECTORS: &str = include_str!("../vectors.yaml");

/// What is known of one kind of vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VectorKills {
    /// The kind.
    pub kind: String,
    /// By mutant: names of exactly the vectors of that kind that it fails.
    pub kills: BTreeMap<String, BTreeSet<String>>,
    /// Flags of vectors that no mutant fails, and why there is none.
    #[serde(default)]
    pub without_mutant: BTreeMap<String, String>,
}

/// The file of what mutants fail among stored vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// By kind.
    pub kinds: Vec<VectorKills>,
}

/// What mutants fail among stored vectors, by kind.
///
/// # Errors
/// See [`MutantError`].
pub fn vector_kills() -> Result<Vec<VectorKills>, MutantError> {
    let file: VectorFile = serde_saphyr::from_str(VECTORS).map_err(|e| MutantError::Form(format!("of vectors: {e}")))?;
    let unknown = file.kinds.iter().flat_map(|kind| kind.kills.keys()).find(|id| id.parse::<Defect>().is_err());
    unknown.map_or(Ok(()), |id| Err(MutantError::Switch(id.clone())))?;
    Ok(file.kinds)
}

impl VectorKills {
    /// Mutants that fail one of these vectors.
    #[must_use]
    pub fn killers(&self, vectors: &BTreeSet<&str>) -> Vec<&str> {
        let fails = |of: &BTreeSet<String>| of.iter().any(|vector| vectors.contains(vector.as_str()));
        self.kills.iter().filter(|(_, of)| fails(of)).map(|(mutant, _)| mutant.as_str()).collect()
    }

    /// The table of this kind, as Markdown: by flag, its vectors and the mutants that fail one of them, or the reason for none.
    #[must_use]
    pub fn table(&self, flags: &BTreeMap<&str, BTreeSet<&str>>) -> String {
        let mut text = format!("\n## {}\n\n| class of bugs | vectors | mutants killed |\n|---|---|---|\n", self.kind);
        for (flag, vectors) in flags {
            let killers = self.killers(vectors).join(", ");
            let reason = self.without_mutant.get(*flag).map(|reason| format!("none: {reason}"));
            let names: Vec<&str> = vectors.iter().copied().collect();
            let _ = writeln!(text, "| **{flag}** | {} | {} |", names.join(", "), reason.unwrap_or(killers));
        }
        text
    }
}
