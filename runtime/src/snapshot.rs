//! The state as rows: what is written to disk every hundred blocks, and read at start.

use std::collections::BTreeMap;

use codec::{Decode, Encode};
use xln_primitives::{BlockHeader, Corrupt, EntityId, Hash, SignerId};
use xln_tree::Tree;

use crate::{
    Genesis, SliceNumber,
    block::bind,
    entity::{Entity, Head, tree_config},
    genesis::GenesisError,
    server::Server,
};

/// One row of the state on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateRow {
    /// A key of an entity's state.
    Value {
        /// Signer under whom the entity is hosted.
        signer: SignerId,
        /// The entity.
        entity: EntityId,
        /// The key, storage type first.
        key: Vec<u8>,
        /// Its value; `None` if it was removed.
        value: Option<Vec<u8>>,
    },
    /// The latest frame of an entity.
    Head {
        /// Signer under whom the entity is hosted.
        signer: SignerId,
        /// The entity.
        entity: EntityId,
        /// Encoded [`Head`].
        head: Vec<u8>,
    },
}

/// A snapshot that cannot be started from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The chain spec itself is unusable.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A stored value does not decode.
    #[error("entity {entity}: {corrupt}")]
    Corrupt {
        /// Whose.
        entity: EntityId,
        /// Which key.
        corrupt: Corrupt,
    },
    /// An entity without a board or a head.
    #[error("entity {entity} has no {missing}")]
    Incomplete {
        /// Which entity.
        entity: EntityId,
        /// What is missing.
        missing: &'static str,
    },
    /// An entity's state is not the one that its board certified.
    #[error("entity {entity} has state root {found}, its frame {height} says {expected}")]
    EntityRoot {
        /// Which entity.
        entity: EntityId,
        /// Height of its frame.
        height: u64,
        /// Root of the rows.
        found: Hash,
        /// Root in the frame.
        expected: Hash,
    },
    /// The state is not the one of the block.
    #[error("the state has root {found}, block {block} says {expected}")]
    Root {
        /// Number of the block.
        block: u64,
        /// Root of the rows.
        found: Hash,
        /// Root in the header.
        expected: Hash,
    },
}

impl Server {
    /// The rows that changed since this was last asked, as of now. Ask directly after a block was sealed, so that
    /// the rows are the state of that block, and while nothing is carried over ([`Server::has_carried`]), since
    /// waiting messages are no part of the state.
    pub fn take_dirty(&mut self) -> Vec<StateRow> {
        let mut rows = Vec::new();
        for (id, keys) in core::mem::take(&mut self.dirty) {
            let Some(entity) = self.entity(&id) else { continue };
            let signer = entity.signer;
            rows.extend(keys.into_iter().map(|key| {
                let value = entity.tree.get(&key).map(<[u8]>::to_vec);
                StateRow::Value { signer, entity: id, key, value }
            }));
            rows.extend(entity.head.iter().map(|head| StateRow::Head {
                signer,
                entity: id,
                head: head.encode(),
            }));
        }
        rows
    }

    /// The server as it was after block `head`, whose last slice was `slice`, from all rows of the state. Every
    /// entity's root is checked against its latest frame, and the root over all against the block.
    pub fn restore(
        genesis: &Genesis,
        rows: impl IntoIterator<Item = StateRow>,
        head: BlockHeader,
        slice: SliceNumber,
    ) -> Result<Self, RestoreError> {
        let mut parts: BTreeMap<EntityId, (Tree, Option<Vec<u8>>)> = BTreeMap::new();
        for row in rows {
            match row {
                StateRow::Value { entity, key, value: Some(value), .. } => {
                    let (tree, _) = parts.entry(entity).or_insert_with(|| (Tree::new(tree_config()), None));
                    tree.insert(&key, &value).map_err(|_| RestoreError::Corrupt {
                        entity,
                        corrupt: Corrupt { key: key.clone() },
                    })?;
                }
                StateRow::Value { value: None, .. } => {}
                StateRow::Head { entity, head, .. } => {
                    parts.entry(entity).or_insert_with(|| (Tree::new(tree_config()), None)).1 = Some(head);
                }
            }
        }
        let mut entities = BTreeMap::new();
        for (id, (tree, head)) in parts {
            entities.insert(id, assemble(id, tree, head)?);
        }
        let mut tree = Tree::new(tree_config());
        bind(&mut tree, entities.values());
        let found = Hash::new(tree.root());
        if found != head.state_root {
            return Err(RestoreError::Root { block: head.number, found, expected: head.state_root });
        }
        Ok(Self::new(genesis.facts()?, entities, tree, head, slice))
    }
}

fn assemble(id: EntityId, mut tree: Tree, head: Option<Vec<u8>>) -> Result<Entity, RestoreError> {
    let found = Hash::new(tree.commit());
    let incomplete = |missing| RestoreError::Incomplete { entity: id, missing };
    let head = head.ok_or_else(|| incomplete("frame"))?;
    let head = Head::decode(&mut head.as_slice()).map_err(|_| incomplete("readable frame"))?;
    if found != head.header.state_root {
        let (height, expected) = (head.header.height, head.header.state_root);
        return Err(RestoreError::EntityRoot { entity: id, height, found, expected });
    }
    let board = pallet_entities::board(&crate::overlay::Overlay::new(&tree))
        .ok()
        .flatten()
        .ok_or_else(|| incomplete("board"))?;
    let mut entity = Entity::new(id, tree, board);
    entity.head = Some(head);
    Ok(entity)
}
