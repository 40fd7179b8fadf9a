//! Proposals as they are kept.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    BoundedVec, ConstU32, Corrupt, Principal, Storage, StorageMap, StorageType, StorageValue, Timestamp,
};

use crate::Share;

/// Number of a proposal among those of its entity; the first is 1.
pub type ProposalId = u64;
/// A call as it is on the wire.
pub type EncodedCall = BoundedVec<u8, ConstU32<PROPOSAL_BYTES_MAX>>;
/// The calls of a proposal, in the order in which they are executed.
pub type Actions = BoundedVec<EncodedCall, ConstU32<CALLS_MAX>>;
/// Why a proposal failed, for people to read: at most 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Reason(BoundedVec<u8, ConstU32<REASON_BYTES_MAX>>);

impl Reason {
    /// Cut at a character if it is too long.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let most = usize::try_from(REASON_BYTES_MAX).unwrap_or(usize::MAX);
        Self(BoundedVec::truncate_from(
            text.as_bytes().get(..text.floor_char_boundary(most)).unwrap_or_default().to_vec(),
        ))
    }
}

impl core::fmt::Display for Reason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

const REASON_BYTES_MAX: u32 = 256;

/// Most calls of a proposal.
pub const CALLS_MAX: u32 = 64;
/// Most bytes that all calls of a proposal have together. A board of 256 validators has 40,000.
pub const PROPOSAL_BYTES_MAX: u32 = 65_536;
/// Most proposals that an entity has open.
pub const OPEN_MAX: u32 = 64;
/// Most of them by one member.
pub const OPEN_PER_MEMBER_MAX: u32 = 16;
/// Shortest time that can be voted, in ms.
pub const LIFETIME_MS_MIN: u64 = 1_000;
/// Longest time that can be voted, in ms: 90 days.
pub const LIFETIME_MS_MAX: u64 = 90 * 24 * 3_600_000;
/// Decided proposals are kept until this many later ones were made.
pub const KEPT: u64 = 1_000;

/// The vote of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Ballot {
    /// Who.
    pub member: Principal,
    /// For it, or against it.
    pub approves: bool,
    /// When it was cast, or last changed.
    pub at: Timestamp,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Status {
    /// It can be voted on.
    #[codec(index = 0)]
    Pending,
    /// The weight sufficed, and its calls took effect.
    #[codec(index = 1)]
    Executed,
    /// The weight sufficed, and its calls changed nothing.
    #[codec(index = 2)]
    Failed {
        /// Why.
        reason: Reason,
    },
    /// So much weight is against it that what is left cannot decide it.
    #[codec(index = 3)]
    Rejected,
    /// Its time was over.
    #[codec(index = 4)]
    Expired,
    /// Its proposer took it back.
    #[codec(index = 5)]
    Withdrawn,
}

/// Calls that are before the board, or were.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Proposal {
    /// Who made it.
    pub proposer: Principal,
    /// What shall be done.
    pub calls: Actions,
    /// The least share of the board's weight that decides it; the board's threshold applies beside.
    pub share: Share,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it cannot be voted on.
    pub expires: Timestamp,
    /// The votes, in the order of members. Those of members who left count no more.
    pub ballots: BoundedVec<Ballot, ConstU32<{ xln_primitives::MAX_MEMBERS }>>,
    /// What became of it.
    pub status: Status,
    /// When that was decided; none while it is open.
    pub decided: Option<Timestamp>,
}

impl Proposal {
    /// The vote of a member, if it has voted itself.
    #[must_use]
    pub fn ballot(&self, member: &Principal) -> Option<&Ballot> {
        self.ballots.iter().find(|ballot| ballot.member == *member)
    }
}

/// An open proposal and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Open {
    pub(crate) id: ProposalId,
    pub(crate) expires: Timestamp,
    pub(crate) proposer: Principal,
}

/// Proposals by number, big-endian so that pages are in the order of numbers.
const PROPOSALS: StorageMap<[u8; 8], Proposal> = StorageMap::new(StorageType::Proposals, 0);
/// The number of the next proposal.
const NEXT: StorageValue<ProposalId> = StorageValue::new(StorageType::Proposals, 1);
/// The open ones, by number.
const OPEN: StorageValue<Vec<Open>> = StorageValue::new(StorageType::Proposals, 2);

/// A proposal, if there is one of this number and it is kept.
pub fn proposal(storage: &(impl Storage + ?Sized), id: ProposalId) -> Result<Option<Proposal>, Corrupt> {
    PROPOSALS.get(storage, &id.to_be_bytes())
}

/// At most `limit` proposals with a number greater than `after`, by number.
pub fn proposals(
    storage: &(impl Storage + ?Sized),
    after: Option<ProposalId>,
    limit: usize,
) -> Result<Vec<(ProposalId, Proposal)>, Corrupt> {
    let page = PROPOSALS.page(storage, after.map(u64::to_be_bytes).as_ref(), limit)?;
    Ok(page.into_iter().map(|(id, proposal)| (u64::from_be_bytes(id), proposal)).collect())
}

/// The numbers of all proposals that can be voted on, ascending.
pub fn open_proposals(storage: &(impl Storage + ?Sized)) -> Result<Vec<ProposalId>, Corrupt> {
    Ok(open(storage)?.iter().map(|open| open.id).collect())
}

pub(crate) fn open(storage: &(impl Storage + ?Sized)) -> Result<Vec<Open>, Corrupt> {
    Ok(OPEN.get(storage)?.unwrap_or_default())
}

pub(crate) fn next_id(storage: &(impl Storage + ?Sized)) -> Result<ProposalId, Corrupt> {
    Ok(NEXT.get(storage)?.unwrap_or(1))
}

pub(crate) fn put(storage: &mut (impl Storage + ?Sized), id: ProposalId, proposal: &Proposal) {
    PROPOSALS.put(storage, &id.to_be_bytes(), proposal);
}

/// Writes a new proposal down. Makes room by forgetting the one that is [`KEPT`] numbers older, if it is decided.
pub(crate) fn insert(
    storage: &mut (impl Storage + ?Sized),
    id: ProposalId,
    proposal: &Proposal,
) -> Result<(), Corrupt> {
    put(storage, id, proposal);
    NEXT.put(storage, &id.saturating_add(1));
    let mut all = open(storage)?;
    all.push(Open { id, expires: proposal.expires, proposer: proposal.proposer });
    OPEN.put(storage, &all);
    let old = id.saturating_sub(KEPT);
    if all.iter().all(|open| open.id != old) {
        PROPOSALS.remove(storage, &old.to_be_bytes());
    }
    Ok(())
}

/// Takes a proposal off the list of open ones and keeps what became of it, if it is recent.
pub(crate) fn close(
    storage: &mut (impl Storage + ?Sized),
    id: ProposalId,
    proposal: &Proposal,
) -> Result<(), Corrupt> {
    let mut all = open(storage)?;
    all.retain(|open| open.id != id);
    if all.is_empty() {
        OPEN.remove(storage);
    } else {
        OPEN.put(storage, &all);
    }
    if id.saturating_add(KEPT) < next_id(storage)? {
        PROPOSALS.remove(storage, &id.to_be_bytes());
    } else {
        put(storage, id, proposal);
    }
    Ok(())
}
