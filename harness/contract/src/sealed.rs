//! Sealed sender (feature `sealed-sender`, suite `signal-pq`): a message that does not say to the server who sent it. Rules, and code
//! that decides by them.
//!
//! # What it is for
//! A server that relays messages learns who writes to whom. With a sealed message it need not: the sender stands inside, encrypted
//! to the receiver's identity key. The receiver then has nothing but what stands inside, and so all depends on how well it
//! looks: a certificate says which user has which identity key, and a server signs that. Whoever skips one of its checks lets
//! anybody speak as anybody.
//!
//! # How it is made
//! `send` with `sealed` encrypts the content for the session as always, and sends the libsignal message not in a `message`
//! stanza but in a `sealed-message`: inside Signal's sealed sender format in its first form (first byte 0x11), with the sender's
//! certificate beside it, content hint 0 and no group id. Neither the stanza nor anything in its body may name the sender in clear.
//!
//! The certificate comes from `GET /certificate`. It states the user's id (UUID in lower case with hyphens, no telephone number),
//! device 1, the identity key that the user is enlisted with, and until when it holds: [`VALID_MS`] from when it was asked for. A
//! server's key signs it, and the trust root of `open` signs that. A client may use one until it is over, and then asks for a new one;
//! after enlisting anew with another identity key it asks in any case. To sign and to keep the trust root is the gateway's part; a client
//! only ever checks.
//!
//! # What is shown, and what follows
//! What is accepted is shown as from the certified user, and treated as any other message of that user from there on: receipts, retries and
//! notices. **Receipts for a sealed message are ordinary ones**, with the certified sender in `to`. What is sent again after a `retry` receipt is
//! sealed if the message was.
//!
//! # What is refused
//!
//! | what arrives | as |
//! |---|---|
//! | what does not open under the receiver's identity key: sealed to somebody else, altered, or cut off | `bad-mac` or `malformed` |
//! | another form of the format than the first | `bad-version` or `malformed` |
//! | a certificate that is not signed by a server whose key the trust root signed | `bad-signature` |
//! | a certificate that is over by the receiver's clock | `unauthorized` |
//! | a certificate of another device than 1, of a user id of another form, or for another key than the one that sealed | `malformed` |
//! | a message inside that is neither a `PreKeySignalMessage` nor a `SignalMessage` | `malformed` |
//! | a certificate of the receiver itself | `wrong-recipient` |
//! | a certified identity key that is not the one of the session that reads what is inside | `wrong-recipient` |
//! | a valid certificate of a user whom the receiver has blocked | `blocked` |
//! | what was received before, sealed or not | `duplicate` |
//! | what the session of the certified user cannot read | the reason for such a `message` |
//!
//! Where several apply, any of their reasons is right. Whatever is refused before the session has read it changes nothing; and what
//! the session did read under another identity key than the certified one changes nothing either: no key of the session is used up by it.
//!
//! A refused one gets no receipt, since nobody vouches for its sender. The one exception is the last line of the table: its sender is
//! certified, and is asked for it again as for any other message.
//!
//! # A simplification
//! The chat channel on which a client sends authenticates it to the gateway, so that this gateway could know the sender; a real
//! service takes sealed messages on a connection without credentials. What is tested is that the stanza and its body do not say
//! it, and that a receiver goes by the certificate alone.

use crate::portable::DEVICE;
use crate::{Reason, UserId};
use std::str::FromStr as _;

/// How long a certificate of the gateway holds, in milliseconds of the instance's time: 24 hours. The number is ours.
pub const VALID_MS: u64 = 24 * 60 * 60 * 1000;
/// First byte of a sealed message: version 1 in both halves.
pub const FIRST_BYTE: u8 = 0x11;

/// What a certificate states, once its signatures were checked.
#[derive(Clone, Copy, Debug)]
pub struct Certified<'a> {
    /// The user's id, as it stands there.
    pub user: &'a str,
    /// The device.
    pub device: u32,
    /// Until when it holds: milliseconds since the Unix epoch.
    pub expires: u64,
}

/// Whether the receiver `own` may go on with what this certificate, whose signatures were found good, came with: the sender. What is
/// left to check is who is blocked, and the identity key of the session.
///
/// # Errors
/// The reason of the table in this module.
pub fn examine(own: UserId, certified: Certified<'_>, now_ms: u64) -> Result<UserId, Reason> {
    if now_ms > certified.expires {
        return Err(Reason::Unauthorized);
    }
    let user = UserId::from_str(certified.user).ok().filter(|user| user.to_string() == certified.user);
    let user = user.filter(|_| certified.device == DEVICE).ok_or(Reason::Malformed)?;
    if user == own { Err(Reason::WrongRecipient) } else { Ok(user) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const OWN: UserId = UserId(Uuid::from_u128(1));
    const PEER: UserId = UserId(Uuid::from_u128(0xab));

    #[test]
    fn a_certificate_holds_to_its_last_millisecond_and_for_the_one_device() {
        let text = PEER.to_string();
        let upper = text.to_uppercase();
        let of = |user, device| examine(OWN, Certified { user, device, expires: 1000 }, 1000);
        assert_eq!(of(&text, 1), Ok(PEER));
        assert_eq!(examine(OWN, Certified { user: &text, device: 1, expires: 1000 }, 1001), Err(Reason::Unauthorized));
        assert_eq!(of(&text, 2), Err(Reason::Malformed));
        assert_eq!(of(&upper, 1), Err(Reason::Malformed));
        assert_eq!(of("somebody", 1), Err(Reason::Malformed));
        assert_eq!(of(&OWN.to_string(), 1), Err(Reason::WrongRecipient));
    }
}
