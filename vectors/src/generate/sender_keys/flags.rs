//! What the flags of vectors of sender keys mean, and what they go by.

pub(super) const FLAGS: &[(&str, &str, &str)] = &[
    (
        "group-signature-not-checked",
        "The signature of a group message is not verified, or not under the signature key that its very sender key came with.",
        "Every member, and the server with one member's help, speaks in every other member's name.",
    ),
    (
        "unsigned-part",
        "Something of a group message counts that its signature does not cover.",
        "Whoever carries the message changes it.",
    ),
    ("group-replay", "A group message that was received before is shown again.", "Messages can be played back."),
    (
        "late-group-messages",
        "Keys of group messages that are late are not kept, or kept for the newest sender key alone.",
        "Messages that overtake each other are lost.",
    ),
    (
        "read-from-before",
        "A sender key is turned back to messages from before it was handed out.",
        "Whoever joins late reads what was said before.",
    ),
    (
        "unbounded-group-skip",
        "Any number of message keys is derived because a counter says so.",
        "One message keeps all clients of a group busy for minutes.",
    ),
    (
        "any-sender-key",
        "A message is read under whatever sender key fits, in place of the one that it names, from the member whose it is.",
        "One member's messages are shown as another's, or in a place where they were not said.",
    ),
    (
        "moved-to-another-group",
        "Which group a message belongs to is taken from its stanza, or from one of several places alone.",
        "The server moves words from one group to another.",
    ),
    (
        "stale-list",
        "For which list of members a message was made is not compared with the present list.",
        "Members who were told different lists talk to each other unnoticed, and somebody reads along.",
    ),
    (
        "not-a-member",
        "Who may say something in a group is decided by a valid signature alone.",
        "Somebody who was taken out, or never was in, goes on speaking.",
    ),
    (
        "sender-key-from-anywhere",
        "A sender key is taken that did not come in its sender's pairwise session, or that its sender uses in another group.",
        "The trust of one conversation is stretched to another, and stolen keys beget new ones.",
    ),
    (
        "message-kind-guessed",
        "What kind of message a body is, is guessed, and not taken from its stanza.",
        "What one person said in a group appears as said in private.",
    ),
    (
        "malformed-group-message",
        "A field of a group message that is missing, too short or of another form is taken for something.",
        "Crashes, or keys that everybody knows.",
    ),
    (
        "malformed-sender-key",
        "A field of a sender key that is missing, too short or of another form is taken for something.",
        "Crashes, or keys that everybody knows.",
    ),
    (
        "group-cipher-padding",
        "The cipher's padding of a group message is not checked.",
        "Two clients read one message in two ways.",
    ),
    (
        "group-content",
        "A content that has no place in a group is shown, or acted on, all the same.",
        "Clients differ in what was said to the group.",
    ),
];

pub(super) const SOURCE: &str = "Signal: Private Group Messaging, sender keys, in the format of libsignal v0.85.3 (protobuf wire.proto: \
                      SenderKeyMessage, SenderKeyDistributionMessage); Countersign contract 1.0, module groups";
