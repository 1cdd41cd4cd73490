//! The one table of operations: carriers, samples and the OpenAPI document are all made from it.

use super::messages::*;
use crate::claims::Description;
use crate::{Problem, Reason};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;
use std::time::Duration;

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $variant:ident, $name:literal: $args:ident => $reply:ident, deadline $deadline:literal s, blocks $blocks:literal;)*) => {
        /// The name of an operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation { $($(#[doc = $doc])* $variant,)* }

        /// A call with its arguments.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Call { $($(#[doc = $doc])* $variant($args),)* }

        /// The answer of a call that succeeded.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "an answer lives for one call; only `describe` is large")]
        pub enum Answer { $($(#[doc = $doc])* $variant($reply),)* }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Operation] = &[$(Operation::$variant,)*];

            /// The name on the wire: the last path segment over HTTP, `op` on standard input.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $name,)* } }

            /// What it does.
            #[must_use]
            pub fn summary(self) -> String { match self { $(Self::$variant => join(&[$($doc,)*]),)* } }

            /// What a call waits for before it is answered.
            #[must_use]
            pub const fn blocks_on(self) -> &'static str { match self { $(Self::$variant => $blocks,)* } }

            /// How long we wait for an answer before we call the candidate stuck: an environment error, never a verdict.
            #[must_use]
            pub const fn deadline(self) -> Duration { match self { $(Self::$variant => Duration::from_secs($deadline),)* } }

            /// Schemas of arguments and answer, for the OpenAPI document.
            pub fn schemas(self, generator: &mut SchemaGenerator) -> (Schema, Schema) {
                match self { $(Self::$variant => (generator.subschema_for::<$args>(), generator.subschema_for::<$reply>()),)* }
            }

            /// Reads an answer of this operation.
            ///
            /// # Errors
            /// The position and cause if `value` is not an answer of this operation.
            pub fn parse_answer(self, value: Value) -> Result<Answer, serde_json::Error> {
                Ok(match self { $(Self::$variant => Answer::$variant(serde_json::from_value(value)?),)* })
            }
        }

        impl Call {
            /// Which operation this is.
            #[must_use]
            pub const fn operation(&self) -> Operation { match self { $(Self::$variant(_) => Operation::$variant,)* } }

            /// The arguments as JSON.
            #[must_use]
            pub fn args(&self) -> Value {
                match self { $(Self::$variant(args) => serde_json::to_value(args).unwrap_or(Value::Null),)* }
            }

            /// Reads a call.
            ///
            /// # Errors
            /// `unsupported` for an operation that does not exist, `malformed` for arguments that do not fit.
            pub fn parse(op: &str, args: Value) -> Result<Self, Problem> {
                match op {
                    $($name => serde_json::from_value(args).map(Self::$variant)
                        .map_err(|e| Problem::new(Reason::Malformed, format!("arguments of `{}`: {e}", $name))),)*
                    unknown => Err(Problem::unsupported(unknown)),
                }
            }
        }

        impl Answer {
            /// Which operation this answers.
            #[must_use]
            pub const fn operation(&self) -> Operation { match self { $(Self::$variant(_) => Operation::$variant,)* } }

            /// The answer as JSON.
            #[must_use]
            pub fn to_value(&self) -> Value {
                match self { $(Self::$variant(reply) => serde_json::to_value(reply).unwrap_or(Value::Null),)* }
            }
        }
    };
}

fn join(lines: &[&str]) -> String {
    lines.iter().map(|l| l.trim()).collect::<Vec<_>>().join(" ")
}

operations! {
    /// Says what the candidate is and what it claims.
    Describe, "describe": Describe => Description, deadline 10 s, blocks "nothing";
    /// Opens one instance: its gateway and its clock. Users and state live and die with it, apart from every other instance.
    Open, "open": Open => Done, deadline 10 s, blocks "nothing";
    /// Closes an instance and forgets everything in it.
    Close, "close": Close => Done, deadline 10 s, blocks "the end of the instance's connections";
    /// Creates a user and enlists it at the gateway, as the candidate's client would. A user that exists is enlisted anew, with
    /// new keys and an empty client, as after a reinstall: its log is empty, and `seq` starts at 1 again.
    CreateUser, "create_user": CreateUser => Created, deadline 20 s, blocks "the gateway having accepted identity and prekeys";
    /// Deletes a user: un-enlists it at the gateway and forgets its keys and messages. From the answer on nothing is sent for it
    /// any more, and operations on it answer `deleted-user` until it is created anew.
    DeleteUser, "delete_user": DeleteUser => Done, deadline 10 s, blocks "the gateway having confirmed the deletion";
    /// Brings a user's client online. A user that the gateway has un-enlisted meanwhile is answered `not-enlisted` and stays
    /// offline: that its messages are lost is for the user to hear, and only `create_user` enlists it again.
    Connect, "connect": Connect => Done, deadline 10 s, blocks "the chat channel being open";
    /// Takes a user's client offline. Keys and messages stay.
    Disconnect, "disconnect": Disconnect => Done, deadline 10 s, blocks "the chat channel being closed";
    /// Sends content to another user under the given stanza id. Where there is no session, the client fetches the peer's bundle
    /// and checks it first. It sends nothing to an identity key that changed and that the user has not accepted:
    /// `untrusted-identity`, after the notice. A peer that does not exist, or not any more, is `unknown-user` either way. To a peer
    /// whom the user has blocked it sends nothing of any kind: `blocked`. What the module `conversation` does not allow is answered
    /// with its reason, and nothing goes out. With `sealed`, it goes out as a `sealed-message`, never as a `message`.
    Send, "send": Send => Done, deadline 30 s, blocks "the gateway having accepted the stanza, and the upload before it if there is a file";
    /// Creates a group with the given other members.
    CreateGroup, "create_group": CreateGroup => Done, deadline 30 s, blocks "the gateway having accepted the group";
    /// Adds and removes members of a group, in one change.
    ChangeGroup, "change_group": ChangeGroup => Done, deadline 30 s, blocks "the gateway having accepted the change";
    /// Sends content to all other members of a group, under the given stanza id. The client first sends its sender key to those
    /// members who do not have it. A user who is no member, or not any more, is answered `unknown-group`.
    SendToGroup, "send_to_group": SendToGroup => Done, deadline 60 s, blocks "the gateway having accepted the group message, and what it needed before it";
    /// What a user saw after a cursor, in order, with what the client refused to show.
    Events, "events": Events => EventList, deadline 15 s, blocks "the first event after the cursor, for `wait_ms` at most; 0 answers at once";
    /// Waits until a stanza that was delivered to this user, and all before it, are processed, and until the gateway has accepted
    /// everything that followed from them: receipts, retry receipts, refills, resends. A stanza that the client refused is
    /// processed too. A user who is offline answers `not-connected`.
    Settle, "settle": Settle => Done, deadline 30 s, blocks "that stanza being processed, and the gateway's acceptance of what followed";
    /// Fetches a peer's bundle, checks it and sets up a session from it, even if there is one; sends nothing. An identity key
    /// that changed is answered `untrusted-identity`, after the notice.
    FetchKeys, "fetch_keys": FetchKeys => Fetched, deadline 20 s, blocks "the gateway's answer";
    /// Makes and publishes new keys of the kinds asked for. Old signed and last-resort prekeys stay usable for messages that are
    /// under way.
    RotateKeys, "rotate_keys": RotateKeys => Done, deadline 20 s, blocks "the gateway having accepted the new keys";
    /// The safety number of a pair of users, as shown: see the module `portable` for how it is made.
    VerifyIdentity, "verify_identity": VerifyIdentity => SafetyNumber, deadline 10 s, blocks "nothing; `no-session` if the peer's identity is not known yet";
    /// The user accepts a peer's changed identity key: messages may be sent to it from now on.
    AcceptIdentity, "accept_identity": AcceptIdentity => Done, deadline 10 s, blocks "nothing";
    /// Blocks a peer, or ends that (feature `block`): sets the user's block list at the gateway, and keeps to it from the answer on.
    /// Blocking whom one has blocked, and unblocking whom one has not, succeeds.
    Block, "block": Block => Done, deadline 10 s, blocks "the gateway having accepted the list";
    /// Moves an instance's virtual time forward (capability `virtual-clock`). Timers that fall due fire before the answer.
    AdvanceClock, "advance_clock": AdvanceClock => Done, deadline 10 s, blocks "the timers that fell due";
}

impl Operation {
    /// The operation of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| op.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_operation_is_unsupported() {
        let problem = Call::parse("teleport", Value::Null).unwrap_err();
        assert_eq!(problem.reason, Reason::Unsupported);
    }

    #[test]
    fn an_invented_argument_is_malformed() {
        let problem = Call::parse("describe", serde_json::json!({ "verbose": true })).unwrap_err();
        assert_eq!(problem.reason, Reason::Malformed);
    }

    #[test]
    fn every_operation_says_what_it_does_and_what_it_waits_for() {
        for op in Operation::ALL {
            assert!(op.summary().len() > 20, "{op:?}");
            assert!(!op.blocks_on().is_empty());
            assert_eq!(Operation::from_name(op.as_str()), Some(*op));
        }
    }
}
