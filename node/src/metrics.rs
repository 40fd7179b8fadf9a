//! What the node measures, under the names that dashboards and alerts rely on.

mod consortium;
mod process;
mod state;

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, RwLock, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use xln_primitives::{Amount, AssetId, ChannelId, StorageType};
use xln_runtime::{EntityEvents, Receipt, RuntimeError, RuntimeEvent, Server, genesis::GenesisAsset};

use crate::consortium::Shared;
use state::State;

/// The part of the system that a call concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum CallType {
    Entities,
    Channels,
    Reserves,
    Governance,
    Other,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Status {
    Ok,
    Failed,
}

impl EncodeLabelValue for CallType {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        encoder.write_str(match self {
            Self::Entities => "entities",
            Self::Channels => "channels",
            Self::Reserves => "reserves",
            Self::Governance => "governance",
            Self::Other => "other",
        })
    }
}

impl EncodeLabelValue for Status {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        encoder.write_str(match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransactionLabels {
    r#type: CallType,
    status: Status,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AssetLabels {
    asset: String,
}

/// An asset as its volume is shown.
#[derive(Debug)]
struct ShownAsset {
    symbol: String,
    /// Smallest units in the unit that people use.
    unit: f64,
}

/// Everything that the node measures. Updates are atomic and never wait.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    assets: BTreeMap<AssetId, ShownAsset>,
    state: Option<State>,
    channels: Gauge,
    transactions: Family<TransactionLabels, Counter>,
    block_time: Histogram,
    block_interval: Histogram,
    payment_volume: Family<AssetLabels, Counter<f64, AtomicU64>>,
    mempool_calls: Gauge,
    snapshot: Histogram,
    slice: Histogram,
    execution: Histogram,
    fsync: Histogram,
    written_bytes: Counter,
    frames: Counter,
}

impl Metrics {
    /// Nothing measured yet. Volumes of `assets` are shown under their symbols and in the unit that people use;
    /// those of other assets under their identifiers and in the smallest unit.
    #[must_use]
    pub fn new(assets: &[GenesisAsset]) -> Self {
        let metrics = Self {
            registry: Registry::default(),
            assets: assets.iter().map(|asset| (asset.id, ShownAsset::of(asset))).collect(),
            state: None,
            channels: Gauge::default(),
            transactions: Family::default(),
            block_time: Histogram::new(SECONDS),
            block_interval: Histogram::new(INTERVALS),
            payment_volume: Family::default(),
            mempool_calls: Gauge::default(),
            snapshot: Histogram::new(SECONDS),
            slice: Histogram::new(SECONDS),
            execution: Histogram::new(SECONDS),
            fsync: Histogram::new(SECONDS),
            written_bytes: Counter::default(),
            frames: Counter::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let mut root = Registry::default();
        let xln = root.sub_registry_with_prefix("xln");
        xln.register("build", "What runs here", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        xln.register(
            "channels",
            "Open channels of the entities hosted here, each once",
            self.channels.clone(),
        );
        xln.register("transactions", "Calls executed", self.transactions.clone());
        xln.register("block_time_seconds", "Time to seal a block", self.block_time.clone());
        xln.register("block_interval_seconds", "Time between blocks", self.block_interval.clone());
        xln.register("payment_volume", "Sums received in payments", self.payment_volume.clone());
        xln.register("mempool_calls", "Calls that wait", self.mempool_calls.clone());
        xln.register("snapshot_seconds", "Time to write a mutable snapshot", self.snapshot.clone());
        xln.register("slice_seconds", "Time from taking a slice up to its durability", self.slice.clone());
        xln.register("execution_seconds", "Time to execute a slice", self.execution.clone());
        xln.register("fsync_seconds", "Time to write and sync what waited", self.fsync.clone());
        xln.register("written_bytes", "Bytes written to the log", self.written_bytes.clone());
        xln.register("frames", "Frames made", self.frames.clone());
        root.register_collector(Box::new(process::Process));
        self.registry = root;
        self
    }

    /// Everything as OpenMetrics text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }

    /// A slice was executed, which took so long.
    pub fn executed(&self, took: Duration) {
        self.execution.observe(took.as_secs_f64());
    }

    /// So many bytes were written and synced, which took so long.
    pub fn written(&self, took: Duration, bytes: u64) {
        self.fsync.observe(took.as_secs_f64());
        self.written_bytes.inc_by(bytes);
    }

    /// A slice became durable, with so many frames and so long after its execution began.
    pub fn slice_durable(&self, total: Duration, frames: usize) {
        self.slice.observe(total.as_secs_f64());
        self.frames.inc_by(u64::try_from(frames).unwrap_or(u64::MAX));
    }

    /// A block was sealed, which took so long.
    pub fn block_sealed(&self, took: Duration) {
        self.block_time.observe(took.as_secs_f64());
    }

    /// So long after the one before.
    pub fn block_interval(&self, interval: Duration) {
        self.block_interval.observe(interval.as_secs_f64());
    }

    /// A mutable snapshot was written, which took so long.
    pub fn snapshot_written(&self, took: Duration) {
        self.snapshot.observe(took.as_secs_f64());
    }

    /// So many calls wait.
    pub fn pool(&self, calls: usize) {
        self.mempool_calls.set(gauge(calls));
    }

    /// Measures this state too: its keys whenever somebody asks, its channels now and by events from now on.
    #[must_use]
    pub fn of_state(mut self, server: Arc<RwLock<Server>>) -> Self {
        let state = State::new(server);
        self.channels.set(gauge(state.channels()));
        self.registry.register_collector(Box::new(state.clone()));
        self.state = Some(state);
        self
    }

    /// Measures boards and other servers too.
    #[must_use]
    pub fn of_consortium(mut self, others: &Arc<Shared>) -> Self {
        consortium::Consortium::register(&mut self.registry, others);
        self
    }

    /// Calls were executed.
    pub fn receipts(&self, receipts: &[Arc<Receipt>]) {
        for receipt in receipts {
            let status = if receipt.result.is_ok() { Status::Ok } else { Status::Failed };
            self.transactions.get_or_create(&TransactionLabels { r#type: call_type(receipt), status }).inc();
        }
    }

    /// Things happened; counts what was received in payments, and channels at their left sides.
    pub fn events(&self, events: &[EntityEvents]) {
        use pallet_channels::Event;
        for entity in events {
            for event in &entity.events {
                match event {
                    RuntimeEvent::Channels(Event::PaymentReceived { asset, amount, .. }) => {
                        self.paid(asset, *amount);
                    }
                    RuntimeEvent::Channels(Event::PaidDirect { asset, amount, to, .. })
                        if *to == entity.entity =>
                    {
                        self.paid(asset, *amount);
                    }
                    RuntimeEvent::Channels(Event::ChannelOpened { channel, peer, .. })
                        if entity.entity < *peer && !self.is_counted(channel) =>
                    {
                        self.channels.inc();
                    }
                    RuntimeEvent::Channels(Event::ChannelClosed { channel, .. })
                        if self
                            .state
                            .as_ref()
                            .is_some_and(|state| state.is_left(&entity.entity, *channel)) =>
                    {
                        self.channels.dec();
                    }
                    _ => {}
                }
            }
        }
    }

    fn is_counted(&self, channel: &ChannelId) -> bool {
        self.state.as_ref().is_some_and(|state| state.was_counted(channel))
    }

    fn paid(&self, asset: &AssetId, amount: Amount) {
        let (asset, unit) = match self.assets.get(asset) {
            Some(shown) => (shown.symbol.clone(), shown.unit),
            None => (asset.to_string(), 1.0),
        };
        // A metric may be rounded; the ledger may not.
        let volume = amount.get() as f64 / unit;
        self.payment_volume.get_or_create(&AssetLabels { asset }).inc_by(volume);
    }
}

impl ShownAsset {
    fn of(asset: &GenesisAsset) -> Self {
        Self { symbol: asset.symbol.clone(), unit: 10_f64.powi(i32::from(asset.decimals)) }
    }
}

/// From a tenth of a millisecond to ten seconds.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 10.0];
/// Dense around the 100 ms that a block should take.
const INTERVALS: [f64; 12] = [0.05, 0.08, 0.09, 0.095, 0.1, 0.105, 0.11, 0.12, 0.15, 0.25, 1.0, 10.0];

fn gauge(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A failed call is counted where it failed, a successful one by the first thing that happened, or by what it changed if
/// the rest happens later: moves of channels only wait in a queue at first.
fn call_type(receipt: &Receipt) -> CallType {
    match (&receipt.result, receipt.events.first()) {
        (Err(RuntimeError::Entities(_)), _) | (Ok(()), Some(RuntimeEvent::Entities(_))) => CallType::Entities,
        (Err(RuntimeError::Governance(_)), _) | (Ok(()), Some(RuntimeEvent::Governance(_))) => {
            CallType::Governance
        }
        (Err(RuntimeError::Channels(_)), _) | (Ok(()), Some(RuntimeEvent::Channels(_))) => CallType::Channels,
        (Err(RuntimeError::Reserves(_)), _) | (Ok(()), Some(RuntimeEvent::Reserves(_))) => CallType::Reserves,
        (Ok(()), None) if has_changed(receipt, StorageType::Channels) => CallType::Channels,
        _ => CallType::Other,
    }
}

fn has_changed(receipt: &Receipt, part: StorageType) -> bool {
    receipt.changes.iter().any(|change| change.key.first() == Some(&(part as u8)))
}
