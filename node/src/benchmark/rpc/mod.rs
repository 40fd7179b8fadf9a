//! `xln-node benchmark hub --mode rpc`: a whole node as a process of its own, and payers who ask it over WebSocket.
//!
//! ```text
//!   this process                         the node: --chain spec.json --base-path data
//!   payer 0 ── payment.send ──► ws ──┐   ┌────────────────────────────────────────────┐
//!   payer 1 ── payment.send ──► ws ──┼──►│ RPC ─► pool ─► author ─► writer ─► fsync   │
//!   …                          ◄─────┘   │ hub, depositary, all users and their keys  │
//!                                        └────────────────────────────────────────────┘
//! ```
//!
//! Everybody lives on this one server, so it does the work of the hub and of its users, and answers each request when the
//! payee has been paid and all of it is durable: what somebody sees who runs one node for everything. At the end the node
//! is killed without warning, its database is recovered, and every acknowledged payment must be there.

mod load;
mod network;
mod process;

use std::time::Duration;

use serde::Serialize;
use xln_primitives::ChannelId;
use xln_runtime::invariants;
use xln_store::{Options, Store};

use super::{
    BenchmarkError, Parties, Plan, Unsound, Used, check::Copy, latency::Percentiles, processor::machine,
};
use crate::{
    config::{BasePath, ChainFolder},
    recovery,
};

use load::Load;
use network::CHAIN_ID;
use process::Process;

pub use load::LoadError;

/// What a run over RPC found.
#[derive(Debug, Clone, Serialize)]
pub struct RpcReport {
    /// Payments per second that were acknowledged: the payee was paid, and everything is durable.
    pub payments_per_second: f64,
    /// Model of the processor.
    pub processor: String,
    /// Number of cores, which node and payers share.
    pub cores: usize,
    /// Payers, each with a connection and one payment at a time.
    pub payers: u32,
    /// Payments that were acknowledged.
    pub payments: u64,
    /// Payments per second at which they came; as fast as they were answered if none.
    pub rate: Option<u32>,
    /// Everything random follows from it.
    pub seed: u64,
    /// From a request, or the moment at which it was due, to its answer.
    pub latency: Percentiles,
    /// Between the timestamps of blocks.
    pub block_interval: Percentiles,
    /// Seconds that it took.
    pub run_s: f64,
    /// Processor time of the node.
    pub node: Used,
    /// Memory of the node at the end, in bytes.
    pub node_resident_bytes: Option<u64>,
    /// Whether the recovered state has every acknowledged payment and every invariant holds. A run of which it has not
    /// ends with an error.
    pub sound: bool,
}

/// Runs a node, pays, and checks what is on its disk afterwards.
///
/// `program` is the node's executable. Of the plan the users (all of them pay), the payments and the seed count.
pub fn run(
    program: &std::path::Path,
    plan: Plan,
    rate: Option<u32>,
    base: &BasePath,
) -> Result<RpcReport, BenchmarkError> {
    let base = super::open(base)?;
    let parties = Parties::new(plan)?;
    let files = network::write(&parties, base.path())?;
    let mut node = Process::start(program, &files)?;
    let load = Load { url: node.url(), parties: &parties, payments: plan.payments, rate };
    let paid = load.run()?;
    let (used, resident) = node.used();
    node.kill();

    let genesis = network::spec(&parties)?.to_genesis().map_err(LoadError::from)?;
    let database = ChainFolder::of(&files.data, CHAIN_ID).database();
    let options = Options { create: false, ..Options::default() };
    let store = Store::open(&database, genesis.network, &options)?;
    let (server, _) =
        recovery::recover(&genesis, &store).map_err(|error| LoadError::from(Box::new(error)))?;
    let hub = parties.hub().id();
    for (user, expected) in parties.users().iter().zip(&paid.balances) {
        let channel = ChannelId::between(&user.id(), &hub);
        let copy = Copy::of(&server, hub, channel)?.ok_or(Unsound::Missing { channel })?;
        let found = copy.gained(user.id(), hub);
        if found != *expected {
            return Err(Unsound::Balance { user: user.id(), expected: *expected, found }.into());
        }
    }
    invariants::check(&server)?;

    let (processor, cores) = machine();
    Ok(RpcReport {
        payments_per_second: plan.payments as f64 / paid.elapsed.max(Duration::from_micros(1)).as_secs_f64(),
        processor,
        cores,
        payers: plan.users,
        payments: plan.payments,
        rate,
        seed: plan.seed,
        latency: paid.latency.percentiles(),
        block_interval: paid.block_interval.percentiles(),
        run_s: paid.elapsed.as_secs_f64(),
        node: used,
        node_resident_bytes: resident,
        sound: true,
    })
}

impl std::fmt::Display for RpcReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "machine              {}, {} cores", self.processor, self.cores)?;
        writeln!(
            f,
            "payments             {} routed, {} payers, over WebSocket, seed {}",
            self.payments, self.payers, self.seed
        )?;
        if let Some(rate) = self.rate {
            writeln!(f, "rate                 {rate} per s")?;
        }
        writeln!(f)?;
        writeln!(f, "payments per s       {:.0}", self.payments_per_second)?;
        writeln!(f, "latency, ms          {}", self.latency)?;
        writeln!(f, "block interval, ms   {}", self.block_interval)?;
        writeln!(
            f,
            "time, s              run {:.2}; node: {:.2} user, {:.2} system",
            self.run_s, self.node.user_s, self.node.system_s
        )?;
        if let Some(bytes) = self.node_resident_bytes {
            writeln!(f, "memory of the node   {} MiB", bytes >> 20)?;
        }
        writeln!(f, "killed, recovered: every acknowledged payment is there, every invariant holds")
    }
}
