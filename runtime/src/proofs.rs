//! Proofs of what the depositary holds, and of what it does not.
//!
//! Whether a hash was revealed, or a settlement executed, is a fact of the depositary's state. A certified header of the
//! depositary commits to that state, and an inclusion or exclusion proof opens one key of it. Everybody who knows the
//! depositary's board can check such a proof, so both sides of a channel judge an expiry alike (safety rule 2).

use codec::{Decode, DecodeWithMemTracking, Encode};
use pallet_channels::{PaymentHash, Settled, Settlement};
use xln_primitives::{Certificate, CertifiedMessage, FrameHeader, Hash, Timestamp, decode_exact};
use xln_tree::{Hasher, Proof};

use crate::{Facts, RuntimeMessage};

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

impl DepositaryProof {
    /// What the depositary held under `key` at the frame; `None` if the proof fails.
    fn open(&self, facts: &Facts, key: &[u8]) -> Option<Option<Vec<u8>>> {
        if self.header.entity != facts.depositary {
            return None;
        }
        self.certificate.verify(facts.network, &facts.depositary_board, &self.header).ok()?;
        self.path.verify(self.header.state_root.as_bytes(), key, Hasher::Blake3).ok()
    }
}

/// Whether `proof` shows that `hash` was not revealed at the depositary by `deadline`.
pub(crate) fn unrevealed(facts: &Facts, hash: &PaymentHash, deadline: Timestamp, proof: &[u8]) -> bool {
    let Ok(proof) = decode_exact::<DepositaryProof>(proof, PROOF_SIZE_MAX) else { return false };
    if proof.header.timestamp < deadline {
        return false;
    }
    match proof.open(facts, pallet_reserves::reveal_key(&Hash::new(*hash.as_bytes())).as_ref()) {
        Some(None) => true,
        // Revealed, but too late: that counts as not revealed.
        Some(Some(revealed)) => pallet_reserves::Revelation::decode(&mut revealed.as_slice())
            .is_ok_and(|revealed| revealed.at >= deadline),
        None => false,
    }
}

/// Whether `proof` shows that the depositary has refused `settlement`, or will: its deadline is past and the channel
/// stands before it still.
pub(crate) fn unsettled(facts: &Facts, settlement: &Settlement, proof: &[u8]) -> bool {
    let Ok(proof) = decode_exact::<DepositaryProof>(proof, PROOF_SIZE_MAX) else { return false };
    if proof.header.timestamp < settlement.expires {
        return false;
    }
    match proof.open(facts, pallet_reserves::channel_key(&settlement.channel).as_ref()) {
        Some(None) => true,
        Some(Some(channel)) => pallet_reserves::ChannelInfo::decode(&mut channel.as_slice())
            .is_ok_and(|channel| channel.epoch == settlement.epoch && channel.nonce < settlement.nonce),
        None => false,
    }
}

/// Whether `proof` is a certified message of the depositary that says `settled`.
pub(crate) fn settled(facts: &Facts, settled: &Settled, proof: &[u8]) -> bool {
    let Ok(proof) = decode_exact::<CertifiedMessage<RuntimeMessage>>(proof, PROOF_SIZE_MAX) else {
        return false;
    };
    let RuntimeMessage::Notice(pallet_reserves::Notice::Settled(said)) = &proof.message.call else {
        return false;
    };
    proof.message.from == facts.depositary
        && crate::convert::settled(said.clone()) == *settled
        && proof.verify_inclusion(facts.network).is_ok()
        && proof.certificate.verify(facts.network, &facts.depositary_board, &proof.header).is_ok()
}
