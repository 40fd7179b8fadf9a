//! Proof that a board spoke for an entity, for somebody who does not follow it.
//!
//! ```text
//!   certificate ──► header ──► state root ──► path ──► row: board, first height, last height
//!   by a board that           of whoever keeps the row: the depositary, or the entity itself
//!   the verifier trusts
//! ```
//!
//! Of a lazy entity there is nothing to prove: its identifier is the hash of its board.

use codec::{Decode, DecodeWithMemTracking, Encode};
use pallet_entities::{Term, Whose};
use xln_primitives::{Board, Certificate, EntityId, FrameHeader, Network};
use xln_tree::{Hasher, Proof};

use crate::Entity;

/// A row of a certified state that names a board and the heights that it certified.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct BoardProof {
    /// Whose board.
    pub entity: EntityId,
    /// The key of the row.
    pub key: Vec<u8>,
    /// The path to its value.
    pub path: Proof,
    /// The frame after which the state is this one: of the depositary, or of the entity itself.
    pub header: FrameHeader,
    /// The certificate of that frame.
    pub certificate: Certificate,
}

/// Why something proves no board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoardProofError {
    /// The trusted board does not stand behind the frame.
    #[error("the certificate of frame {height} of {keeper} is not of the board that is trusted")]
    Certificate {
        /// Whose frame.
        keeper: EntityId,
        /// Which.
        height: u64,
    },
    /// The row is not in the state.
    #[error("the path does not lead from the row to the state root of the frame")]
    Path,
    /// The row says nothing of the entity's boards.
    #[error("the row is none that {keeper} has of the boards of {entity}")]
    Row {
        /// Who has the row.
        keeper: EntityId,
        /// Whose boards are asked for.
        entity: EntityId,
    },
}

impl BoardProof {
    /// That this board speaks in a term, in the state of an entity whose latest frame has this header and certificate.
    #[must_use]
    pub fn new(
        (keeper, whose): (&Entity, Whose),
        (header, certificate): (&FrameHeader, &Certificate),
        (entity, term): (EntityId, &Term),
    ) -> Self {
        let key = term.key(whose).as_ref().to_vec();
        let path = keeper.tree().prove(&key);
        Self { entity, path, header: header.clone(), certificate: certificate.clone(), key }
    }

    /// That an entity gets another board after the frame with this header, in its own state.
    pub(crate) fn of_next(after: &Entity, header: &FrameHeader, certificate: &Certificate) -> Self {
        let first = header.height.saturating_add(1);
        let term = Term { board: after.board().clone(), first, last: None };
        Self::new((after, Whose::Own), (header, certificate), (after.id(), &term))
    }

    /// The board that certifies the frame after this one of the entity's own, if the header is believed.
    pub(crate) fn next_board(&self) -> Result<Board, BoardProofError> {
        let (keeper, entity) = (self.header.entity, self.entity);
        let term = self.read()?;
        if keeper == entity && term.last.is_none() {
            Ok(term.board)
        } else {
            Err(BoardProofError::Row { keeper, entity })
        }
    }

    /// The board that is proven, with the heights that it certified, to whoever trusts that `trusted` certifies the frame that the
    /// proof ends in: the board of the depositary, or a later one of the entity.
    pub fn verify(&self, network: Network, trusted: &Board) -> Result<Term, BoardProofError> {
        let (keeper, height) = (self.header.entity, self.header.height);
        self.certificate
            .verify(network, trusted, &self.header)
            .map_err(|_| BoardProofError::Certificate { keeper, height })?;
        self.read()
    }

    /// What the row says, if the header is believed.
    fn read(&self) -> Result<Term, BoardProofError> {
        let (keeper, height) = (self.header.entity, self.header.height);
        let other = BoardProofError::Row { keeper, entity: self.entity };
        let whose = match self.entity.registry_number() {
            _ if keeper == self.entity => Whose::Own,
            Some(number) => Whose::Registered(number),
            None => return Err(other),
        };
        let root = self.header.state_root.as_bytes();
        let value = self.path.verify(root, &self.key, Hasher::Blake3).map_err(|_| BoardProofError::Path)?;
        value.and_then(|value| Term::read(whose, height, &self.key, &value)).ok_or(other)
    }
}
