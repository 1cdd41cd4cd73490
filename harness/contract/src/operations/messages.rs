//! Arguments and answers of the operations.

use crate::seen::{Seen, UserContent};
use crate::{Bytes, InstanceId, StanzaId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
        )*
    };
}

messages! {
    /// Nothing to say beyond success.
    Done {}

    /// Arguments of `describe`.
    Describe {}

    /// Arguments of `open`.
    Open {
        /// The new instance; the candidate is told of no other name for it.
        instance: InstanceId,
        /// Base URL of this instance's gateway, without a slash at the end. In process it is `memory:`, and requests go over the
        /// in-memory transport.
        gateway: String,
        /// Certificates to trust for `https:` and `wss:` at the gateway, in place of those that the client trusts otherwise: PEM,
        /// one after another. Absent where the client's own are meant, or where there is no TLS.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trust_anchors: Option<String>,
        /// The instance's time now: milliseconds since the Unix epoch. Virtual for a candidate with `virtual-clock`.
        clock: u64,
    }

    /// Arguments of `close`.
    Close {
        /// Which instance.
        instance: InstanceId,
    }

    /// Arguments of `create_user`.
    CreateUser {
        /// Which instance.
        instance: InstanceId,
        /// The user's name.
        user: UserId,
        /// How many one-time prekeys to publish, of each kind (EC and Kyber); a refill publishes as many again. At most 100.
        one_time_prekeys: u32,
    }

    /// Answer of `create_user`.
    Created {
        /// The user's identity key, 33 bytes (0x05 and the Curve25519 key).
        identity_key: Bytes,
    }

    /// Arguments of `delete_user`.
    DeleteUser {
        /// Which instance.
        instance: InstanceId,
        /// Which user.
        user: UserId,
    }

    /// Arguments of `connect`.
    Connect {
        /// Which instance.
        instance: InstanceId,
        /// Which user.
        user: UserId,
    }

    /// Arguments of `disconnect`.
    Disconnect {
        /// Which instance.
        instance: InstanceId,
        /// Which user.
        user: UserId,
    }

    /// Arguments of `send`.
    Send {
        /// Which instance.
        instance: InstanceId,
        /// Who sends.
        user: UserId,
        /// To whom.
        to: UserId,
        /// The stanza id to use; it becomes the message id too.
        stanza: StanzaId,
        /// What to send.
        content: UserContent,
    }

    /// Arguments of `events`.
    Events {
        /// Which instance.
        instance: InstanceId,
        /// Which user.
        user: UserId,
        /// Answer only what has a greater `seq`; 0 for all.
        after: u64,
        /// How long to wait for a first event, in milliseconds; 10,000 at most.
        wait_ms: u32,
    }

    /// Answer of `events`.
    EventList {
        /// In order of `seq`, at most 256; the rest is fetched with another call.
        events: Vec<Seen>,
    }

    /// Arguments of `settle`.
    Settle {
        /// Which instance.
        instance: InstanceId,
        /// Which user.
        user: UserId,
        /// The stanza delivered to this user that must be processed.
        through: StanzaId,
    }

    /// Arguments of `fetch_keys`.
    FetchKeys {
        /// Which instance.
        instance: InstanceId,
        /// Who fetches.
        user: UserId,
        /// Whose keys.
        of: UserId,
    }

    /// Answer of `fetch_keys`.
    Fetched {
        /// The peer's identity key, 33 bytes.
        identity_key: Bytes,
    }

    /// Arguments of `rotate_keys`.
    RotateKeys {
        /// Which instance.
        instance: InstanceId,
        /// Whose keys.
        user: UserId,
        /// Make a new signed prekey.
        signed: bool,
        /// Make a new last-resort Kyber prekey.
        kyber: bool,
        /// Publish this many further one-time prekeys of each kind.
        one_time_prekeys: u32,
    }

    /// Arguments of `verify_identity`.
    VerifyIdentity {
        /// Which instance.
        instance: InstanceId,
        /// Who looks.
        user: UserId,
        /// At whose identity.
        peer: UserId,
    }

    /// Answer of `verify_identity`.
    SafetyNumber {
        /// 60 decimal digits without spaces.
        digits: String,
    }

    /// Arguments of `accept_identity`.
    AcceptIdentity {
        /// Which instance.
        instance: InstanceId,
        /// Who accepts.
        user: UserId,
        /// Whose new key.
        peer: UserId,
    }

    /// Arguments of `block`.
    Block {
        /// Which instance.
        instance: InstanceId,
        /// Who blocks.
        user: UserId,
        /// Whom.
        peer: UserId,
        /// True blocks, false ends it.
        blocked: bool,
    }

    /// Arguments of `advance_clock`.
    AdvanceClock {
        /// Which instance.
        instance: InstanceId,
        /// By how much, in milliseconds.
        by_ms: u64,
    }
}
