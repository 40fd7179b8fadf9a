//! From rows back to a server.

use std::collections::BTreeMap;

use rayon::prelude::*;
use xln_primitives::{BlockHeader, EntityId, Hash, SignerId, decode_exact};
use xln_tree::{LimitError, Tree};

use crate::{
    Genesis, SliceNumber, StateRow,
    block::bind,
    entity::{Entity, Head, tree_config},
    genesis::GenesisError,
    server::Server,
};

/// Rows that go into an entity's tree together.
const BATCH_ROWS: usize = 16_384;

/// A snapshot that cannot be started from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The chain spec itself is unusable.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A row that no state has.
    #[error("entity {entity}: {reason}")]
    Row {
        /// Whose.
        entity: EntityId,
        /// What is wrong with it.
        reason: LimitError,
    },
    /// An entity without a board or a head.
    #[error("entity {entity} has no {missing}")]
    Incomplete {
        /// Which entity.
        entity: EntityId,
        /// What is missing.
        missing: &'static str,
    },
    /// Rows of one entity under two signers.
    #[error("entity {entity} has rows under signer {found}, and others under {expected}")]
    Misplaced {
        /// Which entity.
        entity: EntityId,
        /// Signer of a row.
        found: SignerId,
        /// Signer of another row.
        expected: SignerId,
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

/// A state that is being read from its rows.
///
/// Rows come in any order; those of one entity in the order of their keys are cheapest.
#[derive(Debug, Default)]
pub struct Restoring {
    entities: BTreeMap<EntityId, Part>,
    /// Rows of one entity that are not in its tree yet.
    waiting: Waiting,
    rows: u64,
}

/// What is known of an entity.
#[derive(Debug)]
struct Part {
    signer: SignerId,
    tree: Tree,
    head: Option<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Waiting {
    signer: SignerId,
    entity: EntityId,
    /// Keys and values, one after the other.
    bytes: Vec<u8>,
    /// For each row the ends of its key and of its value in `bytes`.
    ends: Vec<(usize, usize)>,
}

impl Waiting {
    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((key_end, self.bytes.len()));
    }

    fn rows(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut start = 0;
        self.ends.iter().map(move |(key_end, end)| {
            let key = self.bytes.get(start..*key_end).unwrap_or_default();
            start = *end;
            (key, self.bytes.get(*key_end..*end))
        })
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

impl Restoring {
    /// Nothing was read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Rows that were read.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a row. One that says that something was removed says nothing.
    ///
    /// Fails if no tree can hold the row, or one of those before it.
    pub fn push(&mut self, row: &StateRow<'_>) -> Result<(), RestoreError> {
        match row {
            StateRow::Value { signer, entity, key, value: Some(value) } => {
                let place = (*signer, *entity);
                if place != (self.waiting.signer, self.waiting.entity)
                    || self.waiting.ends.len() >= BATCH_ROWS
                {
                    self.flush()?;
                    (self.waiting.signer, self.waiting.entity) = place;
                }
                self.waiting.push(key, value);
                self.rows = self.rows.saturating_add(1);
            }
            StateRow::Head { signer, entity, head: Some(head) } => {
                self.part(*signer, *entity)?.head = Some(head.to_vec());
                self.rows = self.rows.saturating_add(1);
            }
            StateRow::Value { value: None, .. } | StateRow::Head { head: None, .. } => {}
        }
        Ok(())
    }

    fn part(&mut self, signer: SignerId, entity: EntityId) -> Result<&mut Part, RestoreError> {
        let new = || Part { signer, tree: Tree::new(tree_config()), head: None };
        let part = self.entities.entry(entity).or_insert_with(new);
        if part.signer != signer {
            return Err(RestoreError::Misplaced { entity, found: signer, expected: part.signer });
        }
        Ok(part)
    }

    fn flush(&mut self) -> Result<(), RestoreError> {
        let mut waiting = core::mem::take(&mut self.waiting);
        if !waiting.ends.is_empty() {
            let entity = waiting.entity;
            let tree = &mut self.part(waiting.signer, entity)?.tree;
            tree.apply(waiting.rows()).map_err(|reason| RestoreError::Row { entity, reason })?;
            waiting.clear();
        }
        self.waiting = waiting;
        Ok(())
    }

    /// The server as it was after block `head`, whose last slice was `slice`. Every entity's root is checked against its
    /// latest frame, and the root over all against the block.
    pub fn finish(
        mut self,
        genesis: &Genesis,
        head: BlockHeader,
        slice: SliceNumber,
    ) -> Result<Server, RestoreError> {
        self.flush()?;
        let entities: BTreeMap<EntityId, Entity> = self
            .entities
            .into_par_iter()
            .map(|(id, part)| Ok((id, assemble(id, part)?)))
            .collect::<Result<_, RestoreError>>()?;
        let mut tree = Tree::new(tree_config());
        bind(&mut tree, entities.values());
        let found = Hash::new(tree.root());
        if found != head.state_root {
            return Err(RestoreError::Root { block: head.number, found, expected: head.state_root });
        }
        Ok(Server::new(genesis.facts()?, entities, tree, head, slice))
    }
}

impl Server {
    /// The server as it was after block `head`, whose last slice was `slice`, from all rows of the state: see
    /// [`Restoring`].
    pub fn restore<'a>(
        genesis: &Genesis,
        rows: impl IntoIterator<Item = StateRow<'a>>,
        head: BlockHeader,
        slice: SliceNumber,
    ) -> Result<Self, RestoreError> {
        let mut restoring = Restoring::new();
        for row in rows {
            restoring.push(&row)?;
        }
        restoring.finish(genesis, head, slice)
    }
}

fn assemble(id: EntityId, part: Part) -> Result<Entity, RestoreError> {
    let Part { signer, mut tree, head } = part;
    let found = Hash::new(tree.commit());
    let incomplete = |missing| RestoreError::Incomplete { entity: id, missing };
    let head = head.ok_or_else(|| incomplete("frame"))?;
    let head: Head = decode_exact(&head, head.len()).map_err(|_| incomplete("readable frame"))?;
    if head.header.entity != id {
        return Err(incomplete("frame of its own"));
    }
    if found != head.header.state_root {
        let (height, expected) = (head.header.height, head.header.state_root);
        return Err(RestoreError::EntityRoot { entity: id, height, found, expected });
    }
    let board = pallet_entities::board(&crate::overlay::Overlay::new(&tree))
        .ok()
        .flatten()
        .ok_or_else(|| incomplete("board"))?;
    // It is not that of the board if the board has changed; the server's root commits to it.
    Ok(Entity { signer, head: Some(head), ..Entity::new(id, tree, board) })
}
