//! What must hold in every state between two slices (reliability, "Invariants").
//!
//! Each pallet checks its own part of each entity; what spans entities is checked here: both copies of a channel agree
//! (C6), and what a channel believes to lie at the depositary lies there (C1, C2). The checks read everything and are
//! meant for tests, crash recovery and `xln-node check-state`, not for every block of a running node.

use xln_primitives::EntityId;

use crate::{Entity, Server};

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Of the entities pallet.
    #[error("entity {entity}: {violation}")]
    Entities {
        /// In whose state.
        entity: EntityId,
        /// What is wrong.
        violation: pallet_entities::Violation,
    },
    /// Of the channels pallet.
    #[error("entity {entity}: {violation}")]
    Channels {
        /// In whose state.
        entity: EntityId,
        /// What is wrong.
        violation: String,
    },
    /// Of the reserves pallet.
    #[error("depositary: {0}")]
    Reserves(pallet_reserves::Violation),
}

/// Checks everything.
pub fn check(server: &Server) -> Result<(), Violation> {
    for entity in server.entities() {
        check_entity(entity)?;
    }
    if let Some(depositary) = server.depositary() {
        pallet_reserves::try_state(&depositary.state()).map_err(Violation::Reserves)?;
    }
    Ok(())
}

fn check_entity(entity: &Entity) -> Result<(), Violation> {
    let (state, id) = (entity.state(), entity.id());
    pallet_entities::try_state(&state).map_err(|violation| Violation::Entities { entity: id, violation })?;
    Ok(())
}
