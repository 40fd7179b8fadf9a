//! Whose certificates count: which board speaks for whom at which height, as far as this server knows.
//!
//! | who | where its board is found |
//! |---|---|
//! | a lazy entity | beside what it says: it hashes to the entity's identifier |
//! | a registered entity | in the registry of the depositary that is followed here, by height; in its own state, if it is followed here |
//! | the depositary | in its own state, by height; before it has made a frame, in the chain spec |
//!
//! ```text
//!             followed up to here
//!   depositary ───────────┤ · · · · · · ·►  a header up here is checked against the board of now. If it names another
//!      A      B      C    │                 board, that one is not known yet: it waits, and is neither right nor wrong
//! ```
//!
//! **The same everywhere.** What is known only grows, and nothing that is known becomes something else. So whoever has an
//! answer has the same one, sooner or later, and a frame waits where there is none yet. One answer may come too early: a
//! quorum of a former board may certify a header above its last height, and whoever does not know of the change believes it.
//! Those are more than a board's agreement survives.

use std::sync::Arc;

use pallet_entities::Era;
use xln_primitives::{Board, EntityId, FrameHeader};

use crate::{Entity, Facts, server::Server};

/// What is known of the board that certified a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// This one.
    Board(Arc<Board>),
    /// A later one than is known here; the depositary has to be followed further.
    NotYet,
    /// None that could have: another board speaks for the entity at that height, or it is long forgotten.
    Never,
}

/// The depositary as a frame sees it that is being made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boards<'a> {
    pub(crate) facts: &'a Facts,
    /// The depositary as it is followed here.
    pub(crate) depositary: Option<&'a Entity>,
}

impl Boards<'_> {
    /// The board that certified a frame of the depositary.
    pub(crate) fn depositary(&self, header: &FrameHeader) -> Known {
        match self.depositary {
            Some(depositary) => of_followed(depositary, header),
            None if header.board_hash == self.facts.depositary_board_hash => {
                Known::Board(Arc::clone(&self.facts.depositary_board))
            }
            None => Known::NotYet,
        }
    }
}

/// The board that certified a frame of an entity that is followed here.
fn of_followed(entity: &Entity, header: &FrameHeader) -> Known {
    let next = entity.head().map_or(1, |head| head.header.height.saturating_add(1));
    match pallet_entities::era(&entity.state(), header.height) {
        Ok(Era::Former(board)) if board.hash() == header.board_hash => Known::Board(Arc::new(board)),
        Ok(Era::Present) if header.board_hash == entity.board_hash => Known::Board(Arc::clone(&entity.board)),
        Ok(Era::Present) if header.height > next => Known::NotYet,
        _ => Known::Never,
    }
}

impl Server {
    pub(crate) fn boards(&self) -> Boards<'_> {
        Boards { facts: self.facts(), depositary: self.depositary() }
    }

    /// What is known here of the board that certified a frame. Of lazy entities that are not followed here nothing is: their
    /// board travels with what they say ([`crate::Speaker`]).
    #[must_use]
    pub fn board_of(&self, header: &FrameHeader) -> Known {
        let id = header.entity;
        if id == self.facts().depositary {
            return self.boards().depositary(header);
        }
        let own = self.entity(&id).map_or(Known::NotYet, |entity| of_followed(entity, header));
        if own != Known::NotYet {
            return own;
        }
        id.registry_number().map_or(Known::NotYet, |number| self.board_in_registry(number, header))
    }

    fn board_in_registry(&self, number: u64, header: &FrameHeader) -> Known {
        let Some(depositary) = self.depositary() else { return Known::NotYet };
        let state = depositary.state();
        let Ok(Some(now)) = pallet_entities::registration(&state, number) else { return Known::NotYet };
        match pallet_entities::registered_era(&state, number, header.height) {
            Ok(Era::Former(board)) if board.hash() == header.board_hash => Known::Board(Arc::new(board)),
            Ok(Era::Present) if now.board.hash() == header.board_hash => Known::Board(Arc::new(now.board)),
            Ok(Era::Present) if header.height > now.last_height.saturating_add(1) => Known::NotYet,
            _ => Known::Never,
        }
    }

    /// Whether the identifier of an entity is the hash of its board, for good.
    #[must_use]
    pub fn is_lazy(&self, entity: &EntityId) -> bool {
        entity.registry_number().is_none() && *entity != self.facts().depositary
    }
}
