//! What changed between two versions of a tree.
//!
//! Both trees are walked in key order at once. Where the two walks stand before the same subtree (one node that both
//! share, or two of one hash) neither goes into it; where they stand before different ones, the wider is opened. So
//! the walks go down only where something changed:
//!
//! ```text
//!  older      a                newer      a'                opened: a and a', c and c'
//!           ╱ │ ╲                       ╱ │ ╲               skipped: b, d
//!          b  c  d                     b  c' d
//! ```

use core::cmp::Ordering;

use crate::{
    branch::Link,
    leaf::Parts,
    node::{Child, Node},
    tree::Tree,
};

/// Key and value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// The changes that make one tree of another, in the order of their keys' bytes: made by [`Tree::diff`].
#[derive(Clone)]
pub struct Diff<'a> {
    newer: Walk<'a>,
    older: Walk<'a>,
    /// Whether equal hashes mean equal content: both trees are hashed by one function.
    comparable: bool,
}

impl Tree {
    /// What has changed since `older`, in key order: each key that is new or has another value with this value, and
    /// each that is gone with none.
    ///
    /// The two may be any trees. If one was made of the other, or both are committed and hashed by one function, it
    /// costs time in proportion to the changes, not to the entries.
    ///
    /// ```
    /// # use xln_tree::{Config, Tree};
    /// let mut tree = Tree::new(Config::default());
    /// tree.apply([("a", Some("1")), ("b", Some("1")), ("c", Some("1"))])?;
    /// let older = tree.clone();
    /// tree.apply([("a", None), ("b", Some("2")), ("d", Some("3"))])?;
    /// let changes: Vec<_> = tree.diff(&older).collect();
    /// assert_eq!(changes, [(&b"a"[..], None), (b"b", Some(&b"2"[..])), (b"d", Some(b"3"))]);
    /// # Ok::<(), xln_tree::LimitError>(())
    /// ```
    #[must_use]
    pub fn diff<'a>(&'a self, older: &'a Self) -> Diff<'a> {
        Diff {
            newer: Walk::over(self),
            older: Walk::over(older),
            comparable: self.config().hasher() == older.config().hasher(),
        }
    }
}

impl<'a> Iterator for Diff<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match (self.newer.head(), self.older.head()) {
                (None, None) => return None,
                (Some(Head::Subtree(newer)), Some(Head::Subtree(older))) => {
                    if newer.is_known_to_equal(older, self.comparable) {
                        self.newer.skip();
                        self.older.skip();
                        continue;
                    }
                    let order = height(newer).cmp(&height(older));
                    if order.is_ge() {
                        self.newer.open();
                    }
                    if order.is_le() {
                        self.older.open();
                    }
                }
                (Some(Head::Subtree(_)), _) => self.newer.open(),
                (_, Some(Head::Subtree(_))) => self.older.open(),
                (Some(Head::Entry(newer)), Some(Head::Entry(older))) => match newer.0.cmp(older.0) {
                    Ordering::Less => return self.put(newer),
                    Ordering::Greater => return self.gone(older),
                    Ordering::Equal if newer.1 == older.1 => {
                        self.newer.skip();
                        self.older.skip();
                    }
                    Ordering::Equal => {
                        self.older.skip();
                        return self.put(newer);
                    }
                },
                (Some(Head::Entry(newer)), None) => return self.put(newer),
                (None, Some(Head::Entry(older))) => return self.gone(older),
            }
        }
    }
}

impl core::iter::FusedIterator for Diff<'_> {}

impl<'a> Diff<'a> {
    fn put(&mut self, (key, value): Pair<'a>) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        self.newer.skip();
        Some((key, Some(value)))
    }

    fn gone(&mut self, (key, _): Pair<'a>) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        self.older.skip();
        Some((key, None))
    }
}

/// How far up a node may stand: the fewer bits its keys share, the wider it is.
fn height(child: &Child) -> u16 {
    match &child.node {
        Node::Leaf(_) => 0,
        Node::Branch(branch) => u16::MAX - branch.level(),
    }
}

/// A walk in key order that opens nodes only when told. Holds what is left of each opened node.
#[derive(Clone)]
struct Walk<'a>(Vec<Rest<'a>>);

#[derive(Clone)]
enum Rest<'a> {
    Root(&'a Child),
    Links(&'a [Link]),
    /// A leaf, and the index of the next entry.
    Leaf(Parts<'a>, usize),
}

/// What a walk stands before.
enum Head<'a> {
    Subtree(&'a Child),
    Entry(Pair<'a>),
}

impl<'a> Walk<'a> {
    fn over(tree: &'a Tree) -> Self {
        Self(tree.top().map(Rest::Root).into_iter().collect())
    }

    fn head(&mut self) -> Option<Head<'a>> {
        loop {
            match self.0.last()? {
                Rest::Root(root) => return Some(Head::Subtree(root)),
                Rest::Links([first, ..]) => return Some(Head::Subtree(&first.child)),
                Rest::Leaf(parts, index) if *index < parts.len() => {
                    return Some(Head::Entry(parts.pair(*index)));
                }
                Rest::Links([]) | Rest::Leaf(..) => drop(self.0.pop()),
            }
        }
    }

    /// Goes past what it stands before.
    fn skip(&mut self) {
        match self.0.last_mut() {
            Some(Rest::Links(rest)) => *rest = rest.split_first().map_or(&[], |(_, rest)| rest),
            Some(Rest::Leaf(_, index)) => *index += 1,
            Some(Rest::Root(_)) | None => drop(self.0.pop()),
        }
    }

    /// Goes into the subtree that it stands before.
    fn open(&mut self) {
        if let Some(Head::Subtree(child)) = self.head() {
            self.skip();
            self.0.push(match &child.node {
                Node::Leaf(leaf) => Rest::Leaf(leaf.parts(), 0),
                Node::Branch(branch) => Rest::Links(branch.links()),
            });
        }
    }
}

impl core::fmt::Debug for Diff<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Diff").finish_non_exhaustive()
    }
}
