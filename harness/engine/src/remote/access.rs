//! How we reach an upper tester over the network: with which credentials, and how we know that it is the right one.

use super::address::Network;
use super::secret::Secret;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

/// Credentials for the upper tester, and whom to trust as it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A bearer token for every call.
    pub token: Option<Secret>,
    /// A client certificate with its key.
    pub identity: Option<Identity>,
    /// Whom to trust.
    pub trust: Trust,
    /// Addresses that a name may lead to though no candidate is expected there.
    pub allowed: Vec<Network>,
}

/// A client certificate chain with its private key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Whom to trust as the upper tester.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Whoever has a certificate under an authority of this machine.
    #[default]
    System,
    /// Whoever has a certificate under one of these authorities.
    Authority(Vec<CertificateDer<'static>>),
    /// The one certificate with this SHA-256 over its DER form, whatever its name and dates say.
    Pinned([u8; 32]),
}

/// Why credentials or certificates cannot be used. Repeats no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// A PEM file.
    #[error("no {what} can be read from {file}: {cause}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// In which file.
        file: String,
        /// Why not.
        cause: String,
    },
    /// The key is of another certificate.
    #[error("the key {key} does not belong to the certificate {certificate}; give the two that were made together")]
    Mismatch {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
    /// A fingerprint.
    #[error(
        "`{0}` is not the SHA-256 of a certificate; it has 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints them"
    )]
    Pin(String),
    /// TLS itself.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates, key [redacted])", self.chain.len())
    }
}

impl Identity {
    /// Reads a chain and its key, each PEM with the name of its file.
    ///
    /// # Errors
    /// If either cannot be read, or they do not belong together.
    pub fn new(chain: (&str, &[u8]), key: (&str, &[u8])) -> Result<Self, AccessError> {
        let certificates = certificates(chain.0, chain.1)?;
        let private = PrivateKeyDer::from_pem_slice(key.1).map_err(|e| AccessError::Pem {
            what: "private key",
            file: key.0.to_owned(),
            cause: e.to_string(),
        })?;
        let identity = Self { chain: certificates, key: private };
        let loaded = rustls::sign::CertifiedKey::from_der(identity.chain.clone(), identity.key.clone_key(), &provider());
        match loaded {
            Ok(_) => Ok(identity),
            Err(TlsError::InconsistentKeys(_)) => {
                Err(AccessError::Mismatch { certificate: chain.0.to_owned(), key: key.0.to_owned() })
            }
            Err(other) => Err(AccessError::Tls(other.to_string())),
        }
    }

    /// The chain, the certificate itself first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(crate) const fn from_parts(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        Self { chain, key }
    }

    pub(crate) fn into_parts(self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain, self.key)
    }
}

impl Trust {
    /// Trust in the authorities of a PEM file.
    ///
    /// # Errors
    /// If there is no certificate in it.
    pub fn authority(file: &str, pem: &[u8]) -> Result<Self, AccessError> {
        certificates(file, pem).map(Self::Authority)
    }

    /// Trust in one certificate, by the hexadecimal digits of its SHA-256; colons between them do not count.
    ///
    /// # Errors
    /// If it is none.
    pub fn pin(text: &str) -> Result<Self, AccessError> {
        let bad = || AccessError::Pin(text.chars().take(100).collect());
        let digits: Vec<u32> =
            text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16).ok_or_else(bad)).collect::<Result<_, _>>()?;
        let bytes: Vec<u8> = digits
            .chunks(2)
            .filter_map(|pair| match pair {
                [high, low] => u8::try_from(high * 16 + low).ok(),
                _ => None,
            })
            .collect();
        if digits.len() != 64 {
            return Err(bad());
        }
        bytes.try_into().map(Self::Pinned).map_err(|_| bad())
    }
}

/// Certificates of a PEM file: one at least.
pub(crate) fn certificates(file: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, AccessError> {
    let bad = |cause: String| AccessError::Pem { what: "certificate", file: file.to_owned(), cause };
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|e| bad(e.to_string()))?;
    if all.is_empty() { Err(bad("there is none in it".to_owned())) } else { Ok(all) }
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Access {
    /// TLS for a connection that has none.
    pub(crate) fn pinned_to_nothing() -> Result<ClientConfig, AccessError> {
        Self { trust: Trust::Pinned([0; 32]), ..Self::default() }.tls()
    }

    /// TLS as a client of the upper tester.
    ///
    /// # Errors
    /// If something that was given cannot be used.
    pub fn tls(&self) -> Result<ClientConfig, AccessError> {
        let unusable = |e: &dyn fmt::Display| AccessError::Tls(e.to_string());
        let provider = provider();
        let mut roots = RootCertStore::empty();
        let verifier: Arc<dyn ServerCertVerifier> = match &self.trust {
            Trust::Pinned(digest) => {
                Arc::new(OneCertificate { digest: *digest, algorithms: provider.signature_verification_algorithms })
            }
            Trust::System => {
                // A certificate of the system that cannot be read is one that is not trusted.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if roots.is_empty() {
                    let cause = "this machine has no certificate authorities; name one with --ca, or the certificate with --pin";
                    return Err(unusable(&cause));
                }
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                    .build()
                    .map_err(|e| unusable(&e))?
            }
            Trust::Authority(certificates) => {
                for certificate in certificates {
                    roots.add(certificate.clone()).map_err(|e| unusable(&e))?;
                }
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                    .build()
                    .map_err(|e| unusable(&e))?
            }
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| unusable(&e))?.dangerous().with_custom_certificate_verifier(verifier);
        Ok(match self.identity.clone().map(Identity::into_parts) {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|e| unusable(&e))?,
        })
    }
}

/// Trusts one certificate, by its digest. That the other side has its key is checked as always.
#[derive(Debug)]
struct OneCertificate {
    digest: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for OneCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let digest: [u8; 32] = Sha256::digest(end_entity).into();
        if digest == self.digest {
            return Ok(ServerCertVerified::assertion());
        }
        let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        Err(TlsError::General(format!("the upper tester shows a certificate with SHA-256 {hex}, and another one is pinned")))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_64_digits() {
        let hex = "0123456789abcdef".repeat(4);
        let Trust::Pinned(digest) = Trust::pin(&hex).unwrap() else { panic!() };
        assert_eq!(digest.get(..3), Some(&[0x01, 0x23, 0x45][..]));
        let colons: Vec<String> =
            hex.to_uppercase().as_bytes().chunks(2).map(|p| String::from_utf8_lossy(p).into_owned()).collect();
        assert_eq!(Trust::pin(&colons.join(":")).unwrap(), Trust::Pinned(digest));
        for bad in ["", "12", "zz", &hex[1..], &format!("{hex}00")] {
            assert!(matches!(Trust::pin(bad), Err(AccessError::Pin(_))), "{bad}");
        }
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_with_both_names() {
        let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let (a, b) = (made("a"), made("b"));
        let (chain, key) = (a.cert.pem(), b.signing_key.serialize_pem());
        let error = Identity::new(("a.pem", chain.as_bytes()), ("b.key", key.as_bytes())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the key b.key does not belong to the certificate a.pem; give the two that were made together"
        );
        let error = Identity::new(("b.key", key.as_bytes()), ("b.key", key.as_bytes())).unwrap_err();
        assert!(error.to_string().starts_with("no certificate can be read from b.key: "), "{error}");
        let own = Identity::new(("a.pem", chain.as_bytes()), ("a.key", a.signing_key.serialize_pem().as_bytes())).unwrap();
        assert_eq!(format!("{own:?}"), "Identity(1 certificates, key [redacted])");
    }
}
