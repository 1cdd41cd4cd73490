//! Arguments and answers of the operations.

use crate::claims::Suite;
use crate::seen::{Seen, UserContent};
use crate::{Bytes, GroupId, InstanceId, StanzaId, UserId};
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
        /// Which suite all users of the instance speak. Absent for a candidate that claims one alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suite: Option<Suite>,
        /// The public key that senders' certificates must lead to, 33 bytes: see the module `sealed`. There for a candidate with the
        /// feature `sealed-sender`, in the suite `signal-pq`, and for no other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trust_root: Option<Bytes>,
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
        /// How many one-time prekeys to publish, of each kind that the suite has (EC, and Kyber in `signal-pq`); a refill publishes
        /// as many again. At most 100.
        one_time_prekeys: u32,
        /// The keys to enlist with, in place of new ones; no others are published then, and `one_time_prekeys` is 0. Only a
        /// candidate with the capability `import` is asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        import: Option<ImportedKeys>,
    }

    /// Keys of a test user, the private halves included. They are published with the vectors that use them and protect nothing.
    ImportedKeys {
        /// Registration id: 1 to 16380.
        registration_id: u32,
        /// Private identity key, 32 bytes.
        identity_private: Bytes,
        /// Signed prekey.
        signed_prekey: ImportedSignedPrekey,
        /// Last-resort Kyber prekey; there in `signal-pq`, and in no other suite.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kyber_prekey: Option<ImportedKyberPrekey>,
        /// One-time EC prekeys.
        one_time_prekeys: Vec<ImportedPrekey>,
        /// One-time Kyber prekeys; empty but for `signal-pq`.
        one_time_kyber_prekeys: Vec<ImportedKyberPrekey>,
    }

    /// A one-time EC prekey.
    ImportedPrekey {
        /// Its id.
        id: u32,
        /// Private key, 32 bytes.
        private: Bytes,
    }

    /// A signed EC prekey.
    ImportedSignedPrekey {
        /// Its id.
        id: u32,
        /// Private key, 32 bytes.
        private: Bytes,
        /// Signature by the identity key over the public key with its type byte, 64 bytes.
        signature: Bytes,
    }

    /// A Kyber prekey.
    ImportedKyberPrekey {
        /// Its id.
        id: u32,
        /// Public key, 1569 bytes: 0x08 and the round-3 Kyber-1024 key.
        public: Bytes,
        /// Private key, 3169 bytes: 0x08 and the round-3 Kyber-1024 key.
        private: Bytes,
        /// Signature by the identity key over all bytes of `public`, 64 bytes.
        signature: Bytes,
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
        /// Sends it as a `sealed-message`: see the module `sealed`. A candidate without the feature `sealed-sender` answers
        /// `unsupported`. Absent means false.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sealed: bool,
    }

    /// Arguments of `create_group`.
    CreateGroup {
        /// Which instance.
        instance: InstanceId,
        /// Who creates it, and is its first member.
        user: UserId,
        /// The id to use.
        group: GroupId,
        /// The other members, each once.
        members: Vec<UserId>,
    }
    /// Arguments of `change_group`.
    ChangeGroup {
        /// Which instance.
        instance: InstanceId,
        /// Which member changes it.
        user: UserId,
        /// Which group.
        group: GroupId,
        /// New members, each once.
        add: Vec<UserId>,
        /// Members to take out, each once.
        remove: Vec<UserId>,
    }
    /// Arguments of `send_to_group`.
    SendToGroup {
        /// Which instance.
        instance: InstanceId,
        /// Who sends.
        user: UserId,
        /// To which group.
        group: GroupId,
        /// The stanza id to use for the group message; it becomes the message id too.
        stanza: StanzaId,
        /// What to send: a text, a reply or a file.
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
