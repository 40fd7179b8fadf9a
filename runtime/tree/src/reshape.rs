//! Giving a branch other children.

use crate::{
    branch::{Branch, Link, lowest, split, touch},
    config::Config,
    entry::Entry,
    hash::Memo,
    leaf::{Leaf, fits},
    node::{Child, Node},
};

/// What a batch did to the children of a branch.
#[derive(Default)]
pub(crate) struct Changes {
    /// Indices of children with other content, ascending.
    pub(crate) touched: Vec<usize>,
    /// Indices of children without entries, ascending.
    pub(crate) emptied: Vec<usize>,
    /// New children, each with the index of the child before which it belongs, ascending.
    pub(crate) born: Vec<(usize, Child)>,
    /// Whether two leaves may have become small enough to be one.
    pub(crate) shrunk: bool,
    /// Entries of new children, and of touched ones now.
    pub(crate) added: usize,
    /// Entries of emptied children, and of touched ones before.
    pub(crate) removed: usize,
    /// Whether a child has become a branch of the level of its parent, which has to take its children.
    pub(crate) grown: bool,
}

impl Changes {
    pub(crate) const fn is_empty(&self) -> bool {
        self.touched.is_empty() && self.emptied.is_empty() && self.born.is_empty()
    }
}

/// What a node has become.
pub(crate) enum Shape {
    /// What it was, with other content.
    Kept,
    /// Something else.
    Other(Child),
    /// Nothing.
    Empty,
}

/// Takes note of changes to the children of a branch and gives it the one shape that its content demands.
pub(crate) fn reshape(links: &mut [Link], changes: &Changes, config: Config) -> Shape {
    if changes.emptied.is_empty() && changes.born.is_empty() && !changes.grown {
        touch(links, 0, &changes.touched);
        if !changes.shrunk || !any_small_pair(links, config) {
            return Shape::Kept;
        }
    }
    let mut links = rebuild(links, changes, config);
    if any_small_pair(&links, config) {
        let mut merged = Vec::with_capacity(links.len());
        merge(&links, &mut merged, config);
        links = merged;
    }
    match links.len() {
        0 => Shape::Empty,
        1 => links.pop().map_or(Shape::Empty, |link| Shape::Other(link.child)),
        _ => Shape::Other(Child::branch(Branch::of(links))),
    }
}

/// Takes children out, puts others in, and splices those of the same level.
fn rebuild(old: &[Link], changes: &Changes, config: Config) -> Vec<Link> {
    let level = old.first().map_or(0, |link| link.level);
    let mut links = Vec::with_capacity(old.len() + changes.born.len() + 2);
    // Indices of links above which forks have to be hashed, ascending, perhaps repeated.
    let mut touched = Vec::new();
    let splice = |child: &Child, links: &mut Vec<Link>| match &child.node {
        Node::Branch(inner) if inner.level() == level => links.extend_from_slice(inner.links()),
        _ => links.push(Link::new(child.clone(), level, config)),
    };
    let mut born = changes.born.iter().peekable();
    // A link brings the hash of the fork behind it. Where the next is another than before, one of the two is touched,
    // and so the fork.
    for (index, link) in old.iter().enumerate() {
        while let Some((_, child)) = born.next_if(|(before, _)| *before <= index) {
            touched.push(links.len());
            splice(child, &mut links);
        }
        if changes.emptied.binary_search(&index).is_ok() {
            // All forks that are left above it are above one of its neighbours.
            touched.extend(links.len().checked_sub(1));
            touched.push(links.len());
            continue;
        }
        if changes.touched.binary_search(&index).is_ok() {
            touched.push(links.len());
        }
        if link.child.is_of_level(level) {
            splice(&link.child, &mut links);
        } else {
            links.push(link.clone());
        }
    }
    for (_, child) in born {
        touched.push(links.len());
        splice(child, &mut links);
    }
    let paths: Vec<u16> = links.iter().skip(1).map(|link| link.path).collect();
    for (link, next) in links.iter_mut().zip(paths) {
        link.split = split(level, link.path, next, config);
    }
    if let Some(last) = links.last_mut() {
        last.fork = Memo::STALE;
    }
    touched.retain(|index| *index < links.len());
    touch(&mut links, 0, &touched);
    links
}

/// Whether two neighbours might be one leaf.
fn any_small_pair(links: &[Link], config: Config) -> bool {
    let leaf = |link: &Link| matches!(link.child.node, Node::Leaf(_)).then_some(link.child.entries);
    let mut sizes = links.iter().zip(links.iter().skip(1)).filter_map(|(a, b)| Some(leaf(a)? + leaf(b)?));
    sizes.any(|size| size <= usize::from(config.leaf_threshold()))
}

/// Moves links, making one leaf of those under each fork that has no more below it than a leaf can hold. As deep as the
/// forks.
fn merge(links: &[Link], into: &mut Vec<Link>, config: Config) {
    let Some((top, _)) = lowest(links) else {
        into.extend_from_slice(links);
        return;
    };
    let joined = joined(links, config).zip(links.first()).zip(links.last());
    if let Some(((leaf, first), last)) = joined {
        let child = Child::leaf(leaf);
        into.push(Link { child, fork: last.fork, split: last.split, ..first.clone() });
        return;
    }
    let (left, right) = links.split_at(top + 1);
    merge(left, into, config);
    merge(right, into, config);
}

/// All entries under some links as one leaf, if they fit.
fn joined(links: &[Link], config: Config) -> Option<Leaf> {
    let count: usize = links.iter().map(|link| link.child.entries).sum();
    if count > usize::from(config.leaf_threshold()) {
        return None;
    }
    let mut entries: Vec<Entry<'_>> = Vec::with_capacity(count);
    for link in links {
        let Node::Leaf(leaf) = &link.child.node else { return None };
        entries.extend(leaf.parts().entries());
        if let Some(last) = entries.last_mut() {
            last.split = link.split;
        }
    }
    fits(&entries, config).then(|| Leaf::of(&entries))
}
