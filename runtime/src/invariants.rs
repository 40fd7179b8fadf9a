//! What must hold in every state between two slices (reliability, "Invariants").
//!
//! Each pallet checks its own part of each entity; what spans entities is checked here: both copies of a channel agree
//! (C6), what a channel believes to lie at the depositary lies there (C1, C2), and no payment has two ends (C4). The
//! checks read everything and are meant for tests, crash recovery and `xln-node check-state`, not for every block of a
//! running node.
//!
//! [`check`] holds always and on every server. [`check_settled`] is stricter: it holds after a slice that left nothing
//! undelivered, if everybody who pays the entities of this server lives here too.

mod copies;
mod payments;

use xln_primitives::{ChannelId, EntityId};

use crate::{Entity, Server};

pub use copies::Disagreement;
pub use payments::TwoEnds;

/// Entries read at once.
const PAGE: usize = 256;

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
    /// Another board speaks for an entity than its state says.
    #[error("entity {entity}: its next frame is certified by another board than the one in its state")]
    OtherBoard {
        /// Which entity.
        entity: EntityId,
    },
    /// Of the channels pallet.
    #[error("entity {entity}: {violation}")]
    Channels {
        /// In whose state.
        entity: EntityId,
        /// What is wrong.
        violation: String,
    },
    /// Of the governance pallet.
    #[error("entity {entity}: {violation}")]
    Governance {
        /// In whose state.
        entity: EntityId,
        /// What is wrong.
        violation: pallet_governance::Violation,
    },
    /// Of the reserves pallet.
    #[error("depositary: {0}")]
    Reserves(pallet_reserves::Violation),
    /// C6, or a channel and the depositary contradict each other.
    #[error("channel {channel}: {disagreement}")]
    Copies {
        /// The channel.
        channel: ChannelId,
        /// What is wrong.
        disagreement: Box<Disagreement>,
    },
    /// C4.
    #[error("payment with lock {hash} to {payee}: {ends}")]
    Payment {
        /// Its lock.
        hash: pallet_channels::PaymentHash,
        /// Who is to be paid.
        payee: EntityId,
        /// What is wrong.
        ends: TwoEnds,
    },
}

/// Checks everything that holds at any time.
pub fn check(server: &Server) -> Result<(), Violation> {
    run(server, false)
}

/// Checks in addition what holds between entities that live here when nothing is on its way between them.
pub fn check_settled(server: &Server) -> Result<(), Violation> {
    run(server, true)
}

fn run(server: &Server, settled: bool) -> Result<(), Violation> {
    for entity in server.entities() {
        check_entity(entity)?;
    }
    if let Some(depositary) = server.depositary() {
        pallet_reserves::try_state(&depositary.state()).map_err(Violation::Reserves)?;
    }
    copies::check(server, settled)?;
    payments::check(server, settled)
}

fn check_entity(entity: &Entity) -> Result<(), Violation> {
    let (state, id) = (entity.state(), entity.id());
    pallet_entities::try_state(&state).map_err(|violation| Violation::Entities { entity: id, violation })?;
    pallet_governance::try_state(&state)
        .map_err(|violation| Violation::Governance { entity: id, violation })?;
    if pallet_entities::board(&state).ok().flatten().as_ref() != Some(entity.board()) {
        return Err(Violation::OtherBoard { entity: id });
    }
    pallet_channels::try_state(&state)
        .map_err(|broken| Violation::Channels { entity: id, violation: broken.to_string() })
}

/// State of the channels pallet that cannot be read.
fn unreadable(entity: EntityId) -> impl Fn(pallet_channels::Error) -> Violation {
    move |error| Violation::Channels { entity, violation: error.to_string() }
}
