//! The policy of an entity: which calls its members make alone, which need a permission, which need a vote.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    Amount, AssetId, Board, BoundedVec, ConstU32, Corrupt, Origin, Permissions, Storage, StorageType,
    StorageValue, Weight,
};

use crate::{Config, Error, Event, LIFETIME_MS_MAX, LIFETIME_MS_MIN, require_board};

/// Most rules of a policy.
pub const RULES_MAX: u32 = 64;
/// Most limits of a policy, and most sums from which on it reports.
pub const LIMITS_MAX: u32 = 32;
/// Shortest and longest period of a limit, in ms: a second and 366 days.
const PERIOD_MS: core::ops::RangeInclusive<u64> = 1_000..=366 * 24 * 3_600_000;

/// A share of a board's weight, in basis points (hundredths of a percent), `0 ..= 10_000`.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Share(u16);

impl Share {
    /// No share beyond the board's threshold.
    pub const THRESHOLD: Self = Self(0);
    /// All of the weight.
    pub const ALL: Self = Self(10_000);

    /// From basis points.
    #[must_use]
    pub const fn from_basis_points(points: u16) -> Self {
        Self(points)
    }

    /// In basis points.
    #[must_use]
    pub const fn basis_points(self) -> u16 {
        self.0
    }

    /// So much of `total`, rounded up.
    #[must_use]
    pub fn of(self, total: Weight) -> Weight {
        let part = u64::from(total).saturating_mul(u64::from(self.0)).div_ceil(10_000);
        Weight::try_from(part).unwrap_or(Weight::MAX)
    }
}

/// What a call needs. A decided proposal may make every call, whatever it needs otherwise.
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
pub enum Need {
    /// A member, whichever.
    #[codec(index = 0)]
    Member,
    /// A member with all of these permissions.
    #[codec(index = 1)]
    Permission(Permissions),
    /// A proposal that has the board's threshold and this share of all weight.
    #[codec(index = 2)]
    Vote(Share),
}

/// What the calls with some codes need.
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// First code on the wire.
    pub first: u8,
    /// Last code, included.
    pub last: u8,
    /// What they need.
    pub need: Need,
}

/// Most that one member spends alone of an asset within a period.
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpendingLimit {
    /// The asset.
    pub asset: AssetId,
    /// How much of it, in its smallest unit.
    pub amount: Amount,
    /// How long the period is, in ms. It begins with the first payment after the one before.
    pub period_ms: u64,
}

/// A sum from which on a call is reported.
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportFrom {
    /// The asset.
    pub asset: AssetId,
    /// The sum, in its smallest unit.
    pub amount: Amount,
}

/// What members may do alone.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// The first that fits a call's code counts.
    pub rules: BoundedVec<Rule, ConstU32<RULES_MAX>>,
    /// What a call needs that no rule fits.
    pub otherwise: Need,
    /// If there are any, an asset without a limit is spent by vote only.
    #[serde(default)]
    pub limits: BoundedVec<SpendingLimit, ConstU32<LIMITS_MAX>>,
    /// Calls that spend as much leave a record.
    #[serde(default)]
    pub report_from: BoundedVec<ReportFrom, ConstU32<LIMITS_MAX>>,
    /// How long a proposal may be voted on if it does not say so itself, in ms.
    pub proposal_ms: u64,
}

/// Policies that entities begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Preset {
    /// One person: whoever may execute does everything alone.
    Wallet,
    /// Members who may execute trade and pay alone; who speaks for the company, its terms, what leaves its reserves, and its
    /// votes elsewhere need a vote.
    Company,
    /// As a company, but payments of its own need a vote too: a hub forwards those of others.
    Hub,
    /// Whoever may execute reports deposits and confirms withdrawals; all else needs a vote.
    Consortium,
}

const SEVEN_DAYS_MS: u64 = 7 * 24 * 3_600_000;
const EXECUTIVE: Need = Need::Permission(Permissions::EXECUTE);
const VOTE: Need = Need::Vote(Share::THRESHOLD);

const fn rule(first: u8, last: u8, need: Need) -> Rule {
    Rule { first, last, need }
}

/// The list of who is not dealt with.
const LISTING: Rule = rule(0x35, 0x35, Need::Permission(Permissions::COMPLIANCE));
/// The board, the policy, votes elsewhere; withdrawals and transfers.
const BY_VOTE: [Rule; 5] =
    [rule(0x03, 0x0f, VOTE), LISTING, rule(0x34, 0x3f, VOTE), rule(0x41, 0x41, VOTE), rule(0x43, 0x43, VOTE)];
/// Payments.
const PAYMENTS: Rule = rule(0x20, 0x21, VOTE);
/// Registration and names; deposits; published preimages and what became of withdrawals.
const TELLING: [Rule; 3] =
    [rule(0x01, 0x02, EXECUTIVE), rule(0x40, 0x40, EXECUTIVE), rule(0x45, 0x47, EXECUTIVE)];

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Wallet, Self::Company, Self::Hub, Self::Consortium];

    /// The policy.
    #[must_use]
    pub fn policy(self) -> Policy {
        let (rules, otherwise) = match self {
            Self::Wallet => (Vec::new(), EXECUTIVE),
            Self::Company => (BY_VOTE.to_vec(), EXECUTIVE),
            Self::Hub => ([BY_VOTE.as_slice(), &[PAYMENTS]].concat(), EXECUTIVE),
            Self::Consortium => ([TELLING.as_slice(), &[LISTING]].concat(), VOTE),
        };
        Policy {
            rules: BoundedVec::truncate_from(rules),
            otherwise,
            limits: BoundedVec::new(),
            report_from: BoundedVec::new(),
            proposal_ms: SEVEN_DAYS_MS,
        }
    }

    /// The one that suits a board on which nobody has decided anything yet.
    #[must_use]
    pub fn of(board: &Board) -> Self {
        if board.members.len() == 1 { Self::Wallet } else { Self::Company }
    }

    /// The preset that a policy is, if it is one, limits and reports aside.
    #[must_use]
    pub fn named(policy: &Policy) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| {
            let preset = preset.policy();
            preset.rules == policy.rules && preset.otherwise == policy.otherwise
        })
    }
}

/// A policy that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, thiserror::Error)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum PolicyError {
    /// A rule that fits no code, at this position.
    #[error("rule {0} is for no code at all: its first code is above its last")]
    EmptyRule(u32),
    /// More than all of the weight.
    #[error("{points} basis points are more than all of the weight, which is 10000")]
    ShareTooLarge {
        /// Basis points asked for.
        points: u16,
    },
    /// A limit for nothing, for a period that is too short or too long, or for an asset that has one, at this position.
    #[error("limit {0} is none: one per asset, of more than nothing, for a second to 366 days")]
    Limit(u32),
    /// A sum of nothing, or an asset that has one, at this position.
    #[error("report {0} is none: one per asset, from more than nothing")]
    Report(u32),
    /// Proposals could not be voted on.
    #[error("proposals may be voted on for {found_ms} ms, it must be {min_ms} to {max_ms}")]
    Lifetime {
        /// Asked for.
        found_ms: u64,
        /// Least.
        min_ms: u64,
        /// Most.
        max_ms: u64,
    },
}

impl Policy {
    /// What a call with this code needs.
    #[must_use]
    pub fn need(&self, code: u8) -> Need {
        let rule = self.rules.iter().find(|rule| (rule.first..=rule.last).contains(&code));
        rule.map_or(self.otherwise, |rule| rule.need)
    }

    /// Checks that it can be meant.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let share = |need: &Need| match need {
            Need::Vote(share) if *share > Share::ALL => {
                Err(PolicyError::ShareTooLarge { points: share.basis_points() })
            }
            Need::Member | Need::Permission(_) | Need::Vote(_) => Ok(()),
        };
        share(&self.otherwise)?;
        for (place, rule) in (0_u32..).zip(self.rules.iter()) {
            if rule.first > rule.last {
                return Err(PolicyError::EmptyRule(place));
            }
            share(&rule.need)?;
        }
        for (place, limit) in (0_u32..).zip(self.limits.iter()) {
            let is_first = self.limit(&limit.asset) == Some(limit);
            if !is_first || limit.amount.is_zero() || !PERIOD_MS.contains(&limit.period_ms) {
                return Err(PolicyError::Limit(place));
            }
        }
        for (place, report) in (0_u32..).zip(self.report_from.iter()) {
            let first = self.report_from.iter().find(|other| other.asset == report.asset);
            if report.amount.is_zero() || first != Some(report) {
                return Err(PolicyError::Report(place));
            }
        }
        if !(LIFETIME_MS_MIN..=LIFETIME_MS_MAX).contains(&self.proposal_ms) {
            let (min_ms, max_ms) = (LIFETIME_MS_MIN, LIFETIME_MS_MAX);
            return Err(PolicyError::Lifetime { found_ms: self.proposal_ms, min_ms, max_ms });
        }
        Ok(())
    }

    /// The limit of an asset.
    #[must_use]
    pub fn limit(&self, asset: &AssetId) -> Option<&SpendingLimit> {
        self.limits.iter().find(|limit| limit.asset == *asset)
    }
}

/// What the entity decided itself.
const POLICY: StorageValue<Policy> = StorageValue::new(StorageType::Proposals, 4);

/// The policy that the entity decided itself; `None` if it keeps to the one that suits its board.
pub fn set_by_itself(storage: &(impl Storage + ?Sized)) -> Result<Option<Policy>, Corrupt> {
    POLICY.get(storage)
}

/// The policy that holds.
pub(crate) fn policy<T: Config>(env: &T, board: &Board) -> Result<Policy, Corrupt> {
    Ok(POLICY.get(env)?.unwrap_or_else(|| env.default_policy(board)))
}

/// Replaces the policy; also for the genesis.
///
/// Errors: [`Error::UnsoundPolicy`].
pub fn set_policy(storage: &mut (impl Storage + ?Sized), policy: &Policy) -> Result<(), Error> {
    policy.validate()?;
    POLICY.put(storage, policy);
    Ok(())
}

/// [`crate::Call::SetPolicy`].
pub(crate) fn dispatch<T: Config>(env: &mut T, origin: Origin, policy: &Policy) -> Result<(), Error> {
    require_board(origin)?;
    set_policy(env, policy)?;
    env.deposit_event(Event::MemberPolicySet);
    Ok(())
}
