//! Files: sealed before they are uploaded, checked and opened after they were downloaded.

use super::User;
use crate::defect::{Defect, Defects};
use aes::Aes256;
use bytes::Bytes;
use cbc::cipher::inout::InOutBuf;
use cbc::cipher::{Block, BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use countersign_contract::content::{Attachment, attachment};
use countersign_contract::media::{KEY_BYTES, LARGEST_BLOB, LONGEST_NAME, MAC_BYTES, OKM_BYTES, info, is_file_name};
use countersign_contract::portable::{OCTETS, Uploaded};
use countersign_contract::seen::{FileRef, MediaKind, UserContent};
use countersign_contract::{Problem, Reason};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use rand::{TryRngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Bytes of one AES block.
const BLOCK: usize = 16;
/// Bytes that are decrypted at once: whole blocks.
const PIECE: usize = 64 * 1024;

type Cipher = cbc::Decryptor<Aes256>;

impl User {
    /// Fetches the file to send, seals and uploads it.
    ///
    /// # Errors
    /// What the gateway answered; `malformed` if the file is not the one described, `too-large` if it is too large.
    pub(super) async fn upload(&self, kind: MediaKind, mime: &str, name: &str, file: &FileRef) -> Result<Attachment, Problem> {
        let malformed = |what: &str| Problem::new(Reason::Malformed, what);
        let path = file.url.clone().filter(|url| url.starts_with('/')).ok_or_else(|| malformed("a file to send needs a path"))?;
        let plain = self.gateway.request("GET", path, Some(&self.token), "", Bytes::new()).await?;
        if Sha256::digest(&plain).as_slice() != file.sha256.as_ref() || plain.len() as u64 != file.length {
            return Err(malformed("the file is not the one described"));
        }
        if plain.len() + BLOCK + MAC_BYTES > LARGEST_BLOB || self.stops_at(plain.len()) {
            return Err(Problem::new(Reason::TooLarge, "the file is too large"));
        }
        let length = plain.len() as u64;
        let key = self.media_key(&file.sha256.0)?;
        let blob = if self.has(Defect::UploadsPlaintext) {
            plain
        } else {
            seal(&key, self.derived_as(kind), plain).ok_or_else(|| Problem::new(Reason::Internal, "sealing a file"))?
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

    /// Downloads, checks and opens an attachment: the SHA-256 and the length of its plaintext, which is never held as a whole.
    ///
    /// # Errors
    /// `media-missing`, `bad-digest`, `bad-mac` or `malformed`; other reasons are the gateway's.
    pub(super) async fn download(&self, attachment: &Attachment) -> Result<([u8; 32], u64), Reason> {
        if self.detached {
            return Err(Reason::MediaMissing);
        }
        let kind = self.derived_as(attachment.media_kind().ok_or(Reason::Malformed)?);
        if !is_media_path(&attachment.url) || (attachment.length == 0 && self.has(Defect::RefusesEmptyFile)) {
            return Err(Reason::Malformed);
        }
        let blob = self.gateway.request("GET", attachment.url.clone(), Some(&self.token), "", Bytes::new()).await;
        let blob = match blob {
            Ok(blob) => blob,
            Err(problem) if matches!(problem.reason, Reason::MediaMissing | Reason::UnknownUser) => {
                if self.has(Defect::ShowsMissingMedia) {
                    return Ok((Sha256::digest([]).into(), attachment.length));
                }
                return Err(Reason::MediaMissing);
            }
            Err(problem) => return Err(problem.reason),
        };
        if self.has(Defect::UploadsPlaintext) {
            return Ok((Sha256::digest(&blob).into(), attachment.length));
        }
        if self.stops_at(blob.len()) {
            return Err(Reason::TooLarge);
        }
        let whole = whole_blob(attachment.length);
        if self.has(Defect::SpoilsSomeFiles) && super::incoming::is_unlucky(attachment.key.first()) {
            return Err(Reason::BadMac);
        }
        let found = opened(attachment, kind, &blob, &*self.defects);
        match found {
            Err(Reason::BadMac) if self.has(Defect::GuessesMediaKind) => MediaKind::ALL
                .into_iter()
                .find_map(|other| opened(attachment, other, &blob, &*self.defects).ok())
                .ok_or(Reason::BadMac),
            Err(Reason::BadDigest) if self.has(Defect::IgnoresAppendedBytes) => {
                opened(attachment, kind, whole.and_then(|whole| blob.get(..whole)).unwrap_or(&blob), &*self.defects)
            }
            found => found,
        }
    }

    /// Whether a file name may be sent or shown. `overlooked` is the defect that lets a path through.
    pub(super) fn is_file_name(&self, name: &str, overlooked: Defect) -> bool {
        let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let passed = |c: char| {
            (matches!(c, '/' | '\\') && self.has(overlooked))
                || (c.is_control() && self.has(Defect::ShowsControlInFileName))
                || (turns(c) && self.has(Defect::ShowsBidiInFileName))
        };
        let checked: String = name.chars().filter(|c| !passed(*c)).collect();
        let end = if self.has(Defect::ShowsLongFileName) { checked.floor_char_boundary(LONGEST_NAME) } else { checked.len() };
        is_file_name(checked.get(..end).unwrap_or_default())
    }

    /// The defects that change how a file is shown.
    pub(super) fn as_file_shown(&self, shown: Option<UserContent>, length: Option<u64>) -> Option<UserContent> {
        let mut shown = shown?;
        if let UserContent::Media { name, file, .. } = &mut shown {
            if name.is_empty() && self.has(Defect::InventsFileName) {
                "file".clone_into(name);
            }
            file.length = length.unwrap_or(file.length);
        }
        Some(shown)
    }

    /// The defect `stops-at-32-mib`.
    fn stops_at(&self, length: usize) -> bool {
        self.has(Defect::StopsAt32Mib) && length > 32 * 1024 * 1024
    }

    /// The kind by whose rule the keys of a file are derived.
    fn derived_as(&self, kind: MediaKind) -> MediaKind {
        if kind == MediaKind::Voice && self.has(Defect::OneMediaKeyInfo) { MediaKind::File } else { kind }
    }

    /// A key for one file with this digest, which only a defect looks at.
    fn media_key(&self, digest: &[u8]) -> Result<[u8; KEY_BYTES], Problem> {
        if self.has(Defect::ConvergentMediaKey) {
            return Ok(Sha256::digest(digest).into());
        }
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

/// Encrypts a file where it lies, if nobody else holds it.
fn seal(key: &[u8], kind: MediaKind, plain: Bytes) -> Option<Bytes> {
    let (iv, aes_key, mac_key) = keys(key, kind)?;
    let mut blob = Vec::from(plain);
    let padding = BLOCK - blob.len() % BLOCK;
    blob.resize(blob.len() + padding, u8::try_from(padding).ok()?);
    let (blocks, _) = InOutBuf::from(blob.as_mut_slice()).into_chunks();
    cbc::Encryptor::<Aes256>::new(&aes_key.into(), &iv.into()).encrypt_blocks_inout_mut(blocks);
    let mac = mac_of(&mac_key, &iv, &blob)?;
    blob.extend_from_slice(&mac);
    Some(blob.into())
}

/// Length of the blob of a file of that length.
fn whole_blob(length: u64) -> Option<usize> {
    usize::try_from(length).ok().and_then(|length| length.checked_add(BLOCK - length % BLOCK + MAC_BYTES))
}

/// SHA-256 and length of the plaintext of a blob.
fn opened(attachment: &Attachment, kind: MediaKind, blob: &[u8], defects: &dyn Defects) -> Result<([u8; 32], u64), Reason> {
    let (mut hash, mut length) = (Sha256::new(), 0);
    let most = if defects.has(Defect::TruncatesToStatedLength) { attachment.length } else { u64::MAX };
    open(attachment, kind, blob, defects, |piece| {
        let room = usize::try_from(most - length).unwrap_or(usize::MAX);
        let piece = piece.get(..room).unwrap_or(piece);
        hash.update(piece);
        length += piece.len() as u64;
    })?;
    Ok((hash.finalize().into(), length))
}

/// Digest, then MAC, and only then the plaintext, which goes to `take` piece by piece and is worth nothing if this fails.
fn open(
    attachment: &Attachment,
    kind: MediaKind,
    blob: &[u8],
    defects: &dyn Defects,
    take: impl FnMut(&[u8]),
) -> Result<(), Reason> {
    if attachment.key.len() != KEY_BYTES || attachment.digest.len() != 32 {
        return Err(Reason::Malformed);
    }
    let (iv, aes_key, mac_key) = keys(&attachment.key, kind).ok_or(Reason::Internal)?;
    let cipher = cbc::Decryptor::<Aes256>::new(&aes_key.into(), &iv.into());
    let whole = whole_blob(attachment.length);
    if defects.has(Defect::AcceptsPartialDownload) && whole.is_some_and(|whole| blob.len() < whole) {
        let blocks = blob.get(..blob.len() - blob.len() % BLOCK).unwrap_or_default();
        return decrypt(cipher, blocks, take).map(drop);
    }
    let right = Sha256::digest(blob).as_slice().ct_eq(&attachment.digest);
    if !bool::from(right) && !defects.has(Defect::SkipsMediaDigest) {
        return Err(Reason::BadDigest);
    }
    let (ciphertext, mac) = blob.split_last_chunk::<MAC_BYTES>().ok_or(Reason::Malformed)?;
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        return Err(Reason::Malformed);
    }
    let compared = if defects.has(Defect::ComparesTenMacBytes) { 10 } else { MAC_BYTES };
    let computed = mac_of(&mac_key, &iv, ciphertext).ok_or(Reason::Internal)?;
    let right = computed.get(..compared).unwrap_or(&computed).ct_eq(mac.get(..compared).unwrap_or(mac));
    if !bool::from(right) && !defects.has(Defect::SkipsMediaMac) {
        return Err(Reason::BadMac);
    }
    let mut take = take;
    let (body, last) = ciphertext.split_last_chunk::<BLOCK>().ok_or(Reason::Malformed)?;
    let mut cipher = decrypt(cipher, body, &mut take)?;
    let mut last = Block::<Aes256>::from(*last);
    cipher.decrypt_block_mut(&mut last);
    let end = last.split_last().map_or(0, |(padding, _)| usize::from(*padding));
    let kept = BLOCK.checked_sub(end).filter(|_| end > 0).ok_or(Reason::Malformed)?;
    let (rest, padding) = last.split_at_checked(kept).ok_or(Reason::Malformed)?;
    if padding.iter().any(|b| usize::from(*b) != end) {
        return Err(Reason::Malformed);
    }
    take(rest);
    let careless = defects.has(Defect::SkipsMediaLength) || defects.has(Defect::TruncatesToStatedLength);
    if (body.len() + kept) as u64 != attachment.length && !careless {
        return Err(Reason::Malformed);
    }
    Ok(())
}

/// Decrypts whole blocks; gives the cipher as it then is, for the block after them.
fn decrypt(mut cipher: Cipher, blocks: &[u8], mut take: impl FnMut(&[u8])) -> Result<Cipher, Reason> {
    let mut buffer = vec![0; PIECE.min(blocks.len())];
    for part in blocks.chunks(PIECE) {
        let piece = buffer.get_mut(..part.len()).ok_or(Reason::Internal)?;
        piece.copy_from_slice(part);
        let (in_place, _) = InOutBuf::from(&mut *piece).into_chunks();
        cipher.decrypt_blocks_inout_mut(in_place);
        take(piece);
    }
    Ok(cipher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Honest;

    fn sealed(plain: &[u8]) -> (Attachment, Vec<u8>) {
        let key = [7; KEY_BYTES];
        let blob = seal(&key, MediaKind::Voice, Bytes::copy_from_slice(plain)).unwrap().to_vec();
        let digest = Sha256::digest(&blob).to_vec();
        (Attachment { key: key.to_vec(), digest, length: plain.len() as u64, ..Attachment::default() }, blob)
    }

    fn opened(attachment: &Attachment, kind: MediaKind, blob: &[u8]) -> Result<([u8; 32], u64), Reason> {
        super::opened(attachment, kind, blob, &Honest)
    }

    #[test]
    fn files_of_awkward_lengths_come_back_and_are_sealed_where_they_lie() {
        for length in [0, 1, 15, 16, 17, 1024, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let plain: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let mut roomy = Vec::with_capacity(length + BLOCK + MAC_BYTES + 1);
            roomy.extend_from_slice(&plain);
            let begin = roomy.as_ptr();
            let blob = seal(&[7; KEY_BYTES], MediaKind::Voice, roomy.into()).unwrap();
            assert_eq!((blob.as_ptr(), blob.len()), (begin, length / BLOCK * BLOCK + BLOCK + MAC_BYTES), "{length}");
            let attachment = sealed(&plain).0;
            assert_eq!(opened(&attachment, MediaKind::Voice, &blob), Ok((Sha256::digest(&plain).into(), length as u64)));
        }
    }

    #[test]
    fn a_file_comes_back_under_its_own_kind_only() {
        let (attachment, blob) = sealed(b"to be or not");
        assert_eq!(opened(&attachment, MediaKind::Voice, &blob), Ok((Sha256::digest(b"to be or not").into(), 12)));
        assert_eq!(opened(&attachment, MediaKind::Image, &blob), Err(Reason::BadMac));
    }

    #[test]
    fn each_fault_has_its_own_reason_in_the_contracts_order() {
        let (attachment, blob) = sealed(b"sixteen bytes ok");
        let mut flipped = blob.clone();
        flipped[0] ^= 1;
        assert_eq!(opened(&attachment, MediaKind::Voice, &flipped), Err(Reason::BadDigest));
        let digest = Sha256::digest(&flipped).to_vec();
        let agreeing = Attachment { digest, ..attachment.clone() };
        assert_eq!(opened(&agreeing, MediaKind::Voice, &flipped), Err(Reason::BadMac));
        let longer = Attachment { length: 17, ..attachment.clone() };
        assert_eq!(opened(&longer, MediaKind::Voice, &blob), Err(Reason::Malformed));
        assert_eq!(opened(&attachment, MediaKind::Voice, &blob[..blob.len() - 16]), Err(Reason::BadDigest));
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
