//! What the two sides commit to.
//!
//! ```text
//! state_hash = H(dispute hash ‖ agreement hash)
//!   dispute    channel, epoch, height, conditions root, offdelta per asset        (ABI words, for a contract)
//!   agreement  time, collateral, ondelta, limits, holds, depositary nonce, close  (SCALE)
//! ```
//!
//! H is the [`commitment`] hash. The depositary opens the dispute section only and adds its own `ondelta`, so funding a channel never outdates a
//! proof.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{AssetId, BoundedVec, ChannelId, ConstU32, Delta, Hash, Height, commitment};

use crate::channel::{Channel, MAX_SUBCHANNELS, Status};

/// The part of a channel's state that a dispute opens.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct DisputeBody {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: u32,
    /// The dispute nonce.
    pub height: Height,
    /// Root of the pending conditions.
    pub conditions_root: Hash,
    /// Per asset, what payments moved.
    pub offdeltas: BoundedVec<(AssetId, Delta), ConstU32<MAX_SUBCHANNELS>>,
}

/// What one side needs to prove to the depositary what the other committed to; the certified message that carries
/// `state_hash` belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct DisputeProof {
    /// The dispute section.
    pub body: DisputeBody,
    /// Hash of the agreement section.
    pub agreement: Hash,
    /// `H(body.hash() ‖ agreement)`: what the peer's frame or acknowledgement says.
    pub state_hash: Hash,
}

impl DisputeBody {
    /// [`commitment`] hash over ABI words: `channel, epoch, height, conditionsRoot, count`, then `asset, int256 offdelta`
    /// per asset.
    #[must_use]
    pub fn hash(&self) -> Hash {
        dispute_hash(
            &self.channel,
            self.epoch,
            self.height,
            &self.conditions_root,
            self.offdeltas.len(),
            self.offdeltas.iter().map(|(asset, delta)| (asset, *delta)),
        )
    }
}

impl DisputeProof {
    /// The proof of a channel's committed state.
    #[must_use]
    pub fn of(channel: &Channel) -> Self {
        Self::with_agreement(channel, agreement_hash(channel))
    }

    /// As [`DisputeProof::of`], where the hash of the agreement section is known already.
    pub(crate) fn with_agreement(channel: &Channel, agreement: Hash) -> Self {
        let rows = channel.subchannels.iter().map(|row| (row.asset, row.offdelta)).collect();
        Self {
            body: DisputeBody {
                channel: channel.id,
                epoch: channel.epoch,
                height: channel.height,
                conditions_root: channel.conditions_root,
                offdeltas: BoundedVec::truncate_from(rows),
            },
            agreement,
            state_hash: channel.state_hash,
        }
    }

    /// Whether the sections lead to the state hash.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        join(&self.body.hash(), &self.agreement) == self.state_hash
    }
}

/// The state hash of a channel.
pub(crate) fn of(channel: &Channel) -> Hash {
    sections(channel).state
}

/// What a state hash consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub(crate) struct Sections {
    /// Hash of the agreement section.
    pub(crate) agreement: Hash,
    /// The whole.
    pub(crate) state: Hash,
}

/// The state hash of a channel, with the hash that a proof of it needs.
pub(crate) fn sections(channel: &Channel) -> Sections {
    let dispute = dispute_hash(
        &channel.id,
        channel.epoch,
        channel.height,
        &channel.conditions_root,
        channel.subchannels.len(),
        channel.subchannels.iter().map(|row| (&row.asset, row.offdelta)),
    );
    let agreement = agreement_hash(channel);
    Sections { agreement, state: join(&dispute, &agreement) }
}

fn join(dispute: &Hash, agreement: &Hash) -> Hash {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(dispute.as_ref());
    bytes[32..].copy_from_slice(agreement.as_ref());
    commitment(&bytes)
}

fn dispute_hash<'a>(
    channel: &ChannelId,
    epoch: u32,
    height: Height,
    conditions_root: &Hash,
    count: usize,
    offdeltas: impl Iterator<Item = (&'a AssetId, Delta)>,
) -> Hash {
    let mut bytes = Vec::with_capacity((5 + 2 * count) * 32);
    bytes.extend_from_slice(channel.as_ref());
    word(&mut bytes, u128::from(epoch));
    word(&mut bytes, u128::from(height));
    bytes.extend_from_slice(conditions_root.as_ref());
    word(&mut bytes, u128::try_from(count).unwrap_or(u128::MAX));
    for (asset, delta) in offdeltas {
        bytes.extend_from_slice(asset.as_ref());
        let sign = if delta < Delta::ZERO { 0xff } else { 0 };
        bytes.extend_from_slice(&[sign; 16]);
        bytes.extend_from_slice(&delta.get().to_be_bytes());
    }
    commitment(&bytes)
}

fn word(bytes: &mut Vec<u8>, number: u128) {
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend_from_slice(&number.to_be_bytes());
}

fn agreement_hash(channel: &Channel) -> Hash {
    let mut bytes = Vec::with_capacity(48 + 128 * channel.subchannels.len());
    channel.timestamp.encode_to(&mut bytes);
    channel.settled_nonce.encode_to(&mut bytes);
    for row in &channel.subchannels {
        row.encode_to(&mut bytes);
    }
    let closing = match &channel.status {
        Status::Open => None,
        Status::Closing(settlement) => Some(settlement),
        Status::Frozen { closing, .. } => closing.as_ref(),
    };
    closing.encode_to(&mut bytes);
    commitment(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Subchannel;
    use xln_primitives::{Amount, EntityId, Timestamp};

    fn channel() -> Channel {
        let mut channel = Channel::empty(EntityId::new([1; 32]), EntityId::new([2; 32]), 0, 0).unwrap();
        let row = Subchannel { offdelta: Delta::new(-5), ..Subchannel::empty(AssetId::named("usd")) };
        channel.subchannels.try_push(row).unwrap();
        channel.state_hash = of(&channel);
        channel
    }

    #[test]
    fn a_proof_opens_the_state_hash() {
        let proof = DisputeProof::of(&channel());
        assert!(proof.is_consistent());
        let mut forged = proof.clone();
        forged.body.offdeltas[0].1 = Delta::new(5);
        assert!(!forged.is_consistent());
    }

    #[test]
    fn every_part_of_the_state_changes_the_hash() {
        let changes: [fn(&mut Channel); 8] = [
            |c| c.epoch = 1,
            |c| c.height = 1,
            |c| c.timestamp = Timestamp::from_millis(1),
            |c| c.settled_nonce = 1,
            |c| c.conditions_root = Hash::new([1; 32]),
            |c| c.subchannels[0].collateral = Amount::new(1),
            |c| c.subchannels[0].left_hold = Amount::new(1),
            |c| c.subchannels[0].offdelta = Delta::new(1),
        ];
        for change in changes {
            let mut changed = channel();
            change(&mut changed);
            assert_ne!(of(&changed), channel().state_hash);
        }
    }

    #[test]
    fn funding_a_channel_leaves_its_dispute_section_alone() {
        let mut funded = channel();
        funded.subchannels[0].collateral = Amount::new(100);
        funded.subchannels[0].ondelta = Delta::new(100);
        assert_eq!(DisputeProof::of(&funded).body, DisputeProof::of(&channel()).body);
    }
}
