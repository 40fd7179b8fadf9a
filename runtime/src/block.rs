//! Sealing: the slices of the last 100 ms, or whatever the chain spec says, become a block.

use xln_primitives::{BlockHeader, Hash, Timestamp, outputs::merkle_root};
use xln_tree::Tree;

use crate::{entity::Entity, server::OpenBlock, server::Server};

/// A block that nobody has seen yet.
#[derive(Debug, Clone)]
#[must_use]
pub struct Sealed {
    /// Its header, to be written down before [`Server::commit_block`].
    pub header: BlockHeader,
    tree: Tree,
}

impl Server {
    /// The block over the slices since the last one; none if there were none. `now` is raised to the time of
    /// the last slice and above the parent's time if it is not later.
    #[must_use]
    pub fn seal(&self, now: Timestamp) -> Option<Sealed> {
        let slices = u32::try_from(self.open.slices.len()).ok().filter(|slices| *slices > 0)?;
        let tree = self.tree();
        let header = BlockHeader {
            number: self.head.number.saturating_add(1),
            parent: self.head.hash(),
            timestamp: now.max(self.time).max(self.head.timestamp.saturating_add(1)),
            first_slice: self.slice.saturating_add(1).saturating_sub(u64::from(slices)),
            slices,
            inputs_root: merkle_root(self.open.slices.clone()),
            state_root: Hash::new(tree.root()),
            receipts_root: merkle_root(self.open.receipts.clone()),
        };
        Some(Sealed { header, tree })
    }

    /// Makes a block the last one.
    pub fn commit_block(&mut self, sealed: Sealed) {
        self.head = sealed.header;
        self.tree = sealed.tree;
        self.stale.clear();
        self.open = OpenBlock::default();
    }

    /// Root over the latest frames of all entities, also those that no block has sealed yet.
    #[must_use]
    pub fn state_root(&self) -> Hash {
        Hash::new(self.tree().root())
    }

    /// The server's tree: signer ‖ entity, and the hash of the entity's latest frame, sealed by a block or not.
    #[must_use]
    pub fn tree(&self) -> Tree {
        let mut tree = self.tree.clone();
        bind(&mut tree, self.stale.iter().filter_map(|id| self.entity(id)));
        tree
    }
}

/// Puts the latest frames of `entities` into a server's tree.
pub(crate) fn bind<'a>(tree: &mut Tree, entities: impl Iterator<Item = &'a Entity>) {
    let heads = entities.filter_map(|entity| {
        let head = entity.head.as_ref()?;
        Some((entity.server_key(), Some(*head.header.hash().as_bytes())))
    });
    // Keys of 64 bytes and values of 32 are within every tree's limits.
    let _ = tree.apply(heads);
}
