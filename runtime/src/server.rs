//! One running server: the entities that it hosts, and the tree that binds them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use xln_primitives::{BlockHeader, EntityId, Hash, Timestamp};
use xln_tree::Tree;

use crate::{Executed, Facts, SliceNumber, clock::Deadlines, delivery::Delivery, entity::Entity};

/// The committed state of a server, wholly in memory. A clone shares the state of every entity until either changes it.
#[derive(Debug, Clone)]
pub struct Server {
    facts: Arc<Facts>,
    pub(crate) entities: BTreeMap<EntityId, Entity>,
    /// Leads from signer ‖ entity to the hash of the entity's latest frame, as of the last block.
    pub(crate) tree: Tree,
    /// Entities whose latest frame is not in `tree` yet.
    pub(crate) stale: BTreeSet<EntityId>,
    /// Entities that made frames since the last snapshot, as they were then; none for those that are new.
    pub(crate) unwritten: BTreeMap<EntityId, Option<Entity>>,
    pub(crate) deadlines: Deadlines,
    /// The last block.
    pub(crate) head: BlockHeader,
    /// What the next block will commit to.
    pub(crate) open: OpenBlock,
    /// The last slice.
    pub(crate) slice: SliceNumber,
    /// Its time.
    pub(crate) time: Timestamp,
    /// Messages that the last slice left undelivered.
    pub(crate) carried: Vec<Delivery>,
}

/// Slices that no block has sealed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OpenBlock {
    pub(crate) slices: Vec<Hash>,
    pub(crate) receipts: Vec<Hash>,
}

impl Server {
    /// A server with these entities after block `head` and slice `slice`.
    pub(crate) fn new(
        facts: Facts,
        entities: BTreeMap<EntityId, Entity>,
        tree: Tree,
        head: BlockHeader,
        slice: SliceNumber,
    ) -> Self {
        let deadlines = entities.values().collect();
        Self {
            facts: Arc::new(facts),
            time: head.timestamp,
            entities,
            tree,
            stale: BTreeSet::new(),
            unwritten: BTreeMap::new(),
            deadlines,
            head,
            open: OpenBlock::default(),
            slice,
            carried: Vec::new(),
        }
    }

    /// Makes what a slice did part of the state. Only the latest execution fits. Returns the entities as they were before,
    /// since freeing what only they had takes a while.
    pub fn commit(&mut self, executed: &Executed) -> Vec<Entity> {
        debug_assert_eq!(
            executed.slice.number,
            self.slice.saturating_add(1),
            "slices are committed in order"
        );
        let mut before = Vec::with_capacity(executed.entities.len());
        for (id, entity) in &executed.entities {
            self.deadlines.update(entity);
            self.stale.insert(*id);
            let old = self.entities.insert(*id, entity.clone());
            self.unwritten.entry(*id).or_insert_with(|| old.clone());
            before.extend(old);
        }
        self.carried.clone_from(&executed.carried);
        self.slice = executed.slice.number;
        self.time = executed.slice.timestamp;
        self.open.slices.push(executed.slice_hash);
        self.open.receipts.extend(executed.receipts.iter().map(|receipt| receipt.hash()));
        before
    }

    /// The constants of its network.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// An entity that it hosts.
    #[must_use]
    pub fn entity(&self, id: &EntityId) -> Option<&Entity> {
        self.entities.get(id)
    }

    /// All entities that it hosts, by identifier.
    pub fn entities(&self) -> impl ExactSizeIterator<Item = &Entity> {
        self.entities.values()
    }

    /// Entities after `after`, by identifier.
    pub fn entities_after(&self, after: Option<EntityId>) -> impl Iterator<Item = &Entity> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.entities.range((after.map_or(Unbounded, Excluded), Unbounded)).map(|(_, entity)| entity)
    }

    /// The entity that keeps reserves and collateral, if it is hosted here.
    #[must_use]
    pub fn depositary(&self) -> Option<&Entity> {
        self.entity(&self.facts.depositary)
    }

    /// Header of the last block.
    #[must_use]
    pub const fn head(&self) -> &BlockHeader {
        &self.head
    }

    /// Number of the last slice; 0 before the first.
    #[must_use]
    pub const fn slice(&self) -> SliceNumber {
        self.slice
    }

    /// Time of the last slice.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Whether messages of the last slice wait for another one.
    #[must_use]
    pub fn has_carried(&self) -> bool {
        !self.carried.is_empty()
    }

    /// Whether there are slices that no block has sealed.
    #[must_use]
    pub fn has_open_block(&self) -> bool {
        !self.open.slices.is_empty()
    }

    /// How many keys all entities have together.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.entities.values().map(|entity| entity.tree.len()).sum()
    }
}
