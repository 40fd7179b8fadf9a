//! The tree as its users see it.

use std::borrow::Cow;

use crate::{
    batch::{self, Hashing, Operation},
    bits::Bits,
    config::Config,
    hash::Hash,
    limits::{LimitError, MAX_VALUE_BYTES},
    node::{Child, Node},
};

/// A canonical Merkle tree from keys of up to 127 bytes to values of up to 16 MiB.
///
/// A clone costs nothing and shares all nodes; what either of the two changes afterwards is copied along the path.
/// Readers may share a tree between threads: no method on `&self` changes anything.
///
/// Hashes are lazy: [`Tree::insert`] and [`Tree::remove`] only forget what is no longer right, [`Tree::commit`]
/// computes it. [`Tree::apply`] does both in one pass.
#[derive(Clone)]
pub struct Tree {
    config: Config,
    root: Option<Child>,
}

impl Tree {
    /// A tree without entries.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { config, root: None }
    }

    /// The layout and hash function given to [`Tree::new`].
    #[must_use]
    pub const fn config(&self) -> Config {
        self.config
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.root.as_ref().map_or(0, |child| child.entries)
    }

    /// Whether there are no entries.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// The value of a key. A key that no tree can hold has none.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let bits = Bits::of_key(key).ok()?;
        let mut node = &self.root.as_ref()?.node;
        loop {
            match node {
                Node::Branch(branch) => node = &branch.child(bits, self.config)?.node,
                Node::Leaf(leaf) => {
                    let parts = leaf.parts();
                    let (found, value) = parts.pair(parts.find(bits));
                    return (found == key).then_some(value);
                }
            }
        }
    }

    /// Whether a key has a value.
    #[must_use]
    pub fn contains_key(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    /// Gives a key a value and returns the one it had. Hashes nothing.
    ///
    /// # Errors
    /// If the key or the value is too long; nothing has changed then.
    pub fn insert(
        &mut self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<Option<Vec<u8>>, LimitError> {
        let operation = operation(key.as_ref(), Some(value.as_ref()))?;
        let old = self.get(key.as_ref()).map(<[u8]>::to_vec);
        batch::apply(&mut self.root, &[operation], self.config, Hashing::Later);
        Ok(old)
    }

    /// Takes a key out and returns its value, if it had one. Hashes nothing.
    pub fn remove(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let bits = Bits::of_key(key).ok()?;
        let old = self.get(key)?.to_vec();
        batch::apply(&mut self.root, &[Operation::new(bits, None)], self.config, Hashing::Later);
        Some(old)
    }

    /// Gives each key its value, or takes it out where there is none, and commits. Returns the root. If a key
    /// comes more than once, the last counts.
    ///
    /// # Errors
    /// If a key or a value is too long; nothing has changed then.
    pub fn apply<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        changes: impl IntoIterator<Item = (K, Option<V>)>,
    ) -> Result<Hash, LimitError> {
        let changes: Vec<_> = changes.into_iter().collect();
        let operations =
            changes.iter().map(|(key, value)| operation(key.as_ref(), value.as_ref().map(AsRef::as_ref)));
        let mut operations = operations.collect::<Result<Vec<_>, LimitError>>()?;
        batch::sort(&mut operations);
        batch::apply(&mut self.root, &operations, self.config, Hashing::Now);
        Ok(self.commit())
    }

    /// Computes the hashes that changes have made unknown, and returns the root.
    pub fn commit(&mut self) -> Hash {
        match &mut self.root {
            None => self.config.hasher().empty(),
            Some(child) => child.refresh(self.config),
        }
    }

    /// Whether all hashes are known, that is, nothing has changed since the last commit.
    #[must_use]
    pub fn is_committed(&self) -> bool {
        self.root.as_ref().is_none_or(|child| child.hash.get().is_some())
    }

    /// The root of what the tree holds now. Free if the tree is committed; if not, it hashes what [`Tree::commit`]
    /// would, without keeping it.
    #[must_use]
    pub fn root(&self) -> Hash {
        match &self.root {
            None => self.config.hasher().empty(),
            Some(child) => child.hash.get().unwrap_or_else(|| self.clone().commit()),
        }
    }

    /// This tree if it is committed, else a copy that is.
    pub(crate) fn committed(&self) -> Cow<'_, Self> {
        if self.is_committed() {
            return Cow::Borrowed(self);
        }
        let mut copy = self.clone();
        copy.commit();
        Cow::Owned(copy)
    }

    pub(crate) const fn top_mut(&mut self) -> &mut Option<Child> {
        &mut self.root
    }

    pub(crate) const fn top(&self) -> Option<&Child> {
        self.root.as_ref()
    }
}

/// A change within the limits of a tree.
fn operation<'a>(key: &'a [u8], value: Option<&'a [u8]>) -> Result<Operation<'a>, LimitError> {
    match value {
        Some(value) if value.len() > MAX_VALUE_BYTES => Err(LimitError::Value(value.len())),
        _ => Ok(Operation::new(Bits::of_key(key)?, value)),
    }
}

impl core::fmt::Debug for Tree {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tree").field("config", &self.config).field("len", &self.len()).finish_non_exhaustive()
    }
}
