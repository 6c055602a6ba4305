//! Where a component may send requests: the entries of `allowedOutboundHosts`.

use std::fmt;

/// Host names have no more than 253 characters; scheme and port come on top.
const MAX_ENTRY_BYTES: usize = 300;

/// One entry: `[http://|https://]host[:port]`, where host is a name, `*.name` for everything below a name, or `*`.
///
/// ```
/// let entry: manifest::OutboundHost = "https://*.example.com".parse()?;
/// assert!(entry.allows(true, "api.example.com", 443));
/// assert!(!entry.allows(false, "api.example.com", 80));
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct OutboundHost {
    text: String,
    https: Option<bool>,
    host: HostPattern,
    port: Option<u16>,
}

#[derive(Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// Everything that ends in this, which begins with a dot.
    Below(String),
    Exactly(String),
}

impl OutboundHost {
    /// The entry as the manifest writes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a request to `host` is covered. `port` is the one that the connection uses, never zero: for a URL without
    /// one, the scheme's own. An IPv6 address stands in brackets. Case does not matter.
    pub fn allows(&self, https: bool, host: &str, port: u16) -> bool {
        let host_matches = match &self.host {
            HostPattern::Any => true,
            HostPattern::Exactly(name) => name.eq_ignore_ascii_case(host),
            HostPattern::Below(suffix) => host
                .len()
                .checked_sub(suffix.len())
                .filter(|prefix| *prefix > 0)
                .and_then(|prefix| host.get(prefix..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix)),
        };
        host_matches && self.https.is_none_or(|only| only == https) && self.port.is_none_or(|only| only == port)
    }
}

impl std::str::FromStr for OutboundHost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > MAX_ENTRY_BYTES {
            return Err("is empty or longer than 300 bytes");
        }
        let (https, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Some(true), rest),
            Some(("http", rest)) => (Some(false), rest),
            Some(_) => return Err("has a scheme other than http and https"),
            None => (None, text),
        };
        let (host, port) = split_port(rest)?;
        Ok(OutboundHost { text: text.to_owned(), https, host: host_pattern(host)?, port })
    }
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    // Colons inside the brackets of an IPv6 address are not a port's.
    let search_from = text.rfind(']').unwrap_or(0);
    let Some(colon) = text[search_from..].find(':').map(|at| at + search_from) else {
        return Ok((text, None));
    };
    match text[colon + 1..].parse::<u16>() {
        Ok(port) if port > 0 => Ok((&text[..colon], Some(port))),
        Ok(_) | Err(_) => Err("has a port that is not a number from 1 to 65535"),
    }
}

fn host_pattern(host: &str) -> Result<HostPattern, &'static str> {
    if host == "*" {
        return Ok(HostPattern::Any);
    }
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match address.parse::<std::net::Ipv6Addr>() {
            Ok(_) => Ok(HostPattern::Exactly(host.to_owned())),
            Err(_) => Err("has brackets around something that is no IPv6 address"),
        };
    }
    let (name, below) = host.strip_prefix("*.").map_or((host, false), |name| (name, true));
    let label_is_good =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !name.split('.').all(label_is_good) {
        return Err("is not a host name, `*.name`, or `*`");
    }
    Ok(if below { HostPattern::Below(host[1..].to_owned()) } else { HostPattern::Exactly(host.to_owned()) })
}

impl fmt::Debug for OutboundHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutboundHost({:?})", self.text)
    }
}

impl fmt::Display for OutboundHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
