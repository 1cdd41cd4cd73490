//! Sealed messages: the user's certificate, and what arrives without a sender.

use super::gateway::parse;
use super::incoming::receipt;
use super::{State, User};
use crate::defect::Defect;
use crate::vault::Unvouched;
use countersign_contract::portable::{MOST_RETRIES, MessageType, ReceiptType, SenderCertificate, Stanza};
use countersign_contract::seen::What;
use countersign_contract::{Problem, Reason, StanzaId, UserId};

/// Bytes before which the defect `names-sender-beside-seal` puts the sender's id: field 15 of a protobuf, of 36 bytes.
const BESIDE: [u8; 2] = [15 << 3 | 2, 36];

/// The last of the hints that there are.
const LAST_HINT: u32 = 2;

impl User {
    /// Whether a message that is to be sealed will be.
    ///
    /// # Errors
    /// `unsupported` where nobody certifies senders.
    pub(super) fn seals(&self, asked: bool) -> Result<bool, Problem> {
        if asked && self.trust_root().is_none() {
            return Err(Problem::new(Reason::Unsupported, "this instance has no sealed messages"));
        }
        Ok(asked && !self.has(Defect::SendsOpenly))
    }

    /// The user's certificate: the one that it has, while it holds, else a new one.
    ///
    /// # Errors
    /// What the gateway answered.
    pub(super) async fn certificate(&self) -> Result<Vec<u8>, Problem> {
        let now = self.clock();
        let holds = |known: &SenderCertificate| now <= known.expires || self.has(Defect::KeepsCertificate);
        if let Some(known) = self.state().certificate.as_ref().filter(|known| holds(known)) {
            return Ok(known.certificate.0.clone());
        }
        let answer = self.gateway.request("GET", "/certificate".into(), Some(&self.token), "", Vec::new()).await?;
        let new: SenderCertificate = parse(&answer)?;
        Ok(self.state().certificate.insert(new).certificate.0.clone())
    }

    /// Seals what is encrypted already.
    ///
    /// # Errors
    /// `gateway-error` for a certificate that is none; `internal` if the library fails.
    pub(super) fn seal(
        &self,
        state: &mut State,
        to: UserId,
        (kind, body): (MessageType, Vec<u8>),
        certificate: &[u8],
    ) -> Result<Vec<u8>, Problem> {
        let sealed = state.vault.seal_sender(to, kind, body, certificate).map_err(|reason| match reason {
            Reason::Malformed => Problem::new(Reason::GatewayError, "the gateway's certificate is none"),
            reason => Problem::new(reason, format!("sealing to {to}")),
        });
        let mut sealed = sealed?;
        if self.has(Defect::NamesSenderBesideSeal) {
            sealed.extend(BESIDE);
            sealed.extend(self.id.to_string().into_bytes());
        }
        Ok(sealed)
    }

    /// Opens, decrypts and shows a sealed message: the receipt that follows.
    pub(super) async fn receive_sealed(&self, id: StanzaId, body: &[u8]) -> Option<Stanza> {
        let root = self.trust_root().unwrap_or_default();
        let unsealed = self.state().vault.unseal(body, &root, self.clock());
        let unsealed = match unsealed {
            Ok(unsealed) => unsealed,
            Err(Unvouched { reason, claims }) => {
                self.see(What::Refused { stanza: id, reason });
                // Nobody vouches for whom it names, who so would learn that the user is there.
                let asks = claims.filter(|_| self.has(Defect::AsksUncertifiedAgain))?;
                let count = self.state().asked.again(id, MOST_RETRIES);
                return count.map(|count| receipt(asks, ReceiptType::Retry, id, Some(count)));
            }
        };
        if unsealed.hint > LAST_HINT && self.has(Defect::DiesOnUnknownHint) {
            self.end().await;
        }
        if self.refuses_unread(unsealed.from) && !self.has(Defect::ShowsSealedOfBlocked) {
            self.see(What::Refused { stanza: id, reason: Reason::Blocked });
            return None;
        }
        let opened = self.state().vault.open_certified(&unsealed);
        self.received(id, unsealed.from, &unsealed.body, opened).await
    }

    fn trust_root(&self) -> Option<Vec<u8>> {
        self.instance.upgrade()?.trust_root.as_ref().map(|root| root.0.clone())
    }
}
