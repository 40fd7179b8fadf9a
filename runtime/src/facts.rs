//! What every frame of a network may take for granted.

use std::sync::Arc;

use xln_primitives::{Board, EntityId, Hash, Network, Timestamp};

/// The constants of a network.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The network.
    pub network: Network,
    /// When it began.
    pub genesis_time: Timestamp,
    /// The entity that keeps reserves and collateral.
    pub depositary: EntityId,
    /// The board whose certificates prove what the depositary says.
    pub depositary_board: Arc<Board>,
    /// Its hash.
    pub depositary_board_hash: Hash,
    /// How long a dispute may be answered, in milliseconds of depositary time.
    pub dispute_window_ms: u64,
}
