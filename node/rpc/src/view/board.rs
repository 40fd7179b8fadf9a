//! Boards of an entity over time, and proofs of them.

use super::{BoardView, PartyView, ProofView, views};
use crate::{Bytes, U64};

views! {
    /// A board and the heights of the frames that it certifies.
    pub struct TermView {
        /// The board.
        pub board: BoardView,
        /// The first height.
        pub first: U64,
        /// The last height; absent for the board of now.
        pub last: Option<U64>,
    }

    /// A board of an entity, with what proves it to somebody who does not follow the entity.
    pub struct BoardProofView {
        /// Whose board.
        pub entity: PartyView,
        /// The board, and when it speaks.
        pub term: TermView,
        /// The board, SCALE.
        pub board: Bytes,
        /// The row that names it, in a certified state: of the depositary, or of the entity itself. The board of now in the entity's
        /// own state is proven for the frames after `header` only. Absent for a lazy entity, whose identifier is the hash of its
        /// board.
        pub proof: Option<ProofView>,
        /// The same as one value to verify, SCALE: entity, key, path, header, certificate.
        pub encoded: Option<Bytes>,
    }
}
