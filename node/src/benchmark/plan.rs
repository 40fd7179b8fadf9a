//! What a run does: sizes, and what follows from them.

use serde::Serialize;

/// Most channels of a run.
pub const CHANNELS_MAX: u64 = 100_000_000;
/// Most payments in one channel frame: what a channel proposes at once.
pub const PER_FRAME_MAX: u32 = 1_000;
/// Fewest slices between a message of the hub and its answer: the slice in between is being made when it leaves.
pub const DEPTH_MIN: u64 = 2;
/// Payers over RPC if nothing else is said.
const RPC_USERS: u32 = 32;
/// Most payers over RPC, each with a connection: what a node takes by default, and some left for others.
const RPC_USERS_MAX: u64 = 900;
/// Most slices between a message of the hub and its answer.
pub const DEPTH_MAX: u32 = 64;

/// How a payment goes through the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The payer pays the hub, then the hub, asked by its operator's signed calls, pays the payee: no condition, no
    /// preimage. Two certificates reach the hub: the payer's frame, the payee's acknowledgement.
    Direct,
    /// An HTLC over both channels. Three certificates reach the hub: the payer's frame, the payee's acknowledgement
    /// with the preimage, the payer's acknowledgement.
    Routed,
}

impl Kind {
    /// Certificates of users that the hub verifies for a payment that has a frame to itself.
    #[must_use]
    pub const fn certificates(self) -> u32 {
        match self {
            Self::Direct => 2,
            Self::Routed => 3,
        }
    }
}

/// What is wrong with the sizes of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A number outside of its range.
    #[error("--{name} is {found}, it must be between {min} and {max}")]
    OutOfRange {
        /// The flag without its dashes.
        name: &'static str,
        /// What was asked for.
        found: u64,
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
    },
    /// What only the other mode measures.
    #[error("--mode rpc measures routed payments, one per frame")]
    OnlyRouted,
    /// Not enough users for the payments that are under way at once.
    #[error(
        "{users} users are too few: with --depth {depth} at least {needed} are needed, since nobody takes part in \
         two payments at once"
    )]
    TooFewUsers {
        /// Users of the run.
        users: u32,
        /// Slices between question and answer.
        depth: u32,
        /// Least number of users.
        needed: u32,
    },
}

fn within(name: &'static str, found: u64, min: u64, max: u64) -> Result<(), PlanError> {
    let ok = (min..=max).contains(&found);
    if ok { Ok(()) } else { Err(PlanError::OutOfRange { name, found, min, max }) }
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Channels of the hub.
    pub channels: u64,
    /// Channels whose users take part in payments; all, but at most 100,000, if none is given.
    pub users: Option<u32>,
    /// Payments.
    pub payments: u64,
    /// How they go through the hub.
    pub kind: Kind,
    /// Payments in one channel frame.
    pub per_frame: u32,
    /// Payments that begin in one slice; chosen by `per_frame` if none is given.
    pub slice: Option<u32>,
    /// Slices between a message of the hub and its answer.
    pub depth: u32,
    /// Everything random follows from it.
    pub seed: u64,
}

/// The sizes of a run, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Channels of the hub.
    pub channels: u64,
    /// Channels whose users take part in payments.
    pub users: u32,
    /// Payments.
    pub payments: u64,
    /// How they go through the hub.
    pub kind: Kind,
    /// Payments in one channel frame.
    pub per_frame: u32,
    /// Payers, each with one frame, that begin in one slice.
    pub payers_per_slice: u32,
    /// Slices between a message of the hub and its answer.
    pub depth: u32,
    /// Everything random follows from it.
    pub seed: u64,
}

impl Plan {
    /// Checks what was asked for, and chooses what was not.
    pub fn new(wanted: Wanted) -> Result<Self, PlanError> {
        let Wanted { channels, users, payments, kind, per_frame, slice, depth, seed } = wanted;
        within("channels", channels, 1, CHANNELS_MAX)?;
        within("payments", payments, 1, u64::from(u32::MAX))?;
        within("per-frame", per_frame.into(), 1, PER_FRAME_MAX.into())?;
        within("depth", depth.into(), DEPTH_MIN, DEPTH_MAX.into())?;
        let users = users.unwrap_or_else(|| u32::try_from(channels.min(100_000)).unwrap_or(u32::MAX));
        within("users", users.into(), 1, channels)?;
        // The larger the frames, the less a slice costs per payment, and the more payments fit into its time.
        let slice = slice.unwrap_or_else(|| per_frame.saturating_mul(50).max(500));
        within("slice", slice.into(), 1, 1_000_000)?;

        // A payer is busy for two answers, and so are the payers and payees of all slices until then.
        let at_once = depth.saturating_mul(2).saturating_add(1);
        let needed = at_once.saturating_mul(2);
        let payers_max = users / needed;
        if payers_max == 0 {
            return Err(PlanError::TooFewUsers { users, depth, needed });
        }
        let payers_per_slice = slice.div_ceil(per_frame).min(payers_max);
        Ok(Self { channels, users, payments, kind, per_frame, payers_per_slice, depth, seed })
    }

    /// The sizes of a run over RPC: as many channels as users, all of whom pay.
    pub fn over_rpc(wanted: Wanted) -> Result<Self, PlanError> {
        let Wanted { payments, kind, per_frame, seed, .. } = wanted;
        if kind != Kind::Routed || per_frame != 1 {
            return Err(PlanError::OnlyRouted);
        }
        let users = wanted.users.unwrap_or(RPC_USERS);
        within("users", users.into(), 2, RPC_USERS_MAX)?;
        within("payments", payments, 1, u64::from(u32::MAX))?;
        let (payers_per_slice, depth) = (1, 2);
        Ok(Self { channels: users.into(), users, payments, kind, per_frame, payers_per_slice, depth, seed })
    }

    /// Payers that get a frame: as many as it takes for all payments.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.payments.div_ceil(self.per_frame.into())
    }

    /// Slices in which payments begin.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.frames().div_ceil(self.payers_per_slice.into())
    }

    /// Steps until the last payment is over: two answers after the last one began.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.batches().saturating_add(u64::from(self.depth).saturating_mul(2))
    }

    /// Channels whose users take no part in payments.
    #[must_use]
    pub fn idle(&self) -> u64 {
        self.channels.saturating_sub(self.users.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            channels: 10_000,
            users: None,
            payments: 1_001,
            kind: Kind::Routed,
            per_frame: 1,
            slice: None,
            depth: 4,
            seed: 1,
        }
    }

    #[test]
    fn a_plan_counts_frames_slices_and_steps() {
        let plan = Plan::new(wanted()).unwrap();
        assert_eq!((plan.users, plan.payers_per_slice), (10_000, 500));
        assert_eq!((plan.frames(), plan.batches(), plan.steps()), (1_001, 3, 11));
        let plan = Plan::new(Wanted { per_frame: 100, ..wanted() }).unwrap();
        assert_eq!((plan.payers_per_slice, plan.frames(), plan.batches()), (50, 11, 1));
    }

    #[test]
    fn nobody_takes_part_in_two_payments_at_once() {
        let plan = Plan::new(Wanted { users: Some(40), ..wanted() }).unwrap();
        assert_eq!(plan.payers_per_slice, 2, "two of 40 users times nine slices under way");
        let refused = Plan::new(Wanted { users: Some(17), ..wanted() });
        assert_eq!(refused, Err(PlanError::TooFewUsers { users: 17, depth: 4, needed: 18 }));
    }

    #[test]
    fn over_rpc_a_few_users_are_enough_and_all_of_them_pay() {
        let plan = Plan::over_rpc(Wanted { users: Some(4), ..wanted() }).unwrap();
        assert_eq!((plan.channels, plan.users, plan.payments), (4, 4, 1_001));
        assert_eq!(Plan::over_rpc(Wanted { per_frame: 2, ..wanted() }), Err(PlanError::OnlyRouted));
        assert!(Plan::over_rpc(Wanted { users: Some(901), ..wanted() }).is_err());
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let refused = Plan::new(Wanted { per_frame: 1_001, ..wanted() }).unwrap_err();
        assert_eq!(refused.to_string(), "--per-frame is 1001, it must be between 1 and 1000");
        assert!(Plan::new(Wanted { users: Some(10_001), ..wanted() }).is_err());
    }
}
