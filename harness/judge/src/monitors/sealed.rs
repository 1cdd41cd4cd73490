//! What is to be sealed is sealed, and says nowhere in clear who sent it.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::search::Search;
use countersign_contract::portable::Stanza;
use countersign_contract::sealed::FIRST_BYTE;
use countersign_contract::{StanzaId, UserId};
use countersign_trace::Observation;

pub(super) const MONITOR: Monitor = Monitor { id: "sealed", requirements: &["SEAL-01"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "sealed messages are of the sealed form and do not name their sender, and what was sealed is sealed when it is sent again";
    let mut count = 0_usize;
    for frame in &cx.seen.frames {
        let Ok(Stanza::SealedMessage { body, .. }) = &frame.stanza else { continue };
        count += 1;
        let fail = |finding, observed: &str| Said::fail(finding, expected, observed).evidence([cx.seen.n(frame.at)]);
        if body.0.first() != Some(&FIRST_BYTE) {
            return fail(Finding::WrongOnWire, "a body that is not of the sealed form");
        }
        let Some(user) = frame.user else { continue };
        // All of the frame, since a name can stand in a member as well; and the body's own bytes.
        let text = frame.body.bytes(cx.seen.blobs).unwrap_or_default();
        let names = Search::of(traces(cx, user, frame.at));
        if names.find(&body.0).is_some() || names.find(text).is_some() {
            return fail(Finding::NamesSender, "the sender's id or identity key stands in a sealed message");
        }
    }
    // What a reference user was shown says which stanza carried it, also if the candidate chose that stanza's id.
    for (_, _, observation) in &cx.seen.observed {
        let Observation::Shown { stanza, message, .. } = observation else { continue };
        let sealed = |id: &StanzaId| cx.seen.message_of_stanza.get(id).and_then(|name| cx.seen.messages.get(name));
        if !sealed(message).is_some_and(|sent| sent.sealed && sent.by_candidate) {
            continue;
        }
        let open = cx.seen.sent_in().find(|(_, sent)| sent.id == *stanza && !sent.sealed);
        if let Some((frame, _)) = open {
            let observed = "a message that was to be sealed was sent openly, or sealed first and then openly";
            return Said::fail(Finding::NotSealed, expected, observed).evidence([cx.seen.n(frame.at)]);
        }
    }
    Said::pass(expected, format!("{count} sealed messages"))
}

/// Bytes that say who somebody is: the id in its forms, and the identity key.
fn traces(cx: &Context<'_>, user: UserId, at: usize) -> Vec<Vec<u8>> {
    let texts = [user.to_string(), user.0.simple().to_string()];
    let forms = texts.iter().flat_map(|text| [text.clone().into_bytes(), text.to_uppercase().into_bytes()]);
    let key = cx.seen.enlisted(user, at).and_then(|publication| publication.identity.as_ref());
    // Without its type byte, which may be left out.
    let key = key.and_then(|key| key.0.get(1..)).map(<[u8]>::to_vec);
    forms.chain([user.0.as_bytes().to_vec()]).chain(key).collect()
}
