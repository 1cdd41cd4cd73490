//! Files: sealed before they are uploaded, checked and opened after they were downloaded.

use super::User;
use crate::defect::{Defect, Defects};
use aes::Aes256;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use countersign_contract::content::{Attachment, attachment};
use countersign_contract::media::{KEY_BYTES, LARGEST_BLOB, MAC_BYTES, OKM_BYTES, info};
use countersign_contract::portable::{OCTETS, Uploaded};
use countersign_contract::seen::{FileRef, MediaKind};
use countersign_contract::{Problem, Reason};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use rand::{TryRngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Bytes of one AES block.
const BLOCK: usize = 16;

impl User {
    /// Fetches the file to send, seals and uploads it.
    ///
    /// # Errors
    /// What the gateway answered; `malformed` if the file is not the one described, `too-large` if it is too large.
    pub(super) async fn upload(&self, kind: MediaKind, mime: &str, name: &str, file: &FileRef) -> Result<Attachment, Problem> {
        let malformed = |what: &str| Problem::new(Reason::Malformed, what);
        let path = file.url.clone().filter(|url| url.starts_with('/')).ok_or_else(|| malformed("a file to send needs a path"))?;
        let plain = self.gateway.request("GET", path, Some(&self.token), "", Vec::new()).await?;
        if Sha256::digest(&plain).as_slice() != file.sha256.as_ref() || plain.len() as u64 != file.length {
            return Err(malformed("the file is not the one described"));
        }
        if plain.len() + BLOCK + MAC_BYTES > LARGEST_BLOB {
            return Err(Problem::new(Reason::TooLarge, "the file is too large"));
        }
        let length = plain.len() as u64;
        let key = self.media_key()?;
        let blob = if self.has(Defect::UploadsPlaintext) {
            plain
        } else {
            let kind = self.derived_as(kind);
            seal(&key, kind, &plain).ok_or_else(|| Problem::new(Reason::Internal, "sealing a file"))?
        };
        let digest = Sha256::digest(&blob).to_vec();
        let answer = self.gateway.request("PUT", "/media".into(), Some(&self.token), OCTETS, blob).await?;
        let Uploaded { url } = super::gateway::parse(&answer)?;
        Ok(Attachment {
            kind: attachment::Kind::from(kind).into(),
            url,
            key: key.to_vec(),
            digest,
            length,
            mime: mime.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Downloads, checks and opens an attachment: the SHA-256 of its plaintext.
    ///
    /// # Errors
    /// `media-missing`, `bad-digest`, `bad-mac` or `malformed`; other reasons are the gateway's.
    pub(super) async fn download(&self, attachment: &Attachment) -> Result<[u8; 32], Reason> {
        let kind = attachment.media_kind().ok_or(Reason::Malformed)?;
        let kind = self.derived_as(kind);
        if !is_media_path(&attachment.url) {
            return Err(Reason::Malformed);
        }
        let blob = self.gateway.request("GET", attachment.url.clone(), Some(&self.token), "", Vec::new()).await;
        let blob = match blob {
            Ok(blob) => blob,
            Err(problem) if matches!(problem.reason, Reason::MediaMissing | Reason::UnknownUser) => {
                if self.has(Defect::ShowsMissingMedia) {
                    return Ok(Sha256::digest([]).into());
                }
                return Err(Reason::MediaMissing);
            }
            Err(problem) => return Err(problem.reason),
        };
        if self.has(Defect::UploadsPlaintext) {
            return Ok(Sha256::digest(&blob).into());
        }
        open(attachment, kind, &blob, &*self.defects).map(|plain| Sha256::digest(plain).into())
    }

    /// The kind by whose rule the keys of a file are derived.
    fn derived_as(&self, kind: MediaKind) -> MediaKind {
        if kind == MediaKind::Voice && self.has(Defect::OneMediaKeyInfo) { MediaKind::File } else { kind }
    }

    /// A key for one file.
    fn media_key(&self) -> Result<[u8; KEY_BYTES], Problem> {
        let mut key = [0; KEY_BYTES];
        OsRng.try_fill_bytes(&mut key).map_err(|e| Problem::new(Reason::Internal, e.to_string()))?;
        Ok(if self.has(Defect::ReusesMediaKey) { *self.state().media_key.get_or_insert(key) } else { key })
    }
}

/// Whether a path can name a blob of our gateway, and nothing else.
fn is_media_path(path: &str) -> bool {
    path.strip_prefix("/media/").is_some_and(|name| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !name.is_empty() && name.len() <= 200 && name.chars().all(plain) && !name.starts_with('.')
    })
}

/// IV, AES key and MAC key of a file.
fn keys(key: &[u8], kind: MediaKind) -> Option<([u8; 16], [u8; 32], [u8; 32])> {
    let mut okm = [0; OKM_BYTES];
    Hkdf::<Sha256>::new(None, key).expand(&info(kind), &mut okm).ok()?;
    Some((okm.get(..16)?.try_into().ok()?, okm.get(16..48)?.try_into().ok()?, okm.get(48..80)?.try_into().ok()?))
}

fn mac_of(mac_key: &[u8; 32], iv: &[u8; 16], ciphertext: &[u8]) -> Option<[u8; MAC_BYTES]> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(mac_key).ok()?;
    mac.update(iv);
    mac.update(ciphertext);
    Some(mac.finalize().into_bytes().into())
}

fn seal(key: &[u8], kind: MediaKind, plain: &[u8]) -> Option<Vec<u8>> {
    let (iv, aes_key, mac_key) = keys(key, kind)?;
    let mut blob = cbc::Encryptor::<Aes256>::new(&aes_key.into(), &iv.into()).encrypt_padded_vec_mut::<Pkcs7>(plain);
    let mac = mac_of(&mac_key, &iv, &blob)?;
    blob.extend_from_slice(&mac);
    Some(blob)
}

/// Digest, then MAC, and only then the plaintext.
fn open(attachment: &Attachment, kind: MediaKind, blob: &[u8], defects: &dyn Defects) -> Result<Vec<u8>, Reason> {
    if attachment.key.len() != KEY_BYTES || attachment.digest.len() != 32 {
        return Err(Reason::Malformed);
    }
    let (iv, aes_key, mac_key) = keys(&attachment.key, kind).ok_or(Reason::Internal)?;
    let cipher = || cbc::Decryptor::<Aes256>::new(&aes_key.into(), &iv.into());
    let whole = usize::try_from(attachment.length).ok().and_then(|length| length.checked_add(BLOCK - length % BLOCK + MAC_BYTES));
    if defects.has(Defect::AcceptsPartialDownload) && whole.is_none_or(|whole| blob.len() < whole) {
        let blocks = blob.get(..blob.len() - blob.len() % BLOCK).unwrap_or_default();
        return cipher().decrypt_padded_vec_mut::<NoPadding>(blocks).map_err(|_| Reason::Malformed);
    }
    let right = Sha256::digest(blob).as_slice().ct_eq(&attachment.digest);
    if !bool::from(right) && !defects.has(Defect::SkipsMediaDigest) {
        return Err(Reason::BadDigest);
    }
    let (ciphertext, mac) = blob.split_last_chunk::<MAC_BYTES>().ok_or(Reason::Malformed)?;
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        return Err(Reason::Malformed);
    }
    let right = mac_of(&mac_key, &iv, ciphertext).ok_or(Reason::Internal)?.ct_eq(mac);
    if !bool::from(right) && !defects.has(Defect::SkipsMediaMac) {
        return Err(Reason::BadMac);
    }
    let plain = cipher().decrypt_padded_vec_mut::<Pkcs7>(ciphertext).map_err(|_| Reason::Malformed)?;
    if plain.len() as u64 != attachment.length && !defects.has(Defect::SkipsMediaLength) {
        return Err(Reason::Malformed);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Honest;

    fn sealed(plain: &[u8]) -> (Attachment, Vec<u8>) {
        let key = [7; KEY_BYTES];
        let blob = seal(&key, MediaKind::Voice, plain).unwrap();
        let digest = Sha256::digest(&blob).to_vec();
        (Attachment { key: key.to_vec(), digest, length: plain.len() as u64, ..Attachment::default() }, blob)
    }

    #[test]
    fn a_file_comes_back_under_its_own_kind_only() {
        let (attachment, blob) = sealed(b"to be or not");
        assert_eq!(open(&attachment, MediaKind::Voice, &blob, &Honest).unwrap(), b"to be or not");
        assert_eq!(open(&attachment, MediaKind::Image, &blob, &Honest), Err(Reason::BadMac));
    }

    #[test]
    fn each_fault_has_its_own_reason_in_the_contracts_order() {
        let (attachment, blob) = sealed(b"sixteen bytes ok");
        let mut flipped = blob.clone();
        flipped[0] ^= 1;
        assert_eq!(open(&attachment, MediaKind::Voice, &flipped, &Honest), Err(Reason::BadDigest));
        let digest = Sha256::digest(&flipped).to_vec();
        let agreeing = Attachment { digest, ..attachment.clone() };
        assert_eq!(open(&agreeing, MediaKind::Voice, &flipped, &Honest), Err(Reason::BadMac));
        let longer = Attachment { length: 17, ..attachment.clone() };
        assert_eq!(open(&longer, MediaKind::Voice, &blob, &Honest), Err(Reason::Malformed));
        assert_eq!(open(&attachment, MediaKind::Voice, &blob[..blob.len() - 16], &Honest), Err(Reason::BadDigest));
    }

    #[test]
    fn only_blobs_of_the_gateway_are_fetched() {
        assert!(is_media_path("/media/0b7c-A_1.bin"));
        for path in ["/media/", "/media/../keys", "/media/a/b", "/files/x", "http://elsewhere/media/x", "/media/..", "/media/x?y"]
        {
            assert!(!is_media_path(path), "{path}");
        }
    }
}
