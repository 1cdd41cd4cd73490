//! The kinds of vectors. Each is one folder of files, one schema, and one row here.

use crate::file::{BundleGroup, ConversationGroup, SafetyNumberGroup, VectorFile};
use schemars::schema_for;
use serde_json::Value;

/// How the vectors of a kind are laid out, and with it what a candidate does with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Messages arrive.
    Conversation,
    /// Keys are fetched.
    Bundle,
    /// A safety number is looked at.
    SafetyNumber,
}

/// A kind of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name: of the folder, and the first half of each vector's id.
    pub name: &'static str,
    /// What it is about.
    pub what: &'static str,
    /// How its files are laid out.
    pub shape: Shape,
}

impl Kind {
    /// Whether its vectors are about groups.
    #[must_use]
    pub fn has_groups(self) -> bool {
        self.name == "sender-keys"
    }

    /// Whether its vectors are about sealed messages.
    #[must_use]
    pub fn is_sealed(self) -> bool {
        self.name == "sealed-sender"
    }
}

/// Every kind there is.
pub const KINDS: [Kind; 10] = [
    Kind { name: "prekey-bundle", what: "prekey bundles, with and without faults", shape: Shape::Bundle },
    Kind { name: "x3dh", what: "first messages after X3DH", shape: Shape::Conversation },
    Kind { name: "pqxdh", what: "first messages after PQXDH", shape: Shape::Conversation },
    Kind { name: "double-ratchet", what: "conversations under the Double Ratchet", shape: Shape::Conversation },
    Kind { name: "spqr", what: "the first epoch of the post-quantum ratchet", shape: Shape::Conversation },
    Kind { name: "sender-keys", what: "messages to groups under sender keys", shape: Shape::Conversation },
    Kind { name: "sealed-sender", what: "sealed messages under senders' certificates", shape: Shape::Conversation },
    Kind { name: "safety-number", what: "safety numbers", shape: Shape::SafetyNumber },
    Kind { name: "content-padding", what: "the padding and form of contents", shape: Shape::Conversation },
    Kind { name: "media-blob", what: "encrypted files", shape: Shape::Conversation },
];

/// The kind of this name.
#[must_use]
pub fn kind(name: &str) -> Option<Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

/// The JSON Schema of each kind, by its name.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    KINDS
        .into_iter()
        .map(|kind| {
            let mut schema = match kind.shape {
                Shape::Conversation => schema_for!(VectorFile<ConversationGroup>),
                Shape::Bundle => schema_for!(VectorFile<BundleGroup>),
                Shape::SafetyNumber => schema_for!(VectorFile<SafetyNumberGroup>),
            }
            .to_value();
            let set = |place: Option<&mut Value>, value: Value| {
                if let Some(place) = place {
                    *place = value;
                }
            };
            set(schema.pointer_mut("/title"), format!("Vectors of the kind {}", kind.name).into());
            set(schema.pointer_mut("/properties/kind"), serde_json::json!({ "const": kind.name }));
            set(schema.pointer_mut("/properties/version"), serde_json::json!({ "const": crate::file::VERSION }));
            (kind.name, schema)
        })
        .collect()
}
