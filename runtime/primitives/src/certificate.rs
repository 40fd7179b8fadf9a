//! Certificates: the proof, by keys alone, that a board stands behind a frame.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use sp_core::{ConstU32, bounded::BoundedVec};

use crate::{
    Board, FrameHash, FrameHeader, Hash, Height, Network, Signature, SignatureError, Weight,
    board::MAX_MEMBERS, crypto::SignatureCheck, crypto::bls,
};

/// A consensus round within a height; always 0 for a board of one.
pub type Round = u32;

/// What a vote says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub enum VoteKind {
    /// "I propose this frame."
    #[codec(index = 0x10)]
    Proposal,
    /// "I would accept this frame."
    #[codec(index = 0x11)]
    Prevote,
    /// "I commit to this frame." A certificate is made of these.
    #[codec(index = 0x12)]
    Precommit,
}

/// The statement that a member of a board signs. No address and no time, so that equal votes aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote {
    /// Network.
    pub network: Network,
    /// Hash of the board at this height.
    pub board: Hash,
    /// Entity whose frame it is.
    pub entity: crate::EntityId,
    /// Kind of vote.
    pub kind: VoteKind,
    /// Height of the frame.
    pub height: Height,
    /// Round within the height.
    pub round: Round,
    /// The frame, or `None` for nil.
    pub frame: Option<FrameHash>,
}

/// Length of what a member of a board signs, in bytes.
pub const VOTE_BYTES: usize = 157;

const VOTE_DOMAIN: &[u8; 16] = b"XLN frame vote 1";

impl Vote {
    /// The bytes to sign: `domain ‖ network ‖ entity ‖ board ‖ kind ‖ height ‖ round ‖ (nil or frame hash)`,
    /// integers big-endian, nil as 32 zero bytes.
    #[must_use]
    pub fn sign_bytes(&self) -> [u8; VOTE_BYTES] {
        let mut bytes = [0; VOTE_BYTES];
        bytes[..16].copy_from_slice(VOTE_DOMAIN);
        bytes[16..48].copy_from_slice(self.network.as_ref());
        bytes[48..80].copy_from_slice(self.entity.as_ref());
        bytes[80..112].copy_from_slice(self.board.as_ref());
        bytes[112] = match self.kind {
            VoteKind::Proposal => 0x10,
            VoteKind::Prevote => 0x11,
            VoteKind::Precommit => 0x12,
        };
        bytes[113..121].copy_from_slice(&self.height.to_be_bytes());
        bytes[121..125].copy_from_slice(&self.round.to_be_bytes());
        bytes[125..].copy_from_slice(self.frame.unwrap_or(FrameHash::ZERO).as_ref());
        bytes
    }

    /// The precommit that certifies `header` in `round`.
    #[must_use]
    pub fn precommit(network: Network, header: &FrameHeader, round: Round) -> Self {
        Self {
            network,
            board: header.board_hash,
            entity: header.entity,
            kind: VoteKind::Precommit,
            height: header.height,
            round,
            frame: Some(header.hash()),
        }
    }
}

/// Proof that a quorum of a board committed to a frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Certificate {
    /// The signature of a board of one.
    #[codec(index = 0)]
    Single(Signature),
    /// One BLS signature for all voters whose bit is set (bit `i % 8` of byte `i / 8` for the voter at position `i`, see
    /// [`Board::voters`]).
    #[codec(index = 1)]
    Aggregate {
        /// Round in which the frame was decided.
        round: Round,
        /// Who signed.
        signers: BoundedVec<u8, ConstU32<{ MAX_MEMBERS / 8 }>>,
        /// The sum of their signatures.
        signature: [u8; 96],
    },
}

/// Why a certificate proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The header names another board than the one given.
    #[error("the frame names board {named}, not {given}")]
    OtherBoard {
        /// Board hash in the header.
        named: Hash,
        /// Hash of the board it was checked against.
        given: Hash,
    },
    /// Not a valid signature of this board.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The members who signed do not make a quorum.
    #[error("signers have weight {weight}, the quorum is {quorum}")]
    NoQuorum {
        /// Weight of the signers.
        weight: Weight,
        /// Weight needed.
        quorum: Weight,
    },
    /// The certificate's form does not fit the board: a single signature of a board of several, a bit for a
    /// member that does not exist or does not vote, or a bitmap of another length.
    #[error("the certificate's form does not fit the board")]
    Form,
}

impl Certificate {
    /// Checks that this certificate, made by `board`, covers `header` on `network`.
    ///
    /// The board itself must have been checked ([`Board::validate`]) before.
    pub fn verify(
        &self,
        network: Network,
        board: &Board,
        header: &FrameHeader,
    ) -> Result<(), CertificateError> {
        match self {
            Self::Single(signature) => {
                let check = single_check(network, board, board.hash(), header, *signature)?;
                Ok(check.key.verify(&check.message, &check.signature)?)
            }
            Self::Aggregate { round, signers, signature } => {
                require_board(board.hash(), header)?;
                verify_precommits(board, signers, &Vote::precommit(network, header, *round), signature)
            }
        }
    }

    /// Checks that this aggregate, made by `board`, covers the frame `frame` of `entity` at `height`, where the header
    /// itself is not at hand. [`Certificate::verify`] is the same check for whoever has it.
    ///
    /// The board itself must have been checked ([`Board::validate`]) before. A certificate of a board of one is refused.
    pub fn verify_frame(
        &self,
        network: Network,
        board: &Board,
        entity: crate::EntityId,
        height: Height,
        frame: FrameHash,
    ) -> Result<(), CertificateError> {
        let Self::Aggregate { round, signers, signature } = self else {
            return Err(CertificateError::Form);
        };
        let vote = Vote {
            network,
            board: board.hash(),
            entity,
            kind: VoteKind::Precommit,
            height,
            round: *round,
            frame: Some(frame),
        };
        verify_precommits(board, signers, &vote, signature)
    }

    /// What is left to check in the certificate of a board of one, so that many can be checked together
    /// ([`crypto::verify_batch`](crate::crypto::verify_batch)). `None` for the certificate of a board of several, which
    /// [`Certificate::verify`] checks.
    ///
    /// The board itself must have been checked ([`Board::validate`]) before; `board_hash` is its [`Board::hash`].
    pub fn single_check(
        &self,
        network: Network,
        board: &Board,
        board_hash: Hash,
        header: &FrameHeader,
    ) -> Result<Option<SignatureCheck<[u8; VOTE_BYTES]>>, CertificateError> {
        match self {
            Self::Single(signature) => single_check(network, board, board_hash, header, *signature).map(Some),
            Self::Aggregate { .. } => Ok(None),
        }
    }
}

fn single_check(
    network: Network,
    board: &Board,
    board_hash: Hash,
    header: &FrameHeader,
    signature: Signature,
) -> Result<SignatureCheck<[u8; VOTE_BYTES]>, CertificateError> {
    require_board(board_hash, header)?;
    let key = *board.sole_signer().ok_or(CertificateError::Form)?;
    Ok(SignatureCheck { key, message: Vote::precommit(network, header, 0).sign_bytes(), signature })
}

fn require_board(given: Hash, header: &FrameHeader) -> Result<(), CertificateError> {
    if header.board_hash == given {
        return Ok(());
    }
    Err(CertificateError::OtherBoard { named: header.board_hash, given })
}

/// Checks that a quorum of `board` signed `vote`.
fn verify_precommits(
    board: &Board,
    signers: &[u8],
    vote: &Vote,
    signature: &[u8; 96],
) -> Result<(), CertificateError> {
    let (keys, weight) = signing_keys(board, signers)?;
    let quorum = board.quorum();
    if weight < quorum {
        return Err(CertificateError::NoQuorum { weight, quorum });
    }
    Ok(bls::verify_aggregate(&keys, &vote.sign_bytes(), signature)?)
}

/// Keys and total weight of the voters whose bit is set.
fn signing_keys(board: &Board, bitmap: &[u8]) -> Result<(Vec<[u8; 48]>, Weight), CertificateError> {
    if bitmap.len() != board.members.len().div_ceil(8) {
        return Err(CertificateError::Form);
    }
    let bit = |index: usize| bitmap.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1);
    if (board.members.len()..bitmap.len().saturating_mul(8)).any(bit) {
        return Err(CertificateError::Form);
    }
    let mut keys = Vec::new();
    let mut weight: Weight = 0;
    for (index, voter) in board.voters().iter().enumerate() {
        if bit(index) {
            let voter = voter.ok_or(CertificateError::Form)?;
            keys.push(voter.key);
            weight = weight.saturating_add(voter.weight);
        }
    }
    Ok((keys, weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Member, MemberId, Permissions, Profile, SecretKey, Timestamp};
    use zeroize::Zeroizing;

    const NETWORK: Network = Network::new([9; 32]);

    fn header(board: &Board) -> FrameHeader {
        FrameHeader {
            entity: board.entity(),
            height: 5,
            parent: FrameHash::new([1; 32]),
            timestamp: Timestamp::from_millis(77),
            board_hash: board.hash(),
            inputs_root: Hash::new([2; 32]),
            state_root: Hash::new([3; 32]),
            outputs_root: Hash::new([4; 32]),
        }
    }

    fn validators(count: u8) -> (Vec<SecretKey>, Board) {
        let secrets: Vec<_> = (1..=count).map(|n| SecretKey::Bls(Zeroizing::new([n; 32]))).collect();
        let members: Vec<_> = (1..=count)
            .zip(&secrets)
            .map(|(n, secret)| Member {
                id: MemberId::Signer {
                    key: secret.public().unwrap(),
                    possession: Some(bls::prove_possession(&[n; 32]).unwrap()),
                },
                weight: 1,
                permissions: Permissions::ALL,
            })
            .collect();
        (secrets, Board { members: members.try_into().unwrap(), threshold: 1, profile: Profile::Byzantine })
    }

    fn aggregate(secrets: &[SecretKey], signing: &[usize], header: &FrameHeader) -> Certificate {
        let message = Vote::precommit(NETWORK, header, 2).sign_bytes();
        let mut bitmap = vec![0; secrets.len().div_ceil(8)];
        let mut signed = Vec::new();
        for index in signing {
            bitmap[index / 8] |= 1 << (index % 8);
            let Signature::Bls(bytes) = secrets[*index].sign(&message).unwrap() else { unreachable!() };
            signed.push(bytes);
        }
        Certificate::Aggregate {
            round: 2,
            signers: bitmap.try_into().unwrap(),
            signature: bls::aggregate(&signed).unwrap(),
        }
    }

    #[test]
    fn a_single_signer_certifies_its_own_frame_on_its_own_network_only() {
        let secret = SecretKey::Ed25519(Zeroizing::new([7; 32]));
        let board = Board::single(secret.public().unwrap());
        let header = header(&board);
        let message = Vote::precommit(NETWORK, &header, 0).sign_bytes();
        let certificate = Certificate::Single(secret.sign(&message).unwrap());
        assert_eq!(certificate.verify(NETWORK, &board, &header), Ok(()));
        assert!(certificate.verify(Network::ZERO, &board, &header).is_err());
        let later = FrameHeader { height: 6, ..header.clone() };
        assert!(certificate.verify(NETWORK, &board, &later).is_err());
        let other = Board::single(SecretKey::Ed25519(Zeroizing::new([8; 32])).public().unwrap());
        assert!(matches!(
            certificate.verify(NETWORK, &other, &header),
            Err(CertificateError::OtherBoard { .. })
        ));
    }

    #[test]
    fn three_of_four_certify_and_two_of_four_do_not() {
        let (secrets, board) = validators(4);
        let header = header(&board);
        let certificate = aggregate(&secrets, &[0, 2, 3], &header);
        assert_eq!(certificate.verify(NETWORK, &board, &header), Ok(()));
        let by_hash =
            |height| certificate.verify_frame(NETWORK, &board, header.entity, height, header.hash());
        assert_eq!(by_hash(header.height), Ok(()));
        assert!(by_hash(header.height + 1).is_err());
        assert_eq!(
            aggregate(&secrets, &[0, 2], &header).verify(NETWORK, &board, &header),
            Err(CertificateError::NoQuorum { weight: 2, quorum: 3 })
        );
    }

    #[test]
    fn a_bitmap_that_names_others_than_the_signers_is_refused() {
        let (secrets, board) = validators(4);
        let header = header(&board);
        let Certificate::Aggregate { round, signature, .. } = aggregate(&secrets, &[0, 1, 2], &header) else {
            unreachable!()
        };
        for (bitmap, _why) in [
            (vec![0b1110], "another signer"),
            (vec![0b1_0111], "a member that does not exist"),
            (vec![0b0111, 0], "another length"),
            (vec![], "no bitmap"),
        ] {
            let forged = Certificate::Aggregate { round, signers: bitmap.try_into().unwrap(), signature };
            assert!(forged.verify(NETWORK, &board, &header).is_err());
        }
    }
}
