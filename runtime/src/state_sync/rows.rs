//! Rows as bytes, and a tree from the bytes of its rows.

use xln_primitives::{EntityId, FrameHeader, Hash};
use xln_tree::{LimitError, MAX_KEY_BYTES, MAX_VALUE_BYTES, Tree};

use crate::entity::tree_config;

/// Bytes of a value's length.
const LENGTH_BYTES: usize = 4;

/// Rows of no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    /// A row that no tree holds.
    #[error("row {row}: {reason}")]
    Limit {
        /// Its place among all rows, from 0.
        row: u64,
        /// What is too long.
        reason: LimitError,
    },
    /// A key that is not greater than the one before.
    #[error("the key of row {row} is not greater than the one before")]
    Unsorted {
        /// Its place among all rows, from 0.
        row: u64,
    },
    /// The bytes end within a row.
    #[error("the last {left} bytes, after row {row}, are no whole row")]
    CutShort {
        /// How many rows there are before.
        row: u64,
        /// How many bytes are left.
        left: usize,
    },
    /// The rows are those of another state.
    #[error("{rows} rows lead to state root {found}, frame {height} says {expected}")]
    Root {
        /// How many rows.
        rows: u64,
        /// Height of the frame.
        height: u64,
        /// Where the rows lead to.
        found: Hash,
        /// What the frame says.
        expected: Hash,
    },
    /// The state has no board, which every state has.
    #[error("the state of entity {entity} has no board")]
    NoBoard {
        /// Whose.
        entity: EntityId,
    },
}

/// Appends the bytes of a row.
pub(super) fn encode(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    // A tree's keys have at most 127 bytes, its values at most 16 MiB.
    out.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(key);
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
}

/// A tree that is being put together.
#[derive(Debug)]
pub(super) struct Rows {
    tree: Tree,
    /// Bytes of a row that has not come wholly. Shorter than the longest row.
    partial: Vec<u8>,
    last: Option<Vec<u8>>,
    count: u64,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self { tree: Tree::new(tree_config()), partial: Vec::new(), last: None, count: 0 }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Takes the next bytes. After an error nothing more makes sense.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), RowsError> {
        self.partial.extend_from_slice(bytes);
        let buffer = core::mem::take(&mut self.partial);
        let mut rest = buffer.as_slice();
        let mut rows: Vec<(&[u8], Option<&[u8]>)> = Vec::new();
        while let Some((key, value, after)) = self.row(rest)? {
            if rows.last().map(|(key, _)| *key).or(self.last.as_deref()).is_some_and(|last| last >= key) {
                return Err(RowsError::Unsorted { row: self.count });
            }
            rows.push((key, Some(value)));
            self.count = self.count.saturating_add(1);
            rest = after;
        }
        if let Some((key, _)) = rows.last() {
            self.last = Some(key.to_vec());
        }
        self.tree.apply(rows).map_err(|reason| RowsError::Limit { row: self.count, reason })?;
        self.partial = rest.to_vec();
        Ok(())
    }

    /// Key and value of the row at the beginning of `bytes`, and what follows; none if it is not wholly there.
    #[allow(clippy::type_complexity, reason = "a name for it would say less")]
    fn row<'a>(&self, bytes: &'a [u8]) -> Result<Option<(&'a [u8], &'a [u8], &'a [u8])>, RowsError> {
        let limit = |reason| RowsError::Limit { row: self.count, reason };
        let Some((length, rest)) = bytes.split_first() else { return Ok(None) };
        let length = usize::from(*length);
        if length > MAX_KEY_BYTES {
            return Err(limit(LimitError::Key(length)));
        }
        let Some((key, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let Some((size, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        if size > MAX_VALUE_BYTES {
            return Err(limit(LimitError::Value(size)));
        }
        Ok(rest.split_at_checked(size).map(|(value, after)| (key, value, after)))
    }

    /// The tree, if it is the one of this frame.
    pub(super) fn finish(mut self, header: &FrameHeader) -> Result<Tree, RowsError> {
        if !self.partial.is_empty() {
            return Err(RowsError::CutShort { row: self.count, left: self.partial.len() });
        }
        let (found, expected) = (Hash::new(self.tree.commit()), header.state_root);
        if found != expected {
            return Err(RowsError::Root { rows: self.count, height: header.height, found, expected });
        }
        Ok(self.tree)
    }
}
