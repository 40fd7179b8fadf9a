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
    /// The layout of the tree does not matter, only its hash function. At most 1,026 hashes.
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
        // Below 1,024: whoever made or decoded the proof has seen to it.
        self.forks.iter().scan(0u16, |next, fork| {
            let position = next.saturating_add(fork.skipped);
            *next = position.saturating_add(1);
            Some(position)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Tree};

    #[test]
    fn a_proof_put_together_from_true_parts_shows_nothing_false() {
        let present: Vec<Vec<u8>> = (0u8..24).map(|index| vec![index % 5, index / 5 * 7]).collect();
        let absent: Vec<Vec<u8>> = (0u8..12).map(|index| vec![index % 5, index, 9]).collect();
        let keys: Vec<&Vec<u8>> = present.iter().chain(&absent).collect();
        let mut tree = Tree::new(Config::default());
        let root = tree.apply(present.iter().map(|key| (key, Some(key)))).unwrap();
        let proofs: Vec<Proof> = keys.iter().map(|key| tree.prove(key)).collect();
        let value_hash = |key: &Vec<u8>| Hasher::Blake3.value(key);
        let mut ends: Vec<End> = proofs.iter().map(|proof| proof.end.clone()).collect();
        ends.extend(keys.iter().map(|key| End::Other { key: key.to_vec(), value_hash: value_hash(key) }));
        ends.push(End::Nothing);
        for (proof, length) in
            proofs.iter().flat_map(|proof| (0..=proof.forks.len()).map(move |n| (proof, n)))
        {
            let forks = &proof.forks[..length];
            for end in &ends {
                let forged = Proof { forks: forks.to_vec(), end: end.clone() };
                for key in &keys {
                    if let Ok(proven) = forged.verify(&root, key, Hasher::Blake3) {
                        assert_eq!(proven.as_deref(), tree.get(key));
                    }
                }
            }
        }
    }
}
