//! Where requests of ours may go: to the candidate's upper tester, whose name is resolved once, and nowhere else.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use url::{Host, Url};

/// Why an address is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("`{address}` is not a URL: {cause}")]
    NotAUrl {
        /// As it was written.
        address: String,
        /// Why.
        cause: String,
    },
    /// Another scheme.
    #[error("`{0}:` is not spoken here; give the upper tester's address as `http://host:port` or `https://host:port`")]
    Scheme(String),
    /// A name or a password in it, a query, or a fragment.
    #[error("the address has {0}; give it without")]
    TooMuch(&'static str),
    /// The name has no address.
    #[error("the name `{host}` has no address: {cause}; check its spelling, and that this machine can resolve it")]
    Unknown {
        /// The name.
        host: String,
        /// Why.
        cause: String,
    },
    /// An address where a candidate is not expected, and where a request of ours could do harm.
    #[error(
        "the name `{host}` leads to {address}, {what}; if the candidate is there, write that address itself in --candidate, or allow it with --allow-address {address}"
    )]
    Refused {
        /// The name.
        host: String,
        /// Its address.
        address: IpAddr,
        /// What kind of address that is.
        what: &'static str,
    },
    /// A token without TLS.
    #[error("the token would travel to {0} in clear; give an `https:` address, or leave the token out")]
    Clear(SocketAddr),
}

/// Addresses that are allowed by configuration: one, or those with a common beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Not an address or network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address such as 10.0.0.7 nor a network such as 10.0.0.0/8")]
pub struct NotANetwork(String);

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        let (own, other) = (wide(self.address), wide(address));
        let bits = u32::from(self.bits) + if self.address.is_ipv4() { 96 } else { 0 };
        bits == 0 || (own ^ other).leading_zeros() >= bits
    }
}

/// Every address as one of 128 bits; IPv4 in its mapped form.
fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let no = || NotANetwork(text.to_owned());
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| no())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| no()))?;
        if bits > most { Err(no()) } else { Ok(Self { address, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The upper tester's address, with what its name meant when the run began. Every request goes to one of these addresses.
#[derive(Clone, Debug)]
pub struct Site {
    /// The URL, without a slash at its end.
    pub base: String,
    /// Whether it is `https:`.
    pub secure: bool,
    /// The host, as certificates have it.
    pub host: String,
    /// Where it is.
    pub addresses: Vec<SocketAddr>,
}

impl Site {
    /// Reads an address and resolves its name, once.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub async fn resolve(address: &str, allowed: &[Network], with_token: bool) -> Result<Self, AddressError> {
        let url = Url::parse(address).map_err(|e| AddressError::NotAUrl { address: clean(address), cause: e.to_string() })?;
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(AddressError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::TooMuch("credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::TooMuch("a query or a fragment"));
        }
        let no_host = || AddressError::NotAUrl { address: address.to_owned(), cause: "empty host".to_owned() };
        let port = url.port_or_known_default().ok_or_else(no_host)?;
        let (host, addresses) = match url.host().ok_or_else(no_host)? {
            // Whoever writes an address means it.
            Host::Ipv4(v4) => (v4.to_string(), vec![SocketAddr::from((v4, port))]),
            Host::Ipv6(v6) => (v6.to_string(), vec![SocketAddr::from((v6, port))]),
            Host::Domain(name) => (name.to_owned(), resolved(name, port, allowed).await?),
        };
        if let Some(address) = addresses.iter().find(|a| with_token && !secure && !a.ip().to_canonical().is_loopback()) {
            return Err(AddressError::Clear(*address));
        }
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), secure, host, addresses })
    }
}

/// An address for an error message: a part before `@` may hold a password.
fn clean(address: &str) -> String {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest).chars().take(200).collect()
}

async fn resolved(host: &str, port: u16, allowed: &[Network]) -> Result<Vec<SocketAddr>, AddressError> {
    let unknown = |cause: String| AddressError::Unknown { host: host.to_owned(), cause };
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.map_err(|e| unknown(e.to_string()))?.collect();
    if addresses.is_empty() {
        return Err(unknown("the answer is empty".to_owned()));
    }
    screen(host, &addresses, allowed)?;
    Ok(addresses)
}

/// Refuses names that lead where no candidate is: whoever controls a name must not make us talk to the inside of our network's edge.
fn screen(host: &str, addresses: &[SocketAddr], allowed: &[Network]) -> Result<(), AddressError> {
    for address in addresses.iter().map(|a| a.ip().to_canonical()) {
        if let Some(what) = harmful(address).filter(|_| !allowed.iter().any(|network| network.contains(address))) {
            return Err(AddressError::Refused { host: host.to_owned(), address, what });
        }
    }
    Ok(())
}

/// What kind of address this is, if a name should not lead to it.
fn harmful(address: IpAddr) -> Option<&'static str> {
    /// Where one cloud answers with credentials, over IPv6.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);
    let link_local = "a link-local address, where clouds keep their machines' credentials";
    match address {
        IpAddr::V4(v4) if v4.is_link_local() => Some(link_local),
        IpAddr::V6(v6) if v6.is_unicast_link_local() || v6 == METADATA => Some(link_local),
        address if address.is_unspecified() => Some("which is no address of a machine"),
        address if address.is_multicast() => Some("which is the address of many machines"),
        IpAddr::V4(v4) if v4.is_broadcast() => Some("which is the address of many machines"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn networks_contain_what_begins_alike() {
        for (net, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("fe80::/10", "fe80::1", "10.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.1.1", "::1"),
        ] {
            assert!(network(net).contains(inside.parse().unwrap()), "{net} {inside}");
            assert!(!network(net).contains(outside.parse().unwrap()), "{net} {outside}");
        }
        for bad in ["", "10.0.0.0/33", "here", "10.0.0.0/", "fe80::/129"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_lead_to_the_edge_of_the_network_are_refused_unless_allowed() {
        let at = |text: &str| vec![SocketAddr::new(text.parse().unwrap(), 80)];
        for bad in
            ["169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255"]
        {
            let refused = screen("name", &at(bad), &[]).unwrap_err();
            assert!(refused.to_string().contains("--allow-address"), "{refused}");
            assert!(screen("name", &at(bad), &[network("0.0.0.0/0"), network("::/0")]).is_ok(), "{bad}");
        }
        // One bad address among good ones is enough.
        assert!(screen("name", &[at("10.0.0.1"), at("169.254.0.1")].concat(), &[]).is_err());
        for good in ["127.0.0.1", "10.0.0.1", "192.0.2.1", "::1", "2001:db8::1"] {
            assert_eq!(screen("name", &at(good), &[]), Ok(()), "{good}");
        }
    }

    #[tokio::test]
    async fn an_address_that_is_written_out_is_meant() {
        for address in ["http://169.254.169.254", "https://[fe80::1]:8443/upper/"] {
            assert!(Site::resolve(address, &[], false).await.is_ok(), "{address}");
        }
        let site = Site::resolve("https://[fe80::1]:8443/upper/", &[], true).await.unwrap();
        assert_eq!((site.base.as_str(), site.host.as_str()), ("https://[fe80::1]:8443/upper", "fe80::1"));
    }

    #[tokio::test]
    async fn a_token_does_not_travel_in_clear() {
        let error = Site::resolve("http://192.0.2.7:80", &[], true).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the token would travel to 192.0.2.7:80 in clear; give an `https:` address, or leave the token out"
        );
        for good in ["http://127.0.0.1:80", "http://[::1]:80", "https://192.0.2.7"] {
            assert!(Site::resolve(good, &[], true).await.is_ok(), "{good}");
        }
    }

    #[tokio::test]
    async fn a_password_in_an_address_is_not_repeated() {
        for address in ["http://me:hunter2@x:99999", "http://me:hunter2@x"] {
            let error = Site::resolve(address, &[], false).await.unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
