//! Signal's messages as fields. Read strictly; written field by field, so that any of them can be bent before the MAC is made.
//!
//! ```text
//! prekey message   version byte || protobuf { 1 prekey id, 2 base key, 3 identity key, 4 message, 5 registration id,
//!                                             6 signed prekey id, 7 Kyber prekey id, 8 Kyber ciphertext }
//! message          version byte || protobuf { 1 ratchet key, 2 counter, 3 previous counter, 4 ciphertext, 5 pq_ratchet,
//!                                             6 addresses } || MAC, 8 bytes
//! sender key       version byte || protobuf { 1 distribution, 2 chain id, 3 iteration, 4 ciphertext } || signature, 64 bytes
//! its distribution version byte || protobuf { 1 distribution, 2 chain id, 3 iteration, 4 chain key, 5 signing key }
//! ```

mod fields;
mod messages;

pub(crate) use fields::{Fields, Read, Value};
pub(crate) use messages::{PrekeyMessage, SignalMessage, distribution, envelope, group, inner, outer, sealed};
