//! What is wrong by the rules for groups: where a message stands, whose it is, for which list it was made, and what is in it.

use super::{Begun, ELSEWHERE, NO_KEY, NOT_PERMITTED, OTHER, OTHER_KEY, OURS, STALE, bytes};
use crate::generate::GenerateError;
use crate::generate::room::{Made, Room, SENT_AT, With};
use countersign_adversary::alter::Field;
use countersign_contract::Reason;
use countersign_contract::content::{Content, Group, SenderKey, Typing, content::Body};

/// Messages under a sender key that was not handed out for them, and in the wrong place.
pub(super) fn places(room: &mut Room) -> Result<(), GenerateError> {
    let flag = "any-sender-key";
    let comment = "A message under a sender key that was never handed out to the receiver.";
    let mut begun = Begun::with_before(room, "never-handed-out", comment, flag, "GRP-07")?;
    let unknown = begun.scene.uuid("distribution that is kept back");
    begun.scene.distribution("bob", unknown, &[])?;
    let bad = begun.scene.group_text(("bob", OURS, unknown), "for others", &[])?;
    begun.scene.invalid(bad, NO_KEY);
    begun.after(room)?;

    let comment =
        "A message under the sender's key names another distribution, that was never handed out; the signature covers that.";
    let mut begun = Begun::with_before(room, "wrong-distribution", comment, flag, "GRP-07")?;
    let unknown = begun.scene.uuid("distribution that nobody has");
    let bad = begun.text("made wrongly", &[bytes(Field::GroupDistribution, unknown.as_bytes())])?;
    begun.scene.invalid(bad, NO_KEY);
    begun.after(room)?;

    let comment = "A message under the sender's key names the distribution of another member; the signature covers that.";
    let mut begun = Begun::with_before(room, "other-distribution", comment, flag, "GRP-07")?;
    let carol = begun.carol()?;
    let bad = begun.text("made wrongly", &[bytes(Field::GroupDistribution, carol.as_bytes())])?;
    begun.scene.invalid(bad, OTHER_KEY);
    begun.after(room)?;

    let comment = "A member's message is delivered as if another member had sent it, who has a sender key too.";
    let mut begun = Begun::with_before(room, "other-sender", comment, flag, "GRP-07")?;
    begun.carol()?;
    let message = begun.text("by bob", &[])?;
    begun.scene.invalid(Made { from: "carol", ..message }, OTHER_KEY);
    begun.after(room)?;

    let comment = "Another member hands out a key of its own under the same distribution id: each has to keep to its own.";
    let mut begun = Begun::with_before(room, "same-distribution", comment, flag, "GRP-07")?;
    begun.scene.begin("carol", With::SECOND, &[])?;
    begun.hand_out("carol", OURS, begun.key)?;
    let twin = begun.scene.group_text(("carol", OURS, begun.key), "by carol", &[])?;
    begun.scene.acceptable(twin, OTHER_KEY);
    begun.after(room)?;

    let flag = "moved-to-another-group";
    let comment = "A message is delivered in the stanza of another group, of which sender and receiver are members too.";
    let mut begun = Begun::with_before(room, "moved", comment, flag, "GRP-07")?;
    begun.scene.group(OTHER, "bob", &["carol"], true);
    let message = begun.text("for ours", &[])?;
    begun.scene.invalid(Made { group: Some(OTHER.to_owned()), ..message }, ELSEWHERE);
    begun.after(room)?;

    let comment = "The content of a message says that it is for another group than the sender key it is made under.";
    let mut begun = Begun::with_before(room, "other-group-inside", comment, flag, "GRP-07")?;
    begun.scene.group(OTHER, "bob", &["carol"], true);
    let stamp = begun.scene.stamp(OTHER);
    let bad = begun.scene.stamped_text(("bob", OURS, begun.key), stamp, "for the other", &[])?;
    begun.scene.invalid(bad, ELSEWHERE);
    begun.after(room)?;

    let comment = "The content of a message under a sender key does not say for which group it is.";
    let mut begun = Begun::with_before(room, "no-group-inside", comment, flag, "GRP-07")?;
    let bad = begun.scene.stamped_text(("bob", OURS, begun.key), None, "for nobody", &[])?;
    begun.scene.invalid(bad, ELSEWHERE);
    begun.after(room)?;

    let flag = "sender-key-from-anywhere";
    let comment = "A sender key that serves one group is handed out for another.";
    let mut begun = Begun::with_before(room, "key-of-other-group", comment, flag, "DS-01")?;
    begun.scene.group(OTHER, "bob", &["carol"], true);
    let bad = begun.scene.sender_key(("bob", OTHER, begun.key), &[])?;
    begun.scene.invalid(bad, NOT_PERMITTED);
    begun.after(room)?;

    let comment = "A sender key is handed out in a group message, and not in a pairwise session.";
    let mut begun = Begun::with_before(room, "key-in-group", comment, flag, "CONF-02")?;
    let second = begun.scene.uuid("second distribution of bob");
    let distribution = begun.scene.distribution("bob", second, &[])?;
    let bad = in_group(&mut begun, Body::SenderKey(SenderKey { distribution }))?;
    begun.scene.invalid(bad, NOT_PERMITTED);
    begun.after(room)?;

    let comment = "A message under a sender key is delivered as a message between two users.";
    let mut begun = Begun::with_before(room, "as-pairwise", comment, "message-kind-guessed", "CONF-01")?;
    let message = begun.text("for the group", &[])?;
    let reasons = [Reason::BadVersion, Reason::Malformed, Reason::BadMac, Reason::BadKey, Reason::NoSession];
    begun.scene.invalid(Made { group: None, ..message }, &reasons);
    begun.after(room)?;

    let comment = "A message between two users is delivered in the stanza of a group.";
    let mut begun = Begun::with_before(room, "pairwise-in-group", comment, "message-kind-guessed", "CONF-01")?;
    let message = begun.scene.text("bob", "between us", &[])?.bare()?;
    let reasons = [Reason::BadVersion, Reason::Malformed, Reason::BadSignature, Reason::NoSession];
    begun.scene.invalid(Made { group: Some(OURS.to_owned()), ..message }, &reasons);
    begun.after(room)
}

/// A group message of bob with another body than a text.
fn in_group(begun: &mut Begun, body: Body) -> Result<Made, GenerateError> {
    let stanza = begun.scene.next_stanza();
    let group = begun.scene.stamp(OURS);
    let content = Content { message_id: stanza.to_string(), sent_at: SENT_AT, group, body: Some(body) };
    begun.scene.group_raw(("bob", OURS, begun.key), stanza, None, &content.to_padded(), &[])
}

/// The list of members: what was made for another one, and by whom.
pub(super) fn members(room: &mut Room) -> Result<(), GenerateError> {
    let flag = "stale-list";
    let comment = "A message was made for the list before the present one.";
    let mut begun = Begun::with_before(room, "stale-list", comment, flag, "GRP-05")?;
    let stale = begun.text("before the change", &[])?;
    begun.scene.change(OURS, "bob", &[], &["carol"]);
    // Who is taken out must not read on: there is a new sender key.
    begun.key = begun.scene.uuid("second distribution of bob");
    begun.hand_out("bob", OURS, begun.key)?;
    begun.scene.invalid(stale, STALE);
    begun.after(room)?;

    let comment = "A message was made for a list that does not exist yet.";
    let mut begun = Begun::with_before(room, "later-list", comment, flag, "GRP-05")?;
    let stamp = begun.scene.stamp(OURS).map(|stamp| Group { version: stamp.version + 1, ..stamp });
    let bad = begun.scene.stamped_text(("bob", OURS, begun.key), stamp, "made wrongly", &[])?;
    begun.scene.invalid(bad, STALE);
    begun.after(room)?;

    let comment = "A message was made for a list of the same version with other members.";
    let mut begun = Begun::with_before(room, "other-list", comment, flag, "GRP-05")?;
    let stamp = begun.scene.stamp(OURS).map(|mut stamp| {
        stamp.members.iter_mut().take(1).for_each(|byte| *byte ^= 1);
        stamp
    });
    let bad = begun.scene.stamped_text(("bob", OURS, begun.key), stamp, "made wrongly", &[])?;
    begun.scene.invalid(bad, STALE);
    begun.after(room)?;

    let comment = "The digest of the list in a message is cut off.";
    let mut begun = Begun::with_before(room, "list-digest-cut", comment, flag, "GRP-05")?;
    let stamp = begun.scene.stamp(OURS).map(|mut stamp| {
        stamp.members.truncate(16);
        stamp
    });
    let bad = begun.scene.stamped_text(("bob", OURS, begun.key), stamp, "made wrongly", &[])?;
    begun.scene.invalid(bad, &[Reason::StaleGroup, Reason::Malformed]);
    begun.after(room)?;

    let flag = "not-a-member";
    let comment =
        "Somebody who was taken out of the group speaks on, under a key that was handed out before, for the present list.";
    let mut begun = Begun::with_before(room, "removed-sender", comment, flag, "GRP-04")?;
    let carol = begun.carol()?;
    let honest = begun.scene.group_text(("carol", OURS, carol), "while I am here", &[])?;
    begun.scene.valid(honest);
    begun.scene.change(OURS, "bob", &[], &["carol"]);
    let bad = begun.scene.group_text(("carol", OURS, carol), "I am still here", &[])?;
    // A client may throw the keys away of whoever is gone.
    begun.scene.invalid(bad, &[Reason::NotPermitted, Reason::NoSession]);
    begun.key = begun.scene.uuid("second distribution of bob");
    begun.hand_out("bob", OURS, begun.key)?;
    begun.after(room)?;

    let comment = "Somebody who never was a member hands out a sender key for the group, and speaks under it.";
    let mut scene = room.scene("stranger", comment, &[flag], &["GRP-04"]);
    scene.group(OURS, "bob", &[], true);
    scene.begin("bob", With::FIRST, &[])?;
    let key = scene.uuid("distribution of bob");
    let mut begun = Begun { scene, key };
    begun.hand_out("bob", OURS, key)?;
    begun.say("before")?;
    begun.scene.begin("carol", With::SECOND, &[])?;
    let carol = begun.scene.uuid("distribution of carol");
    let handed = begun.scene.sender_key(("carol", OURS, carol), &[])?;
    let bad = begun.scene.group_text(("carol", OURS, carol), "let me in", &[])?;
    begun.scene.invalid(handed, NOT_PERMITTED);
    begun.scene.invalid(bad, &[Reason::NotPermitted, Reason::NoSession]);
    begun.after(room)?;

    let comment = "A message, and the sender key for it, are for a group that the receiver is not in.";
    let mut begun = Begun::with_before(room, "unknown-group", comment, flag, "GRP-04")?;
    begun.scene.group(OTHER, "bob", &["carol"], false);
    let key = begun.scene.uuid("distribution for the other group");
    let handed = begun.scene.sender_key(("bob", OTHER, key), &[])?;
    let bad = begun.scene.group_text(("bob", OTHER, key), "not for you", &[])?;
    begun.scene.invalid(handed, &[Reason::UnknownGroup]);
    begun.scene.invalid(bad, &[Reason::UnknownGroup, Reason::NoSession]);
    begun.after(room)
}

/// Contents that have no place in a group.
pub(super) fn contents(room: &mut Room) -> Result<(), GenerateError> {
    let flag = "group-content";
    let comment = "A typing indicator is sent to a group: there are none in groups.";
    let mut begun = Begun::with_before(room, "typing", comment, flag, "CT-11")?;
    let bad = in_group(&mut begun, Body::Typing(Typing { active: true }))?;
    begun.scene.invalid(bad, &[Reason::Malformed]);
    begun.after(room)?;

    let comment = "The plaintext of a group message is not padded.";
    let mut begun = Begun::with_before(room, "not-padded", comment, flag, "CT-11")?;
    let stanza = begun.scene.next_stanza();
    let bad = begun.scene.group_raw(("bob", OURS, begun.key), stanza, None, b"no content and no padding", &[])?;
    begun.scene.invalid(bad, &[Reason::BadPadding, Reason::Malformed]);
    begun.after(room)
}
