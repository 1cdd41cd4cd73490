//! How the candidate's clients reach our gateway: where it listens, what they are told, and TLS.

use super::access::{AccessError, Identity, certificates, provider};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::client::verify_server_name;
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error as TlsError, RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use url::Url;

/// How long before now a certificate that we make begins to hold: clocks differ.
const BEFORE: Duration = Duration::from_secs(24 * 3600);
/// How long it holds. No run takes so long.
const AFTER: Duration = Duration::from_secs(30 * 24 * 3600);

/// Connections of one address unless said otherwise. Fewer than the gateway has in all, so that one address never takes all of them.
pub const PER_ADDRESS: usize = 384;

/// How clients reach the gateway.
#[derive(Clone, Debug)]
pub struct Reach {
    /// What the candidate is told in place of the address on which we listen: behind a translated address, a tunnel or a proxy.
    pub advertise: Option<Url>,
    /// TLS on the gateway.
    pub tls: Tls,
    /// Most connections of one address at a time.
    pub per_address: usize,
}

impl Default for Reach {
    fn default() -> Self {
        Self { advertise: None, tls: Tls::Off, per_address: PER_ADDRESS }
    }
}

/// TLS on the gateway.
#[derive(Clone, Debug, Default)]
pub enum Tls {
    /// None.
    #[default]
    Off,
    /// A certificate made for this run, for the advertised host; its authority is told to the candidate.
    Generate,
    /// A certificate of the operator.
    Given {
        /// Chain and key.
        identity: Identity,
        /// The file of the chain, for error messages.
        file: String,
        /// Authorities that the candidate is to trust, as PEM; without them it trusts those that it knows.
        authorities: Option<String>,
    },
}

/// Why clients would not reach the gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// What is advertised is no address.
    #[error("`{0}` cannot be advertised: {1}; write it as `https://host:port`")]
    Advertised(String, &'static str),
    /// Every address of this machine is none that a candidate can be told.
    #[error(
        "{0} stands for every address of this machine, and the candidate has to be told one; add --advertise with the URL by which it reaches this machine"
    )]
    Everywhere(SocketAddr),
    /// The certificate is of somebody else.
    #[error(
        "the certificate {file} is not valid for `{host}`, by which the candidate reaches the gateway; advertise a host that it names, or use --tls generate"
    )]
    Name {
        /// The certificate's file.
        file: String,
        /// The host.
        host: String,
    },
    /// The certificate does not hold now.
    #[error("the certificate {file} {what}; renew it, or set this machine's clock")]
    Time {
        /// The certificate's file.
        file: String,
        /// What about it.
        what: &'static str,
    },
    /// A certificate could not be made.
    #[error("no certificate can be made for `{host}`: {cause}")]
    Generate {
        /// For whom.
        host: String,
        /// Why not.
        cause: String,
    },
    /// Certificate, key or authorities.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// The entry as it is once we know the address on which we listen.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the candidate is told, without a slash at the end.
    pub base: String,
    /// What it is to trust there.
    pub trust_anchors: Option<String>,
    /// TLS for the server.
    pub tls: Option<Arc<ServerConfig>>,
}

impl Reach {
    /// Reads an address to advertise.
    ///
    /// # Errors
    /// If it is not an `http:` or `https:` URL of a host and nothing more.
    pub fn advertised(text: &str) -> Result<Url, ReachError> {
        let no = |why| Err(ReachError::Advertised(text.rsplit('@').next().unwrap_or_default().chars().take(200).collect(), why));
        let Ok(url) = Url::parse(text) else { return no("it is not a URL") };
        match url.scheme() {
            "http" | "https" => {}
            _ => return no("it is neither `http:` nor `https:`"),
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return no("it has more in it than a host, a port and a path");
        }
        if url.host().is_none_or(|host| matches!(host.to_string().as_str(), "0.0.0.0" | "[::]")) {
            return no("that is not the address of a machine");
        }
        Ok(url)
    }

    /// What is to be served and told, for a gateway that will listen on `listen` (the port may still be 0).
    ///
    /// # Errors
    /// If the candidate could not reach us so.
    pub fn entry(&self, listen: SocketAddr) -> Result<Entry, ReachError> {
        let secure = !matches!(self.tls, Tls::Off);
        let (base, host) = match &self.advertise {
            Some(url) if secure && url.scheme() == "http" => {
                return Err(ReachError::Advertised(url.to_string(), "the gateway has TLS, and this says `http:`"));
            }
            Some(url) => (url.as_str().trim_end_matches('/').to_owned(), url.host_str().unwrap_or_default().to_owned()),
            None if listen.ip().is_unspecified() => return Err(ReachError::Everywhere(listen)),
            None => (format!("{}://{listen}", if secure { "https" } else { "http" }), listen.ip().to_string()),
        };
        let host = host.trim_matches(['[', ']']);
        let (tls, trust_anchors) = match &self.tls {
            Tls::Off => (None, None),
            Tls::Generate => {
                let (identity, authority) = generate(host)?;
                (Some(server(identity)?), Some(authority))
            }
            Tls::Given { identity, file, authorities } => {
                fits(identity, file, host)?;
                if let Some(pem) = authorities {
                    certificates("the gateway's authorities", pem.as_bytes())?;
                }
                (Some(server(identity.clone())?), authorities.clone())
            }
        };
        Ok(Entry { base, trust_anchors, tls })
    }
}

fn server(identity: Identity) -> Result<Arc<ServerConfig>, ReachError> {
    let unusable = |e: TlsError| AccessError::Tls(e.to_string());
    let (chain, key) = identity.into_parts();
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(unusable)?;
    Ok(Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).map_err(unusable)?))
}

/// A certificate for a host under an authority of its own, which signs nothing else: its key is forgotten at once.
fn generate(host: &str) -> Result<(Identity, String), ReachError> {
    let failed = |e: rcgen::Error| ReachError::Generate { host: host.to_owned(), cause: e.to_string() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let (begin, end) = (epoch + now.saturating_sub(BEFORE), epoch + (now + AFTER));
    let mut authority = CertificateParams::new(Vec::new()).map_err(failed)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, "Countersign, authority of one run");
    (authority.not_before, authority.not_after) = (begin, end);
    let authority_key = KeyPair::generate().map_err(failed)?;
    let root = authority.self_signed(&authority_key).map_err(failed)?;
    let mut own = CertificateParams::new(vec![host.to_owned()]).map_err(failed)?;
    own.distinguished_name.push(DnType::CommonName, "Countersign gateway");
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    own.use_authority_key_identifier_extension = true;
    (own.not_before, own.not_after) = (begin, end);
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = own.signed_by(&key, &Issuer::new(authority, authority_key)).map_err(failed)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((Identity::from_parts(vec![certificate.der().clone()], key.into()), root.pem()))
}

/// Whether a client that looks for this host will accept the certificate, as far as that can be known here: name and dates.
fn fits(identity: &Identity, file: &str, host: &str) -> Result<(), ReachError> {
    let name_fault = || ReachError::Name { file: file.to_owned(), host: host.to_owned() };
    let time_fault = |what| ReachError::Time { file: file.to_owned(), what };
    let unusable = |e: &dyn std::fmt::Display| ReachError::Access(AccessError::Tls(e.to_string()));
    let Some((end, rest)) = identity.chain().split_first() else { return Err(name_fault()) };
    let name = ServerName::try_from(host.to_owned()).map_err(|_| name_fault())?;
    let parsed = ParsedCertificate::try_from(end).map_err(|e| unusable(&e))?;
    verify_server_name(&parsed, &name).map_err(|_| name_fault())?;
    // Dates are checked before issuers; who issued it is for the client to like or not.
    let mut roots = RootCertStore::empty();
    roots.add(identity.chain().last().unwrap_or(end).clone()).map_err(|e| unusable(&e))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().map_err(|e| unusable(&e))?;
    match verifier.verify_server_cert(end, rest, &name, &[], UnixTime::now()) {
        Err(TlsError::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            Err(time_fault("has expired"))
        }
        Err(TlsError::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. })) => {
            Err(time_fault("is not valid yet"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn given(host: &str, change: impl FnOnce(&mut CertificateParams)) -> Tls {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let chain = params.self_signed(&key).unwrap().pem();
        let identity = Identity::new(("own.pem", chain.as_bytes()), ("own.key", key.serialize_pem().as_bytes())).unwrap();
        Tls::Given { identity, file: "own.pem".to_owned(), authorities: Some(chain) }
    }

    fn error(reach: &Reach, listen: &str) -> String {
        reach.entry(at(listen)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_told_follows_from_where_we_listen_unless_it_is_advertised() {
        let plain = Reach::default().entry(at("127.0.0.1:7700")).unwrap();
        assert_eq!((plain.base.as_str(), plain.trust_anchors, plain.tls.is_some()), ("http://127.0.0.1:7700", None, false));
        let advertise = Some(Reach::advertised("https://gateway.example/here/").unwrap());
        let told = Reach { advertise, tls: Tls::Generate, ..Reach::default() }.entry(at("0.0.0.0:7700")).unwrap();
        assert_eq!(told.base, "https://gateway.example/here");
        assert!(told.tls.is_some() && told.trust_anchors.is_some_and(|pem| pem.contains("BEGIN CERTIFICATE")));
        let v6 = Reach { tls: Tls::Generate, ..Reach::default() }.entry(at("[::1]:7700")).unwrap();
        assert_eq!(v6.base, "https://[::1]:7700");
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        assert!(error(&Reach::default(), "0.0.0.0:7700").contains("--advertise"));
        let advertise = Some(Reach::advertised("http://gateway.example").unwrap());
        let clear = Reach { advertise, tls: Tls::Generate, ..Reach::default() };
        assert!(error(&clear, "127.0.0.1:1").contains("the gateway has TLS, and this says `http:`"));
        for bad in ["gateway", "ftp://x", "https://a:b@x", "https://x?y", "https://0.0.0.0:1", "https://[::]:1"] {
            let said = Reach::advertised(bad).unwrap_err().to_string();
            assert!(said.contains("cannot be advertised") && !said.contains("a:b"), "{said}");
        }
    }

    #[test]
    fn a_certificate_has_to_fit_host_and_time() {
        let advertise = || Some(Reach::advertised("https://gateway.example").unwrap());
        let with = |tls| Reach { advertise: advertise(), tls, ..Reach::default() };
        assert!(with(given("gateway.example", |_| {})).entry(at("0.0.0.0:1")).is_ok());
        assert_eq!(
            error(&with(given("other.example", |_| {})), "0.0.0.0:1"),
            "the certificate own.pem is not valid for `gateway.example`, by which the candidate reaches the gateway; advertise a \
             host that it names, or use --tls generate"
        );
        let old = given("gateway.example", |p| p.not_after = rcgen::date_time_ymd(2001, 1, 1));
        assert!(error(&with(old), "0.0.0.0:1").starts_with("the certificate own.pem has expired; "));
        let young = given("gateway.example", |p| p.not_before = rcgen::date_time_ymd(2999, 1, 1));
        assert!(error(&with(young), "0.0.0.0:1").starts_with("the certificate own.pem is not valid yet; "));
    }
}
