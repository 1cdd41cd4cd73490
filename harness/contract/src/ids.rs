//! Names of users, stanzas and instances: all UUIDs, so that nothing can be read from one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": "uuid" })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id! {
    /// A user. UUIDs, since current Signal code binds both names into the first message only when they are service ids.
    UserId
}
id! {
    /// One stanza on the chat channel. Whoever sends the stanza chooses the id; the gateway refuses an id that it has seen.
    StanzaId
}
id! {
    /// One execution of one scenario: random, so that a candidate cannot tell which test it is in.
    InstanceId
}

id! {
    /// A group. Whoever creates it chooses the id; the gateway refuses one that it has seen.
    GroupId
}

/// The id of a message as users refer to it in replies, reactions, edits, deletions and receipts: the id of the stanza that
/// first carried it.
pub type MessageId = StanzaId;
