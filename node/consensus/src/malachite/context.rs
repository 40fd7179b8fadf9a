//! Our types in the engine's terms: address = position in the board, value = frame hash, voting power = weight.

use std::sync::Arc;

use malachite_types as core;
use malachite_types::{NilOrVal, Round as CoreRound, SignedExtension, VoteType};
use xln_primitives::{FrameHash, Weight};

use crate::{BlsKey, BlsSignature, Electorate, MemberIndex};

/// The family of types that the engine works with.
#[derive(Debug, Clone)]
pub(super) struct BoardContext;

impl core::Address for MemberIndex {}

/// A height; the engine asks for a type of its own kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct At(pub(super) u64);

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::Height for At {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// The frame, by hash: the engine never sees a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Frame(pub(super) FrameHash);

impl core::Value for Frame {
    type Id = FrameHash;

    fn id(&self) -> FrameHash {
        self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CoreProposal {
    pub(super) height: At,
    pub(super) round: CoreRound,
    pub(super) frame: Frame,
    pub(super) pol_round: CoreRound,
    pub(super) member: MemberIndex,
}

impl core::Proposal<BoardContext> for CoreProposal {
    fn height(&self) -> At {
        self.height
    }

    fn round(&self) -> CoreRound {
        self.round
    }

    fn value(&self) -> &Frame {
        &self.frame
    }

    fn take_value(self) -> Frame {
        self.frame
    }

    fn pol_round(&self) -> CoreRound {
        self.pol_round
    }

    fn validator_address(&self) -> &MemberIndex {
        &self.member
    }
}

/// Bodies travel with the proposal, not in parts: this type has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoPart {}

impl core::ProposalPart<BoardContext> for NoPart {
    fn is_first(&self) -> bool {
        match *self {}
    }

    fn is_last(&self) -> bool {
        match *self {}
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CoreVote {
    pub(super) height: At,
    pub(super) round: CoreRound,
    pub(super) frame: NilOrVal<FrameHash>,
    pub(super) kind: VoteType,
    pub(super) member: MemberIndex,
}

impl core::Vote<BoardContext> for CoreVote {
    fn height(&self) -> At {
        self.height
    }

    fn round(&self) -> CoreRound {
        self.round
    }

    fn value(&self) -> &NilOrVal<FrameHash> {
        &self.frame
    }

    fn take_value(self) -> NilOrVal<FrameHash> {
        self.frame
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &MemberIndex {
        &self.member
    }

    fn extension(&self) -> Option<&SignedExtension<BoardContext>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<BoardContext>> {
        None
    }

    /// Votes carry nothing else, or they would not aggregate.
    fn extend(self, _: SignedExtension<BoardContext>) -> Self {
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CoreVoter {
    index: MemberIndex,
    key: BlsKey,
    weight: Weight,
}

impl core::Validator<BoardContext> for CoreVoter {
    fn address(&self) -> &MemberIndex {
        &self.index
    }

    fn public_key(&self) -> &BlsKey {
        &self.key
    }

    fn voting_power(&self) -> u64 {
        u64::from(self.weight)
    }
}

/// The board's voters, in its order. The total is the board's, voters or not.
#[derive(Debug, Clone)]
pub(super) struct Voters {
    electorate: Arc<Electorate>,
    voters: Arc<[CoreVoter]>,
}

impl PartialEq for Voters {
    fn eq(&self, other: &Self) -> bool {
        self.electorate == other.electorate
    }
}

impl Eq for Voters {}

impl Voters {
    pub(super) fn new(electorate: Arc<Electorate>) -> Self {
        let voters =
            electorate.voters().map(|(index, key, weight)| CoreVoter { index, key: *key, weight }).collect();
        Self { electorate, voters }
    }
}

impl core::ValidatorSet<BoardContext> for Voters {
    fn count(&self) -> usize {
        self.voters.len()
    }

    fn total_voting_power(&self) -> u64 {
        u64::from(self.electorate.total())
    }

    fn get_by_address(&self, address: &MemberIndex) -> Option<&CoreVoter> {
        let position = self.voters.binary_search_by_key(address, |voter| voter.index).ok()?;
        self.voters.get(position)
    }

    fn get_by_index(&self, index: usize) -> Option<&CoreVoter> {
        self.voters.get(index)
    }
}

/// The engine names timers only; how long they run is [`Timing`](crate::Timing)'s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NoDurations;

impl core::Timeouts<BoardContext> for NoDurations {
    fn duration_for(&self, _: core::Timeout) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

/// BLS12-381, min_pk. The engine only carries its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bls;

impl core::SigningScheme for Bls {
    type DecodingError = std::array::TryFromSliceError;
    type Signature = BlsSignature;
    type PublicKey = BlsKey;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<BlsSignature, Self::DecodingError> {
        bytes.try_into()
    }

    fn encode_signature(signature: &BlsSignature) -> Vec<u8> {
        signature.to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<BlsKey, Self::DecodingError> {
        bytes.try_into()
    }

    fn encode_public_key(key: &BlsKey) -> Vec<u8> {
        key.to_vec()
    }
}

impl core::Context for BoardContext {
    type Address = MemberIndex;
    type Height = At;
    type ProposalPart = NoPart;
    type Proposal = CoreProposal;
    type Validator = CoreVoter;
    type ValidatorSet = Voters;
    type Timeouts = NoDurations;
    type Value = Frame;
    type Vote = CoreVote;
    type Extension = ();
    type SigningScheme = Bls;

    fn select_proposer<'a>(&self, voters: &'a Voters, height: At, round: CoreRound) -> &'a CoreVoter {
        let proposer = voters.electorate.proposer(height.0, round.as_u32().unwrap_or(0));
        let found = core::ValidatorSet::get_by_address(voters, &proposer).or_else(|| voters.voters.first());
        // An electorate has a proposer, or it could not be made.
        found.unwrap_or_else(|| unreachable!("a board without voters"))
    }

    fn new_proposal(
        &self,
        height: At,
        round: CoreRound,
        frame: Frame,
        pol_round: CoreRound,
        member: MemberIndex,
    ) -> CoreProposal {
        CoreProposal { height, round, frame, pol_round, member }
    }

    fn new_prevote(
        &self,
        height: At,
        round: CoreRound,
        frame: NilOrVal<FrameHash>,
        member: MemberIndex,
    ) -> CoreVote {
        CoreVote { height, round, frame, kind: VoteType::Prevote, member }
    }

    fn new_precommit(
        &self,
        height: At,
        round: CoreRound,
        frame: NilOrVal<FrameHash>,
        member: MemberIndex,
    ) -> CoreVote {
        CoreVote { height, round, frame, kind: VoteType::Precommit, member }
    }
}
