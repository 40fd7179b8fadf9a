//! Who a server is on the network: its ed25519 key.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use libp2p::{PeerId, identity::Keypair};
use zeroize::Zeroizing;

/// How libp2p begins the identifier of a peer with an ed25519 key: identity hash, 36 bytes, type 1, 32 bytes.
const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A server: its ed25519 public key. In text as libp2p writes it, `12D3Koo…`.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen,
)]
pub struct ServerId([u8; 32]);

/// What does not name a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerIdError {
    /// Not the text of a peer.
    #[error("`{0}` is no peer; expected 12D3Koo…")]
    Text(String),
    /// A peer with another kind of key.
    #[error("peer {0} has no ed25519 key")]
    Key(PeerId),
}

impl ServerId {
    /// From the 32 bytes of a public key.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The peer of libp2p.
    #[must_use]
    pub fn peer(&self) -> PeerId {
        let bytes = [PREFIX.as_slice(), &self.0].concat();
        PeerId::from_bytes(&bytes).expect("an identity hash of 36 bytes is the form of every ed25519 peer")
    }
}

impl TryFrom<PeerId> for ServerId {
    type Error = ServerIdError;

    fn try_from(peer: PeerId) -> Result<Self, ServerIdError> {
        let bytes = peer.to_bytes();
        let key = bytes.strip_prefix(&PREFIX).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or(ServerIdError::Key(peer))
    }
}

impl core::fmt::Display for ServerId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.peer().fmt(f)
    }
}

impl core::fmt::Debug for ServerId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for ServerId {
    type Err = ServerIdError;

    fn from_str(text: &str) -> Result<Self, ServerIdError> {
        let peer: PeerId = text.parse().map_err(|_| ServerIdError::Text(text.chars().take(80).collect()))?;
        Self::try_from(peer)
    }
}

/// The secret key of a server. It never signs anything but the handshakes of its connections and its gossip.
#[derive(Clone)]
pub struct ServerKey(Keypair);

impl ServerKey {
    /// From the 32 bytes of an ed25519 secret.
    #[must_use]
    pub fn from_secret(mut secret: Zeroizing<[u8; 32]>) -> Self {
        Self(Keypair::ed25519_from_bytes(&mut *secret).expect("every 32 bytes are an ed25519 secret"))
    }

    /// The server that has this key.
    #[must_use]
    pub fn server(&self) -> ServerId {
        let key = self.0.public().try_into_ed25519().map(|key| key.to_bytes());
        ServerId(key.expect("made from an ed25519 secret"))
    }

    pub(crate) const fn keypair(&self) -> &Keypair {
        &self.0
    }
}

impl core::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ServerKey({})", self.server())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_the_peer_of_its_key_in_bytes_and_text() {
        let key = ServerKey::from_secret([7; 32].into());
        let server = key.server();
        assert_eq!(server.peer(), key.keypair().public().to_peer_id());
        assert_eq!(ServerId::try_from(server.peer()), Ok(server));
        assert_eq!(server.to_string().parse(), Ok(server));
        assert!(server.to_string().starts_with("12D3Koo"));
        assert!(!format!("{key:?}").contains("0707"));
    }

    #[test]
    fn what_is_no_ed25519_peer_is_refused() {
        assert!(matches!("alice".parse::<ServerId>(), Err(ServerIdError::Text(_))));
        // A peer with an RSA key is named by the hash of the key.
        let rsa = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
        assert!(matches!(rsa.parse::<ServerId>(), Err(ServerIdError::Key(_))));
    }
}
