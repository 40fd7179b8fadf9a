//! Substrate's Patricia trie over the in-memory store that comes with it.

use anyhow::{Result, anyhow};
use sp_core::{Blake2Hasher, H256};
use sp_trie::{LayoutV1, MemoryDB, TrieDBMutBuilder, TrieMut, empty_trie_root, generate_trie_proof};

use crate::{
    keys::{Key, Value},
    measure::Tree,
};

type Layout = LayoutV1<Blake2Hasher>;

pub struct Patricia {
    store: MemoryDB<Blake2Hasher>,
    root: H256,
}

impl Default for Patricia {
    fn default() -> Self {
        Self { store: MemoryDB::default(), root: empty_trie_root::<Layout>() }
    }
}

impl Tree for Patricia {
    fn describe(&self) -> &'static str {
        "sp-trie 47, blake2, in memory"
    }

    fn apply(&mut self, batch: &[(Key, Value)]) -> Result<[u8; 32]> {
        let empty = self.root == empty_trie_root::<Layout>();
        let mut trie = if empty {
            TrieDBMutBuilder::<Layout>::new(&mut self.store, &mut self.root).build()
        } else {
            TrieDBMutBuilder::<Layout>::from_existing(&mut self.store, &mut self.root).build()
        };
        for (key, value) in batch {
            trie.insert(key, value).map_err(|error| anyhow!("{error}"))?;
        }
        trie.commit();
        drop(trie);
        Ok(self.root.0)
    }

    fn prove(&mut self, key: &Key) -> Result<usize> {
        let proof = generate_trie_proof::<Layout, _, _, _>(&self.store, self.root, [key]);
        let nodes: Vec<Vec<u8>> = proof.map_err(|error| anyhow!("{error}"))?;
        Ok(nodes.iter().map(Vec::len).sum())
    }
}
