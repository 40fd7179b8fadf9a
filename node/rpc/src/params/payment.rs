//! Requests about payments, forwards and routes.

use xln_primitives::{Amount, Hash, Timestamp};

use super::{params, yes};
use crate::{AssetRef, EntityRef, U64, view::PaymentStatus};

params! {
    /// Pays an entity or an invoice by a conditional payment over one or more channels.
    #[derive(Default)]
    pub struct PaymentSend {
        /// Who pays.
        pub entity: Option<EntityRef>,
        /// Who is paid; may be absent with an invoice.
        pub to: Option<EntityRef>,
        /// The invoice to pay.
        pub invoice: Option<String>,
        /// Which asset; with an invoice, the invoice's.
        pub asset: Option<AssetRef>,
        /// How much shall arrive; may be absent with an invoice that says it.
        pub amount: Option<Amount>,
        /// The entities between payer and payee, in order; found by the node if absent.
        pub via: Option<Vec<EntityRef>>,
        /// Most that the hops may take together.
        pub max_fee: Option<Amount>,
        /// What for.
        pub description: Option<String>,
        /// Whether to wait until it has succeeded or failed.
        #[serde(default = "yes")]
        pub wait: bool,
    }

    /// One payment of a hosted entity, by hash or by number.
    #[derive(Default)]
    pub struct PaymentGet {
        /// Whose; needed with a number. With a hash and without it, the payer's view if it is hosted here.
        pub entity: Option<EntityRef>,
        /// By payment hash.
        pub hash: Option<Hash>,
        /// By its number among those that the entity sent.
        pub number: Option<U64>,
    }

    /// Payments, newest first.
    #[derive(Default)]
    pub struct PaymentList {
        /// Whose; of every hosted entity if absent.
        pub entity: Option<EntityRef>,
        /// Only those in this state.
        pub status: Option<PaymentStatus>,
        /// Only those made before this time.
        pub before: Option<Timestamp>,
        /// How many at most.
        pub limit: Option<u32>,
    }

    /// Payments that were passed on, newest first.
    #[derive(Default)]
    pub struct ForwardList {
        /// By whom; by every hosted entity if absent.
        pub entity: Option<EntityRef>,
        /// Only those in this state.
        pub status: Option<PaymentStatus>,
        /// Only those made before this time.
        pub before: Option<Timestamp>,
        /// How many at most.
        pub limit: Option<u32>,
    }

    /// Finds a way for a payment without sending it.
    pub struct RouteQuery {
        /// Who pays.
        pub entity: Option<EntityRef>,
        /// Who is paid.
        pub to: EntityRef,
        /// Which asset.
        pub asset: Option<AssetRef>,
        /// How much shall arrive.
        pub amount: Amount,
        /// The entities between, in order.
        pub via: Option<Vec<EntityRef>>,
        /// Most that the hops may take together.
        pub max_fee: Option<Amount>,
    }
}
