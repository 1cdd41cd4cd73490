//! Signal messages as their fields, read without any key and without libsignal; and how to bend exactly one of them.
//!
//! ```text
//! prekey message   version byte || protobuf { 1 prekey id, 2 base key, 3 identity key, 4 message, 5 registration id,
//!                                             6 signed prekey id, 7 Kyber prekey id, 8 Kyber ciphertext }
//! normal message   version byte || protobuf { 1 ratchet key, 2 counter, 3 previous counter, 4 ciphertext, 5 pq_ratchet,
//!                                             6 addresses } || MAC, 8 bytes
//! ```
//! The `message` of a prekey message is a whole normal message. The MAC covers the version byte and the protobuf of that.

mod field;
mod message;
mod pq_ratchet;
mod protobuf;
mod sender_key;
mod tamper;

pub use field::{Field, Layer, UnknownField};
pub use message::{Message, NormalMessage, PrekeyMessage, ProtobufError, WireError, parse};
pub use pq_ratchet::{BadPqRatchet, PqRatchet};
pub(crate) use protobuf::{Value, walk, write_bytes};
pub use sender_key::{SENDER_KEY_FIELDS, SenderKeyTamperError, tamper_sender_key_message};
pub use tamper::{How, TamperError, tamper, tamper_named};
