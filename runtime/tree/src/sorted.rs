//! Building a whole tree of sorted entries, as a restart does.
//!
//! Entries are taken in runs of [`RUN_ENTRIES`]: each is put into the tree so far as one batch, whose subtrees are built
//! and hashed in parallel. All keys of a run are greater than those before, so that only the nodes on the right edge of
//! the tree are touched again, and memory holds one run beside the tree.

use crate::{
    batch::{Hashing, Operation, apply},
    bits::Bits,
    config::Config,
    limits::{LimitError, MAX_VALUE_BYTES},
    tree::Tree,
};

/// Entries of one run.
const RUN_ENTRIES: usize = 1 << 16;

/// Most bytes of keys and values after which a run ends, whatever the number of its entries.
const RUN_BYTES: usize = 64 << 20;

/// Entries of which no tree can be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SortedError {
    /// A key or a value is too long.
    #[error("entry {index}: {source}")]
    Limit {
        /// Number of entries before this one.
        index: usize,
        /// What is too long.
        source: LimitError,
    },
    /// A key is not greater than the one before.
    #[error(
        "the key of entry {index} is not greater than the one before; sort the entries and leave each key once"
    )]
    Unsorted {
        /// Number of entries before this one.
        index: usize,
    },
}

impl Tree {
    /// The committed tree of entries in ascending order of their keys: the same as [`Tree::apply`] makes of them, with
    /// less memory on the way.
    ///
    /// ```
    /// # use xln_tree::{Config, SortedError, Tree};
    /// let tree = Tree::from_sorted(Config::default(), [("alice", "100"), ("bob", "20")])?;
    /// assert_eq!(tree.get(b"bob"), Some(&b"20"[..]));
    /// let unsorted = Tree::from_sorted(Config::default(), [("bob", "20"), ("alice", "100")]);
    /// assert_eq!(unsorted.unwrap_err(), SortedError::Unsorted { index: 1 });
    /// # Ok::<(), SortedError>(())
    /// ```
    ///
    /// # Errors
    /// If keys do not ascend, or a key or a value is too long.
    pub fn from_sorted<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        config: Config,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, SortedError> {
        let mut tree = Self::new(config);
        let mut entries = entries.into_iter().enumerate();
        let mut last: Option<K> = None;
        loop {
            let run = take_run(&mut entries, last.as_ref())?;
            let operations: Vec<Operation<'_>> = run.iter().map(|(key, value)| put(key, value)).collect();
            if operations.is_empty() {
                return Ok(tree);
            }
            apply(tree.top_mut(), &operations, config, Hashing::Now);
            last = run.into_iter().next_back().map(|(key, _)| key);
        }
    }
}

/// The next entries, which are within the limits and greater than `last`.
fn take_run<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    entries: &mut impl Iterator<Item = (usize, (K, V))>,
    last: Option<&K>,
) -> Result<Vec<(K, V)>, SortedError> {
    let mut run: Vec<(K, V)> = Vec::new();
    let mut bytes = 0;
    while run.len() < RUN_ENTRIES && bytes < RUN_BYTES {
        let Some((index, (key, value))) = entries.next() else { break };
        Bits::of_key(key.as_ref()).map_err(|source| SortedError::Limit { index, source })?;
        if value.as_ref().len() > MAX_VALUE_BYTES {
            return Err(SortedError::Limit { index, source: LimitError::Value(value.as_ref().len()) });
        }
        let before = run.last().map(|(key, _)| key).or(last);
        if before.is_some_and(|before| before.as_ref() >= key.as_ref()) {
            return Err(SortedError::Unsorted { index });
        }
        bytes += key.as_ref().len() + value.as_ref().len();
        run.push((key, value));
    }
    Ok(run)
}

fn put<'a, K: AsRef<[u8]>, V: AsRef<[u8]>>(key: &'a K, value: &'a V) -> Operation<'a> {
    // No longer than a key may be: `take_run` has seen to it.
    Operation::new(Bits::of_bound(key.as_ref()), Some(value.as_ref()))
}
