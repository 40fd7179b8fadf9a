//! Screening: whom the entity does not deal with, whom it reports, and the record of both.
//!
//! The hook that a payment company needs for its duties against money laundering: the lists are the entity's own state, kept by
//! members with [`xln_primitives::Permissions::COMPLIANCE`], so every machine that executes the entity judges alike, and the record is
//! as durable and provable as the rest. The record of a refused call stays although the call changes nothing.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    Corrupt, EntityId, Origin, Principal, Storage, StorageMap, StorageType, StorageValue, Timestamp,
};

use crate::{CallFacts, Config, Error, Event, policy, require_board};

/// How an entity is listed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Listing {
    /// Calls that deal with it are refused.
    #[codec(index = 0)]
    Blocked,
    /// Calls that deal with it are reported.
    #[codec(index = 1)]
    Watched,
}

/// What is done about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Verdict {
    /// Nothing.
    #[codec(index = 0)]
    Pass,
    /// It leaves a record.
    #[codec(index = 1)]
    Report,
    /// It has no effect, and leaves a record.
    #[codec(index = 2)]
    Refuse {
        /// With whom it deals.
        party: EntityId,
    },
}

/// That a call was reported or refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Which member made it; none for the board.
    pub by: Option<Principal>,
    /// Code of the call.
    pub code: u8,
    /// With whom it deals, the first who is listed; none if only the sum mattered.
    pub party: Option<EntityId>,
    /// What was done about it.
    pub verdict: Verdict,
}

/// Most records that are kept; the oldest go first.
pub const AUDIT_MAX: u64 = 10_000;
/// Most entities on the list.
const LISTED_MAX: u32 = 100_000;

const LISTINGS: StorageMap<EntityId, Listing> = StorageMap::new(StorageType::Proposals, 6);
const LISTED: StorageValue<u32> = StorageValue::new(StorageType::Proposals, 7);
/// Records by number, big-endian so that pages are in the order of numbers.
const AUDIT: StorageMap<[u8; 8], AuditRecord> = StorageMap::new(StorageType::Proposals, 8);
const NEXT_RECORD: StorageValue<u64> = StorageValue::new(StorageType::Proposals, 9);

/// How an entity is listed, if it is.
pub fn listing(storage: &(impl Storage + ?Sized), entity: &EntityId) -> Result<Option<Listing>, Corrupt> {
    LISTINGS.get(storage, entity)
}

/// At most `limit` listed entities after `after`.
pub fn listings(
    storage: &(impl Storage + ?Sized),
    after: Option<&EntityId>,
    limit: usize,
) -> Result<Vec<(EntityId, Listing)>, Corrupt> {
    LISTINGS.page(storage, after, limit)
}

/// At most `limit` records with a number greater than `after`, by number.
pub fn audit(
    storage: &(impl Storage + ?Sized),
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<(u64, AuditRecord)>, Corrupt> {
    let page = AUDIT.page(storage, after.map(u64::to_be_bytes).as_ref(), limit)?;
    Ok(page.into_iter().map(|(number, record)| (u64::from_be_bytes(number), record)).collect())
}

/// [`crate::Call::SetListing`].
pub(crate) fn set_listing<T: Config>(
    env: &mut T,
    origin: Origin,
    entity: EntityId,
    listing: Option<Listing>,
) -> Result<(), Error> {
    require_board(origin)?;
    let (count, was) = (LISTED.get(env)?.unwrap_or(0), LISTINGS.contains(env, &entity));
    match listing {
        Some(listing) => {
            if !was && count >= LISTED_MAX {
                return Err(Error::TooManyListed { max: LISTED_MAX });
            }
            LISTINGS.put(env, &entity, &listing);
            LISTED.put(env, &count.saturating_add(u32::from(!was)));
        }
        None => {
            LISTINGS.remove(env, &entity);
            LISTED.put(env, &count.saturating_sub(u32::from(was)));
        }
    }
    env.deposit_event(Event::ListingSet { entity, listing });
    Ok(())
}

/// Judges a call by the entity's lists and sums, and writes down what is not simply let through. Not to be undone if the call
/// fails afterwards.
pub fn screen<T: Config>(env: &mut T, by: Option<Principal>, facts: &CallFacts) -> Result<Verdict, Error> {
    let mut watched = None;
    if LISTED.get(env)?.is_some_and(|count| count > 0) {
        for party in &facts.parties {
            match LISTINGS.get(env, party)? {
                Some(Listing::Blocked) => {
                    let verdict = Verdict::Refuse { party: *party };
                    return record(env, by, facts.code, Some(*party), verdict);
                }
                Some(Listing::Watched) => watched = watched.or(Some(*party)),
                None => {}
            }
        }
    }
    let is_large = match policy::set_by_itself(env)? {
        Some(policy) if !facts.spends.is_empty() => facts.spends.iter().any(|spend| {
            let from = policy.report_from.iter().find(|report| report.asset == spend.asset);
            from.is_some_and(|report| spend.amount >= report.amount)
        }),
        _ => false,
    };
    if watched.is_none() && !is_large {
        return Ok(Verdict::Pass);
    }
    record(env, by, facts.code, watched, Verdict::Report)
}

fn record<T: Config>(
    env: &mut T,
    by: Option<Principal>,
    code: u8,
    party: Option<EntityId>,
    verdict: Verdict,
) -> Result<Verdict, Error> {
    let number = NEXT_RECORD.get(env)?.unwrap_or(1);
    let record = AuditRecord { at: env.now(), by, code, party, verdict };
    AUDIT.put(env, &number.to_be_bytes(), &record);
    AUDIT.remove(env, &number.saturating_sub(AUDIT_MAX).to_be_bytes());
    NEXT_RECORD.put(env, &number.saturating_add(1));
    env.deposit_event(Event::Screened { record: number, party, verdict });
    Ok(verdict)
}
