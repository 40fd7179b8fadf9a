//! Proofs of what the depositary holds, and of what it does not.
//!
//! Whether a hash was revealed, or a settlement executed, is a fact of the depositary's state. A certified header of the
//! depositary commits to that state, and an inclusion or exclusion proof opens one key of it. Everybody who knows the
//! depositary's boards can check such a proof, so both sides of a channel judge an expiry alike (safety rule 2). Which board
//! it had when is known from following it ([`crate::Known`]); a proof by one that is not known yet is no false one: whatever
//! brings it waits.

use codec::{Decode, DecodeWithMemTracking, Encode};
use pallet_channels::{PaymentHash, Settled, Settlement};
use xln_primitives::{Certificate, CertifiedMessage, FrameHeader, Hash, Timestamp, decode_exact};
use xln_tree::{Hasher, Proof};

use crate::{
    RuntimeMessage,
    boards::{Boards, Known},
};

/// Most bytes of an encoded proof.
pub const PROOF_SIZE_MAX: usize = 16 * 1024;

/// The value of one key, or its absence, at a certified frame of the depositary.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct DepositaryProof {
    /// The frame.
    pub header: FrameHeader,
    /// The depositary board's certificate of it.
    pub certificate: Certificate,
    /// Leads from the frame's state root to the key's value, or to where it would be.
    pub path: Proof,
}

/// A proof that does not show what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// It shows something else, or nothing.
    False,
    /// A board certified it that is not known here yet: whoever follows the depositary further can tell.
    NotYet,
}

/// Checks that the depositary's board of then stands behind a frame.
fn check_certificate(
    boards: &Boards<'_>,
    header: &FrameHeader,
    certificate: &Certificate,
) -> Result<(), Unproven> {
    if header.entity != boards.facts.depositary {
        return Err(Unproven::False);
    }
    match boards.depositary(header) {
        Known::Board(board) => {
            certificate.verify(boards.facts.network, &board, header).map_err(|_| Unproven::False)
        }
        Known::NotYet => Err(Unproven::NotYet),
        Known::Never => Err(Unproven::False),
    }
}

impl DepositaryProof {
    /// What the depositary held under `key` at the frame.
    fn open(&self, boards: &Boards<'_>, key: &[u8]) -> Result<Option<Vec<u8>>, Unproven> {
        check_certificate(boards, &self.header, &self.certificate)?;
        let root = self.header.state_root.as_bytes();
        self.path.verify(root, key, Hasher::Blake3).map_err(|_| Unproven::False)
    }
}

fn holds(condition: bool) -> Result<(), Unproven> {
    if condition { Ok(()) } else { Err(Unproven::False) }
}

fn read(proof: &[u8]) -> Result<DepositaryProof, Unproven> {
    decode_exact(proof, PROOF_SIZE_MAX).map_err(|_| Unproven::False)
}

/// Checks that `proof` shows that `hash` was not revealed at the depositary by `deadline`.
pub(crate) fn unrevealed(
    boards: &Boards<'_>,
    hash: &PaymentHash,
    deadline: Timestamp,
    proof: &[u8],
) -> Result<(), Unproven> {
    let proof = read(proof)?;
    holds(proof.header.timestamp >= deadline)?;
    match proof.open(boards, pallet_reserves::reveal_key(&Hash::new(*hash.as_bytes())).as_ref())? {
        None => Ok(()),
        // Revealed, but too late: that counts as not revealed.
        Some(revealed) => holds(
            pallet_reserves::Revelation::decode(&mut revealed.as_slice())
                .is_ok_and(|revealed| revealed.at >= deadline),
        ),
    }
}

/// Checks that `proof` shows that the depositary has refused `settlement`, or will: its deadline is past and the channel
/// stands before it still.
pub(crate) fn unsettled(boards: &Boards<'_>, settlement: &Settlement, proof: &[u8]) -> Result<(), Unproven> {
    let proof = read(proof)?;
    holds(proof.header.timestamp >= settlement.expires)?;
    match proof.open(boards, pallet_reserves::channel_key(&settlement.channel).as_ref())? {
        None => Ok(()),
        Some(channel) => holds(
            pallet_reserves::ChannelInfo::decode(&mut channel.as_slice())
                .is_ok_and(|channel| channel.epoch == settlement.epoch && channel.nonce < settlement.nonce),
        ),
    }
}

/// Checks that `proof` is a certified message of the depositary that says `settled`.
pub(crate) fn settled(boards: &Boards<'_>, settled: &Settled, proof: &[u8]) -> Result<(), Unproven> {
    let proof = decode_exact::<CertifiedMessage<RuntimeMessage>>(proof, PROOF_SIZE_MAX)
        .map_err(|_| Unproven::False)?;
    let RuntimeMessage::Notice(pallet_reserves::Notice::Settled(said)) = &proof.message.call else {
        return Err(Unproven::False);
    };
    holds(
        proof.message.from == boards.facts.depositary
            && crate::convert::settled(said.clone()) == *settled
            && proof.verify_inclusion(boards.facts.network).is_ok(),
    )?;
    check_certificate(boards, &proof.header, &proof.certificate)
}
