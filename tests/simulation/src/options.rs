//! What goes wrong in a run.

use xln_integration::Random;

/// A payment whose receiver was away ends when its conditions expire, after minutes.
const SETTLED_MS: u64 = 900_000;

/// A safeguard that is taken away, to see that its absence is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Votes are acknowledged as durable and are not.
    NoLog,
    /// A restart forgets what entities said and was not delivered.
    OutboxForgets,
    /// A validator whose disk is lost votes as if it never had.
    NoMarks,
    /// Messages of other servers are handed to the author in the wrong order, and what came too early is not brought again.
    DisorderedMessages,
    /// A disk comes back from a backup, nobody says so, and the marks of votes are gone.
    SilentRestore,
}

/// Everything about a run but its chances, all drawn from the seed.
#[derive(Debug, Clone)]
pub struct Options {
    /// Servers that vote.
    pub validators: usize,
    /// How long there are faults, in ms.
    pub faulty_ms: u64,
    /// Messages that get lost, in percent.
    pub loss_percent: u64,
    /// Messages that come twice, in percent.
    pub duplicate_percent: u64,
    /// Longest way of a message, in ms; also how far messages overtake each other.
    pub delay_ms_max: u64,
    /// Longest time until what was executed is on disk, in ms.
    pub sync_ms_max: u64,
    /// Crashes, which lose everything that was not synced.
    pub crashes: u64,
    /// How often one validator, where nobody lives, loses its disk.
    pub wipes: u64,
    /// How often the same validator gets an earlier copy of its disk back, of which the operator says so.
    pub restores: u64,
    /// Disks that fail while votes are written; the process ends, as it must.
    pub disk_faults: u64,
    /// Partitions: into two parts, or one way only.
    pub partitions: u64,
    /// Servers that stand still for a while, as a process that is stopped.
    pub pauses: u64,
    /// How far clocks may be apart, in ms.
    pub skew_ms_max: u64,
    /// Whether one validator lies.
    pub lies: bool,
    /// Whether there are entities besides the depositary whose boards vote: one with a channel, one that is founded later.
    pub boards: bool,
    /// Whether the depositary's board changes: a server that followed takes a seat, others leave and come back.
    pub changes: bool,
    /// Whether the chain spec does not say where users live: they say it themselves.
    pub unlisted: bool,
    /// What is taken away.
    pub mutation: Option<Mutation>,
    /// How long everything may take to come to its end after the faults, in ms.
    pub settled_ms: u64,
}

impl Options {
    /// Without any fault.
    #[must_use]
    pub const fn calm() -> Self {
        Self {
            validators: 4,
            faulty_ms: 3_000,
            loss_percent: 0,
            duplicate_percent: 0,
            delay_ms_max: 5,
            sync_ms_max: 2,
            crashes: 0,
            wipes: 0,
            restores: 0,
            disk_faults: 0,
            partitions: 0,
            pauses: 0,
            skew_ms_max: 0,
            lies: false,
            boards: true,
            changes: false,
            unlisted: false,
            mutation: None,
            settled_ms: SETTLED_MS,
        }
    }

    /// What a seed says.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x0b57_ac1e);
        let mut sometimes = |percent: u64, most: u64| {
            let worth = random.between(1, most.max(1));
            if random.chance(percent) { worth } else { 0 }
        };
        Self {
            faulty_ms: 1_000 + sometimes(100, 2_500),
            loss_percent: sometimes(60, 30),
            duplicate_percent: sometimes(50, 20),
            delay_ms_max: 1 + sometimes(80, 100),
            sync_ms_max: 1 + sometimes(80, 20),
            crashes: sometimes(70, 8),
            disk_faults: sometimes(30, 3),
            partitions: sometimes(50, 3),
            pauses: sometimes(30, 3),
            skew_ms_max: sometimes(50, 250),
            lies: sometimes(30, 1) > 0,
            boards: sometimes(20, 1) > 0,
            validators: if sometimes(4, 1) > 0 { 7 } else { 4 },
            wipes: sometimes(25, 2),
            restores: sometimes(25, 2),
            changes: sometimes(30, 1) > 0,
            unlisted: sometimes(30, 1) > 0,
            mutation: None,
            settled_ms: SETTLED_MS,
        }
    }
}
