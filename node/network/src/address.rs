//! Where a server can be reached.

use std::{
    io,
    net::{IpAddr, TcpListener},
};

use libp2p::{Multiaddr, multiaddr::Protocol};

use crate::{ServerId, ServerIdError};

/// A server with an address: `/ip4/192.0.2.7/tcp/30333/p2p/12D3Koo…`, or with `/udp/30333/quic-v1` for QUIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// Who is there.
    pub server: ServerId,
    /// Where, without the part that says who.
    pub address: Multiaddr,
}

/// What is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a multiaddress.
    #[error("`{0}` is no address; expected /ip4/192.0.2.7/tcp/30333/p2p/12D3Koo…")]
    Text(String),
    /// It does not say who is there.
    #[error("{0} does not say who is there; add /p2p/ and the server's identifier")]
    Nobody(Multiaddr),
    /// Who is there is no server.
    #[error(transparent)]
    Server(#[from] ServerIdError),
    /// Neither TCP nor QUIC over IP.
    #[error(
        "{0} is neither /ip4|ip6/…/tcp/PORT nor /ip4|ip6/…/udp/PORT/quic-v1; host names are not resolved"
    )]
    Transport(Multiaddr),
}

/// Whether an address is one of TCP or QUIC over IP.
pub(crate) fn is_reachable(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    matches!(parts.next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)))
        && match parts.next() {
            Some(Protocol::Tcp(_)) => parts.next().is_none(),
            Some(Protocol::Udp(_)) => parts.next() == Some(Protocol::QuicV1) && parts.next().is_none(),
            _ => false,
        }
}

/// Fails if somebody listens at a TCP address already. libp2p would share the port with a second process of the same user, and each
/// would get some of the connections.
pub(crate) fn check_free(address: &Multiaddr) -> io::Result<()> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::from(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::from(ip),
        _ => return Ok(()),
    };
    match parts.next() {
        Some(Protocol::Tcp(port)) if port != 0 => TcpListener::bind((ip, port)).map(drop),
        _ => Ok(()),
    }
}

impl core::str::FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let shown = || text.chars().take(120).collect();
        let mut address: Multiaddr = text.parse().map_err(|_| AddressError::Text(shown()))?;
        let Some(Protocol::P2p(peer)) = address.pop() else {
            return Err(AddressError::Nobody(text.parse().map_err(|_| AddressError::Text(shown()))?));
        };
        let server = ServerId::try_from(peer)?;
        if is_reachable(&address) {
            Ok(Self { server, address })
        } else {
            Err(AddressError::Transport(address))
        }
    }
}

impl core::fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/p2p/{}", self.address, self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServerKey;

    #[test]
    fn an_address_names_a_place_and_a_server() {
        let server = ServerKey::from_secret([1; 32].into()).server();
        for place in ["/ip4/192.0.2.7/tcp/30333", "/ip6/::1/udp/30333/quic-v1"] {
            let text = format!("{place}/p2p/{server}");
            let address: ServerAddress = text.parse().unwrap();
            assert_eq!((address.server, address.to_string()), (server, text));
            assert_eq!(address.address.to_string(), place);
        }
    }

    #[test]
    fn what_cannot_be_dialled_or_names_nobody_is_refused_with_the_reason() {
        let server = ServerKey::from_secret([1; 32].into()).server();
        let parse = |text: &str| text.parse::<ServerAddress>().unwrap_err();
        assert!(matches!(parse("192.0.2.7:30333"), AddressError::Text(_)));
        assert!(matches!(parse("/ip4/192.0.2.7/tcp/30333"), AddressError::Nobody(_)));
        assert!(matches!(parse(""), AddressError::Nobody(_) | AddressError::Text(_)));
        for place in ["/dns4/example.org/tcp/30333", "/ip4/192.0.2.7/udp/30333", "/ip4/192.0.2.7/tcp/1/ws"] {
            assert!(matches!(parse(&format!("{place}/p2p/{server}")), AddressError::Transport(_)), "{place}");
        }
    }
}
