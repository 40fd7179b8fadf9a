//! What is written before anything is said: the inputs of an active height, in order.
//!
//! A row is one input of the engine. Replaying the rows of a height brings the engine back to where it was, with the
//! locks and votes that it had. Rows of one height are numbered from 0 without a gap; they are deleted in the transaction
//! that writes the decided frame, and nowhere else.

use codec::{Decode, Encode};
use xln_primitives::{DecodeError, EntityId, FrameHash, Height, Round, decode_exact};

use crate::{Ballot, Body, MESSAGE_BYTES_MAX, MemberIndex, Offer, Polka, Signed, Step};

/// One input of the engine, as it is logged.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Entry {
    /// A proposal, ours or another's.
    #[codec(index = 0)]
    Offer(Signed<Offer>),
    /// A vote, ours or another's.
    #[codec(index = 1)]
    Ballot(Signed<Ballot>),
    /// A quorum of prevotes that came as one message.
    #[codec(index = 2)]
    Polka(Polka),
    /// What the runtime says about a frame.
    #[codec(index = 3)]
    Value {
        /// Round of the proposal.
        round: Round,
        /// Whose proposal.
        member: MemberIndex,
        /// The frame.
        frame: FrameHash,
        /// The frame's bytes if it is valid, so that a decision survives a restart of everybody at once.
        body: Option<Body>,
    },
    /// The time to propose in a round passed.
    #[codec(index = 4)]
    ProposeTimeout(Round),
    /// The time to vote in a round, after a quorum voted for different things, passed.
    #[codec(index = 5)]
    VoteTimeout(Step, Round),
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whose height.
    pub entity: EntityId,
    /// Which height.
    pub height: Height,
    /// Its number among the rows of that height.
    pub sequence: u64,
    /// The input.
    pub entry: Entry,
}

/// Why stored bytes are not a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The key has another length.
    #[error("a key of {0} bytes is not a consensus log key of 48")]
    Key(usize),
    /// The value is not an entry.
    #[error("row {sequence} of {entity} at height {height}: {error}")]
    Entry {
        /// Whose.
        entity: EntityId,
        /// At which height.
        height: Height,
        /// Its number.
        sequence: u64,
        /// What is wrong.
        error: DecodeError,
    },
}

impl Row {
    /// The key to store it under: `entity ‖ height ‖ sequence`, integers big-endian, so that keys sort as rows do.
    #[must_use]
    pub fn key(&self) -> [u8; 48] {
        let mut key = [0; 48];
        key[..32].copy_from_slice(self.entity.as_ref());
        key[32..40].copy_from_slice(&self.height.to_be_bytes());
        key[40..].copy_from_slice(&self.sequence.to_be_bytes());
        key
    }

    /// The value to store.
    #[must_use]
    pub fn value(&self) -> Vec<u8> {
        self.entry.encode()
    }

    /// Reads back what [`Row::key`] and [`Row::value`] wrote.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Self, RowError> {
        let wrong = || RowError::Key(key.len());
        let (entity, numbers) = key.split_at_checked(32).ok_or_else(wrong)?;
        let (height, sequence) = numbers.split_at_checked(8).ok_or_else(wrong)?;
        let entity = EntityId::new(entity.try_into().map_err(|_| wrong())?);
        let height = u64::from_be_bytes(height.try_into().map_err(|_| wrong())?);
        let sequence = u64::from_be_bytes(sequence.try_into().map_err(|_| wrong())?);
        let entry = decode_exact(value, MESSAGE_BYTES_MAX).map_err(|error| RowError::Entry {
            entity,
            height,
            sequence,
            error,
        })?;
        Ok(Self { entity, height, sequence, entry })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(height: Height, sequence: u64) -> Row {
        let entry = Entry::ProposeTimeout(3);
        Row { entity: EntityId::new([1; 32]), height, sequence, entry }
    }

    #[test]
    fn a_row_reads_back_what_it_writes_and_keys_sort_as_rows() {
        let rows = [row(1, 0), row(1, 1), row(1, 256), row(2, 0), row(256, 7)];
        let keys: Vec<_> = rows.iter().map(Row::key).collect();
        assert!(keys.is_sorted());
        for row in rows {
            assert_eq!(Row::read(&row.key(), &row.value()), Ok(row));
        }
    }

    #[test]
    fn damaged_rows_are_named() {
        let row = row(9, 2);
        assert_eq!(Row::read(&row.key()[..47], &row.value()), Err(RowError::Key(47)));
        let error = Row::read(&row.key(), &[9]).unwrap_err().to_string();
        assert!(error.contains("row 2 of 0x0101") && error.contains("height 9"), "{error}");
    }
}
