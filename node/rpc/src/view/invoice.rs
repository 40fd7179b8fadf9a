//! Invoices: requests to be paid.

use xln_primitives::{Amount, AssetId, EntityId, Hash, Network, Timestamp};

use super::{PartyView, views};

views! {
    /// How far an invoice is.
    #[derive(Copy)]
    pub enum InvoiceStatus {
        /// Waits for a payment.
        Open,
        /// A payment for it is on its way.
        Accepted,
        /// Paid.
        Settled,
        /// Withdrawn by the payee.
        Cancelled,
        /// Not paid in time.
        Expired,
    }

    /// An invoice of a hosted entity.
    pub struct InvoiceView {
        /// SHA-256 of the preimage.
        pub hash: Hash,
        /// Who is to be paid.
        pub payee: PartyView,
        /// Which asset.
        pub asset: AssetId,
        /// Its symbol.
        pub symbol: String,
        /// Digits after the decimal point of one unit.
        pub decimals: u8,
        /// How much; absent if the payer decides.
        pub amount: Option<Amount>,
        /// How much was paid.
        pub received: Amount,
        /// What for.
        pub description: String,
        /// How far it is.
        pub status: InvoiceStatus,
        /// The text to hand to the payer.
        pub invoice: String,
        /// When it was made.
        pub created: Timestamp,
        /// Until when it can be paid.
        pub expires: Timestamp,
        /// When it was paid.
        pub settled: Option<Timestamp>,
        /// The preimage; only once it is paid, for before that it would let a hop keep the payment.
        pub preimage: Option<Hash>,
    }

    /// What the text of an invoice says. Its signature has been checked.
    pub struct DecodedInvoice {
        /// The network for which it is meant.
        pub network: Network,
        /// Who is to be paid.
        pub payee: PartyView,
        /// Which asset.
        pub asset: AssetId,
        /// Its symbol, if the asset is known here.
        pub symbol: Option<String>,
        /// Digits after the decimal point of one unit, if the asset is known here.
        pub decimals: Option<u8>,
        /// How much; absent if the payer decides.
        pub amount: Option<Amount>,
        /// SHA-256 of the preimage.
        pub hash: Hash,
        /// What for.
        pub description: String,
        /// When it was made.
        pub created: Timestamp,
        /// Until when it can be paid.
        pub expires: Timestamp,
        /// Hops by which the payee can be reached, each list from far to near.
        pub hints: Vec<Vec<EntityId>>,
    }
}
