//! Giving a branch other children.

use std::sync::Arc;

use crate::{
    branch::{Branch, Link, Mark, lowest},
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
pub(crate) fn reshape(branch: &mut Branch, changes: Changes, config: Config) -> Shape {
    let level = branch.level();
    for index in &changes.touched {
        if let (Some(mark), Some(link)) = (branch.marks.get_mut(*index), branch.links.get(*index)) {
            mark.path = link.child.path(level, config);
        }
    }
    let to_splice = |index: &usize| branch.links.get(*index).is_some_and(|link| of_level(&link.child, level));
    if changes.emptied.is_empty() && changes.born.is_empty() && !changes.touched.iter().any(to_splice) {
        branch.touch(&changes.touched);
    } else {
        rebuild(branch, &changes, config);
    }
    if changes.shrunk || !changes.born.is_empty() {
        merge(branch, config);
    }
    match branch.links.len() {
        0 => Shape::Empty,
        1 => branch.links.pop().map_or(Shape::Empty, |link| Shape::Other(link.child)),
        _ => Shape::Kept,
    }
}

/// Whether a child is a branch of the level of its parent, which has to take its children.
fn of_level(child: &Child, level: u16) -> bool {
    matches!(&child.node, Node::Branch(branch) if branch.level() == level)
}

/// Links and marks in the making.
struct Row {
    marks: Vec<Mark>,
    links: Vec<Link>,
    /// Indices of links above which forks have to be hashed, ascending, perhaps repeated.
    touched: Vec<usize>,
    level: u16,
}

impl Row {
    /// Adds a new child, or its children if it is of the same level.
    fn add(&mut self, child: Child, config: Config) {
        self.touched.push(self.links.len());
        match child.node {
            Node::Branch(inner) if inner.level() == self.level => {
                let Branch { marks, links, .. } = &mut Arc::unwrap_or_clone(inner);
                self.marks.append(marks);
                self.links.append(links);
            }
            _ => {
                self.marks.push(Mark { path: child.path(self.level, config), split: u16::MAX });
                self.links.push(Link { child, fork: Memo::STALE });
            }
        }
    }
}

/// Takes children out, puts others in, and splices those of the same level.
fn rebuild(branch: &mut Branch, changes: &Changes, config: Config) {
    let (marks, links) = (core::mem::take(&mut branch.marks), core::mem::take(&mut branch.links));
    let capacity = links.len() + changes.born.len() + 2;
    let mut row = Row {
        marks: Vec::with_capacity(capacity),
        links: Vec::with_capacity(capacity),
        touched: Vec::new(),
        level: branch.level(),
    };
    let mut born = changes.born.iter().peekable();
    // A link brings the hash of the fork behind it. Where the next is another than before, one of the two is touched,
    // and so the fork.
    for (index, (mark, link)) in marks.into_iter().zip(links).enumerate() {
        while let Some((_, child)) = born.next_if(|(before, _)| *before <= index) {
            row.add(child.clone(), config);
        }
        if changes.emptied.binary_search(&index).is_ok() {
            // All forks that are left above it are above one of its neighbours.
            row.touched.extend(row.links.len().checked_sub(1));
            row.touched.push(row.links.len());
            continue;
        }
        if of_level(&link.child, row.level) {
            row.add(link.child, config);
            continue;
        }
        if changes.touched.binary_search(&index).is_ok() {
            row.touched.push(row.links.len());
        }
        row.marks.push(mark);
        row.links.push(link);
    }
    for (_, child) in born {
        row.add(child.clone(), config);
    }
    for index in 1..row.marks.len() {
        // Both are indices of `marks`.
        row.marks[index - 1].split = branch.split(row.marks[index - 1].path, row.marks[index].path, config);
    }
    if let (Some(mark), Some(link)) = (row.marks.last_mut(), row.links.last_mut()) {
        (mark.split, link.fork) = (u16::MAX, Memo::STALE);
    }
    branch.marks = row.marks;
    branch.links = row.links;
    row.touched.retain(|index| *index < branch.links.len());
    branch.touch(&row.touched);
}

/// Makes one leaf of each fork that has no more below it than a leaf can hold.
fn merge(branch: &mut Branch, config: Config) {
    let threshold = usize::from(config.leaf_threshold());
    let small = |pair: &[Link]| match pair {
        [
            Link { child: Child { node: Node::Leaf(a), .. }, .. },
            Link { child: Child { node: Node::Leaf(b), .. }, .. },
        ] => a.len() + b.len() <= threshold,
        _ => false,
    };
    if !branch.links.windows(2).any(small) {
        return;
    }
    let (marks, links) = (core::mem::take(&mut branch.marks), core::mem::take(&mut branch.links));
    gather(&marks, &links, branch, config);
    if let (Some(mark), Some(link)) = (branch.marks.last_mut(), branch.links.last_mut()) {
        (mark.split, link.fork) = (u16::MAX, Memo::STALE);
    }
}

/// Moves links into a branch, those that fit together as one leaf. As deep as the forks.
fn gather(marks: &[Mark], links: &[Link], into: &mut Branch, config: Config) {
    let (Some((first, _)), Some((last_mark, last))) = (marks.split_first(), marks.last().zip(links.last()))
    else {
        return;
    };
    let Some((top, _)) = lowest(marks) else {
        into.marks.push(*first);
        into.links.push(last.clone());
        return;
    };
    if let Some(leaf) = joined(marks, links, config) {
        into.marks.push(Mark { path: first.path, split: last_mark.split });
        into.links.push(Link { child: Child::new(Node::Leaf(leaf)), fork: last.fork });
        return;
    }
    let (marks_left, marks_right) = marks.split_at(top + 1);
    let (links_left, links_right) = links.split_at(top + 1);
    gather(marks_left, links_left, into, config);
    gather(marks_right, links_right, into, config);
}

/// All entries under some links as one leaf, if they fit.
fn joined(marks: &[Mark], links: &[Link], config: Config) -> Option<Leaf> {
    let mut count = 0;
    let mut leaves = Vec::with_capacity(links.len());
    for link in links {
        let Node::Leaf(leaf) = &link.child.node else { return None };
        count += leaf.len();
        if count > usize::from(config.leaf_threshold()) {
            return None;
        }
        leaves.push(leaf.parts());
    }
    let mut entries: Vec<Entry<'_>> = Vec::with_capacity(count);
    for (leaf, mark) in leaves.into_iter().zip(marks) {
        entries.extend(leaf.entries());
        if let Some(last) = entries.last_mut() {
            last.split = mark.split;
        }
    }
    fits(&entries, config).then(|| Leaf::of(&entries))
}
