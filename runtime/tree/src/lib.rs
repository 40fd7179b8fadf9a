//! The configurable, canonical Merkle tree of XLN and its proofs.
//!
//! A [`Tree`] is an ordered map from byte strings to byte strings with a root hash. The runtime keeps one per entity
//! and one per server; a root in a signed header commits to every entry, and a [`Proof`] shows any of them, or that
//! there is none, to somebody who has the header only.
//!
//! # Mechanism
//!
//! There are two trees in one: what is hashed, and how it lies in memory.
//!
//! What is hashed is a binary tree with a *fork* exactly where keys part. A key is read as 1,024 bits (its bytes,
//! zeros, its length; so no key is a prefix of another, and their order is that of the bytes). All keys under a fork
//! agree on the bits before its position; at that position those on the left have a 0, those on the right a 1:
//!
//! ```text
//!  keys                 what is hashed                       how it lies in memory (bit width 2, leaf threshold 2)
//!
//!  A  0010 …                    fork 0                        ┌──────────── branch, bits 0–1 ────────────┐
//!  B  0100 …                  ╱        ╲                      │ 00        01          10                 │
//!  C  0101 …              fork 1      fork 4                  └─┬─────────┬───────────┬──────────────────┘
//!  D  1000 0…            ╱    ╲       ╱    ╲                  leaf A   leaf B C    leaf D E
//!  E  1000 1…           A   fork 3   D      E
//!                            ╱  ╲                             forks 0 and 1 are hashed inside the branch,
//!                           B    C                            fork 3 and fork 4 inside the leaves
//! ```
//!
//! - entry = H(`"xln-tree/entry"`, hash of the value ‖ key)
//! - fork = H(`"xln-tree/fork"` with the position in its last two bytes, left ‖ right)
//! - root = hash of the topmost fork; of the entry if it is the only one; H(`"xln-tree/empty"`) if there is none
//!
//! H([domain][Hasher], message) is BLAKE3 keyed with the domain, filled with zeros to 32 bytes, or Keccak-256 of the
//! domain so filled ‖ message, so that a contract can check a proof.
//!
//! **Canonical.** Where keys part depends on the keys alone, so the root depends on the content alone: neither on the
//! order in which entries came, nor on those that came and went. Two trees have the same root if and only if they
//! have the same entries (and hash function).
//!
//! **The layout does not move a proof.** In memory, a subtree of at most *leaf threshold* entries (and 32 KiB) is one
//! sorted leaf, one block of bytes. The forks above the leaves are put together in branches, each with those of *bit
//! width* neighbouring positions; positions at which all its keys agree are left out. Each node hashes the binary forks
//! that it contains. So [`Config::bit_width`] and
//! [`Config::leaf_threshold`] trade memory against speed, and may be tuned per machine: root and proofs stay the
//! same bytes.
//!
//! **Lazy hashes.** Every entry remembers its hash, and so does every fork above the leaves. A change forgets those on
//! its path, and a commit computes what is missing, once, however many changes came before. [`Tree::apply`] changes and
//! hashes in one pass. Disjoint subtrees of a large batch are worked on in parallel; the result is the same for any
//! number of threads.
//!
//! **Forks of the whole tree are free.** Nodes are shared: a clone is one pointer, and a change copies the nodes on
//! its path only.
//!
//! **What changed is cheap to tell.** [`Tree::diff`] walks two versions at once and goes past every subtree that both
//! share.
//!
//! **Proofs.** A proof lists the forks on a key's path with the hashes beside it, and ends at the key's value or at
//! the one other key to which the path leads. That the other key differs from the one asked for only at positions
//! without a fork proves that the latter is not in the tree.
//!
//! ```
//! use xln_tree::{Config, Hasher, Proof, Tree};
//!
//! let mut tree = Tree::new(Config::default());
//! tree.insert("alice", "100")?;
//! tree.insert("bob", "20")?;
//! let before = tree.clone();
//! let root = tree.apply([("bob", Some("30")), ("carol", Some("1"))])?;
//!
//! assert_eq!(tree.prove(b"bob").verify(&root, b"bob", Hasher::Blake3)?, Some(b"30".to_vec()));
//! assert_eq!(tree.prove(b"dave").verify(&root, b"dave", Hasher::Blake3)?, None);
//! assert_eq!(before.get(b"bob"), Some(&b"20"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod bits;
mod branch;
mod build;
mod config;
mod diff;
mod entry;
mod hash;
mod iterate;
mod leaf;
mod limits;
mod node;
mod proof;
mod reshape;
mod sorted;
mod tree;
mod verify;
mod view;

pub use config::{Config, ConfigError, MAX_BIT_WIDTH, MAX_LEAF_THRESHOLD};
pub use diff::Diff;
pub use hash::{Hash, Hasher};
pub use iterate::Iter;
pub use limits::{LimitError, MAX_KEY_BYTES, MAX_VALUE_BYTES};
pub use proof::Proof;
pub use sorted::SortedError;
pub use tree::Tree;
pub use verify::ProofError;
pub use view::Group;
