//! An authority of a test, and certificates under it.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};

pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    /// Writes its own certificate to `NAME.pem` in the folder.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
        std::fs::write(folder.join(format!("{name}.pem")), issuer.pem()).expect("written");
        Self { issuer, folder: folder.to_owned() }
    }

    /// Writes a certificate for a host to `NAME.pem` and its key to `NAME.key`.
    pub(crate) fn certify(&self, name: &str, host: &str) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        std::fs::write(self.folder.join(format!("{name}.pem")), certificate.pem()).expect("written");
        std::fs::write(self.folder.join(format!("{name}.key")), key.serialize_pem()).expect("written");
    }
}
