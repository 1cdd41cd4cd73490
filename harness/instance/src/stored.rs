//! Stored peers: what they publish and send stands in the scenario, and nothing is behind them that could read an answer.

use crate::Instance;
use countersign_contract::Bytes;
use countersign_contract::UserId;
use countersign_contract::operations::{CreateUser, ImportedKeys};
use countersign_contract::portable::Stanza;
use countersign_gateway::BundleRule;
use countersign_scenarios::Cast;
use countersign_scenarios::language::{SendStored, ServeBundle, StoreBlob, StoredContent};
use countersign_trace::event::Event;
use countersign_trace::{Body, Observation};

/// The name of a member at the gateway, if it is fixed.
pub(crate) fn fixed_user(cast: &Cast) -> Option<UserId> {
    let fixed = cast.fixed.as_ref()?;
    fixed.user.or_else(|| fixed.enlist.as_ref().map(|enlist| enlist.user))
}

/// Whether a member is a stored peer.
pub(crate) fn is_stored(cast: &Cast) -> bool {
    cast.fixed.as_ref().is_some_and(|fixed| fixed.enlist.is_some())
}

impl Instance {
    /// What the candidate is told to create a user of the cast.
    pub(crate) fn creation(&self, cast: &Cast, user: UserId) -> CreateUser {
        let import: Option<ImportedKeys> = cast.fixed.as_ref().and_then(|fixed| fixed.import.clone());
        CreateUser { instance: self.plan.instance, user, one_time_prekeys: cast.one_time_prekeys, import }
    }

    pub(crate) fn send_stored(&mut self, step: &SendStored) {
        let (Some(from), Some(to)) = (self.user(&step.from), self.user(&step.to)) else {
            return self.skip(format!("the users {} and {}", step.from, step.to));
        };
        self.name(step.name.clone(), step.stanza);
        if let Some(group) = &step.group {
            return self.send_stored_to_group(step, from, to, group);
        }
        if let Some(content) = step.content.as_ref().map(StoredContent::user_content) {
            self.observe(Some(from), Observation::Sent { stanza: step.stanza, to, content, media_key: None });
        }
        let SendStored { stanza: id, r#type, body, .. } = step;
        let stanza = if step.sealed {
            Stanza::SealedMessage { id: *id, to: Some(to), body: body.clone() }
        } else {
            Stanza::Message { id: *id, to: Some(to), from: None, r#type: *r#type, body: body.clone() }
        };
        self.reference_sends_stanza(from, &stanza);
    }

    pub(crate) fn store_blob(&mut self, step: &StoreBlob) {
        let Some(user) = self.user(&step.of) else { return self.skip(format!("the user {}", step.of)) };
        let Bytes(bytes) = &step.bytes;
        let body = Body::new(bytes, &mut self.blobs);
        self.log(Event::FromReference { user, what: format!("PUT {}", step.path), body });
        self.gateway.store_blob(&step.path, bytes);
    }

    pub(crate) fn serve_bundle(&mut self, step: &ServeBundle) {
        let Some(of) = self.user(&step.of) else { return self.skip(format!("the user {}", step.of)) };
        self.gateway.arm_bundle(of, BundleRule::Whole(Box::new(step.bundle.clone())));
    }
}
