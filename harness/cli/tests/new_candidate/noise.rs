//! In the place of a Signal library: the right lengths, and nothing but noise inside. It shows that everything around a library
//! works, and that noise passes for nothing.

use crate::contract::{random_bytes, Outcome, Problem};

pub struct PublicPrekey {
    pub id: u32,
    pub key: Vec<u8>,
    pub signature: Option<Vec<u8>>,
}

pub struct Bundle {
    pub registration_id: u32,
    pub identity_key: Vec<u8>,
    pub signed_prekey: PublicPrekey,
    pub one_time_prekey: Option<PublicPrekey>,
    pub kyber_prekey: PublicPrekey,
}

pub struct Encrypted {
    pub prekey: bool,
    pub body: Vec<u8>,
}

pub trait Surroundings: Send + Sync {
    fn now_ms(&self) -> u64;
    fn identity_changed(&self, peer: &str);
}

pub struct Signal {
    identity: Vec<u8>,
    count: u32,
}

fn key(kind: u8, length: usize) -> Vec<u8> {
    let noise: [u8; 2048] = random_bytes();
    [&[kind], &noise[..length]].concat()
}

impl Signal {
    pub fn new(_: &str, _: Box<dyn Surroundings>) -> Outcome<Self> {
        Ok(Self { identity: key(5, 32), count: 0 })
    }

    pub fn identity_key(&self) -> Outcome<Vec<u8>> {
        Ok(self.identity.clone())
    }

    pub fn registration_id(&self) -> Outcome<u32> {
        Ok(1)
    }

    pub fn new_signed_prekey(&mut self) -> Outcome<PublicPrekey> {
        Ok(PublicPrekey { signature: Some(key(0, 63)), ..self.new_one_time_prekey()? })
    }

    pub fn new_kyber_prekey(&mut self, _: bool) -> Outcome<PublicPrekey> {
        Ok(PublicPrekey { key: key(8, 1568), ..self.new_signed_prekey()? })
    }

    pub fn new_one_time_prekey(&mut self) -> Outcome<PublicPrekey> {
        self.count += 1;
        Ok(PublicPrekey { id: self.count, key: key(5, 32), signature: None })
    }

    pub fn has_session(&self, _: &str) -> Outcome<bool> {
        Ok(false)
    }

    pub fn establish(&mut self, _: &str, bundle: &Bundle) -> Outcome<Vec<u8>> {
        Ok(bundle.identity_key.clone())
    }

    pub fn encrypt(&mut self, _: &str, plaintext: &[u8]) -> Outcome<Encrypted> {
        Ok(Encrypted { prekey: true, body: key(0x44, plaintext.len()) })
    }

    pub fn decrypt(&mut self, _: &str, _: &Encrypted) -> Outcome<Vec<u8>> {
        Err(Problem::new("bad-mac", "this is noise"))
    }

    pub fn safety_number(&self, _: &str) -> Outcome<String> {
        Ok("0".repeat(60))
    }

    pub fn accept_identity(&mut self, _: &str) -> Outcome<()> {
        Ok(())
    }
}
