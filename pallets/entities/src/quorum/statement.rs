//! What the people behind an entity sign.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{EntityId, Hash, Network};

/// Length of what is signed, in bytes.
pub const STATEMENT_BYTES: usize = 128;

const DOMAIN: &[u8; 16] = b"XLN statement 01";

/// What the hash of a statement is a hash of, as a tag that whoever defines the content chooses: signatures for one purpose
/// mean nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Purpose([u8; 16]);

impl Purpose {
    /// The purpose with this tag, by custom a short ASCII name and a version.
    #[must_use]
    pub const fn new(tag: [u8; 16]) -> Self {
        Self(tag)
    }
}

/// A statement in the name of an entity. All people sign the same bytes, so that BLS signatures add up to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Statement {
    /// Network.
    pub network: Network,
    /// The entity in whose name it is: the root of the boards. What is signed for it says nothing in the name of a member.
    pub entity: EntityId,
    /// What kind of thing is stated.
    pub purpose: Purpose,
    /// Hash of what is stated.
    pub hash: Hash,
}

impl Statement {
    /// The bytes to sign: `domain ‖ network ‖ entity ‖ purpose ‖ hash`.
    #[must_use]
    pub fn sign_bytes(&self) -> [u8; STATEMENT_BYTES] {
        let mut bytes = [0; STATEMENT_BYTES];
        bytes[..16].copy_from_slice(DOMAIN);
        bytes[16..48].copy_from_slice(self.network.as_ref());
        bytes[48..80].copy_from_slice(self.entity.as_ref());
        bytes[80..96].copy_from_slice(&self.purpose.0);
        bytes[96..].copy_from_slice(self.hash.as_ref());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_statement_is_signed() {
        let one = Statement {
            network: Network::new([1; 32]),
            entity: EntityId::new([2; 32]),
            purpose: Purpose::new([3; 16]),
            hash: Hash::new([4; 32]),
        };
        let bytes = one.sign_bytes();
        assert_eq!(
            (&bytes[..16], bytes[16], bytes[48], bytes[80], bytes[96]),
            (&DOMAIN[..], 1, 2, 3, 4),
            "the order that is documented"
        );
        for other in [
            Statement { network: Network::ZERO, ..one },
            Statement { entity: EntityId::ZERO, ..one },
            Statement { purpose: Purpose::new([0; 16]), ..one },
            Statement { hash: Hash::ZERO, ..one },
        ] {
            assert_ne!(other.sign_bytes(), bytes);
        }
    }
}
