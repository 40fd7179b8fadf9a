//! What the rules of this pallet look at in a call of any pallet.

use xln_primitives::{Amount, AssetId, EntityId, Permissions};

/// How much of an asset leaves the entity by a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    /// The asset.
    pub asset: AssetId,
    /// At most so much.
    pub amount: Amount,
}

/// A call, as far as it matters who may make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFacts {
    /// Its code on the wire.
    pub code: u8,
    /// Whether the board as a whole can make it. What a member says for itself (a vote, say) it cannot.
    pub by_board: bool,
    /// A permission that lets a member propose this, though it may not propose other things.
    pub proposable_with: Option<Permissions>,
    /// What it spends.
    pub spends: Vec<Spend>,
    /// With whom it deals.
    pub parties: Vec<EntityId>,
}

impl CallFacts {
    /// Of a call that spends nothing and deals with nobody.
    #[must_use]
    pub const fn new(code: u8) -> Self {
        Self { code, by_board: true, proposable_with: None, spends: Vec::new(), parties: Vec::new() }
    }
}
