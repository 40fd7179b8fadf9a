//! What a run found, for people and for programs.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use xln_primitives::Hash;

use super::{Plan, latency::Percentiles, processor::Used};

/// What a run found. Rates are payments per second unless a name says otherwise.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Payments per second of the whole hub: every certificate verified, every slice durable before its outputs leave.
    pub payments_per_second: f64,
    /// Model of the processor.
    pub processor: String,
    /// Number of cores.
    pub cores: usize,
    /// Sizes and seed.
    pub plan: Plan,
    /// Payments per second at which the payments came; as fast as possible if none.
    pub rate: Option<u32>,
    /// The layers, from the inside out.
    pub layers: Layers,
    /// What bounds them.
    pub bound: Bound,
    /// From the submission of a payment's first message to the durability of its last.
    pub latency: Percentiles,
    /// Between blocks.
    pub block_interval: Percentiles,
    /// Space on disk and in memory.
    pub space: Space,
    /// Where the time of the durable run went.
    pub time: Time,
    /// Slices of the durable run.
    pub slices: u64,
    /// Synced writes of the durable run.
    pub fsyncs: u64,
    /// Root of the hub's server at the end; the same for the same seed and sizes.
    pub state_root: Hash,
    /// Whether conservation holds and both sides' copies agree. A run of which they do not ends with an error.
    pub sound: bool,
}

/// Payments per second of the hub, layer by layer. None of them contains the users' work.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Layers {
    /// Executing slices whose signatures are checked, without a store: one core.
    pub transition: f64,
    /// That, with the verification of all certificates and the hub's own signatures.
    pub signed: f64,
    /// That, with the log: every slice written and synced before its outputs leave.
    pub durable: f64,
}

/// The signature bound.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bound {
    /// Signatures per second that all cores check together, of those that the recording holds.
    pub signatures_per_second: f64,
    /// Signatures that the hub checks per payment.
    pub signatures_per_payment: f64,
    /// Payments per second if there were nothing but signatures.
    pub payments_per_second: f64,
    /// The share of it that the durable layer reaches.
    pub share: f64,
}

/// Space.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Space {
    /// Bytes of slices in the log, per payment.
    pub log_bytes_per_payment: f64,
    /// Bytes of all write batches per payment: slices, receipts, marks, blocks, and the rows of snapshots.
    pub written_bytes_per_payment: f64,
    /// Bytes of keys and values of the hub's state, at the start, per channel.
    pub state_bytes_per_channel: f64,
    /// By how much building the hub's server enlarged the process, per channel.
    pub resident_bytes_per_channel: Option<f64>,
    /// Bytes of the recording per payment.
    pub recording_bytes_per_payment: f64,
}

/// Time.
#[derive(Debug, Clone, Serialize)]
pub struct Time {
    /// Seconds that it took to build the hub's server.
    pub build_s: f64,
    /// Seconds that it took to record.
    pub record_s: f64,
    /// Seconds of the durable run.
    pub run_s: f64,
    /// Seconds in which the author waited for inputs that had come and were not verified yet.
    pub author_wait_s: f64,
    /// Microseconds of processor time per payment in the durable run, of all threads. Other work on the machine
    /// disturbs it less than it does a rate.
    pub processor_us_per_payment: f64,
    /// Processor time of the durable run, by name of thread.
    pub threads: BTreeMap<String, Used>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, layers, bound, latency, block_interval, space, time, .. } = self;
        let kind = serde_json::to_value(plan.kind).unwrap_or_default();
        let kind = kind.as_str().unwrap_or_default();
        writeln!(f, "machine              {}, {} cores", self.processor, self.cores)?;
        writeln!(
            f,
            "network              {} channels, {} users who pay, seed {}",
            plan.channels, plan.users, plan.seed
        )?;
        writeln!(
            f,
            "payments             {} {kind}, {} per frame, {} payers per slice, answers {} slices later",
            plan.payments, plan.per_frame, plan.payers_per_slice, plan.depth
        )?;
        if let Some(rate) = self.rate {
            writeln!(f, "rate                 {rate} per s")?;
        }
        writeln!(f)?;
        writeln!(f, "payments per s       {:.0}", self.payments_per_second)?;
        writeln!(f, "  transition only    {:.0}", layers.transition)?;
        writeln!(f, "  with signatures    {:.0}", layers.signed)?;
        writeln!(f, "  durable            {:.0}", layers.durable)?;
        writeln!(
            f,
            "signature bound      {:.0} ({:.0} signatures per s, {:.2} per payment); share {:.2}",
            bound.payments_per_second, bound.signatures_per_second, bound.signatures_per_payment, bound.share
        )?;
        writeln!(f, "latency, ms          {latency}")?;
        writeln!(f, "block interval, ms   {block_interval}")?;
        writeln!(
            f,
            "log                  {:.0} bytes per payment ({:.0} written in all)",
            space.log_bytes_per_payment, space.written_bytes_per_payment
        )?;
        write!(f, "state                {:.0} bytes per channel", space.state_bytes_per_channel)?;
        match space.resident_bytes_per_channel {
            Some(bytes) => writeln!(f, ", {bytes:.0} resident")?,
            None => writeln!(f)?,
        }
        writeln!(f, "slices, fsyncs       {}, {}", self.slices, self.fsyncs)?;
        writeln!(
            f,
            "time, s              build {:.1}, record {:.1}, run {:.2}, of it waiting for verification {:.2}",
            time.build_s, time.record_s, time.run_s, time.author_wait_s
        )?;
        writeln!(f, "processor            {:.1} µs per payment", time.processor_us_per_payment)?;
        for (name, used) in &time.threads {
            writeln!(
                f,
                "  {name:<18} {:.2} user, {:.2} system ({} threads)",
                used.user_s, used.system_s, used.threads
            )?;
        }
        writeln!(f, "state root           {}", self.state_root)?;
        writeln!(f, "every invariant holds, both sides of every channel agree")
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, p50_ms, p95_ms, p99_ms, max_ms } = self;
        write!(f, "p50 {p50_ms:.1}, p95 {p95_ms:.1}, p99 {p99_ms:.1}, max {max_ms:.1} (n {count})")
    }
}
