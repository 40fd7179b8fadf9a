//! Looking into a tree step by step, as a state browser does.

use crate::{
    bits::Bits,
    entry::Entry,
    limits::MAX_KEY_BYTES,
    node::{Child, Node},
    tree::Tree,
};

/// The keys that begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they begin with; the whole key if there is only one and it ends here.
    pub prefix: Vec<u8>,
    /// How many they are, at least one.
    pub entries: usize,
}

impl Tree {
    /// The keys that begin with `prefix`, grouped by the `depth` bytes that follow, in key order. A key that has fewer
    /// is a group of its own.
    ///
    /// Each group costs one path down the tree when it is asked for, however many entries it has.
    ///
    /// ```
    /// # use xln_tree::{Config, Tree};
    /// let mut tree = Tree::new(Config::default());
    /// tree.apply(["a", "apple", "axe", "bee"].map(|key| (key, Some(""))))?;
    /// let groups: Vec<_> = tree.view(b"a", 1).map(|group| (group.prefix, group.entries)).collect();
    /// assert_eq!(groups, [(b"a".to_vec(), 1), (b"ap".to_vec(), 1), (b"ax".to_vec(), 1)]);
    /// # Ok::<(), xln_tree::LimitError>(())
    /// ```
    pub fn view(&self, prefix: &[u8], depth: usize) -> impl Iterator<Item = Group> {
        let (path, length) = (prefix.to_vec(), prefix.len().saturating_add(depth));
        let mut after: Option<Vec<u8>> = None;
        core::iter::from_fn(move || {
            let (key, _) = self.range(&path, after.as_deref()).next()?;
            let Some(prefix) = key.get(..length) else {
                after = Some(key.to_vec());
                return Some(Group { prefix: key.to_vec(), entries: 1 });
            };
            // Not less than any key of this group, and less than all of the next.
            let mut last = prefix.to_vec();
            last.resize(MAX_KEY_BYTES, u8::MAX);
            after = Some(last);
            Some(Group { prefix: prefix.to_vec(), entries: self.count(prefix) })
        })
    }

    /// Number of entries whose key begins with `prefix`, which is the beginning of a key.
    fn count(&self, prefix: &[u8]) -> usize {
        // A key reads as if zeros followed, so keys that end where only zeros follow in the prefix agree with it too.
        let zeros = prefix.iter().rev().take_while(|byte| **byte == 0).count();
        let shorter = (prefix.len() - zeros..prefix.len()).filter_map(|length| prefix.get(..length));
        let shorter = shorter.filter(|key| self.contains_key(key)).count();
        self.count_agreeing(prefix).saturating_sub(shorter)
    }

    /// Number of entries whose bits begin with those of the bytes of `prefix`.
    fn count_agreeing(&self, prefix: &[u8]) -> usize {
        let (bits, config) = (Bits::of_bound(prefix), self.config());
        // At most 8 × `MAX_KEY_BYTES`.
        let agreed = u16::try_from(prefix.len() * 8).unwrap_or(u16::MAX);
        let Some(mut child) = self.top() else { return 0 };
        let mut from = 0;
        loop {
            let branch = match &child.node {
                Node::Leaf(leaf) => {
                    let difference = |entry: &Entry<'_>| entry.bits().first_difference(bits);
                    let agrees =
                        |entry: &Entry<'_>| difference(entry).is_none_or(|position| position >= agreed);
                    return leaf.parts().entries().filter(agrees).count();
                }
                Node::Branch(branch) => branch,
            };
            if branch.start(config) >= agreed {
                let agrees =
                    child.first_key().first_difference(bits).is_none_or(|position| position >= agreed);
                return if agrees { child.entries } else { 0 };
            }
            if branch.leaves(bits, from, config).is_some() {
                return 0;
            }
            // The bits of the level that do not matter; all do if the prefix goes on behind them.
            let beyond = branch.end(config).saturating_sub(agreed);
            let path = bits.chunk(branch.level(), config.bit_width()) >> beyond;
            let first = branch.links().partition_point(|link| link.path >> beyond < path);
            let behind = branch.links().partition_point(|link| link.path >> beyond <= path);
            let agreeing = branch.links().get(first..behind).unwrap_or_default();
            // Of several children that agree all keys do: they part behind the bits that matter.
            if agreeing.len() > 1 {
                return agreeing.iter().map(|link| link.child.entries).sum();
            }
            // Of a single leaf only some may; and it may be one whose path is that of another key in it.
            from = branch.end(config);
            match branch.child(bits, config) {
                Some(Child { node: Node::Branch(_), .. }) if agreeing.is_empty() => return 0,
                Some(below) => child = below,
                None => return 0,
            }
        }
    }
}
