//! Blocks of the server and frames of its entities.

use xln_primitives::{CallHash, FrameHash, Hash, Timestamp};

use super::{PartyView, views};
use crate::{Bytes, U64};

views! {
    /// A sealed block of this server.
    pub struct BlockView {
        /// Its number; the genesis block is 0.
        pub number: U64,
        /// Its hash.
        pub hash: Hash,
        /// The block before.
        pub parent: Hash,
        /// When it was sealed.
        pub timestamp: Timestamp,
        /// Number of its first slice.
        pub first_slice: U64,
        /// How many slices it has.
        pub slices: u32,
        /// Merkle root over its slices.
        pub inputs_root: Hash,
        /// Root of the server's tree.
        pub state_root: Hash,
        /// Merkle root over its receipts.
        pub receipts_root: Hash,
        /// The calls that it includes, in order.
        pub calls: Vec<CallHash>,
    }

    /// The header of an entity's frame.
    pub struct FrameHeaderView {
        /// Its hash: what the certificate signs.
        pub hash: FrameHash,
        /// Whose frame.
        pub entity: PartyView,
        /// Its number.
        pub height: U64,
        /// The frame before.
        pub parent: FrameHash,
        /// When.
        pub timestamp: Timestamp,
        /// Board that certifies it.
        pub board_hash: Hash,
        /// Merkle root of its inputs.
        pub inputs_root: Hash,
        /// Root of the entity's state after it.
        pub state_root: Hash,
        /// Root of the messages that it sends.
        pub outputs_root: Hash,
    }

    /// A frame: header and what is in it.
    pub struct FrameView {
        /// The header.
        pub header: FrameHeaderView,
        /// The slice that made it, as far as still known.
        pub slice: Option<U64>,
        /// Signed calls that it executed, as far as still known.
        pub calls: Vec<CallHash>,
    }

    /// A frame's certificate with all that is needed to check it.
    pub struct CertificateView {
        /// The header that it certifies.
        pub header: FrameHeaderView,
        /// The certificate, SCALE.
        pub certificate: Bytes,
        /// The board that made it, SCALE.
        pub board: Bytes,
        /// Weight of those who signed.
        pub weight: u32,
        /// Weight needed.
        pub quorum: u32,
    }
}
