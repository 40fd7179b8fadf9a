//! Entities that come into being: by a call that creates them, or by the genesis.

use xln_primitives::{Board, EntityId};
use xln_tree::Tree;

use crate::{
    RuntimeCall, SignedCall,
    entity::{Entity, tree_config},
    overlay::Overlay,
};

/// The board of the entity that a signed call creates, if it creates the one that it is addressed to.
#[must_use]
pub fn created_board(call: &SignedCall) -> Option<&Board> {
    match call.body.calls.first() {
        Some(RuntimeCall::Entities(pallet_entities::Call::Create { board })) => {
            Some(board).filter(|board| board.entity() == call.body.entity)
        }
        _ => None,
    }
}

/// The entity that a signed call creates at once. A board that votes founds its entity with a frame that it decides.
pub(crate) fn found(id: EntityId, call: &SignedCall) -> Option<Entity> {
    let board = created_board(call).filter(|board| !board.votes())?;
    founded(id, board.clone()).ok()
}

/// A new entity with its board written down.
pub(crate) fn founded(id: EntityId, board: Board) -> Result<Entity, pallet_entities::Error> {
    let mut tree = Tree::new(tree_config());
    let nothing = tree.clone();
    let mut state = Overlay::new(&nothing);
    pallet_entities::found(&mut state, &board)?;
    for (key, value) in state.into_changes() {
        if let Some(value) = value {
            // A board is far below the tree's limits.
            let _ = tree.insert(key, value);
        }
    }
    tree.commit();
    Ok(Entity::new(id, tree, board))
}
