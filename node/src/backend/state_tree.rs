//! `state.tree`: looking into the state step by step.
//!
//! ```text
//!   root › signer › entity › storage type › keys
//!   └── server's tree ──┘    └── entity's tree ──┘
//! ```
//!
//! A node is told by the bytes with which its keys begin. An answer costs a path down the tree per node, however many keys
//! there are below.

use xln_primitives::{EntityId, Hash, StorageType};
use xln_rpc::{
    Bytes, RpcError, U64,
    params::{StateTree, page_size},
    view::{TreeNodeKind, TreeNodeView, TreeView},
};
use xln_runtime::Entity;
use xln_tree::{MAX_KEY_BYTES, Tree};

use super::NodeBackend;

/// Bytes of an identifier of a signer or entity in the server's tree.
const ID: usize = 32;

/// Some of the nodes below a prefix.
struct Page {
    /// Prefix and number of keys of each.
    nodes: Vec<(Vec<u8>, usize)>,
    next: Option<Bytes>,
}

/// At most `limit` nodes of the keys that begin with `prefix`, told apart by `depth` bytes more, after the node `after`.
fn page(tree: &Tree, prefix: &[u8], depth: usize, after: Option<&[u8]>, limit: usize) -> Page {
    let length = prefix.len().saturating_add(depth);
    // Not less than any key of that node, and less than all of the next.
    let behind = |node: &[u8]| {
        let mut bound = node.to_vec();
        if node.len() == length {
            bound.resize(MAX_KEY_BYTES, u8::MAX);
        }
        bound
    };
    let mut bound = after.map(behind);
    let mut nodes = Vec::new();
    while let Some((key, _)) = tree.range(prefix, bound.as_deref()).next() {
        if nodes.len() >= limit {
            let next = nodes.last().map(|(node, _): &(Vec<u8>, usize)| Bytes(node.clone()));
            return Page { nodes, next };
        }
        let node = key.get(..length).unwrap_or(key);
        let entries = if node.len() < length { 1 } else { count(tree, node) };
        nodes.push((node.to_vec(), entries));
        bound = Some(behind(node));
    }
    Page { nodes, next: None }
}

/// How many keys begin with `prefix`.
fn count(tree: &Tree, prefix: &[u8]) -> usize {
    tree.view(prefix, 0).next().map_or(0, |group| group.entries)
}

fn number(entries: usize) -> U64 {
    U64(u64::try_from(entries).unwrap_or(u64::MAX))
}

/// A node of an entity's tree.
fn of_entity(entity: &Entity, prefix: Vec<u8>, entries: usize) -> TreeNodeView {
    let value = entity.tree().get(&prefix).filter(|_| entries == 1);
    let kind = match (value, prefix.len()) {
        (Some(_), _) => TreeNodeKind::Entry,
        (None, 1) => TreeNodeKind::Storage,
        (None, _) => TreeNodeKind::Group,
    };
    TreeNodeView {
        kind,
        name: StorageType::of(&prefix).map(|kind| kind.name().to_owned()),
        entries: number(entries),
        hash: value.map(|value| Hash::new(entity.tree().config().hasher().value(value))),
        value: value.map(|value| Bytes(value.to_vec())),
        prefix: Bytes(prefix),
    }
}

impl NodeBackend {
    pub(super) fn state_tree(&self, params: StateTree) -> Result<TreeView, RpcError> {
        let prefix = params.prefix.map(|Bytes(prefix)| prefix).unwrap_or_default();
        let after = params.after.map(|Bytes(after)| after);
        let longest = prefix.len().max(after.as_ref().map_or(0, Vec::len));
        if longest > MAX_KEY_BYTES {
            let text = format!("a key has at most {MAX_KEY_BYTES} bytes, found {longest}");
            return Err(RpcError::invalid_params(text));
        }
        let limit = page_size(params.limit).max(1);
        let depth = params.depth.map(|depth| usize::try_from(depth).unwrap_or(usize::MAX));
        let Some(reference) = params.entity else {
            return Ok(self.server_tree(prefix, depth.unwrap_or(ID), after.as_deref(), limit));
        };
        let entity = self.acting(Some(&reference))?;
        let tree = entity.tree();
        let Page { nodes, next } = page(tree, &prefix, depth.unwrap_or(1), after.as_deref(), limit);
        Ok(TreeView {
            entity: Some(self.directory.party(entity.id())),
            signer: Some(entity.signer()),
            root: Hash::new(tree.root()),
            height: Some(U64(entity.head().map_or(0, |head| head.header.height))),
            entries: number(count(tree, &prefix)),
            prefix: Bytes(prefix),
            nodes: nodes.into_iter().map(|(node, entries)| of_entity(&entity, node, entries)).collect(),
            next,
        })
    }

    fn server_tree(&self, prefix: Vec<u8>, depth: usize, after: Option<&[u8]>, limit: usize) -> TreeView {
        let tree = self.read().tree();
        let Page { nodes, next } = page(&tree, &prefix, depth, after, limit);
        let view = |(node, entries): (Vec<u8>, usize)| {
            let id = node.get(ID..).and_then(|id| <[u8; ID]>::try_from(id).ok()).map(EntityId::new);
            let value = tree.get(&node).and_then(|value| <[u8; ID]>::try_from(value).ok());
            TreeNodeView {
                kind: match (id, node.len()) {
                    (Some(_), _) => TreeNodeKind::Entity,
                    (None, ID) => TreeNodeKind::Signer,
                    (None, _) => TreeNodeKind::Group,
                },
                name: id.and_then(|id| self.directory.name(&id)),
                prefix: Bytes(node),
                entries: number(entries),
                hash: value.map(Hash::new),
                value: None,
            }
        };
        TreeView {
            entity: None,
            signer: None,
            root: Hash::new(tree.root()),
            height: None,
            entries: number(count(&tree, &prefix)),
            prefix: Bytes(prefix),
            nodes: nodes.into_iter().map(view).collect(),
            next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xln_tree::Config;

    #[test]
    fn pages_show_every_node_once_whatever_their_size() {
        let mut tree = Tree::new(Config::default());
        let keys: Vec<Vec<u8>> =
            (0..200_u8).map(|n| vec![n % 3, n / 7, n][..usize::from(1 + n % 3)].to_vec()).collect();
        tree.apply(keys.iter().map(|key| (key, Some("")))).unwrap();
        for depth in 0..4 {
            let expected: Vec<(Vec<u8>, usize)> =
                tree.view(&[], depth).map(|group| (group.prefix, group.entries)).collect();
            for limit in [1, 2, 7, 1_000] {
                let (mut all, mut after) = (Vec::new(), None);
                loop {
                    let Page { nodes, next } = page(&tree, &[], depth, after.as_deref(), limit);
                    assert!(nodes.len() <= limit);
                    all.extend(nodes);
                    let Some(Bytes(next)) = next else { break };
                    after = Some(next);
                }
                assert_eq!(all, expected, "depth {depth}, pages of {limit}");
            }
        }
    }
}
