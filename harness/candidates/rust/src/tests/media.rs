use super::post::*;
use countersign_contract::seen::{FileRef, MediaKind, UserContent, What};
use countersign_contract::{Reason, StanzaId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// What happens to a blob at the gateway.
type Fault = fn(&mut Vec<u8>);

fn picture(pair: &Pair, plain: &[u8], media: MediaKind) -> UserContent {
    let url = format!("/files/{}", Uuid::new_v4());
    pair.post.office.lock().unwrap().blobs.insert(url.clone(), plain.to_vec());
    let file = FileRef { url: Some(url), sha256: Sha256::digest(plain).to_vec().into(), length: plain.len() as u64 };
    UserContent::Media { media, mime: "image/png".into(), name: "cat.png".into(), file }
}

#[tokio::test]
async fn files_of_every_kind_arrive_and_are_ciphertext_at_the_gateway() {
    let pair = Pair::honest().await;
    for (media, length) in MediaKind::ALL.into_iter().zip([0, 1, 4096, 100_000]) {
        let plain = vec![b'x'; length];
        let mut content = picture(&pair, &plain, media);
        let id = StanzaId(Uuid::new_v4());
        pair.alice.try_send(&pair.bob, id, content.clone()).await.unwrap();
        pair.bob.settle(id).await;
        if let UserContent::Media { file, .. } = &mut content {
            file.url = None;
        }
        let shown = What::Message { message: id, from: pair.alice.id, group: None, content };
        assert_eq!(pair.bob.seen().await.last(), Some(&shown));
    }
    let office = pair.post.office.lock().unwrap();
    let mut uploads = office.blobs.iter().filter(|(url, _)| url.starts_with("/media/"));
    assert!(uploads.all(|(_, blob)| !blob.windows(16).any(|w| w == [b'x'; 16])));
}

#[tokio::test]
async fn a_file_that_is_not_what_its_message_says_is_not_shown() {
    let pair = Pair::honest().await;
    pair.bob.disconnect().await;
    let mut ids = Vec::new();
    let faults: [(Fault, Reason); 2] = [(|blob| blob[3] ^= 1, Reason::BadDigest), (|blob| blob.truncate(32), Reason::BadDigest)];
    for (fault, reason) in faults {
        let known: Vec<String> = pair.post.office.lock().unwrap().blobs.keys().cloned().collect();
        let id = StanzaId(Uuid::new_v4());
        pair.alice.try_send(&pair.bob, id, picture(&pair, b"seventeen bytes..", MediaKind::Image)).await.unwrap();
        let mut office = pair.post.office.lock().unwrap();
        office.blobs.iter_mut().filter(|(url, _)| url.starts_with("/media/") && !known.contains(url)).for_each(|b| fault(b.1));
        ids.push((id, reason));
    }
    let id = StanzaId(Uuid::new_v4());
    pair.alice.try_send(&pair.bob, id, picture(&pair, b"gone", MediaKind::Voice)).await.unwrap();
    let last = pair.post.office.lock().unwrap().requests.iter().rposition(|r| r.path == "/media").is_some();
    assert!(last);
    ids.push((id, Reason::MediaMissing));
    {
        let mut office = pair.post.office.lock().unwrap();
        let small: Vec<String> = office
            .blobs
            .iter()
            .filter(|(url, blob)| url.starts_with("/media/") && blob.len() == 48)
            .map(|(url, _)| url.clone())
            .collect();
        assert_eq!(small.len(), 1);
        small.iter().for_each(|url| drop(office.blobs.remove(url)));
    }
    pair.bob.connect().await;
    pair.bob.settle(id).await;
    let refusals: Vec<What> = ids.into_iter().map(|(id, reason)| refused(id, reason)).collect();
    assert_eq!(pair.bob.seen().await, refusals);
    pair.twin().await;
}

#[tokio::test]
async fn a_file_to_send_must_be_the_one_described() {
    let pair = Pair::honest().await;
    let mut content = picture(&pair, b"right", MediaKind::File);
    if let UserContent::Media { file, .. } = &mut content {
        file.length = 4;
    }
    let id = StanzaId(Uuid::new_v4());
    assert_eq!(pair.alice.try_send(&pair.bob, id, content).await, Err(Reason::Malformed));
    pair.twin().await;
}
