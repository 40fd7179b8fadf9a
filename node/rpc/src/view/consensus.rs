//! Boards that vote.

use xln_primitives::{FrameHash, Hash};

use super::{PartyView, views};
use crate::{Bytes, U64};

views! {
    /// Where an entity stands whose board votes on its frames.
    pub struct BoardStatusView {
        /// The entity.
        pub entity: PartyView,
        /// Height of its next frame.
        pub height: U64,
        /// The round in which that frame is being decided; absent while there is nothing to decide.
        pub round: Option<u32>,
        /// Frames that the board has certified and this server has not executed, as far as it has heard.
        pub behind: U64,
        /// Messages that wait here to be put into a frame.
        pub waiting: u64,
        /// Whether this server votes.
        pub votes: bool,
        /// Why this server takes part no more.
        pub halted: Option<String>,
    }

    /// What a member said twice.
    #[derive(Copy)]
    pub enum StatementKind {
        /// A frame for a round.
        Proposal,
        /// That a frame is valid.
        Prevote,
        /// That a frame is to be committed.
        Precommit,
    }

    /// A signed statement.
    pub struct StatementView {
        /// The frame that it is for; absent for a vote for none.
        pub frame: Option<FrameHash>,
        /// Of a proposal: the earlier round in which a quorum prevoted for the frame.
        pub valid_round: Option<u32>,
        /// The member's BLS signature.
        pub signature: Bytes,
    }

    /// Two statements of one member for one place, which no honest member signs both.
    pub struct EvidenceView {
        /// Whose board.
        pub entity: PartyView,
        /// At which height.
        pub height: U64,
        /// In which round.
        pub round: u32,
        /// What kind of statement.
        pub kind: StatementKind,
        /// The place of the member on the board, from 0.
        pub member: u32,
        /// Its key, `bls:0x…`, if the board is still the one of that height.
        pub key: Option<String>,
        /// The server that votes with this key, as the chain spec calls it.
        pub server: Option<String>,
        /// Hash of the board.
        pub board: Hash,
        /// One statement.
        pub first: StatementView,
        /// The other.
        pub second: StatementView,
        /// All of it in SCALE: it verifies with the network and the board alone.
        pub evidence: Bytes,
    }
}
