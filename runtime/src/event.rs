//! What happened.

use codec::{Decode, DecodeWithMemTracking, Encode};

/// An event of one of the pallets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum RuntimeEvent {
    /// Boards, names and the registry.
    #[codec(index = 0)]
    Entities(pallet_entities::Event),
    /// Channels and payments.
    #[codec(index = 1)]
    Channels(pallet_channels::Event),
    /// Reserves and collateral.
    #[codec(index = 2)]
    Reserves(pallet_reserves::Event),
    /// Proposals, votes and policies.
    #[codec(index = 3)]
    Governance(pallet_governance::Event),
}
