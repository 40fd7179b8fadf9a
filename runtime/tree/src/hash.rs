//! The four hashes of the tree.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};

use crate::limits::MAX_KEY_BYTES;

/// A digest of 32 bytes: a root, a node or a value.
pub type Hash = [u8; 32];

/// Length of a [`Hash`] in bytes.
pub(crate) const HASH_BYTES: usize = 32;

const EMPTY: [u8; HASH_BYTES] = domain(b"xln-tree/empty");
const ENTRY: [u8; HASH_BYTES] = domain(b"xln-tree/entry");
const FORK: [u8; HASH_BYTES] = domain(b"xln-tree/fork");

/// The function that hashes a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub enum Hasher {
    /// Keccak-256 with Ethereum's padding, for trees that a contract reads.
    Keccak256,
    /// BLAKE3, for all others: several times faster.
    Blake3,
}

impl Hasher {
    /// Hash of a value, without a domain, so that anybody can compare it with a hash of the same bytes made
    /// elsewhere. It only ever appears inside an entry, so it cannot be taken for a node.
    #[must_use]
    pub fn value(self, value: &[u8]) -> Hash {
        match self {
            Self::Keccak256 => keccak(value),
            Self::Blake3 => *blake3::hash(value).as_bytes(),
        }
    }

    /// Root of the tree without entries.
    #[must_use]
    pub fn empty(self) -> Hash {
        self.in_domain(&EMPTY, &[])
    }

    /// Hash of one entry. `key` is at most [`MAX_KEY_BYTES`] long.
    pub(crate) fn entry(self, key: &[u8], value_hash: &Hash) -> Hash {
        debug_assert!(key.len() <= MAX_KEY_BYTES, "keys are checked at the door");
        let mut message = [0; HASH_BYTES + MAX_KEY_BYTES];
        let length = HASH_BYTES + key.len().min(MAX_KEY_BYTES);
        let (head, tail) = message.split_at_mut(HASH_BYTES);
        head.copy_from_slice(value_hash);
        for (to, from) in tail.iter_mut().zip(key) {
            *to = *from;
        }
        self.in_domain(&ENTRY, message.get(..length).unwrap_or(&message))
    }

    /// Hash of the fork whose left entries have bit `position` clear and whose right entries have it set.
    pub(crate) fn fork(self, position: u16, left: &Hash, right: &Hash) -> Hash {
        let mut tag = FORK;
        let [.., high, low] = &mut tag;
        [*high, *low] = position.to_be_bytes();
        let mut message = [0; 2 * HASH_BYTES];
        let (first, second) = message.split_at_mut(HASH_BYTES);
        first.copy_from_slice(left);
        second.copy_from_slice(right);
        self.in_domain(&tag, &message)
    }

    /// BLAKE3 keyed with `tag` (one compression for up to 64 bytes), or Keccak-256 of `tag` ‖ `message`.
    fn in_domain(self, tag: &[u8; HASH_BYTES], message: &[u8]) -> Hash {
        match self {
            Self::Blake3 => *blake3::keyed_hash(tag, message).as_bytes(),
            Self::Keccak256 => {
                let mut input = [0; 2 * HASH_BYTES + MAX_KEY_BYTES];
                let mut length = 0;
                for (to, from) in input.iter_mut().zip(tag.iter().chain(message)) {
                    *to = *from;
                    length += 1;
                }
                keccak(input.get(..length).unwrap_or(&input))
            }
        }
    }
}

fn keccak(bytes: &[u8]) -> Hash {
    sp_crypto_hashing::keccak_256(bytes)
}

/// ASCII `name`, filled with zeros to 32 bytes.
const fn domain(name: &[u8]) -> [u8; HASH_BYTES] {
    // The last two bytes belong to the position of a fork.
    assert!(name.len() <= HASH_BYTES - 2);
    let mut tag = [0; HASH_BYTES];
    let mut i = 0;
    while i < name.len() {
        tag[i] = name[i];
        i += 1;
    }
    tag
}

/// A hash that is known, or has to be computed again.
///
/// All zeros mean "unknown". No input with that hash is known; if one were found, its hash would be computed each
/// time it is needed, and everything would still be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memo(Hash);

impl Memo {
    pub(crate) const STALE: Self = Self([0; HASH_BYTES]);

    pub(crate) const fn new(hash: Hash) -> Self {
        Self(hash)
    }

    /// The hash as it is kept: zeros if it is not known.
    pub(crate) const fn bytes(self) -> Hash {
        self.0
    }

    pub(crate) fn get(self) -> Option<Hash> {
        (self != Self::STALE).then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Hasher; 2] = [Hasher::Keccak256, Hasher::Blake3];

    #[test]
    fn keccak_formulas_are_what_a_contract_would_write() {
        let (left, right) = ([1; 32], [2; 32]);
        let mut input = b"xln-tree/fork".to_vec();
        input.resize(30, 0);
        input.extend_from_slice(&[0x01, 0x02]);
        input.extend_from_slice(&left);
        input.extend_from_slice(&right);
        assert_eq!(Hasher::Keccak256.fork(0x0102, &left, &right), keccak(&input));

        let mut input = b"xln-tree/entry".to_vec();
        input.resize(32, 0);
        input.extend_from_slice(&keccak(b"value"));
        input.extend_from_slice(b"key");
        assert_eq!(Hasher::Keccak256.entry(b"key", &keccak(b"value")), keccak(&input));
    }

    #[test]
    fn blake3_formulas_are_keyed_hashes() {
        let mut key = *b"xln-tree/fork\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        key[31] = 7;
        let expected = *blake3::keyed_hash(&key, &[[1; 32], [2; 32]].concat()).as_bytes();
        assert_eq!(Hasher::Blake3.fork(7, &[1; 32], &[2; 32]), expected);
    }

    #[test]
    fn no_two_domains_agree_on_the_same_message() {
        for hasher in BOTH {
            // 32 bytes of value hash and a key of 32 bytes look like the two children of a fork.
            let entry = hasher.entry(&[2; 32], &[1; 32]);
            assert_ne!(entry, hasher.fork(0, &[1; 32], &[2; 32]));
            assert_ne!(hasher.fork(0, &[1; 32], &[2; 32]), hasher.fork(1, &[1; 32], &[2; 32]));
            assert_ne!(hasher.empty(), hasher.value(b""));
        }
    }

    #[test]
    fn the_longest_key_fits() {
        for hasher in BOTH {
            assert_ne!(hasher.entry(&[7; 127], &[1; 32]), hasher.entry(&[7; 126], &[1; 32]));
        }
    }
}
