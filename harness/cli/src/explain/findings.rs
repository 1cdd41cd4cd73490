//! Each finding of the judge, explained: what somebody could do, what it costs a user, and what to do about it.

use countersign_judge::Finding;

/// The parts of an explanation that neither the judge nor a data file holds.
pub(crate) struct Text {
    pub(crate) attack: &'static str,
    pub(crate) cost: &'static str,
    pub(crate) fix: &'static str,
    /// Requirements whose sources ask for it, where no mutant leads to one.
    pub(crate) requirements: &'static [&'static str],
}

/// The text of a finding. A finding without one does not compile.
pub(crate) fn text(finding: Finding) -> Text {
    let (attack, cost, fix, requirements): (_, _, _, &'static [&'static str]) = match finding {
        Finding::OldRatchetKey => (
            "Whoever once copied the keys of a device reads all that is sent in the chain from then on.",
            "A conversation never recovers from a theft, and nobody notices, since everything can still be read.",
            "Save the session after each message that is received, and leave the step of the ratchet to the library's own code.",
            &[],
        ),
        Finding::OldSession => (
            "A session that was never answered is used for ever: whoever copied the receiver's prekeys once reads all that follows.",
            "Messages go on under keys that nobody renews, and the one who should read them may have lost them long ago.",
            "Before sending, look at the age of an unanswered session, and set up a new one from a fresh bundle when it is too old.",
            &["SIG-12"],
        ),
        Finding::TooManyResends => (
            "Somebody asks for one message again and again, and the client works and answers each time.",
            "A phone's battery and data volume are used up, and the traffic tells that its user is reachable.",
            "Count for each content how often it was sent again, and stop at the contract's limit.",
            &["RETRY-02"],
        ),
        Finding::NotResent => (
            "No attack is needed: a damaged message is asked for again, and the request is not heard.",
            "The message is lost although both sides know that it is missing.",
            "Keep what was sent until its delivery receipt comes, and send it again on a retry receipt.",
            &["RETRY-01"],
        ),
        Finding::Shown => (
            "A changed, replayed or misdirected message is slipped in, and the client takes it.",
            "The user reads words that the sender never wrote, or that were said long ago.",
            "Refuse before showing: nothing of a message may be used until all of its checks passed.",
            &["SIG-02"],
        ),
        Finding::WrongReason => (
            "A bad message is refused for something that has nothing to do with what is wrong with it.",
            "The check that matters may be missing: the next attacker avoids the accident that stopped this one.",
            "Find which check answers, and whether the one under test is made at all; then map its error to the contract's reason.",
            &["SIG-02"],
        ),
        Finding::NoAnswer => (
            "A message that cannot be read disappears without a trace.",
            "The user does not learn that something was sent, and the sender is not asked to send it again.",
            "Report each refused stanza once as a `refused` event, with its reason.",
            &["SIG-02"],
        ),
        Finding::RefusedTooOften => (
            "One bad message raises many alarms.",
            "Alarms that repeat are ignored, the right one among them.",
            "Report a refusal in one place, once for each delivery.",
            &["SIG-11"],
        ),
        Finding::NotShown => (
            "A message is swallowed on the receiver's device.",
            "The user never sees what was said, and the sender believes that it was read.",
            "Follow the stanza from the chat channel to the user's events, and look for where it is dropped.",
            &["CT-01"],
        ),
        Finding::RefusedGood => (
            "Ordinary disorder on the network, or one bad message before, is enough to break the conversation.",
            "Honest messages are lost.",
            "Look at the reason that was given: keys of skipped messages, old prekeys and sessions have to be kept as the suite says.",
            &["ORD-01"],
        ),
        Finding::Unreadable => (
            "No attack is needed: the other side cannot read what this client sends.",
            "Users of the other messenger see nothing.",
            "Compare what is sent with official code: format, ratchet state and content, field by field.",
            &["DMA-7(2)(a)"],
        ),
        Finding::ShownTwice => (
            "Whoever recorded a message delivers it again.",
            "Old words appear as if they had just been said.",
            "Remember the ids of shown messages, and delete each message key when it was used.",
            &["SIG-04"],
        ),
        Finding::ContentDiffers => (
            "No attack is needed: the client itself changes what was said.",
            "The user reads or opens something else than was sent.",
            "Carry contents as they are: no trimming, no normalisation, no shorter column in a database.",
            &["CT-01"],
        ),
        Finding::WrongSender => (
            "A server writes another name on an envelope.",
            "Words are put into somebody's mouth.",
            "Take the sender from the session that decrypted the message, never from the envelope.",
            &["SIG-03"],
        ),
        Finding::NotSealed => (
            "A server notes who writes to whom.",
            "The user was told that the server does not learn it, and it does.",
            "Pass on to every place that sends, resends included, that a message is to be sealed, and fail where it cannot be.",
            &["SEAL-01"],
        ),
        Finding::NamesSender => (
            "A server reads what stands beside the seal.",
            "The seal hides what the message says all the same: who sent it.",
            "Put nothing into a sealed stanza but its id, its recipient and the sealed body, and nothing into the body but its three fields.",
            &["SEAL-01"],
        ),
        Finding::WrongGroup => (
            "A server moves words from one group to another, or makes words to a group look private.",
            "What was said among friends appears among colleagues, and nobody knows who has read it.",
            "Take the group from the encrypted content alone, and show it with the message.",
            &["GRP-07"],
        ),
        Finding::ReadableByOthers => (
            "Somebody who joined later, or who was taken out, keeps the ciphertext and has a key for it.",
            "A group believes to be among itself, and is not.",
            "Make a new sender key when a member leaves, and hand the key to a new member as it stands at that moment.",
            &["GRP-02", "GRP-06"],
        ),
        Finding::OldSenderKey => (
            "A former member goes on decrypting: the key that it was once handed is still in use, or is that of another group too.",
            "Whoever was taken out of a group reads all that is said about it afterwards.",
            "Bind a sender key to one group and one list: throw it away when the list loses a member.",
            &["GRP-02"],
        ),
        Finding::OutOfOrder => (
            "The order of messages is changed on the way to the screen.",
            "“Yes” answers another question than was asked.",
            "Process the stanzas of a channel one after another, in the order of their arrival.",
            &["ORD-01"],
        ),
        Finding::NeverSent => (
            "A client shows what nobody sent to its user.",
            "The user answers something that was never said, or reads what was meant for another.",
            "Make events from decrypted stanzas only, and keep users apart.",
            &["SIG-03"],
        ),
        Finding::EventsOutOfOrder => (
            "What a user is said to have seen changes afterwards.",
            "Nobody can tell what was shown, so nothing is shown about the client.",
            "Count `seq` for each user from 1 without gaps, and never change an event once it was told.",
            &["CT-01"],
        ),
        Finding::NoNotice => (
            "Somebody takes a contact's place with keys of their own.",
            "The user does not notice, and goes on talking to the intruder.",
            "Raise a notice when a known peer's identity key changes, or when a message cannot be decrypted.",
            &["SIG-09"],
        ),
        Finding::LateNotice => (
            "Somebody takes a contact's place, and is heard before the user is warned.",
            "The user has believed the message already when the warning comes.",
            "Raise the notice before anything from the new key is shown.",
            &["SIG-09"],
        ),
        Finding::FalseNotice => (
            "The client warns although nothing changed.",
            "Users learn to dismiss the one warning that protects them.",
            "Compare the identity key with the one before, and warn only if they differ.",
            &["SIG-09"],
        ),
        Finding::NoReceipt => (
            "No attack is needed: the other side is left without an answer.",
            "The sender does not learn that a message arrived, or one that was lost is never sent again.",
            "Send a delivery receipt for what was shown and a retry receipt for what could not be decrypted.",
            &["RETRY-01"],
        ),
        Finding::UndueReceipt => (
            "A receipt says more than is true.",
            "The sender believes that a message was read which was refused.",
            "Send a delivery receipt after the message was shown, and for nothing else.",
            &["CT-03"],
        ),
        Finding::TooManyRetries => (
            "One message that cannot be read makes a client ask for ever.",
            "Two clients keep each other and the servers busy, and batteries empty.",
            "Count retry receipts for each message, and stop at the contract's limit.",
            &["RETRY-01"],
        ),
        Finding::BadReceipt => (
            "A receipt names the wrong message, number or user.",
            "The sender sends the wrong message again, or to the wrong user.",
            "Address a receipt to the message's sender, name the stanza as it came, and count from 1.",
            &["RETRY-01"],
        ),
        Finding::Accepted => (
            "Keys that were tampered with are offered, or a changed identity is sent to, and the client goes along.",
            "The conversation is encrypted for whoever tampered.",
            "Make the check that the scenario names before the first message, and answer with its reason.",
            &["PK-07"],
        ),
        Finding::OperationFailed => (
            "No attack is needed: something ordinary does not work.",
            "The user cannot do what the other messenger's users can.",
            "Look at the problem that the candidate answered, and at the requests before it in the trace.",
            &["DMA-7(2)(a)"],
        ),
        Finding::ClaimedUnsupported => (
            "The partner promises what its messenger does not do.",
            "Users find out when they need it.",
            "Implement it, or take it out of what `describe` claims.",
            &["DMA-7(2)(a)"],
        ),
        Finding::EmptySuccess => (
            "The client says that it has done what it has not.",
            "The user relies on a message, key or check that is not there.",
            "Answer an operation when its effect has reached the gateway.",
            &["CT-01"],
        ),
        Finding::SentAnyway => (
            "The client refuses to send, and sends.",
            "The message is with the intruder while the user reads that it was held back.",
            "Check first; encrypt and send after that.",
            &["SIG-09"],
        ),
        Finding::WrongIdentityKey => (
            "The key that the client states is not the one that others get.",
            "Users compare safety numbers of keys that nobody uses.",
            "State the key that was published, from the same store.",
            &["KEY-02"],
        ),
        Finding::UnusableKeys => (
            "No attack is needed: nobody can write to this user.",
            "First messages to the user fail.",
            "Publish keys with their type bytes, signed by the identity key that is published with them.",
            &["PK-02"],
        ),
        Finding::SentUndue => (
            "Somebody makes the client send what its user never asked for.",
            "A message goes to somebody who was never meant to have it.",
            "Send only what the user asked for, and answer retry receipts only for what went to that user and identity.",
            &["RETRY-03"],
        ),
        Finding::WrongOnWire => (
            "The client leaves out a part of the key agreement.",
            "A recorded first message has less protection than the protocol promises.",
            "Use the one-time prekey that the bundle has, and a first message only to begin a session.",
            &["KEY-03"],
        ),
        Finding::EpochBehind => (
            "Somebody records today and computes with a quantum computer later.",
            "The whole conversation hangs on one key exchange instead of renewing it.",
            "Carry and process the post-quantum ratchet's part of each message, in both directions.",
            &["PCS-01"],
        ),
        Finding::SafetyNumbersDiffer => (
            "Two users who compare see different numbers though nobody is between them.",
            "A check that always fails is one that nobody makes.",
            "Compute it as the contract says: identifiers, iterations, and the two halves in numerical order.",
            &["KEY-02"],
        ),
        Finding::SafetyNumbersEqual => (
            "Somebody is between two users, and the number that should tell does not.",
            "Two users compare, agree, and are overheard.",
            "Compute the number from both identity keys.",
            &["KEY-02"],
        ),
        Finding::BadSafetyNumber => (
            "The number has another form than the peer's.",
            "Users cannot compare at all.",
            "Show 60 decimal digits.",
            &["KEY-02"],
        ),
        Finding::TooFewKeys => (
            "Somebody fetches all of a user's one-time prekeys.",
            "First messages to the user have less protection from then on.",
            "Publish new ones when the gateway says that they run low.",
            &["PK-03"],
        ),
        Finding::PrekeyReused => (
            "A recorded first message is played back.",
            "It begins a second conversation, and one stolen key opens two.",
            "Number prekeys onwards, never use one twice, and delete it when it was used.",
            &["PK-04"],
        ),
        Finding::FileReused => (
            "Whoever got the key of one file tries it on others.",
            "One shared file opens the others too.",
            "Draw a new random media key for each upload.",
            &["MED-09"],
        ),
        Finding::CounterReused => (
            "Two messages are encrypted under one key.",
            "Whoever has both learns what they have in common, and can forge a third.",
            "Save the session before its message leaves, and encrypt for one peer in one task at a time.",
            &["PCS-01"],
        ),
        Finding::BaseKeyReused => (
            "Two sessions begin with the same ephemeral key.",
            "Whoever breaks one of them has the other.",
            "Make a new base key for each session.",
            &["PCS-01"],
        ),
        Finding::NotRepeated => (
            "No attack is needed: a short outage of the gatekeeper.",
            "Messages are lost whenever a server hiccups.",
            "Repeat failed requests, as often as the contract says.",
            &["CT-07"],
        ),
        Finding::PausesDoNotGrow => (
            "No attack is needed: all clients together keep a struggling server down.",
            "An outage of seconds lasts for hours.",
            "Double the pause after each failure, and add a little chance.",
            &["CT-07"],
        ),
        Finding::TooSlow => (
            "No attack is needed: messages from the other messenger take longer.",
            "Users move to the messenger that is quicker.",
            "Look for queues with one worker, polling, and work between arrival and screen.",
            &["CT-04"],
        ),
        Finding::PlaintextVisible => (
            "Whoever runs or breaks into a server reads along.",
            "The conversation is not private.",
            "Put nothing of a content or key anywhere but inside the encrypted message.",
            &["META-04"],
        ),
        Finding::FileVisible => (
            "Whoever runs or breaks into the media server looks at the files.",
            "Photographs and voice messages are not private.",
            "Encrypt a file before any byte of it is uploaded.",
            &["MED-10"],
        ),
        Finding::BreaksBinding => (
            "What is sent cannot be understood by the other side.",
            "Messages fail as soon as the gatekeeper is strict.",
            "Compare the frame with the document that `countersign schema gateway` prints.",
            &["DMA-7(2)(a)"],
        ),
        Finding::BeyondInventory => (
            "Servers are told more about users than they need.",
            "Who talks to whom, from where and with which device becomes known.",
            "Send the members of the profile's inventory, and no other.",
            &["META-01"],
        ),
        Finding::BadPadding => (
            "Whoever watches the line measures messages.",
            "“Yes” and “no” can be told apart by their length.",
            "Pad contents to the profile's block before encryption.",
            &["CT-02"],
        ),
        Finding::WrongSuite => (
            "Somebody makes both sides use weaker cryptography.",
            "The protection against tomorrow's computers is gone, and nobody sees it.",
            "Send the profile's message version with the post-quantum ratchet switched on.",
            &["PCS-01"],
        ),
        Finding::UnknownField => (
            "A field that nobody agreed on carries something to whoever knows of it.",
            "Something about the user leaves unseen.",
            "Send the fields of the suite, and no other.",
            &["META-01"],
        ),
        Finding::NotAcknowledged => (
            "No attack is needed: the mailbox is never emptied.",
            "The same messages are delivered at each connection, until the mailbox is full.",
            "Acknowledge each stanza once it was processed, refused ones too.",
            &["SIG-11"],
        ),
        Finding::Unstable => (
            "Whoever can try often enough gets through.",
            "What protects the user protects only now and then.",
            "Execute the scenario with `--repeat-until-failure` and look at what differs between the traces: a race, a cache, a clock.",
            &["SIG-02"],
        ),
    };
    Text { attack, cost, fix, requirements }
}
