//! The specification taken at its word: walk down every way, stop at an entity that is already on it and below the eighth
//! board. Exponential, so for small worlds only.

use std::collections::{BTreeMap, BTreeSet};

use xln_primitives::{Board, EntityId, MemberId, Permissions, PublicKey, Weight};

/// Boards of a world and who signed.
pub(crate) struct Model<'a> {
    pub(crate) boards: &'a BTreeMap<EntityId, Board>,
    pub(crate) signed: &'a BTreeSet<PublicKey>,
    /// Most boards on a way.
    pub(crate) levels: usize,
}

impl Model<'_> {
    /// Weight in the board of the last entity on `way`.
    pub(crate) fn weight(&self, way: &mut Vec<EntityId>) -> Weight {
        let Some(board) = self.boards.get(way.last().unwrap()) else { return 0 };
        let mut weight: Weight = 0;
        for member in board.members.iter().filter(|member| member.permissions.allows(Permissions::VOTE)) {
            let counts = match &member.id {
                MemberId::Signer { key, .. } | MemberId::Delegating { key, .. } => self.signed.contains(key),
                MemberId::Entity { entity, .. } => self.signs(*entity, way),
            };
            weight = weight.saturating_add(if counts { member.weight } else { 0 });
        }
        weight
    }

    fn signs(&self, entity: EntityId, way: &mut Vec<EntityId>) -> bool {
        let Some(board) = self.boards.get(&entity) else { return false };
        if way.contains(&entity) || way.len() >= self.levels {
            return false;
        }
        way.push(entity);
        let weight = self.weight(way);
        way.pop();
        // Of unsound boards: a weight does not overflow, and a threshold of zero is never reached.
        board.threshold > 0 && weight >= board.threshold
    }

    /// The entities on a way from `root` that lead back to themselves.
    pub(crate) fn cycles(&self, root: EntityId) -> BTreeSet<EntityId> {
        let reachable = self.below(root);
        let all = reachable.iter().copied().chain([root]);
        all.filter(|entity| self.below(*entity).contains(entity)).collect()
    }

    /// The entities with a board that `entity` leads to.
    fn below(&self, entity: EntityId) -> BTreeSet<EntityId> {
        let mut found = BTreeSet::new();
        let mut waiting = vec![entity];
        while let Some(next) = waiting.pop() {
            let members = self.boards.get(&next).into_iter().flat_map(|board| board.members.iter());
            for member in members.filter(|member| member.permissions.allows(Permissions::VOTE)) {
                if let MemberId::Entity { entity, .. } = &member.id
                    && self.boards.contains_key(entity)
                    && found.insert(*entity)
                {
                    waiting.push(*entity);
                }
            }
        }
        found
    }
}
