//! Requests about invoices.

use xln_primitives::{Amount, Hash, Timestamp};

use super::params;
use crate::{AssetRef, EntityRef, view::InvoiceStatus};

params! {
    /// Makes an invoice.
    #[derive(Default)]
    pub struct InvoiceCreate {
        /// Who is to be paid.
        pub entity: Option<EntityRef>,
        /// Which asset.
        pub asset: Option<AssetRef>,
        /// How much; absent if the payer decides.
        pub amount: Option<Amount>,
        /// What for, at most 639 bytes as in Lightning.
        pub description: Option<String>,
        /// For how long it can be paid; an hour if absent.
        pub expires_in_ms: Option<u64>,
    }

    /// One invoice of a hosted entity.
    pub struct InvoiceGet {
        /// Its payment hash.
        pub hash: Hash,
    }

    /// Invoices, newest first.
    #[derive(Default)]
    pub struct InvoiceList {
        /// Whose; of every hosted entity if absent.
        pub entity: Option<EntityRef>,
        /// Only those in this state.
        pub status: Option<InvoiceStatus>,
        /// Only those made before this time.
        pub before: Option<Timestamp>,
        /// How many at most.
        pub limit: Option<u32>,
    }

    /// Withdraws an open invoice.
    pub struct InvoiceCancel {
        /// Its payment hash.
        pub hash: Hash,
    }

    /// Reads the text of an invoice and checks its signature.
    pub struct InvoiceDecode {
        /// The text.
        pub invoice: String,
    }
}
