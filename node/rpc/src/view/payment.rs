//! Payments: sent, received and forwarded.

use xln_primitives::{Amount, AssetId, ChannelId, Hash, Timestamp};

use super::{PartyView, views};
use crate::U64;

views! {
    /// Which way, seen from the entity that asks.
    #[derive(Copy)]
    pub enum Direction {
        /// To it.
        In,
        /// From it.
        Out,
    }

    /// How far a payment is.
    #[derive(Copy)]
    pub enum PaymentStatus {
        /// On its way.
        Pending,
        /// Paid; there is a preimage, unless it was direct.
        Succeeded,
        /// Nothing moved.
        Failed,
    }

    /// Why a payment failed.
    pub struct FailureView {
        /// A word that programs may match.
        pub name: String,
        /// The cause with its numbers.
        pub message: String,
        /// The hop that refused, 0 being the sender; absent if not known.
        pub hop: Option<u8>,
        /// The entity at that hop.
        pub at: Option<PartyView>,
        /// What to do about it.
        pub hint: Option<String>,
    }

    /// A payment of an entity.
    pub struct PaymentView {
        /// Its number among those that the entity sent; absent for those received or direct.
        pub number: Option<U64>,
        /// SHA-256 of the preimage; of a direct payment, the hash of the call that made it. Absent while the payee
        /// is being asked for it.
        pub hash: Option<Hash>,
        /// Whose payment.
        pub entity: PartyView,
        /// Sent or received.
        pub direction: Direction,
        /// Whether it went over one channel without a condition.
        pub direct: bool,
        /// Who pays; a receiver knows only the hop before it.
        pub from: Option<PartyView>,
        /// Who is paid.
        pub to: Option<PartyView>,
        /// The way it took, ends included, as far as known.
        pub route: Vec<PartyView>,
        /// Which asset.
        pub asset: AssetId,
        /// Its symbol.
        pub symbol: String,
        /// Digits after the decimal point of one unit.
        pub decimals: u8,
        /// What arrives.
        pub amount: Amount,
        /// What the hops took on top.
        pub fee: Amount,
        /// How far it is.
        pub status: PaymentStatus,
        /// Why it failed.
        pub failure: Option<FailureView>,
        /// The words that came with it.
        pub description: Option<String>,
        /// When it began.
        pub created: Timestamp,
        /// When it succeeded or failed.
        pub resolved: Option<Timestamp>,
        /// The proof of payment, once it succeeded.
        pub preimage: Option<Hash>,
    }

    /// A payment that an entity passed on.
    pub struct ForwardView {
        /// Its number among the entity's forwards.
        pub number: U64,
        /// SHA-256 of the preimage.
        pub hash: Hash,
        /// Who forwarded.
        pub entity: PartyView,
        /// The hop before.
        pub from: PartyView,
        /// The hop after.
        pub to: PartyView,
        /// The channel it came in by.
        pub channel_in: ChannelId,
        /// The channel it left by.
        pub channel_out: ChannelId,
        /// Which asset.
        pub asset: AssetId,
        /// Its symbol.
        pub symbol: String,
        /// Digits after the decimal point of one unit.
        pub decimals: u8,
        /// What came in.
        pub amount_in: Amount,
        /// What left.
        pub amount_out: Amount,
        /// The difference.
        pub fee: Amount,
        /// How far it is.
        pub status: PaymentStatus,
        /// Why it failed.
        pub failure: Option<FailureView>,
        /// When it came in.
        pub created: Timestamp,
        /// When it succeeded or failed.
        pub resolved: Option<Timestamp>,
    }
}
