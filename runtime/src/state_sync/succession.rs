//! The boards between the one that is known here and the one that certifies a state.
//!
//! A board changes in a frame that the old board certifies, and the state after that frame names the new one. The header, its
//! certificate and the path to that row prove the change to whoever knows the old board, without the frames before and
//! after it:
//!
//! ```text
//!   board known here ─certifies─► header 40 ─state root─► row: board B ─certifies─► header 97 ─► row: board C
//!                                                                                                    │ certifies
//!                                                                              the state after frame 210 ◄┘
//! ```
//!
//! This is what light clients of other networks call an epoch change proof. Every server that follows an entity keeps those that it sees.

use std::sync::Arc;

use xln_primitives::{Board, BoundedVec, ConstU32};

use crate::{BoardProof, BoardProofError, Entity};

/// Most changes of a board that come with a state.
pub const HANDOVERS_MAX: u32 = 1_024;

/// Changes of a board, each with the last header that the board before certified, in the order of their heights.
pub type Handovers = BoundedVec<BoardProof, ConstU32<HANDOVERS_MAX>>;

/// The boards that lead to the one that certifies a state.
pub(crate) struct Succession<'a> {
    /// Boards that ended, each with the change that it certified.
    pub(crate) ended: Vec<(Arc<Board>, &'a BoardProof)>,
    /// The board after them.
    pub(crate) board: Arc<Board>,
}

impl<'a> Succession<'a> {
    /// Goes from the board of an entity as it is here through the changes that came after. What is known here already is passed over,
    /// and so is all that does not join on to it or changes nothing. Paths are checked; certificates are for the caller to check.
    ///
    /// Errors: a path that proves no board.
    pub(crate) fn of(known: &Entity, handovers: &'a [BoardProof]) -> Result<Self, BoardProofError> {
        let mut succession = Self { ended: Vec::new(), board: Arc::clone(&known.board) };
        let mut board_hash = known.board_hash;
        let mut height = known.head.as_ref().map_or(0, |head| head.header.height);
        for handover in handovers {
            let header = &handover.header;
            if header.entity != known.id || header.height <= height || header.board_hash != board_hash {
                continue;
            }
            let next = handover.next_board()?;
            let next_hash = next.hash();
            if next_hash != board_hash {
                let ended = core::mem::replace(&mut succession.board, Arc::new(next));
                succession.ended.push((ended, handover));
                (board_hash, height) = (next_hash, header.height);
            }
        }
        Ok(succession)
    }

    /// The changes that were gone through.
    pub(crate) fn handovers(&self) -> Handovers {
        Handovers::truncate_from(self.ended.iter().map(|(_, handover)| (*handover).clone()).collect())
    }
}
