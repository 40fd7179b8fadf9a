//! Proofs: what they hold, how they are made and encoded.

use codec::{Compact, Decode, DecodeWithMemTracking, Encode, Error, Input, Output, decode_vec_with_len};

use crate::{
    bits::{Bits, KEY_BITS},
    entry::Entry,
    hash::Hash,
    limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES},
    node::Node,
    tree::Tree,
};

/// Most forks on the path of a key: one per bit.
const MAX_PROOF_FORKS: u16 = KEY_BITS;

/// That a key has a value, or that it has none, under a root.
///
/// Holds the forks on the key's path from the root down, each with the hash of the side that the path does not
/// take, and what is at its end: the value, or another key. Made by [`Tree::prove`] or decoded; checked by
/// [`Proof::verify`]. With ten million hashed keys, a proof takes about 780 bytes and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub(crate) forks: Vec<Fork>,
    pub(crate) end: End,
}

/// One fork on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fork {
    /// Bits between the fork above (or the start of the key) and this one. Positions can only grow.
    pub(crate) skipped: u16,
    /// The side that the path does not take.
    pub(crate) sibling: Hash,
}

/// What is at the end of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing: the tree is empty.
    Nothing,
    /// The key itself.
    Key {
        /// At most [`MAX_VALUE_BYTES`].
        value: Vec<u8>,
    },
    /// Another key; were the key in the tree, it would be on the same path.
    Other {
        /// At most [`MAX_KEY_BYTES`].
        key: Vec<u8>,
        /// Hash of the other key's value.
        value_hash: Hash,
    },
}

impl Proof {
    /// Number of forks between the root and the end of the path, about 0.3 above the binary logarithm of the
    /// number of entries if keys are uniform.
    #[must_use]
    pub fn forks(&self) -> usize {
        self.forks.len()
    }
}

impl Tree {
    /// Proves what the tree holds under a key, its value or nothing. Against [`Tree::root`].
    ///
    /// Hashes at most one value if the tree is committed; if not, it hashes what [`Tree::commit`] would,
    /// without keeping it.
    ///
    /// A key longer than [`MAX_KEY_BYTES`] is in no tree; [`Proof::verify`] refuses it whatever the proof.
    #[must_use]
    pub fn prove(&self, key: &[u8]) -> Proof {
        self.committed().prove_committed(Bits::of_bound(key))
    }

    fn prove_committed(&self, bits: Bits<'_>) -> Proof {
        let mut proof = Proof { forks: Vec::new(), end: End::Nothing };
        let mut next = 0;
        let mut step = |position: u16, sibling| {
            // Positions on a path ascend.
            proof.forks.push(Fork { skipped: position.saturating_sub(next), sibling });
            next = position + 1;
        };
        let mut child = self.top();
        while let Some(below) = child {
            match &below.node {
                // A committed tree knows all hashes, so a walk always ends at a child.
                Node::Branch(branch) => child = branch.walk(bits, &mut step),
                Node::Leaf(leaf) => {
                    let hasher = self.config().hasher();
                    let Entry { key, value, .. } = leaf.parts().walk(bits, hasher, &mut step);
                    proof.end = if key == bits.key() {
                        End::Key { value: value.to_vec() }
                    } else {
                        End::Other { key: key.to_vec(), value_hash: hasher.value(value) }
                    };
                    break;
                }
            }
        }
        proof
    }
}

// The encoding: the number of forks (compact), each fork (compact bits skipped, 32 bytes), then the end: a byte that
// tells which, and its fields. A decoded proof has at most one fork per position, in order, and a key and a value of
// legal lengths; memory is taken as bytes arrive.

impl Encode for Proof {
    fn size_hint(&self) -> usize {
        2 + self.forks.len() * 33 + 35
    }

    fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
        self.forks.encode_to(dest);
        self.end.encode_to(dest);
    }
}

impl Encode for Fork {
    fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
        Compact(self.skipped).encode_to(dest);
        self.sibling.encode_to(dest);
    }
}

impl Encode for End {
    fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
        match self {
            Self::Nothing => dest.push_byte(0),
            Self::Key { value } => {
                dest.push_byte(1);
                value.encode_to(dest);
            }
            Self::Other { key, value_hash } => {
                dest.push_byte(2);
                key.encode_to(dest);
                value_hash.encode_to(dest);
            }
        }
    }
}

impl Decode for Proof {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let forks: Vec<Fork> = bounded(input, usize::from(MAX_PROOF_FORKS))?;
        let mut next = 0u16;
        for fork in &forks {
            let position = next.checked_add(fork.skipped).filter(|position| *position < KEY_BITS);
            next = position.ok_or("a fork beyond the end of the key")? + 1;
        }
        let end = End::decode(input)?;
        if end == End::Nothing && !forks.is_empty() {
            return Err("forks over nothing".into());
        }
        Ok(Self { forks, end })
    }
}

impl Decode for Fork {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let Compact(skipped) = Compact::<u16>::decode(input)?;
        Ok(Self { skipped, sibling: Hash::decode(input)? })
    }
}

impl Decode for End {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        match input.read_byte()? {
            0 => Ok(Self::Nothing),
            1 => Ok(Self::Key { value: bounded(input, MAX_VALUE_BYTES)? }),
            2 => Ok(Self::Other { key: bounded(input, MAX_KEY_BYTES)?, value_hash: Hash::decode(input)? }),
            _ => Err("an unknown end of a proof".into()),
        }
    }
}

/// A sequence of at most `max` items.
fn bounded<T: Decode, I: Input>(input: &mut I, max: usize) -> Result<Vec<T>, Error> {
    let Compact(length) = Compact::<u32>::decode(input)?;
    match usize::try_from(length) {
        Ok(length) if length <= max => decode_vec_with_len(input, length),
        _ => Err("longer than a proof allows".into()),
    }
}

impl DecodeWithMemTracking for Proof {}
