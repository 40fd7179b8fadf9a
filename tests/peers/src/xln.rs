//! Our tree.

use anyhow::Result;
use parity_scale_codec::Encode;
use xln_tree::{Config, Tree};

use crate::{
    keys::{Key, VALUE_BYTES, Value},
    measure,
};

pub struct Xln {
    tree: Tree,
    /// The version before, if it is kept while the next is made, as a node does for its readers.
    before: Option<Tree>,
    shared: bool,
}

impl Xln {
    /// `shared`: whether the version before is kept until the next is made, so that nothing is changed in place.
    pub fn new(shared: bool) -> Self {
        Self { tree: Tree::new(Config::default()), before: None, shared }
    }
}

impl measure::Tree for Xln {
    fn describe(&self) -> &'static str {
        if self.shared {
            "xln-tree, blake3, in memory, version before kept"
        } else {
            "xln-tree, blake3, in memory"
        }
    }

    fn apply(&mut self, batch: &[(Key, Value)]) -> Result<[u8; 32]> {
        if self.shared {
            self.before = Some(self.tree.clone());
        }
        Ok(self.tree.apply(batch.iter().map(|(key, value)| (key, Some(value))))?)
    }

    fn prove(&mut self, key: &Key) -> Result<usize> {
        Ok(self.tree.prove(key).encoded_size() - VALUE_BYTES)
    }
}
