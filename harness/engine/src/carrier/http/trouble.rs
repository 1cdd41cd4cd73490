//! What an error of the network means, and what to do about it.

use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::error::Error;
use std::io;

/// An error with all its causes: the outermost leaves out the one that helps. The same words twice are said once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// What to do about an error, if its cause is known.
pub(super) fn fix(error: &(dyn Error + 'static)) -> Option<&'static str> {
    Some(match tls(error)? {
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the upper tester's certificate is of no authority that this machine knows: name its authority with --ca FILE, or that one certificate with --pin SHA256"
        }
        TlsError::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
            "the upper tester's certificate is for another host: address it in --candidate by a name that the certificate has, or name that one certificate with --pin SHA256"
        }
        TlsError::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => "the upper tester's certificate does not hold at this time: renew it, or set the clocks of both machines",
        TlsError::InvalidCertificate(_) => {
            "look at the upper tester's certificate; name its authority with --ca FILE, or that one certificate with --pin SHA256"
        }
        TlsError::General(_) => "if the new certificate is the right one, give its SHA-256 in --pin",
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => {
            "the upper tester asks for a client certificate: give one with --client-cert and --client-key"
        }
        TlsError::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => "the upper tester refused our client certificate: check that --client-cert is of an authority that it trusts",
        TlsError::InvalidMessage(_) => "the port speaks no TLS: perhaps the address is `http:` rather than `https:`",
        _ => return None,
    })
}

/// The error of TLS inside another one. An `io::Error` hides what it carries from `source`.
fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut next: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<TlsError>() {
            return Some(found);
        }
        let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = hidden.and_then(|inner| tls(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}
