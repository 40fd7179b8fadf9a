//! Slices: the unit of execution and of durability.
//!
//! A slice is everything that arrived while the one before was being written. Its log entry holds every input that the
//! runtime cannot compute: the time, fresh randomness, what came in, and the certificates of the frames that resulted.
//! Executing the log again gives byte-identical state without holding a key.

use std::sync::Arc;

use codec::{Decode, DecodeWithMemTracking, Encode, Input, Output};
use rayon::prelude::*;
use xln_primitives::{Certificate, CertifiedMessage, ChannelId, EntityId, Hash, Network, Timestamp};
use xln_tree::Hasher;

use crate::{Adopted, Adoption, Authentic, DecidedFrame, Inbound, RuntimeMessage, SignedCall, logged};

/// Number of a slice; the first of a network is 1, and they have no gaps.
pub type SliceNumber = u64;

/// What the server itself puts into a slice. Each proves itself or can do no harm.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum ServerInput {
    /// Makes an entity's time move: it makes a frame although nothing arrived. A due deadline does this to the
    /// depositary (safety rule 1).
    #[codec(index = 0)]
    Heartbeat {
        /// Whose time.
        entity: EntityId,
    },
    /// A condition's deadline has passed unrevealed, which `proof` proves (safety rule 2).
    #[codec(index = 1)]
    ConditionExpired {
        /// The payer, or the beneficiary that waited for a preimage.
        entity: EntityId,
        /// Channel of the condition.
        channel: ChannelId,
        /// Its place among the channel's conditions.
        slot: u16,
        /// An encoded [`crate::proofs::DepositaryProof`].
        proof: Vec<u8>,
    },
    /// A settlement's deadline has passed unexecuted, which `proof` proves (safety rule 6).
    #[codec(index = 2)]
    SettlementExpired {
        /// Whose channel.
        entity: EntityId,
        /// The channel.
        channel: ChannelId,
        /// An encoded [`crate::proofs::DepositaryProof`].
        proof: Vec<u8>,
    },
    /// The preimage of a condition is known, and its payer silent close to the deadline: it is published.
    #[codec(index = 3)]
    Reveal {
        /// The beneficiary.
        entity: EntityId,
        /// Channel of the condition.
        channel: ChannelId,
        /// Its place among the channel's conditions.
        slot: u16,
    },
    /// The preimage of a condition was published at the depositary before its deadline.
    #[codec(index = 4)]
    PreimagePublished {
        /// The payer, or the beneficiary that waited for a preimage.
        entity: EntityId,
        /// Channel of the condition.
        channel: ChannelId,
        /// Its place among the channel's conditions.
        slot: u16,
        /// What was published; it proves itself.
        preimage: [u8; 32],
    },
    /// The time in which some proposals could be voted on is over.
    #[codec(index = 5)]
    ProposalsExpired {
        /// Whose proposals.
        entity: EntityId,
    },
}

impl ServerInput {
    /// Which entity it concerns.
    #[must_use]
    pub const fn entity(&self) -> EntityId {
        match self {
            Self::Heartbeat { entity }
            | Self::ConditionExpired { entity, .. }
            | Self::SettlementExpired { entity, .. }
            | Self::Reveal { entity, .. }
            | Self::PreimagePublished { entity, .. }
            | Self::ProposalsExpired { entity } => *entity,
        }
    }
}

/// What goes into a slice, in the order in which an entity executes it.
#[derive(Debug, Clone, Default)]
pub struct SliceInputs {
    /// Frames that others decided, of entities that are followed here; in order for each entity.
    pub frames: Vec<DecidedFrame>,
    /// From the clock.
    pub server: Vec<ServerInput>,
    /// From other servers.
    pub messages: Vec<Authentic<Inbound>>,
    /// From signers.
    pub calls: Vec<Authentic<SignedCall>>,
    /// States of entities that are followed here, each in place of an older one. They come before everything else.
    pub adopted: Vec<Adoption>,
}

impl SliceInputs {
    /// Whether there is nothing to execute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
            && self.server.is_empty()
            && self.messages.is_empty()
            && self.calls.is_empty()
            && self.adopted.is_empty()
    }
}

/// The log entry of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Its number.
    pub number: SliceNumber,
    /// The server's time; frames in it are not earlier.
    pub timestamp: Timestamp,
    /// Fresh randomness, from which entities derive secrets.
    pub entropy: Hash,
    /// See [`SliceInputs::frames`]; only those that followed what was there.
    pub frames: Vec<DecidedFrame>,
    /// See [`SliceInputs::server`].
    pub server: Vec<ServerInput>,
    /// See [`SliceInputs::messages`].
    pub messages: Vec<Arc<CertifiedMessage<RuntimeMessage>>>,
    /// See [`SliceInputs::calls`]; only those that were executed.
    pub calls: Vec<SignedCall>,
    /// Entities for which there was work but no key, ascending.
    pub absent: Vec<EntityId>,
    /// Certificates of the frames that it made: by delivery round, then by entity.
    pub certificates: Vec<Certificate>,
    /// See [`SliceInputs::adopted`]; only those that took the place of what was there. Their rows are kept elsewhere.
    pub adopted: Vec<Adopted>,
}

impl Encode for Slice {
    fn size_hint(&self) -> usize {
        // A guess that spares most of the growing.
        512_usize
            .saturating_add(self.messages.len().saturating_mul(512))
            .saturating_add(self.calls.len().saturating_mul(256))
            .saturating_add(self.certificates.len().saturating_mul(68))
    }

    fn encode_to<O: Output + ?Sized>(&self, out: &mut O) {
        self.number.encode_to(out);
        self.timestamp.encode_to(out);
        self.entropy.encode_to(out);
        self.frames.encode_to(out);
        self.server.encode_to(out);
        logged::encode(&self.messages, out);
        self.calls.encode_to(out);
        self.absent.encode_to(out);
        self.certificates.encode_to(out);
        self.adopted.encode_to(out);
    }
}

impl Decode for Slice {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(Self {
            number: Decode::decode(input)?,
            timestamp: Decode::decode(input)?,
            entropy: Decode::decode(input)?,
            frames: Decode::decode(input)?,
            server: Decode::decode(input)?,
            messages: logged::decode(input)?,
            calls: Decode::decode(input)?,
            absent: Decode::decode(input)?,
            certificates: Decode::decode(input)?,
            adopted: Decode::decode(input)?,
        })
    }
}

impl Slice {
    /// Blake3 of the SCALE encoding; a leaf under a block's inputs root.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.using_encoded(Self::hash_of)
    }

    /// The hash of an encoded slice.
    pub(crate) fn hash_of(encoded: &[u8]) -> Hash {
        Hash::new(Hasher::Blake3.value(encoded))
    }

    /// The inputs, which were authenticated before they were logged, with the states that it adopted.
    pub(crate) fn inputs(&self, network: &Network, adopted: Vec<Adoption>) -> SliceInputs {
        let inbound = |message: &Arc<_>| Authentic::from_log(Inbound::new(Arc::clone(message), network));
        SliceInputs {
            frames: self.frames.clone(),
            server: self.server.clone(),
            messages: self.messages.par_iter().map(inbound).collect(),
            calls: self.calls.iter().cloned().map(Authentic::from_log).collect(),
            adopted,
        }
    }
}
