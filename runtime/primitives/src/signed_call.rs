//! Signed calls: how a key asks an entity to act.

use codec::{Decode, DecodeWithMemTracking, Encode};
use sp_core::{ConstU32, bounded::BoundedVec};

use crate::{
    Amount, EntityId, Network, PublicKey, SecretKey, Signature, SignatureError, SignerId, Timestamp,
};
use crate::{id::fixed_bytes, keccak256};

fixed_bytes! {
    /// The hash of what a signed call says, without its signature: equal calls are the same call.
    CallHash
}

/// Number of a signed call among those of one signer to one entity; the first is 0, without gaps.
pub type Nonce = u64;

/// Most calls in one signed call.
pub const MAX_CALLS: u32 = 64;

/// The version of the format.
pub const CALL_VERSION: u8 = 1;

/// What is asked and signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct CallBody<C> {
    /// Format, [`CALL_VERSION`].
    pub version: u8,
    /// The network for which it is meant.
    pub network: Network,
    /// Who asks.
    pub signer: PublicKey,
    /// Which entity shall act.
    pub entity: EntityId,
    /// Its number among the calls of this signer to this entity.
    pub nonce: Nonce,
    /// Last moment at which it may be included.
    pub valid_until: Timestamp,
    /// What the entity shall do: all of it or nothing.
    pub calls: BoundedVec<C, ConstU32<MAX_CALLS>>,
    /// Offered for an earlier place.
    pub tip: Amount,
}

/// A signed call, also called an extrinsic.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct SignedCall<C> {
    /// What is asked.
    pub body: CallBody<C>,
    /// The signer's signature over [`CallHash::sign_bytes`].
    pub signature: Signature,
}

/// Why a signed call is not even considered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Another format.
    #[error("call format {found} is not understood, expected {CALL_VERSION}")]
    Version {
        /// Format found.
        found: u8,
    },
    /// Meant for another network.
    #[error("the call is for network {found}, this is {expected}")]
    Network {
        /// Genesis hash in the call.
        found: Network,
        /// Genesis hash here.
        expected: Network,
    },
    /// No call inside.
    #[error("the signed call asks for nothing")]
    Empty,
    /// Too late.
    #[error("the call was valid until {valid_until}, it is {now}")]
    Expired {
        /// Last valid moment.
        valid_until: Timestamp,
        /// Time here.
        now: Timestamp,
    },
    /// The signature does not fit.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

const CALL_DOMAIN: &[u8; 16] = b"XLN signed call1";

impl CallHash {
    /// The bytes that are signed to make the call: `domain ‖ hash of the body`. The body names the network.
    #[must_use]
    pub fn sign_bytes(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(CALL_DOMAIN);
        bytes[16..].copy_from_slice(self.as_ref());
        bytes
    }
}

impl<C: Encode> CallBody<C> {
    /// keccak-256 of the SCALE encoding.
    #[must_use]
    pub fn hash(&self) -> CallHash {
        CallHash::new(*self.using_encoded(keccak256).as_bytes())
    }

    /// The bytes to sign, see [`CallHash::sign_bytes`].
    #[must_use]
    pub fn sign_bytes(&self) -> [u8; 48] {
        self.hash().sign_bytes()
    }

    /// Signs it.
    pub fn sign(self, key: &SecretKey) -> Result<SignedCall<C>, SignatureError> {
        let signature = key.sign(&self.sign_bytes())?;
        Ok(SignedCall { body: self, signature })
    }
}

impl<C: Encode> SignedCall<C> {
    /// Identity of the call; the signature is no part of it.
    #[must_use]
    pub fn hash(&self) -> CallHash {
        self.body.hash()
    }

    /// Who asks.
    #[must_use]
    pub fn signer(&self) -> SignerId {
        self.body.signer.signer_id()
    }

    /// Checks format, network and era; the signature is checked apart, in batches.
    pub fn check_form(&self, network: Network, now: Timestamp) -> Result<(), CallError> {
        let body = &self.body;
        if body.version != CALL_VERSION {
            return Err(CallError::Version { found: body.version });
        }
        if body.network != network {
            return Err(CallError::Network { found: body.network, expected: network });
        }
        if body.calls.is_empty() {
            return Err(CallError::Empty);
        }
        if body.valid_until < now {
            return Err(CallError::Expired { valid_until: body.valid_until, now });
        }
        Ok(())
    }

    /// Checks the signature.
    pub fn check_signature(&self) -> Result<(), CallError> {
        Ok(self.body.signer.verify(&self.body.sign_bytes(), &self.signature)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn body() -> CallBody<u8> {
        CallBody {
            version: CALL_VERSION,
            network: Network::new([9; 32]),
            signer: SecretKey::Ed25519(Zeroizing::new([7; 32])).public().unwrap(),
            entity: EntityId::new([1; 32]),
            nonce: 0,
            valid_until: Timestamp::from_millis(100),
            calls: vec![1].try_into().unwrap(),
            tip: Amount::ZERO,
        }
    }

    fn signed(body: CallBody<u8>) -> SignedCall<u8> {
        body.sign(&SecretKey::Ed25519(Zeroizing::new([7; 32]))).unwrap()
    }

    #[test]
    fn a_call_is_for_one_network_and_one_time() {
        let (network, now) = (Network::new([9; 32]), Timestamp::from_millis(100));
        assert_eq!(signed(body()).check_form(network, now), Ok(()));
        assert!(matches!(signed(body()).check_form(Network::ZERO, now), Err(CallError::Network { .. })));
        let late = Timestamp::from_millis(101);
        assert_eq!(
            signed(body()).check_form(network, late),
            Err(CallError::Expired { valid_until: now, now: late })
        );
        let newer = CallBody { version: 2, ..body() };
        assert_eq!(signed(newer).check_form(network, now), Err(CallError::Version { found: 2 }));
        let empty = CallBody { calls: BoundedVec::new(), ..body() };
        assert_eq!(signed(empty).check_form(network, now), Err(CallError::Empty));
    }

    #[test]
    fn the_signature_covers_every_field() {
        assert_eq!(signed(body()).check_signature(), Ok(()));
        let changes: [fn(&mut CallBody<u8>); 6] = [
            |b| b.network = Network::ZERO,
            |b| b.entity = EntityId::ZERO,
            |b| b.nonce = 1,
            |b| b.valid_until = Timestamp::MAX,
            |b| b.calls[0] = 2,
            |b| b.tip = Amount::MAX,
        ];
        for change in changes {
            let mut forged = signed(body());
            change(&mut forged.body);
            assert!(forged.check_signature().is_err());
        }
    }
}
