//! What the server is told by its operator.

use std::net::SocketAddr;
use std::time::Duration;

/// Which methods are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MethodAccess {
    /// Unsafe ones on loopback only, and not to requests that a proxy has forwarded.
    #[default]
    Auto,
    /// Never unsafe ones.
    Safe,
    /// All, whoever asks.
    Unsafe,
}

/// A word that names no [`MethodAccess`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected auto, safe or unsafe, found {0:?}")]
pub struct ParseMethodAccessError(String);

impl core::str::FromStr for MethodAccess {
    type Err = ParseMethodAccessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "safe" => Ok(Self::Safe),
            "unsafe" => Ok(Self::Unsafe),
            other => Err(ParseMethodAccessError(other.to_owned())),
        }
    }
}

impl MethodAccess {
    /// Whether a server on `address` answers unsafe methods.
    #[must_use]
    pub fn allows_unsafe(self, address: &SocketAddr) -> bool {
        match self {
            Self::Auto => address.ip().is_loopback(),
            Self::Safe => false,
            Self::Unsafe => true,
        }
    }
}

/// Web pages that may use the server from a browser. Requests without an `Origin`, such as those of programs,
/// are not concerned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// Pages from this machine.
    #[default]
    Local,
    /// These, such as `https://wallet.example`.
    List(Vec<String>),
    /// All.
    Any,
}

/// Addresses and limits. Every limit has an answer when it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which methods are answered.
    pub methods: MethodAccess,
    /// Web pages that may use it.
    pub origins: Origins,
    /// Host names by which it may be addressed, besides addresses and `localhost`; `None` on loopback means no
    /// other, elsewhere any. A name that an attacker lets point here ("DNS rebinding") is refused.
    pub hosts: Option<Vec<String>>,
    /// Most connections at once; further ones are closed.
    pub max_connections: u32,
    /// Largest request in bytes.
    pub max_request_bytes: u32,
    /// Largest answer in bytes.
    pub max_response_bytes: u32,
    /// Most calls in a batch.
    pub max_batch: u32,
    /// Most subscriptions of a connection.
    pub max_subscriptions: u32,
    /// Messages that may wait in a connection before it counts as slow.
    pub message_buffer: u32,
    /// Calls per minute and address (of IPv6, per /64); `None` for no limit.
    pub calls_per_minute: Option<u32>,
    /// Longest time in which the next request's headers must be complete, on a new or a kept connection.
    pub header_deadline: Duration,
    /// Longest time that an HTTP request, reading its body included, may take.
    pub request_deadline: Duration,
    /// How long a subscriber may leave a notification unread before its subscription is dropped.
    pub reader_deadline: Duration,
}

impl ServerConfig {
    /// The defaults at an address.
    #[must_use]
    pub fn at(listen: SocketAddr) -> Self {
        Self {
            listen,
            methods: MethodAccess::default(),
            origins: Origins::default(),
            hosts: None,
            max_connections: 1_000,
            max_request_bytes: 1 << 20,
            max_response_bytes: 8 << 20,
            max_batch: 100,
            max_subscriptions: 64,
            message_buffer: 64,
            calls_per_minute: None,
            header_deadline: Duration::from_secs(30),
            request_deadline: Duration::from_secs(120),
            reader_deadline: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_methods_are_answered_on_loopback_unless_the_operator_decides_otherwise() {
        let loopback = "127.0.0.1:1".parse().unwrap();
        let public = "0.0.0.0:1".parse().unwrap();
        assert!(MethodAccess::Auto.allows_unsafe(&loopback));
        assert!(!MethodAccess::Auto.allows_unsafe(&public));
        assert!(!MethodAccess::Safe.allows_unsafe(&loopback));
        assert!(MethodAccess::Unsafe.allows_unsafe(&public));
        assert_eq!("safe".parse(), Ok(MethodAccess::Safe));
        assert_eq!("all".parse::<MethodAccess>(), Err(ParseMethodAccessError("all".into())));
    }
}
