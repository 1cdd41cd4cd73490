//! What can be wrong: a closed list of short names, stable over runs, each with what usually causes it.

macro_rules! findings {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal, $cause:expr;)*) => {
        /// What went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Finding { $($(#[doc = $doc])* $variant,)* }

        impl Finding {
            /// Every finding there is.
            pub const ALL: &'static [Finding] = &[$(Finding::$variant,)*];

            /// The name as it stands in a check.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str { match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* } }

            /// What usually causes it; `None` where the requirement itself knows better.
            #[must_use]
            pub const fn likely_cause(self) -> Option<&'static str> { match self { $(Self::$variant => $cause,)* } }
        }
    };
}

findings! {
    /// A bad stanza, or a message that should stay hidden, was shown.
    Shown = "shown", None;
    /// A bad stanza was refused for a reason that is not one of the right ones.
    WrongReason = "wrong-reason", Some("another check fails before the one under test, or an error is mapped to the wrong reason");
    /// A bad stanza was neither shown nor reported as refused.
    NoAnswer = "no-answer", Some("the client drops what it cannot read without recording a `refused` event");
    /// One stanza was reported as refused more often than it was delivered.
    RefusedTooOften = "refused-too-often", Some("several layers of the client each report the same failure");
    /// A good message was not shown.
    NotShown = "not-shown", None;
    /// A good message was refused.
    RefusedGood = "refused-good", None;
    /// A reference user could not read a message of the candidate.
    Unreadable = "unreadable", Some("keys, ratchet state or the format of the message differ from what the suite prescribes");
    /// A message was shown more than once.
    ShownTwice = "shown-twice", Some("the client does not remember which message ids it has shown");
    /// A message was shown with another content.
    ContentDiffers = "content-differs", Some("the content is trimmed, normalised, cut or re-encoded on the way");
    /// A message was shown as from somebody else.
    WrongSender = "wrong-sender", Some("the sender is taken from something else than the session that decrypted the message");
    /// A message was shown in another group than its own, or in none.
    WrongGroup = "wrong-group", Some("the group is taken from the stanza, or not passed on, instead of being read from the encrypted content");
    /// A user who was never handed a key for a group message can read it.
    ReadableByOthers = "readable-by-others", Some("a sender key goes on after somebody left, or is handed out as it was at its beginning");
    /// A sender key was used on after somebody who has it was taken out of the group, or in two groups.
    OldSenderKey = "old-sender-key", Some("the removal of a member does not make the client begin a new sender key");
    /// Messages were shown in another order than they were sent and delivered in.
    OutOfOrder = "out-of-order", Some("stanzas are processed concurrently, or events are sorted by something else than arrival");
    /// Something was shown that nobody sent to this user.
    NeverSent = "never-sent", Some("message ids are made up by the client, or one user's messages are shown to another");
    /// A message that was to be sealed went out openly.
    NotSealed = "not-sealed", Some("the client falls back to an open message, where it has no certificate or sends something again");
    /// A sealed message says in clear who sent it.
    NamesSender = "names-sender", Some("the sender's id or key is put beside the seal, for routing or for the receiver's convenience");
    /// The list of what a user saw has gaps, repeats, or changes afterwards.
    EventsOutOfOrder = "events-out-of-order", Some("`seq` is not counted per user from 1, or the cursor `after` is not honoured");
    /// The user was not told.
    NoNotice = "no-notice", None;
    /// The user was told too late.
    LateNotice = "late-notice", None;
    /// The user was told of a change that never happened.
    FalseNotice = "false-notice", Some("the notice is raised for every new session instead of for a changed identity key");
    /// A receipt is missing.
    NoReceipt = "no-receipt", None;
    /// There is a receipt that must not be.
    UndueReceipt = "undue-receipt", Some("receipts are sent on arrival, before the message was decrypted and shown");
    /// A message was asked for too often.
    TooManyRetries = "too-many-retries", Some("the client does not count its retry receipts per message");
    /// A receipt is numbered or addressed wrongly.
    BadReceipt = "bad-receipt", None;
    /// An operation succeeded that had to fail.
    Accepted = "accepted", None;
    /// An operation failed that had to succeed.
    OperationFailed = "operation-failed", None;
    /// Something claimed or required was answered `unsupported`.
    ClaimedUnsupported = "claimed-unsupported", Some("the statement of claims lists more than the candidate does");
    /// An operation reported success without what it stands for.
    EmptySuccess = "empty-success", Some("the operation answers before its effect has reached the gateway");
    /// An operation reported failure, but the stanza went out all the same.
    SentAnyway = "sent-anyway", Some("the check runs after the message was sent");
    /// The candidate stated an identity key that is not the one at the gateway.
    WrongIdentityKey = "wrong-identity-key", None;
    /// The candidate ended, or broke off, over what it was given.
    Died = "died", Some("a parser that panics, or an error that nobody catches: what comes in must end in a refusal, never in the end of the process");
    /// The candidate did not answer any more after what it was given.
    Hung = "hung", Some("a loop that waits for bytes that never come, or a task that ended in an error while others wait for it");
    /// The candidate used up the processor time that it may have.
    Overran = "overran", Some("a loop whose end a message decides, or work that grows faster than what is worked on");
    /// The candidate used more memory, wrote larger files, or sent more than it may.
    Grew = "grew", Some("memory is set aside for what a message claims, or kept for each of its parts, without a bound");
    /// The keys that the candidate published cannot be used.
    UnusableKeys = "unusable-keys", Some("a prekey is not signed by the identity key, or has a wrong type byte or length");
    /// A stanza was sent that must not be.
    SentUndue = "sent-undue", None;
    /// A message on the wire is not of the kind that it has to be.
    WrongOnWire = "wrong-on-wire", None;
    /// A message belongs to a session that should not have been used any more.
    OldSession = "old-session", Some("the age of a session that was never answered is not looked at before sending");
    /// A message carries a ratchet key that an answer should have replaced.
    OldRatchetKey = "old-ratchet-key", Some("the session is not saved after a message was received, or the step of the ratchet was left out");
    /// A content was sent again too often.
    TooManyResends = "too-many-resends", Some("the client does not count for each message how often it sent it again");
    /// A content was not sent again.
    NotResent = "not-resent", None;
    /// The post-quantum ratchet does not advance.
    EpochBehind = "epoch-behind", Some("one direction does not carry, or does not process, the post-quantum ratchet's part of each message");
    /// Safety numbers that have to be equal differ.
    SafetyNumbersDiffer = "safety-numbers-differ", Some("identifiers, iterations, or the order of the two keys differ from the contract");
    /// Safety numbers that have to differ are equal.
    SafetyNumbersEqual = "safety-numbers-equal", Some("the number does not depend on both identity keys");
    /// A safety number is not 60 digits.
    BadSafetyNumber = "bad-safety-number", None;
    /// Too few one-time prekeys are left.
    TooFewKeys = "too-few-keys", Some("`keys-low` does not start a refill");
    /// A prekey was published or used twice.
    PrekeyReused = "prekey-reused", Some("prekey ids start anew with each batch, or used prekeys are published again");
    /// Two files have a key, or ciphertext, in common.
    FileReused = "file-reused", Some("the media key is derived from the file or cached, instead of random for each upload");
    /// A ratchet counter, and with it a message key, was used for two messages.
    CounterReused = "counter-reused", Some("session state is not saved before the message leaves, or two tasks encrypt at once");
    /// A base key was used for two sessions.
    BaseKeyReused = "base-key-reused", Some("the ephemeral key is kept instead of made anew for each session");
    /// A failed request was not repeated.
    NotRepeated = "not-repeated", Some("an error of the gateway is passed on instead of retried");
    /// The pauses between attempts do not grow.
    PausesDoNotGrow = "pauses-do-not-grow", Some("failed requests are repeated at once or at a fixed interval");
    /// Too slow.
    TooSlow = "too-slow", None;
    /// Plaintext or a key is visible to a server.
    PlaintextVisible = "plaintext-visible", Some("content or a key is put outside the encrypted message, for routing, search, preview or logging");
    /// Part of a file is visible to a server.
    FileVisible = "file-visible", Some("the file is uploaded before, or without, encryption");
    /// A frame or request breaks the binding.
    BreaksBinding = "breaks-binding", None;
    /// A stanza or request carries more than the inventory allows.
    BeyondInventory = "beyond-inventory", None;
    /// A ciphertext's length breaks the padding rule.
    BadPadding = "bad-padding", Some("the content is not padded before encryption");
    /// What a user says is signed under the user's identity key.
    SignsContent = "signs-content", Some("messages are signed for the sake of integrity, which their authentication code gives without any proof to others");
    /// The message is not of the profile's suite.
    WrongSuite = "wrong-suite", Some("the library falls back to an older protocol version, or its post-quantum ratchet is switched off");
    /// A message carries a field that the suite does not know.
    UnknownField = "unknown-field", None;
    /// A delivered stanza was processed and not acknowledged.
    NotAcknowledged = "not-acknowledged", Some("`ack` is only sent for stanzas that were shown");
    /// Messages that should be refused alike are answered differently.
    AnswersDiffer = "answers-differ", Some("the check that fails first decides whether a message is asked for again");
    /// A copy of the state reads what it should have no key for.
    ThiefReads = "thief-reads", Some("keys are kept after their use, or new ratchet keys can be foretold from the state");
    /// A key that should be gone stands in the exported state.
    KeyLeft = "key-left", Some("a record is marked as used instead of deleted, or keys are written to a log, a backup or an older copy");
    /// The state changed although nothing was received, or did not become what it had to be.
    StateChanged = "state-changed", Some("state is written before a message was checked, or a restore puts back only part of it");
    /// A copy, a snapshot or an export is not the state that it should be of.
    NoTrueCopy = "no-true-copy", Some("the operation answers success without the state behind it");
    /// A scenario failed in some executions and passed in others.
    Unstable = "unstable", Some("two tasks of the client race, or its outcome depends on chance, load or what was there before");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_short_and_distinct() {
        let names: BTreeSet<_> = Finding::ALL.iter().map(|f| f.as_str()).collect();
        assert_eq!(names.len(), Finding::ALL.len());
        assert!(names.iter().all(|n| n.len() <= 24 && n.bytes().all(|b| b == b'-' || b.is_ascii_lowercase())));
    }
}
