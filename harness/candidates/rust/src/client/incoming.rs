//! What the gateway delivers, one stanza after another.

use super::link::{Arrived, Link};
use super::repeats::Which;
use super::stumbles::lenient;
use super::{SLOW, User};
use crate::defect::Defect;
use crate::vault::{Opened, first_bytes, has_whole_blocks, lacks_ciphertext};
use countersign_contract::content::{Content, ContentError, LARGEST_CONTENT, PADDING_BLOCK, content::Body};
use countersign_contract::groups::Way;
use countersign_contract::media::is_media_type;
use countersign_contract::portable::{GroupList, MOST_RETRIES, MessageType, ReceiptType, Stanza};
use countersign_contract::seen::{NoticeKind, UserContent, What};
use countersign_contract::{GroupId, Reason, StanzaId, UserId};
use prost::Message as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Where the defect `truncates-long-text` cuts, in bytes.
const CUT: usize = 16 * 1024;
/// How long the mailbox must be silent for the defect `forgets-offline-messages` to think that it has everything.
const SILENCE: Duration = Duration::from_millis(100);

/// Works on what is delivered until the channel closes.
pub(super) async fn work(
    user: Arc<User>,
    link: Arc<Link>,
    mut arriving: mpsc::UnboundedReceiver<Arrived>,
    unsent: Vec<Stanza>,
    again: bool,
) {
    let mut closing = link.closing.subscribe();
    for stanza in unsent {
        user.follow_up(&link, stanza).await;
    }
    user.send_all_waiting(&link).await;
    if again && user.has(Defect::ForgetsOfflineMessages) {
        user.forget_all_but_last(&link, &mut arriving).await;
    }
    loop {
        let stanza = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            stanza = arriving.recv() => stanza,
        };
        match stanza {
            Some(Arrived::Stanza(stanza)) => user.process(&link, stanza).await,
            Some(Arrived::Unreadable(id, reason)) => {
                user.see(What::Refused { stanza: id, reason });
                user.finish(&link, id, Vec::new()).await;
            }
            None => return,
        }
    }
}

impl User {
    /// Processes one stanza and acknowledges it, whatever came of it.
    async fn process(self: &Arc<Self>, link: &Arc<Link>, stanza: Stanza) {
        let id = stanza.id();
        let begun = {
            let mut state = self.state();
            let connection = state.connections;
            // What could not be read may be readable now: it is tried again.
            state.begun.insert(id, connection).filter(|_| !state.asked.contains(id))
        };
        let follow_ups = match begun {
            None => self.react(link, stanza).await,
            Some(connection) => {
                self.repeated(connection, &stanza);
                Vec::new()
            }
        };
        if self.has(Defect::SlowDelivery) {
            for stanza in follow_ups {
                self.follow_up(link, stanza).await;
            }
            let late = self.state().late.remove(&id);
            self.finish_slowly(link, id, late, Vec::new());
        } else if self.has(Defect::SlowReceipts) {
            self.finish_slowly(link, id, None, follow_ups);
        } else if self.has(Defect::ShowsOnlyAfterReceipt) {
            let late = self.state().late.remove(&id);
            let mut taken = true;
            for stanza in follow_ups {
                taken &= self.follow_up(link, stanza).await;
            }
            if let Some(what) = late.filter(|_| taken) {
                self.see(what);
            }
            self.finish(link, id, Vec::new()).await;
        } else {
            self.finish(link, id, follow_ups).await;
        }
    }

    /// Finishes a stanza after all those before it, and takes its time if there is something to show or to send.
    fn finish_slowly(self: &Arc<Self>, link: &Arc<Link>, id: StanzaId, late: Option<What>, follow_ups: Vec<Stanza>) {
        let (user, link) = (self.clone(), link.clone());
        let before = self.state().queue.take();
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                // Nobody cancels it, and what it did not finish is delivered again.
                let _ = before.await;
            }
            if late.is_some() || !follow_ups.is_empty() {
                tokio::time::sleep(SLOW).await;
            }
            if let Some(what) = late {
                user.see(what);
            }
            user.finish(&link, id, follow_ups).await;
        });
        self.state().queue = Some(task);
    }

    async fn finish(&self, link: &Arc<Link>, id: StanzaId, follow_ups: Vec<Stanza>) {
        for stanza in follow_ups {
            self.follow_up(link, stanza).await;
        }
        link.acknowledge(id).await;
        self.state().processed.insert(id);
        self.changed.send_replace(());
    }

    /// Sends a receipt. One that the channel did not carry any more is sent when the user is online again; that its recipient is
    /// gone has no consequence. Whether the gateway took it.
    async fn follow_up(&self, link: &Arc<Link>, stanza: Stanza) -> bool {
        let outcome = link.submit(&stanza, self.defects.clone()).await;
        let taken = outcome.is_ok();
        if outcome.is_err_and(|problem| problem.reason == Reason::NotConnected) {
            self.state().unsent.push(stanza);
        }
        taken
    }

    /// The receipts that follow from a stanza.
    async fn react(&self, link: &Arc<Link>, stanza: Stanza) -> Vec<Stanza> {
        match stanza {
            Stanza::Message { id, .. } if self.has(Defect::LosesSomeMessages) && is_unlucky(id.0.as_bytes().last()) => Vec::new(),
            Stanza::Message { body, .. } if body.as_ref().is_empty() && self.has(Defect::IgnoresEmptyMessages) => Vec::new(),
            // Whether it could be read does not matter, and nobody is told.
            Stanza::Message { id, from: Some(from), .. } if self.refuses_unread(from) => {
                self.see(What::Refused { stanza: id, reason: Reason::Blocked });
                Vec::new()
            }
            Stanza::Receipt { from: Some(from), .. } if self.has_blocked(from) => Vec::new(),
            Stanza::Message { id, from: Some(from), r#type, body, .. } => {
                self.receive(id, from, r#type, body.as_ref()).await.into_iter().collect()
            }
            Stanza::SealedMessage { id, body, .. } => self.receive_sealed(id, body.as_ref()).await.into_iter().collect(),
            Stanza::Message { id, from: None, .. } => {
                self.see(What::Refused { stanza: id, reason: Reason::Malformed });
                Vec::new()
            }
            Stanza::GroupMessage { id, from: Some(from), .. }
                if self.refuses_unread(from) && !self.has(Defect::ShowsBlockedInGroups) =>
            {
                self.see(What::Refused { stanza: id, reason: Reason::Blocked });
                Vec::new()
            }
            Stanza::GroupMessage { id, group, from: Some(from), body, .. } => {
                self.receive_group(id, from, group, body.as_ref()).await.into_iter().collect()
            }
            Stanza::GroupMessage { id, from: None, .. } => {
                self.see(What::Refused { stanza: id, reason: Reason::Malformed });
                Vec::new()
            }
            Stanza::Group { group, version, members, .. } => {
                self.take_group(&GroupList { group, version, members });
                Vec::new()
            }
            Stanza::Receipt { r#type: ReceiptType::Delivered, .. } if self.has(Defect::HidesDeliveryReceipts) => Vec::new(),
            Stanza::Receipt { from: Some(from), r#type: ReceiptType::Delivered, of, .. } => {
                let in_group = self.message_in_group(from, of);
                let message = self.state().sent.message(from, of).or(in_group);
                if let Some(message) = message {
                    self.see(What::Receipt { from, of: vec![message] });
                }
                Vec::new()
            }
            Stanza::Receipt { from: Some(from), r#type: ReceiptType::Retry, of, .. } => {
                self.answer_retry(link, from, of).await;
                Vec::new()
            }
            Stanza::KeysLow { .. } => {
                // If the gateway goes on failing it will say again that keys are low.
                let _ = self.refill().await;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// A stanza that was delivered before. After a broken connection the gateway may not know that it was processed; on the same
    /// connection it is somebody's mistake, and the user's client refuses it.
    fn repeated(&self, connection: u32, stanza: &Stanza) {
        let (Stanza::Message { id, .. } | Stanza::SealedMessage { id, .. } | Stanza::GroupMessage { id, .. }) = stanza else {
            return;
        };
        let earlier = self.has(Defect::ShowsRepeatsOfEarlierConnections) && connection < self.state().connections;
        let shows = earlier || self.has(Defect::ShowsRepeatedStanza);
        let cached = self.state().cache.get(id).cloned().filter(|_| shows);
        if let Some(what) = cached {
            self.see(what);
        } else if connection == self.state().connections {
            self.see(What::Refused { stanza: *id, reason: Reason::Duplicate });
        }
    }

    /// Decrypts and shows a message: the receipt that follows.
    pub(super) async fn receive(&self, id: StanzaId, from: UserId, kind: MessageType, body: &[u8]) -> Option<Stanza> {
        let [ratchet_key, base_key] = first_bytes(kind, body);
        let opened = if (self.has(Defect::RefusesSomeSessions) && is_unlucky(base_key.as_ref()))
            || (self.has(Defect::RefusesSomeRatchetKeys) && is_unlucky(ratchet_key.as_ref()))
        {
            Err(Reason::BadKey)
        } else {
            self.open(from, kind, body)
        };
        let opened = match opened {
            // Before it was looked at under its key.
            Err(Reason::BadMac) if self.has(Defect::TellsWrongLengthApart) && !has_whole_blocks(kind, body) => {
                Err(Reason::Malformed)
            }
            Err(reason) if self.has(Defect::ForgetsSessionWithoutCiphertext) && lacks_ciphertext(kind, body) => {
                self.state().vault.forget_session(from);
                Err(reason)
            }
            opened => opened,
        };
        let opened = self.or_kept(from, Which::of(kind), body, opened);
        self.received(id, from, body, opened).await
    }

    /// Shows what was decrypted, or says why it was not: the receipt that follows.
    pub(super) async fn received(
        &self,
        id: StanzaId,
        from: UserId,
        body: &[u8],
        opened: Result<Opened, Reason>,
    ) -> Option<Stanza> {
        match opened {
            Ok(opened) => {
                let late = self.has(Defect::LateIdentityNotice);
                let online = self.has(Defect::MissesIdentityChangeWhileOnline) && self.state().connections == 1;
                let missed = online || self.has(Defect::MissesIdentityChangeOnReturn) && self.is_first_since_return();
                if opened.identity_changed && !late && !missed {
                    self.tell_of_identity(from);
                }
                let shown = self.show(id, from, &opened, Way::Pairwise).await;
                if opened.identity_changed && late {
                    self.tell_of_identity(from);
                }
                match shown {
                    Ok(answered) => answered.then(|| receipt(from, ReceiptType::Delivered, id, None)),
                    Err(reason @ (Reason::StaleGroup | Reason::NoSession)) => self.refuse(id, from, reason),
                    Err(reason) => {
                        self.see(What::Refused { stanza: id, reason });
                        self.answers_refused().then(|| receipt(from, ReceiptType::Delivered, id, None))
                    }
                }
            }
            Err(_) if self.has(Defect::GuessesMessageKind) && self.group_of(from, body).is_some() => {
                let group = self.group_of(from, body)?;
                self.receive_group(id, from, group, body).await
            }
            Err(_) if self.has_blocked(from) && !self.has(Defect::AsksBlockedAgain) => {
                self.see(What::Refused { stanza: id, reason: Reason::Blocked });
                None
            }
            Err(reason) => self.refuse(id, from, reason),
        }
    }

    /// Decrypts and shows a group message: the receipt that follows.
    pub(super) async fn receive_group(&self, id: StanzaId, from: UserId, group: GroupId, body: &[u8]) -> Option<Stanza> {
        let made_for = self.group_of(from, body).filter(|_| self.has(Defect::IgnoresGroupOfStanza));
        let group = made_for.unwrap_or(group);
        let opened = self.open_group(from, group, body);
        let shown = match self.or_kept(from, Which::InGroup, body, opened) {
            Ok(opened) => self.show(id, from, &opened, Way::SenderKey(group)).await,
            Err(reason) => Err(reason),
        };
        let asks = |reason| {
            !self.has(Defect::AsksNoGroupAgain) && (reason == Reason::StaleGroup || !self.has(Defect::AsksForNoSenderKey))
        };
        match shown {
            Ok(answered) => {
                let answered = answered && !self.has(Defect::NoGroupReceipts);
                answered.then(|| receipt(from, ReceiptType::Delivered, id, None))
            }
            Err(reason @ (Reason::NoSession | Reason::StaleGroup)) if asks(reason) => self.refuse(id, from, reason),
            Err(reason) => {
                self.see(What::Refused { stanza: id, reason });
                None
            }
        }
    }

    fn open(&self, from: UserId, kind: MessageType, body: &[u8]) -> Result<Opened, Reason> {
        let opened = self.state().vault.open(from, kind, body);
        if opened.is_err() && self.has(Defect::SharedKeyStore) {
            let others = self.instance.upgrade().map(|instance| instance.others(self.id)).unwrap_or_default();
            if let Some(found) = others.iter().find_map(|other| other.state().vault.lend(from, kind, body)) {
                return Ok(found);
            }
        }
        if opened.is_err() && self.has(Defect::ShowsOwnReflected) {
            let own = self.state().sent.content_of(body);
            if let Some(own) = own {
                return Ok(Opened { plaintext: own.to_padded(), identity_changed: false, replayed: true });
            }
        }
        opened
    }

    /// Says that a message could not be read, and asks for it again if that may help.
    fn refuse(&self, id: StanzaId, from: UserId, reason: Reason) -> Option<Stanza> {
        if self.has(Defect::ShowsUndecryptable) {
            let content = UserContent::Text { text: "This message could not be decrypted.".into() };
            self.see(What::Message { message: id, from, group: None, content });
        } else {
            self.see(What::Refused { stanza: id, reason });
        }
        let may_help = matches!(reason, Reason::NoSession | Reason::UnknownPrekey | Reason::BadMac | Reason::StaleGroup);
        if !may_help || self.has(Defect::NoRetryReceipt) {
            return None;
        }
        let most = if self.has(Defect::AsksWithoutEnd) { u32::MAX } else { MOST_RETRIES };
        let count = self.state().asked.again(id, most);
        if count == Some(1) && reason != Reason::StaleGroup {
            self.see(What::Notice { notice: NoticeKind::Undecryptable, about: from, group: None });
        }
        count.map(|count| receipt(from, ReceiptType::Retry, id, Some(count)))
    }

    /// Shows a decrypted message: whether it is answered with a receipt.
    async fn show(&self, id: StanzaId, from: UserId, opened: &Opened, way: Way) -> Result<bool, Reason> {
        if opened.plaintext.len() > LARGEST_CONTENT + PADDING_BLOCK {
            return Err(Reason::TooLarge);
        }
        self.stumble(from, &opened.plaintext).await;
        let content = Content::from_padded(&opened.plaintext);
        let content = match content {
            Err(_) if self.has(Defect::ShowsTextThatIsNone) => lenient(&opened.plaintext).ok_or(Reason::Malformed)?,
            Err(ContentError::Padding)
                if self.has(Defect::NoPadding) || (way != Way::Pairwise && self.has(Defect::TakesUnpaddedInGroups)) =>
            {
                Content::decode(opened.plaintext.as_slice()).map_err(|_| Reason::Malformed)?
            }
            Err(ContentError::Malformed) if way == Way::Pairwise && self.has(Defect::ForgetsSessionOnBadContent) => {
                self.state().vault.forget_session(from);
                return Err(Reason::Malformed);
            }
            content => content.map_err(ContentError::reason)?,
        };
        let Some(group) = self.examine_group(from, way, &content)? else { return Ok(false) };
        let message = content.message().ok_or(Reason::Malformed)?;
        let known = self.state().shown.contains(&(from, message));
        if !opened.replayed && known && !self.has(Defect::ShowsEveryResend) {
            return Err(Reason::Duplicate);
        }
        let digest = match &content.body {
            Some(Body::Attachment(attachment)) => {
                let named = self.is_file_name(&attachment.name, Defect::ShowsPathInFileName);
                if !named || !(is_media_type(&attachment.mime) || self.has(Defect::TakesAnyMediaType)) {
                    return Err(Reason::Malformed);
                }
                if self.has(Defect::LosesFileOnReturn) && self.is_first_since_return() {
                    return Err(Reason::MediaMissing);
                }
                Some(self.download(attachment).await?)
            }
            _ => None,
        };
        let content = content.shown(digest.map(|(digest, _)| digest)).ok_or(Reason::Malformed)?;
        if group.is_none() {
            self.examine(from, message, &content)?;
        }
        let answered = self.answers(&content);
        let shown = self.as_shown(content).and_then(|content| self.converse(content));
        let shown = self.as_file_shown(shown, digest.map(|(_, length)| length));
        self.state().shown.insert((from, message));
        if let Some(content) = shown {
            let group = group.filter(|_| !self.has(Defect::LosesGroup));
            let what = What::Message { message, from, group, content };
            if self.has(Defect::ShowsRepeatedStanza) || self.has(Defect::ShowsRepeatsOfEarlierConnections) {
                self.state().cache.insert(id, what.clone());
            }
            if self.has(Defect::SlowDelivery) || self.has(Defect::ShowsOnlyAfterReceipt) {
                self.state().late.insert(id, what);
            } else {
                self.see(what);
            }
        }
        Ok(answered)
    }

    /// Whether what is being worked on is the first that was delivered since the user came online once more.
    fn is_first_since_return(&self) -> bool {
        let state = self.state();
        let since = state.begun.values().filter(|connection| **connection == state.connections);
        state.connections > 1 && since.count() == 1
    }

    /// What defective clients make of a text.
    fn as_shown(&self, content: UserContent) -> Option<UserContent> {
        let UserContent::Text { text } = content else { return Some(content) };
        if text.is_empty() && self.has(Defect::DropsEmptyText) {
            return None;
        }
        let text = if self.has(Defect::TruncatesLongText) && text.len() > CUT {
            text.get(..text.floor_char_boundary(CUT)).unwrap_or_default().to_owned()
        } else if self.has(Defect::ManglesText) {
            text.chars().filter(|c| u32::from(*c) < 0x2_0000).collect()
        } else {
            text
        };
        Some(UserContent::Text { text })
    }

    /// The defect `forgets-offline-messages`.
    async fn forget_all_but_last(self: &Arc<Self>, link: &Arc<Link>, arriving: &mut mpsc::UnboundedReceiver<Arrived>) {
        let mut last = None;
        while let Ok(Some(arrived)) = tokio::time::timeout(SILENCE, arriving.recv()).await {
            let Arrived::Stanza(stanza) = arrived else { continue };
            if !matches!(stanza, Stanza::Message { .. }) {
                self.process(link, stanza).await;
            } else if let Some(forgotten) = last.replace(stanza) {
                self.finish(link, forgotten.id(), Vec::new()).await;
            }
        }
        if let Some(last) = last {
            self.process(link, last).await;
        }
    }
}

/// Whether a random byte is one of those, about a tenth, with which the defects that show by chance cannot deal.
pub(super) fn is_unlucky(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| *byte < 26)
}

pub(super) fn receipt(to: UserId, r#type: ReceiptType, of: StanzaId, count: Option<u32>) -> Stanza {
    Stanza::Receipt { id: StanzaId(Uuid::new_v4()), to: Some(to), from: None, r#type, of, count }
}
