//! Messages between entities, and how one is authenticated whoever carried it.

use std::sync::Arc;

use codec::{Decode, DecodeWithMemTracking, Encode};

use crate::{
    Board, BoardError, Certificate, CertificateError, EntityId, FrameHeader, Hash, Network, commitment,
    outputs::MerklePath,
};

/// Number of a message among those from one entity to another; the first is 1, without gaps.
pub type Sequence = u64;

/// A payload that knows its code on the wire, so that a leaf says what kind of thing it proves.
pub trait Kind {
    /// The code.
    fn kind(&self) -> u8;
}

/// What one entity says to another. Delivered in order of `sequence`, at least once, and executed once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Message<C> {
    /// Who says it.
    pub from: EntityId,
    /// To whom.
    pub to: EntityId,
    /// Its number among the messages from `from` to `to`.
    pub sequence: Sequence,
    /// What.
    pub call: C,
}

impl<C: Encode + Kind> Message<C> {
    /// The leaf that stands for this message under its frame's outputs root:
    /// `H(0x00 ‖ network ‖ from ‖ to ‖ sequence ‖ kind ‖ H(payload))` with H the [`commitment`] hash, integers big-endian.
    #[must_use]
    pub fn leaf(&self, network: &Network) -> Hash {
        let mut bytes = [0; 138];
        bytes[1..33].copy_from_slice(network.as_ref());
        bytes[33..65].copy_from_slice(self.from.as_ref());
        bytes[65..97].copy_from_slice(self.to.as_ref());
        bytes[97..105].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[105] = self.call.kind();
        bytes[106..].copy_from_slice(self.call.using_encoded(commitment).as_ref());
        commitment(&bytes)
    }
}

/// A message with everything that proves it: path, header, certificate, and the board of a lazy sender.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct CertifiedMessage<C> {
    /// The message; shared, since it is on its way, in the log and in proofs at once.
    pub message: Arc<Message<C>>,
    /// Its place among the outputs of the frame.
    pub path: MerklePath,
    /// The frame that said it.
    pub header: FrameHeader,
    /// The board's commitment to the frame.
    pub certificate: Certificate,
}

/// Why a message is not what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The frame is another entity's than the sender's.
    #[error("the message is from {from}, its frame is of {frame_of}")]
    OtherEntity {
        /// Sender in the message.
        from: EntityId,
        /// Entity in the header.
        frame_of: EntityId,
    },
    /// The path does not lead to the frame's outputs root.
    #[error("the message is not among the outputs of its frame")]
    NotInFrame,
    /// The board is not one.
    #[error("the sender's board is invalid: {0}")]
    Board(#[from] BoardError),
    /// The board does not stand behind the frame.
    #[error("the frame's certificate is invalid: {0}")]
    Certificate(#[from] CertificateError),
}

impl<C: Encode + Kind> CertifiedMessage<C> {
    /// Checks certificate and path against the sender's `board` at the height of the frame.
    pub fn verify(&self, network: Network, board: &Board) -> Result<(), AuthenticationError> {
        self.verify_inclusion(network)?;
        board.validate()?;
        Ok(self.certificate.verify(network, board, &self.header)?)
    }

    /// Checks that the message stands in its frame; the frame's certificate is checked elsewhere, once.
    pub fn verify_inclusion(&self, network: Network) -> Result<(), AuthenticationError> {
        self.verify_leaf(self.message.leaf(&network))
    }

    /// As [`CertifiedMessage::verify_inclusion`], where the message's [`Message::leaf`] is known already.
    pub fn verify_leaf(&self, leaf: Hash) -> Result<(), AuthenticationError> {
        if self.message.from != self.header.entity {
            return Err(AuthenticationError::OtherEntity {
                from: self.message.from,
                frame_of: self.header.entity,
            });
        }
        if self.path.root(leaf) != Some(self.header.outputs_root) {
            return Err(AuthenticationError::NotInFrame);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FrameHash, SecretKey, Timestamp, Vote, outputs::MerkleTree};
    use zeroize::Zeroizing;

    #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
    struct Note(u8);
    impl Kind for Note {
        fn kind(&self) -> u8 {
            3
        }
    }

    const NETWORK: Network = Network::new([9; 32]);

    fn certified() -> (CertifiedMessage<Note>, Board) {
        let secret = SecretKey::Ed25519(Zeroizing::new([7; 32]));
        let board = Board::single(secret.public().unwrap());
        let message = |n| Message {
            from: board.entity(),
            to: EntityId::new([2; 32]),
            sequence: u64::from(n),
            call: Note(n),
        };
        let tree = MerkleTree::new((1..=3).map(|n| message(n).leaf(&NETWORK)).collect());
        let header = FrameHeader {
            entity: board.entity(),
            height: 1,
            parent: FrameHash::ZERO,
            timestamp: Timestamp::from_millis(1),
            board_hash: board.hash(),
            inputs_root: Hash::ZERO,
            state_root: Hash::ZERO,
            outputs_root: tree.root(),
        };
        let vote = Vote::precommit(NETWORK, &header, 0).sign_bytes();
        let certificate = Certificate::Single(secret.sign(&vote).unwrap());
        (
            CertifiedMessage {
                message: Arc::new(message(2)),
                path: tree.path(1).unwrap(),
                header,
                certificate,
            },
            board,
        )
    }

    #[test]
    fn a_message_is_proven_by_path_header_and_certificate() {
        let (message, board) = certified();
        assert_eq!(message.verify(NETWORK, &board), Ok(()));
    }

    #[test]
    fn any_change_of_a_message_breaks_its_proof() {
        let (genuine, board) = certified();
        let changes: [fn(&mut CertifiedMessage<Note>); 6] = [
            |m| Arc::make_mut(&mut m.message).call = Note(9),
            |m| Arc::make_mut(&mut m.message).sequence = 3,
            |m| Arc::make_mut(&mut m.message).to = EntityId::new([3; 32]),
            |m| Arc::make_mut(&mut m.message).from = EntityId::new([3; 32]),
            |m| m.path.index = 0,
            |m| m.header.height = 2,
        ];
        for change in changes {
            let mut forged = genuine.clone();
            change(&mut forged);
            assert!(forged.verify(NETWORK, &board).is_err());
        }
        assert!(genuine.verify(Network::ZERO, &board).is_err(), "another network");
    }
}
