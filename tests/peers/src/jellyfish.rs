//! The Jellyfish Merkle tree over the in-memory store that comes with it.

use anyhow::Result;
use jmt::{JellyfishMerkleTree, KeyHash, SimpleHasher, mock::MockTreeStore};

use crate::{
    keys::{Key, Value},
    measure::Tree,
};

/// BLAKE3, as our tree uses it.
pub struct Blake3(blake3::Hasher);

impl SimpleHasher for Blake3 {
    fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

#[derive(Default)]
pub struct Jellyfish {
    store: MockTreeStore,
    /// The next version.
    version: u64,
}

impl Tree for Jellyfish {
    fn describe(&self) -> &'static str {
        "jmt 0.12, blake3, in memory"
    }

    fn apply(&mut self, batch: &[(Key, Value)]) -> Result<[u8; 32]> {
        let tree = JellyfishMerkleTree::<_, Blake3>::new(&self.store);
        let values = batch.iter().map(|(key, value)| (KeyHash(*key), Some(value.to_vec())));
        let (root, changes) = tree.put_value_set(values, self.version)?;
        self.store.write_tree_update_batch(changes)?;
        self.store.purge_stale_nodes(self.version)?;
        self.version += 1;
        Ok(root.0)
    }

    fn prove(&mut self, key: &Key) -> Result<usize> {
        let tree = JellyfishMerkleTree::<_, Blake3>::new(&self.store);
        let (_, proof) = tree.get_with_proof(KeyHash(*key), self.version - 1)?;
        Ok(borsh::to_vec(&proof)?.len())
    }
}
