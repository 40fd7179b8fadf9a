//! Making a recording: hub and users run in lockstep, as fast as they like, with a clock that nobody looks at.
//!
//! ```text
//!   step      n              n+1            …            n+D
//!   users     calls of n ─╮  calls of n+1 ─╮              answers to what the hub said in slice n, calls of n+D
//!   hub                   ╰► slice n       ╰► slice n+1     ╰► slice n+D
//! ```
//!
//! What the hub says in slice n reaches the users D steps later, so that the slices in between do not depend on it:
//! whoever replays slice n+D must have made slice n durable, and may work on D slices at once. A routed payment begins in slice
//! n with the payer's frame; the payee's acknowledgement and preimage arrive in slice n+D, the payer's acknowledgement in
//! slice n+2D. A direct payment begins with the payer's frame too; in slice n+D the hub's operator asks it to pay the payee,
//! whose acknowledgement arrives in slice n+2D. The hub's step and the users' next one run at the same time.
//!
//! The users' servers are trusted here and nothing is written to disk: only the hub is measured, later.

use std::{collections::VecDeque, path::Path};

use pallet_channels::{Call, RouteHop};
use xln_primitives::{Amount, BoundedVec, CALL_VERSION, ChannelId, Hash, MAX_CALLS, Nonce, Timestamp};
use xln_runtime::{CallBody, RuntimeCall, Server, SignedCall};

use super::{
    BenchmarkError, Kind, Parties, Party, Plan, UserKeys,
    check::Copy,
    progress,
    recording::{Arrival, RecordedSlice, Writer},
    schedule::{Pair, Schedule},
    wire::{self, Certified},
};
use crate::author::KeystoreCertifier;

/// How long a payee has to answer, in milliseconds of the fixed clock: far longer than a run takes it.
const TIMEOUT_MS: u64 = 24 * 3_600 * 1_000;
/// Time between the deadlines of the hub's two hops, in milliseconds: the hub's default terms.
const TIMELOCK_DELTA_MS: u64 = 40_000;
/// Steps after which a server forgets what it would have written to disk.
const FORGET_INTERVAL: u64 = 64;

/// What a recording leaves behind besides its file.
#[derive(Debug)]
pub struct Recorded {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Signatures in it: certificates of users and calls of the hub's operator.
    pub signatures: u64,
    /// Root of the hub's server after them.
    pub state_root: Hash,
    /// The users' copies of their channels at the end, by user.
    pub copies: Vec<Option<Copy>>,
}

/// Runs the payments of a plan and writes down what arrives at the hub.
///
/// `hub` is the hub's server before its first slice.
pub fn record(plan: Plan, parties: &Parties, hub: Server, file: &Path) -> Result<Recorded, BenchmarkError> {
    let schedule = Schedule::new(plan);
    let mut writer = Writer::create(file)?;
    let mut hub = HubSide::new(plan, parties, &schedule, hub)?;
    let mut users = UserSide::new(plan, parties, &schedule)?;
    let bar = progress::bar("record the users", plan.steps());
    let depth = usize::try_from(plan.depth).unwrap_or(usize::MAX);
    // What the hub has said and no user has heard yet, by step.
    let mut under_way: VecDeque<Vec<Certified>> = VecDeque::new();
    let mut arrivals = users.step(0, Vec::new())?;
    let mut signatures = 0_u64;
    for step in 0..plan.steps() {
        let heard = if under_way.len() + 1 >= depth { under_way.pop_front() } else { None };
        let next = step.saturating_add(1);
        let (spoken, answered) = rayon::join(
            || hub.step(step, core::mem::take(&mut arrivals)),
            || users.step(next, heard.unwrap_or_default()),
        );
        let (slice, said) = spoken?;
        arrivals = answered?;
        under_way.push_back(said);
        if let Some(slice) = slice {
            signatures = signatures.saturating_add((slice.arrivals.len() + slice.calls.len()) as u64);
            writer.append(&slice)?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let copies = parties.users().iter().map(|user| users.copy(user)).collect::<Result<_, _>>()?;
    Ok(Recorded { bytes: writer.finish()?, signatures, state_root: hub.server.state_root(), copies })
}

/// The hub's server.
struct HubSide<'a> {
    plan: Plan,
    parties: &'a Parties,
    schedule: &'a Schedule,
    server: Server,
    keys: KeystoreCertifier,
    nonce: Nonce,
}

type Spoken = (Option<RecordedSlice>, Vec<Certified>);

impl<'a> HubSide<'a> {
    fn new(
        plan: Plan,
        parties: &'a Parties,
        schedule: &'a Schedule,
        server: Server,
    ) -> Result<Self, BenchmarkError> {
        let keys = KeystoreCertifier::new(parties.network(), parties.hub_keystore()?.into());
        Ok(Self { plan, parties, schedule, server, keys, nonce: 0 })
    }

    fn step(&mut self, step: u64, arrivals: Vec<Arrival>) -> Result<Spoken, BenchmarkError> {
        let (timestamp, entropy) = (self.parties.time(step), self.parties.entropy("hub", step));
        let calls = self.calls(step)?;
        if arrivals.is_empty() && calls.is_empty() {
            return Ok((None, Vec::new()));
        }
        let network = self.parties.network();
        let inputs =
            wire::authentic(arrivals.clone(), calls.clone(), network, timestamp, *entropy.as_bytes())?;
        let executed = self.server.execute(timestamp, entropy, inputs, &self.keys)?;
        refuse_refusals(step, &executed)?;
        let frame = wire::frame_of(&executed, self.parties.hub());
        drop(self.server.commit(&executed));
        let said = wire::said(&executed);
        seal(&mut self.server, step, timestamp);
        let of = |batch: Option<u64>| {
            let payments = batch.map_or(0, |batch| self.schedule.payments(batch));
            u32::try_from(payments).unwrap_or(u32::MAX)
        };
        let ended = step.checked_sub(u64::from(self.plan.depth) * 2);
        let (begun, done) = (of(Some(step)), of(ended));
        let slice = frame.map(|frame| RecordedSlice {
            step,
            timestamp,
            entropy,
            arrivals,
            calls,
            frame,
            begun,
            done,
        });
        Ok((slice, said))
    }

    /// What the hub's operator asks for: to pay on what arrived directly.
    fn calls(&mut self, step: u64) -> Result<Vec<SignedCall>, BenchmarkError> {
        let Some(batch) = step.checked_sub(self.plan.depth.into()).filter(|_| self.plan.kind == Kind::Direct)
        else {
            return Ok(Vec::new());
        };
        let pay = |pair: Pair| {
            let to = self.parties.user(pair.payee).map(Party::id).unwrap_or_default();
            let call = Call::PayDirect { to, asset: self.parties.asset(), amount: amount(&pair) };
            core::iter::repeat_n(RuntimeCall::Channels(call), times(&pair))
        };
        let calls: Vec<_> = self.schedule.batch(batch).flat_map(pay).collect();
        signed(self.parties, self.parties.hub(), &mut self.nonce, calls)
    }
}

/// The users' server.
struct UserSide<'a> {
    plan: Plan,
    parties: &'a Parties,
    schedule: &'a Schedule,
    server: Server,
    keys: UserKeys<'a>,
    nonces: Vec<Nonce>,
    boards: std::collections::HashMap<xln_primitives::EntityId, u32>,
}

impl<'a> UserSide<'a> {
    fn new(plan: Plan, parties: &'a Parties, schedule: &'a Schedule) -> Result<Self, BenchmarkError> {
        let boards = (0_u32..).zip(parties.users()).map(|(number, user)| (user.id(), number)).collect();
        Ok(Self {
            plan,
            parties,
            schedule,
            server: parties.users_server()?,
            keys: parties.user_keys(),
            nonces: vec![0; parties.users().len()],
            boards,
        })
    }

    /// What arrives at the hub in a step, after the users heard what it said.
    fn step(&mut self, step: u64, heard: Vec<Certified>) -> Result<Vec<Arrival>, BenchmarkError> {
        let (timestamp, entropy) = (self.parties.time(step), self.parties.entropy("users", step));
        let calls = self.calls(step)?;
        if heard.is_empty() && calls.is_empty() {
            return Ok(Vec::new());
        }
        let board = self.parties.hub().board();
        let heard = heard.into_iter().map(|message| (message, board.clone())).collect();
        let network = self.parties.network();
        let inputs = wire::authentic(heard, calls, network, timestamp, *entropy.as_bytes())?;
        let executed = self.server.execute(timestamp, entropy, inputs, &self.keys)?;
        refuse_refusals(step, &executed)?;
        drop(self.server.commit(&executed));
        seal(&mut self.server, step, timestamp);
        let with_board = |message: Certified| {
            let user = self.parties.user(*self.boards.get(&message.message.from)?)?;
            Some((message, user.board().clone()))
        };
        Ok(wire::said(&executed).into_iter().filter_map(with_board).collect())
    }

    /// The payers' calls.
    fn calls(&mut self, step: u64) -> Result<Vec<SignedCall>, BenchmarkError> {
        let mut all = Vec::new();
        for pair in self.schedule.batch(step) {
            let (Some(payer), Some(payee)) = (self.parties.user(pair.payer), self.parties.user(pair.payee))
            else {
                continue;
            };
            let (hub, asset, amount) = (self.parties.hub().id(), self.parties.asset(), amount(&pair));
            let call = match self.plan.kind {
                Kind::Direct => Call::PayDirect { to: hub, asset, amount },
                Kind::Routed => {
                    let timelock_delta_ms = TIMELOCK_DELTA_MS;
                    let hop = RouteHop { via: hub, fee: Amount::ZERO, timelock_delta_ms };
                    let route = BoundedVec::truncate_from(vec![hop]);
                    let (to, max_fee) = (payee.id(), Amount::ZERO);
                    Call::Pay { to, asset, amount, route, hash: None, max_fee, timeout_ms: TIMEOUT_MS }
                }
            };
            let calls = vec![RuntimeCall::Channels(call); times(&pair)];
            let place = usize::try_from(pair.payer).unwrap_or(usize::MAX);
            if let Some(nonce) = self.nonces.get_mut(place) {
                all.extend(signed(self.parties, payer, nonce, calls)?);
            }
        }
        Ok(all)
    }

    fn copy(&self, user: &Party) -> Result<Option<Copy>, BenchmarkError> {
        let channel = ChannelId::between(&user.id(), &self.parties.hub().id());
        Ok(Copy::of(&self.server, user.id(), channel)?)
    }
}

fn amount(pair: &Pair) -> Amount {
    Amount::new(pair.amount.into())
}

fn times(pair: &Pair) -> usize {
    usize::try_from(pair.payments).unwrap_or(usize::MAX)
}

/// Calls of one party, as many in one signed call as fit.
fn signed(
    parties: &Parties,
    party: &Party,
    nonce: &mut Nonce,
    calls: Vec<RuntimeCall>,
) -> Result<Vec<SignedCall>, BenchmarkError> {
    let together = usize::try_from(MAX_CALLS).unwrap_or(usize::MAX);
    let sign = |calls: &[RuntimeCall]| {
        let body = CallBody {
            version: CALL_VERSION,
            network: parties.network(),
            signer: party.key(),
            entity: party.id(),
            nonce: *nonce,
            valid_until: Timestamp::MAX,
            calls: BoundedVec::truncate_from(calls.to_vec()),
            tip: Amount::ZERO,
        };
        *nonce = nonce.saturating_add(1);
        Ok(body.sign(party.secret())?)
    };
    calls.chunks(together).map(sign).collect()
}

fn refuse_refusals(step: u64, executed: &xln_runtime::Executed) -> Result<(), BenchmarkError> {
    match executed.refused.first() {
        Some((_, refusal)) => Err(BenchmarkError::Refused { step, refusal: Box::new(refusal.clone()) }),
        None => Ok(()),
    }
}

/// Seals a block, so that slices do not pile up, and now and then forgets how entities were before.
fn seal(server: &mut Server, step: u64, now: Timestamp) {
    if let Some(sealed) = server.seal(now) {
        server.commit_block(sealed);
    }
    if step.is_multiple_of(FORGET_INTERVAL) {
        drop(server.take_changes());
    }
}
