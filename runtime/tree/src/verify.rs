//! Checking a proof against a root.

use crate::{
    bits::Bits,
    hash::{Hash, Hasher},
    limits::LimitError,
    proof::{End, Proof},
};

/// Why a proof does not prove what it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Nothing can be proved about such a key.
    #[error(transparent)]
    Key(#[from] LimitError),
    /// The proof ends at another key that cannot be on this key's path, or at the same key.
    #[error("the proof ends at a key that is not on the path of the one in question")]
    Path,
    /// The proof belongs to another root, key or hash function, or was tampered with.
    #[error("the proof leads to root {}, not {}", Hex(.computed), Hex(.expected))]
    Root {
        /// The root that the proof leads to.
        computed: Hash,
        /// The root given.
        expected: Hash,
    },
}

/// A hash for people.
struct Hex<'a>(&'a Hash);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Proof {
    /// Checks the proof and returns what it proves: the key's value, or that it has none.
    ///
    /// The layout of the tree does not matter, only its hash function. At most 2,050 hashes.
    ///
    /// # Errors
    /// If the proof does not lead from this key to this root.
    pub fn verify(&self, root: &Hash, key: &[u8], hasher: Hasher) -> Result<Option<Vec<u8>>, ProofError> {
        let bits = Bits::of_key(key)?;
        let (mut hash, proven) = match &self.end {
            End::Nothing => (hasher.empty(), None),
            End::Key { value } => (hasher.entry(key, &hasher.value(value)), Some(value)),
            End::Other { key: other, value_hash } => {
                let differs = Bits::of_key(other)?.first_difference(bits).ok_or(ProofError::Path)?;
                if self.positions().any(|position| position == differs) {
                    return Err(ProofError::Path);
                }
                (hasher.entry(other, value_hash), None)
            }
        };
        let positions: Vec<u16> = self.positions().collect();
        for (fork, position) in self.forks.iter().zip(positions).rev() {
            hash = if bits.bit(position) {
                hasher.fork(position, &fork.sibling, &hash)
            } else {
                hasher.fork(position, &hash, &fork.sibling)
            };
        }
        if hash == *root {
            Ok(proven.cloned())
        } else {
            Err(ProofError::Root { computed: hash, expected: *root })
        }
    }

    /// Positions of the forks, ascending.
    fn positions(&self) -> impl Iterator<Item = u16> + '_ {
        // Below 2,048: whoever made or decoded the proof has seen to it.
        self.forks.iter().scan(0u16, |next, fork| {
            let position = next.saturating_add(fork.skipped);
            *next = position.saturating_add(1);
            Some(position)
        })
    }
}
