//! What a snapshot writes: the rows of the state that changed since the last one.
//!
//! Nobody notes changed keys while slices are executed. Trees share what they have in common, so keeping each entity as it was
//! at the last snapshot costs only the paths that changed since, and comparing it with what it is now finds the changed
//! rows at a cost in proportion to their number:
//!
//! ```text
//!   snapshot at block 100        block 200, author's thread           block 200, another thread
//!   entity as it was  ────────►  take_changes: pairs (then, now) ──►  rows(): what differs, in the order of keys
//!                                cost: the entities that made frames  cost: the rows that changed
//! ```

use std::borrow::Cow;

use codec::Encode;
use xln_primitives::{EntityId, SignerId};
use xln_tree::Tree;

use crate::{
    entity::{Entity, tree_config},
    server::Server,
};

/// One row of the state on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateRow<'a> {
    /// A key of an entity's state.
    Value {
        /// Signer under whom the entity is hosted.
        signer: SignerId,
        /// The entity.
        entity: EntityId,
        /// The key, storage type first.
        key: Cow<'a, [u8]>,
        /// Its value; `None` if it was removed.
        value: Option<Cow<'a, [u8]>>,
    },
    /// The latest frame of an entity.
    Head {
        /// Signer under whom the entity is hosted.
        signer: SignerId,
        /// The entity.
        entity: EntityId,
        /// Encoded [`crate::Head`]; `None` if the entity is no longer hosted under this signer.
        head: Option<Cow<'a, [u8]>>,
    },
}

impl StateRow<'_> {
    /// The row with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> StateRow<'static> {
        let own = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        match self {
            Self::Value { signer, entity, key, value } => {
                StateRow::Value { signer, entity, key: own(key), value: value.map(own) }
            }
            Self::Head { signer, entity, head } => StateRow::Head { signer, entity, head: head.map(own) },
        }
    }
}

/// The entities that made frames between two snapshots, as they were at the first and are at the second.
#[derive(Debug, Default)]
pub struct StateChanges {
    entities: Vec<Change>,
    /// What an entity that was not there before is compared with.
    nothing: Option<Tree>,
}

#[derive(Debug)]
struct Change {
    before: Option<Entity>,
    after: Entity,
}

impl Server {
    /// What changed since this was last asked, as of now. Ask directly after a block was sealed, so that it is the state of
    /// that block, and while nothing is carried over ([`Server::has_carried`]), since waiting messages are no part of
    /// the state.
    ///
    /// Copies no row: the cost is that of one handle per entity that made a frame.
    pub fn take_changes(&mut self) -> StateChanges {
        let unwritten = core::mem::take(&mut self.unwritten);
        let entities = unwritten.into_iter().filter_map(|(id, before)| {
            let after = self.entities.get(&id)?.clone();
            Some(Change { before, after })
        });
        StateChanges { entities: entities.collect(), nothing: Some(Tree::new(tree_config())) }
    }
}

impl StateChanges {
    /// How many entities made frames.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.entities.len()
    }

    /// The rows that changed, in the order of signer, entity and key; an entity's head comes before its keys.
    pub fn rows(&self) -> impl Iterator<Item = StateRow<'_>> {
        let mut places: Vec<Place<'_>> =
            self.entities.iter().flat_map(|change| self.places(change)).collect();
        places.sort_by_key(|place| (place.signer, place.entity));
        places.into_iter().flat_map(Place::rows)
    }

    /// Where on disk an entity's rows change: under its signer, and under the one before if that was another.
    fn places<'a>(&'a self, change: &'a Change) -> impl Iterator<Item = Place<'a>> {
        let (after, nothing) = (&change.after, self.nothing.as_ref());
        let (same, moved) = match &change.before {
            Some(before) if before.signer != after.signer => (None, Some(before)),
            before => (before.as_ref(), None),
        };
        let left = moved.map(|before| Place {
            signer: before.signer,
            entity: before.id,
            head: None,
            older: Some(&before.tree),
            newer: nothing,
        });
        let here = Place {
            signer: after.signer,
            entity: after.id,
            head: after.head.as_ref().map(Encode::encode),
            older: same.map(|before| &before.tree).or(nothing),
            newer: Some(&after.tree),
        };
        left.into_iter().chain([here])
    }
}

/// The rows of one entity under one signer.
struct Place<'a> {
    signer: SignerId,
    entity: EntityId,
    head: Option<Vec<u8>>,
    older: Option<&'a Tree>,
    newer: Option<&'a Tree>,
}

impl<'a> Place<'a> {
    fn rows(self) -> impl Iterator<Item = StateRow<'a>> {
        let Self { signer, entity, head, older, newer } = self;
        let changed = older.zip(newer).into_iter().flat_map(|(older, newer)| newer.diff(older));
        let values = changed.map(move |(key, value)| StateRow::Value {
            signer,
            entity,
            key: Cow::Borrowed(key),
            value: value.map(Cow::Borrowed),
        });
        core::iter::once(StateRow::Head { signer, entity, head: head.map(Cow::Owned) }).chain(values)
    }
}
