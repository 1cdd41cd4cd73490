//! Each reason of the contract, explained: what an attacker or an accident does, what it costs, where it comes from, what to do.

use countersign_contract::Reason;

/// The parts of an explanation that no data file holds.
pub(crate) struct Text {
    pub(crate) attack: &'static str,
    pub(crate) cost: &'static str,
    pub(crate) cause: &'static str,
    pub(crate) fix: &'static str,
}

/// The text of a reason. A reason without one does not compile.
pub(crate) const fn text(reason: Reason) -> Text {
    let (attack, cost, cause, fix) = match reason {
        Reason::BadSignature => (
            "A server hands out a prekey of its own in place of the peer's.",
            "Whoever replaced the key reads the conversation, if the client takes it.",
            "The prekey is not signed by the identity key of the same bundle, or is signed over other bytes than the type byte and key.",
            "Sign the serialised prekey, type byte included, with the identity key; as a receiver refuse a bundle that is not.",
        ),
        Reason::BadMac => (
            "Somebody on the way changes a message or a file.",
            "Changed words are shown as the sender's, or the keys of later messages get lost.",
            "The message was changed; or both sides derived other keys, since one of them lost a write of its session.",
            "Compare the whole code in constant time before anything is used; save a session before its message leaves.",
        ),
        Reason::BadDigest => (
            "The server that stores a file hands out another one.",
            "A user opens a file that nobody sent.",
            "The digest in the message is of the plaintext, or was taken before the MAC was appended.",
            "State SHA-256 over the blob as it is uploaded, and compare it before decrypting.",
        ),
        Reason::BadPadding => (
            "A sender writes a content that does not end as the rule says.",
            "Two clients read different contents from one message; without padding, its length tells what was said.",
            "The content is padded with another marker or to another block, or not at all.",
            "Append 0x80 and zeros up to a multiple of the profile's block, and refuse what ends otherwise.",
        ),
        Reason::BadKey => (
            "A key is sent whose shared secrets are known to everybody, since its order is small.",
            "The conversation is encrypted with a key that an eavesdropper can compute.",
            "The library takes any 32 bytes for a key and leaves the check to its caller.",
            "Refuse keys of a wrong type byte or length, all-zero keys, and the points of low order.",
        ),
        Reason::NotEnlisted => (
            "No attack is needed: a user who stayed away for 30 days is not enlisted any more, and comes back.",
            "If the client carries on silently, the user believes to be reachable, and nothing arrives.",
            "The gateway forgot the user after the time that it states, with keys and mailbox.",
            "Tell the user, and enlist anew: new keys, and peers see a changed identity.",
        ),
        Reason::UnknownMessage => (
            "A stranger sends a reaction, an edit or a deletion for a message that never was, and waits for a receipt.",
            "If one comes, the stranger learns whenever the user's device is on, as often as once a second, and the user sees nothing.",
            "The message referred to is not in the receiver's store: it was never received, or it was deleted.",
            "Look up what is referred to before anything is answered; refuse what is not known, and send no receipt for it.",
        ),
        Reason::NotPermitted => (
            "Somebody changes or deletes a message that another person wrote.",
            "Words are put into a user's mouth, or evidence is taken away.",
            "The client looks up the message by its id alone and not by who sent it.",
            "Allow edits and deletions by the message's own sender only.",
        ),
        Reason::UnknownGroup => (
            "Something arrives for a group that the receiver is not in.",
            "Words of strangers, or of a group that the user has left, appear on the screen.",
            "The list of the group was never told, or the user was taken out of it before.",
            "Keep what the gateway tells of groups, and refuse what is for a group without the own user on its list.",
        ),
        Reason::StaleGroup => (
            "The server shows two members two lists, and each speaks to people whom the other does not see.",
            "A group goes on talking to somebody who was taken out.",
            "A message crossed a change of the group, or its sender was not told of the change.",
            "Compare version and digest of the list in each content, and ask for the message again if they differ.",
        ),
        Reason::TooLate => (
            "A message is changed or deleted long after it was read.",
            "What was agreed on can be altered when nobody looks any more.",
            "The age of the message was not looked at, or the clocks of the two sides differ.",
            "Compare the receiver's clock with the time of the message, and refuse changes outside the contract's window.",
        ),
        Reason::Blocked => (
            "Somebody whom the user blocked goes on writing, and finds out whether the user is there.",
            "The block does not protect: messages are shown, or receipts betray that the user is online.",
            "The message was under way when its sender was blocked, and the client did not look at its list again.",
            "Look at the block list before a message is shown, and send nothing of any kind to who is blocked.",
        ),
        Reason::BadVersion => (
            "Somebody answers with an older version of the protocol.",
            "The newer protection, such as the post-quantum one, is silently gone.",
            "The sender's library is older, or falls back to what the other side once spoke.",
            "Send the profile's message version only, and refuse others.",
        ),
        Reason::Duplicate => (
            "A recorded message is delivered again.",
            "Old words appear as if they had just been said.",
            "It is what a repeat should be answered with. On a first delivery: the client keyed its memory by something that two messages share.",
            "Delete a message key once it was used, and remember the ids of shown messages.",
        ),
        Reason::TooOld => (
            "Somebody holds a message back for a very long time, or claims a counter far ahead.",
            "A late message is lost; without a limit, one message makes a client compute keys for minutes.",
            "The counter lies beyond what the receiver keeps or computes keys for.",
            "Keep the keys of skipped messages for as long as the library's limit says, and no longer.",
        ),
        Reason::UnknownPrekey => (
            "A first message names a prekey that was used already or never existed.",
            "The message cannot be read; if a used prekey were kept, a recorded first message could be played back.",
            "Prekeys were published and not stored, or deleted while messages that use them are under way.",
            "Store a prekey before it is published; keep an old signed prekey for some time after a rotation.",
        ),
        Reason::NoSession => (
            "A message arrives from somebody with whom there is no session, as after a reinstallation.",
            "The message stays unread until it is sent again.",
            "One side lost or deleted its session.",
            "Answer with a retry receipt, so that the sender starts a new session.",
        ),
        Reason::WrongRecipient => (
            "A server delivers somebody else's message, or sends a user's own back.",
            "A message is shown to the wrong person, or a user's own words are put in the peer's mouth.",
            "The envelope's recipient is trusted where the session's identities decide.",
            "Check that the session is between these two users before anything is shown.",
        ),
        Reason::UntrustedIdentity => (
            "Somebody takes a contact's place, with a new identity key.",
            "The next message goes to the intruder.",
            "The peer reinstalled, or a server swapped its keys: the client cannot know which.",
            "Tell the user first, and refuse to send until the new key was accepted.",
        ),
        Reason::Malformed => (
            "Somebody sends bytes that have no proper form.",
            "A client that does not survive them loses its session, or stops.",
            "The message was cut or changed; or one side writes another format.",
            "Read the whole form before anything is changed, and leave every state as it was if that fails.",
        ),
        Reason::TooLarge => (
            "Somebody sends more than a limit allows.",
            "A device runs out of memory or of its user's data plan.",
            "A limit of the candidate or of the gateway is smaller than what was sent.",
            "State the limits in `describe`, and refuse by length before reading.",
        ),
        Reason::UnknownUser => (
            "A message goes to a name that nobody has.",
            "The message is lost without anybody noticing.",
            "The user was never enlisted, or the call names another instance's user.",
            "Enlist a user before `create_user` answers, and keep users apart by instance.",
        ),
        Reason::DeletedUser => (
            "A message goes to somebody who left.",
            "Words for somebody who left lie around, or reach who takes the name next.",
            "The user was deleted before.",
            "Stop sending to a deleted user, and delete what is kept for it.",
        ),
        Reason::UnknownInstance => (
            "A call names a test that is not open.",
            "Nothing is tested: what one test does would show in another.",
            "The candidate was started again, or closed the instance by itself.",
            "Keep an instance from `open` to `close`, and answer this for any other.",
        ),
        Reason::NotConnected => (
            "A user acts while its client is offline.",
            "What the user did seems to have happened, and has not.",
            "The client lost its chat channel, or `connect` answered before the channel was open.",
            "Answer `connect` when the channel is open, and open it again when it breaks.",
        ),
        Reason::MediaMissing => (
            "The server no longer has a file, or withholds it.",
            "A user sees an empty file and takes it for what was sent.",
            "The upload failed, or its address was not taken from the gateway's answer.",
            "Upload before the message is sent; show nothing for a file that did not arrive.",
        ),
        Reason::Unauthorized => (
            "Somebody acts as another user without its credential.",
            "Whoever can reach the gateway reads another user's mailbox.",
            "The token of the enlistment is missing, or another user's.",
            "Send the token of the user who acts, as a bearer token, with each request.",
        ),
        Reason::Unsupported => (
            "A candidate claims what it does not have.",
            "A promise of the partner's rests on nothing that was tested.",
            "The operation or feature is not implemented, or the claims list more than there is.",
            "Implement it, or take it out of what `describe` claims.",
        ),
        Reason::GatewayError => (
            "The gatekeeper's server fails for a while.",
            "Messages are lost during every short outage.",
            "The gateway went on failing until the client's attempts were used up.",
            "Repeat with growing pauses, and keep what could not be sent.",
        ),
        Reason::Busy => (
            "The gatekeeper's server is overloaded.",
            "Clients that come back at once keep it down.",
            "Too many requests came at once.",
            "Wait for as long as `Retry-After` says, and longer each time.",
        ),
        Reason::Timeout => (
            "A server or network does not answer in time.",
            "A user waits, or a message stays behind.",
            "The answering side is overloaded, or waits for something that does not come.",
            "Answer each call within the contract's deadline, and bound every wait of your own.",
        ),
        Reason::Internal => (
            "No attack: the answering side has a fault of its own.",
            "Whatever the user asked for did not happen.",
            "A fault in the candidate: its standard error usually says which.",
            "Look at the candidate's log at the time that the trace gives.",
        ),
    };
    Text { attack, cost, cause, fix }
}
