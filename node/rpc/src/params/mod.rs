//! What the API is asked: one JSON object per request, by name. Unknown members are refused, so that a mistyped
//! limit is not a missing limit.
//!
//! Everywhere: `entity` is who acts or whose view is wanted, by default the node's default entity; `asset` is by
//! default the network's first; amounts are in smallest units; `wait` (default true) answers once the outcome is
//! durable, not when the call is accepted; lists answer at most `limit` items (default 100, at most
//! [`MAX_LIMIT`]), after the item `after` or before the time `before`.

mod author;
mod chain;
mod channel;
mod depositary;
mod entity;
mod governance;
mod invoice;
mod payment;
mod subscribe;
mod system;

pub use author::{AuthorNonce, AuthorPending, AuthorSubmit};
pub use chain::{GetBlock, GetFrame, GetReceipt, StateKey, StateTree};
pub use channel::{
    ChannelClose, ChannelGet, ChannelList, ChannelListHtlcs, ChannelOpen, ChannelPay,
    ChannelRequestCollateral, ChannelSetCredit, ChannelSetPolicy, PolicyChange,
};
pub use depositary::{Allocate, Deposit, ListReserves, Transfer, Withdraw};
pub use entity::{
    EntityBoards, EntityCreate, EntityGet, EntityGetBoardProof, EntityList, SignerCreate, SignerEntities,
};
pub use governance::{
    Action, EntityDelegate, EntityGetProposal, EntityProposals, EntityPropose, EntityRegister,
    EntitySetListing, EntitySetPolicy, EntityVote, EntityWithdraw,
};
pub use invoice::{InvoiceCancel, InvoiceCreate, InvoiceDecode, InvoiceGet, InvoiceList};
pub use payment::{ForwardList, PaymentGet, PaymentList, PaymentSend, RouteQuery};
pub use subscribe::{ParseTopicError, Subscribe, Topic};
pub use system::{ConsensusEvidence, PeerAt, PeerName};

/// Most items that a list answers at once.
pub const MAX_LIMIT: u32 = 1_000;

const DEFAULT_LIMIT: u32 = 100;

/// How many items a list answers for the `limit` asked.
#[must_use]
pub fn page_size(limit: Option<u32>) -> usize {
    usize::try_from(limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT)).unwrap_or(usize::MAX)
}

/// A request without parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

impl crate::Described for NoParams {
    const MEMBERS: &'static [crate::Member] = &[];
}

/// Declares parameter structs with what all of them derive, and the list of their members for the API document.
macro_rules! params {
    ($($(#[$meta:meta])* pub struct $name:ident {
        $($(#[doc = $doc:literal])* $(#[serde($serde:meta)])? pub $field:ident: $type:ty,)*
    })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            pub struct $name { $($(#[doc = $doc])* $(#[serde($serde)])? pub $field: $type,)* }

            impl $crate::Described for $name {
                const MEMBERS: &'static [$crate::Member] = &[$($crate::Member {
                    field: stringify!($field),
                    kind: stringify!($type),
                    summary: concat!($($doc),*),
                },)*];
            }
        )*
    };
}
use params;

fn yes() -> bool {
    true
}
