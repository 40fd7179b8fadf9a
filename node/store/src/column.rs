//! The columns, their names and the form of their keys.

/// A column family. Its number is the first byte of every key in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Column {
    /// Where the mutable snapshot stands, and the state of the entities there.
    State = 0x00,
    /// Block headers by hash.
    Blocks = 0x01,
    /// Hashes of blocks by number.
    BlockNumbers = 0x02,
    /// What is kept of the past.
    Snapshot = 0x03,
    /// Manifests of immutable snapshots by hash.
    Archive = 0x04,
    /// Receipts by call hash.
    Receipts = 0x05,
    /// Log of the consensus of boards.
    Consensus = 0x06,
    /// Messages that peers have not confirmed.
    Outbox = 0x07,
    /// Slices by number.
    Slices = 0x08,
    /// Newest dispute proof of each channel.
    Proofs = 0x09,
    /// Hashes of the calls of each slice.
    SliceReceipts = 0x0a,
    /// Frames that boards decided, by entity and height, for those who follow.
    Frames = 0x0b,
    /// Proof of members of boards who signed two things for one place.
    Evidence = 0x0c,
    /// States of entities that were taken over whole, in chunks.
    Adopted = 0x0d,
    /// Proofs of changes of boards, by entity and the last height of the board before.
    Handovers = 0x0e,
}

impl Column {
    /// Every column, in the order of its number.
    pub const ALL: [Self; 15] = [
        Self::State,
        Self::Blocks,
        Self::BlockNumbers,
        Self::Snapshot,
        Self::Archive,
        Self::Receipts,
        Self::Consensus,
        Self::Outbox,
        Self::Slices,
        Self::Proofs,
        Self::SliceReceipts,
        Self::Frames,
        Self::Evidence,
        Self::Adopted,
        Self::Handovers,
    ];

    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Blocks => "blocks",
            Self::BlockNumbers => "block_numbers",
            Self::Snapshot => "snapshot",
            Self::Archive => "archive",
            Self::Receipts => "receipts",
            Self::Consensus => "consensus",
            Self::Outbox => "outbox",
            Self::Slices => "slices",
            Self::Proofs => "proofs",
            Self::SliceReceipts => "slice_receipts",
            Self::Frames => "frames",
            Self::Evidence => "evidence",
            Self::Adopted => "adopted",
            Self::Handovers => "handovers",
        }
    }

    /// Whether its keys are looked up one by one at random, so that a bloom filter saves disk reads.
    pub(crate) const fn looked_up(self) -> bool {
        matches!(self, Self::Blocks | Self::Receipts | Self::Proofs)
    }

    /// Length of its keys with the first byte; `None` for the state, whose keys have at least 66 bytes but for
    /// the marker's, which has one.
    pub(crate) const fn key_length(self) -> Option<usize> {
        match self {
            Self::State => None,
            Self::Blocks | Self::Archive | Self::Receipts => Some(1 + 32),
            Self::BlockNumbers | Self::Slices | Self::SliceReceipts => Some(1 + 8),
            Self::Snapshot => Some(1 + 1),
            Self::Consensus | Self::Evidence => Some(1 + 32 + 8 + 8),
            Self::Outbox | Self::Frames | Self::Handovers => Some(1 + 32 + 8),
            Self::Proofs => Some(1 + 32 + 32),
            Self::Adopted => Some(1 + 32 + 8 + 4),
        }
    }
}

impl core::fmt::Display for Column {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
