//! Requests about other servers and boards.

use super::params;
use crate::{EntityRef, U64};

params! {
    /// Names another server.
    pub struct PeerName {
        /// Its name in the chain spec, its identifier `12D3Koo…`, or its key `ed25519:0x…`.
        pub peer: String,
    }

    /// Names another server and where it is.
    pub struct PeerAt {
        /// Such as `/ip4/192.0.2.7/tcp/30333/p2p/12D3Koo…`.
        pub address: String,
    }

    /// Proof of members of boards who signed two things for one place, by entity and height.
    #[derive(Default)]
    pub struct ConsensusEvidence {
        /// Of whose board; of all if absent.
        pub entity: Option<EntityRef>,
        /// Only from this height on.
        pub from: Option<U64>,
        /// How many at most.
        pub limit: Option<u32>,
    }
}
