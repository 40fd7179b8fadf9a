//! What a subscription delivers.

use super::{
    BlockView, ChannelView, ForwardView, FrameHeaderView, InvoiceView, PaymentView, ProposalView,
    ReceiptView, views,
};
use crate::{Topic, U64};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "data")]
pub enum Body {
    /// A block was sealed.
    Block(BlockView),
    /// An entity made a frame.
    Frame(FrameHeaderView),
    /// A call was executed.
    Receipt(ReceiptView),
    /// A channel changed.
    Channel(ChannelView),
    /// A payment was sent, received or resolved.
    Payment(PaymentView),
    /// A payment was passed on.
    Forward(ForwardView),
    /// An invoice was made, paid or withdrawn.
    Invoice(InvoiceView),
    /// A proposal was made, voted on or decided.
    Proposal(ProposalView),
    /// The reader was too slow: what follows the cursor was not delivered, and this is the last notification.
    /// Subscribing again from the cursor goes on without a gap.
    Lagged,
}

views! {
    /// One thing that happened, and where to go on from.
    pub struct Notification {
        /// Its position: subscribing `from` it delivers what comes after it.
        pub cursor: U64,
        /// The topic of the subscription that it belongs to; absent for `lagged`.
        pub channel: Option<Topic>,
        /// What.
        pub body: Body,
    }
}
