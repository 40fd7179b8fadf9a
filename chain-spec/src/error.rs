//! What can be wrong with a chain spec. Every message names the place in the file and the value.

use std::path::PathBuf;

use xln_primitives::{BoardError, EntityId};

/// Why a chain spec cannot start a network.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The file cannot be read.
    #[error("cannot read the chain spec {path}: {source} (built in: {built_in})")]
    Unreadable {
        /// The file, as it was asked for.
        path: PathBuf,
        /// Names that need no file.
        built_in: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not JSON, or JSON that does not have the form of a chain spec.
    #[error("chain spec, at {path}: {source}")]
    Form {
        /// Where, such as `genesis.entities[2].board.threshold`.
        path: String,
        /// What is wrong there, with line and column.
        source: serde_json::Error,
    },
    /// A number or a text outside of its range.
    #[error("chain spec, at {path}: {value} is not allowed; {rule}")]
    Range {
        /// Where.
        path: String,
        /// What stands there.
        value: String,
        /// What may stand there.
        rule: &'static str,
    },
    /// Two things with one name or identifier.
    #[error("chain spec, at {path}: {value} stands there for the second time")]
    Duplicate {
        /// Where the second one is.
        path: String,
        /// The name or identifier.
        value: String,
    },
    /// A reference to nothing.
    #[error("chain spec, at {path}: no {kind} is called {value}; there is {known}")]
    Unknown {
        /// Where.
        path: String,
        /// `entity` or `asset`.
        kind: &'static str,
        /// The name or identifier.
        value: String,
        /// The names that exist.
        known: String,
    },
    /// An identifier that does not belong to what it stands beside.
    #[error("chain spec, at {path}: {stated} is stated, but {found} follows from the file")]
    Identifier {
        /// Where.
        path: String,
        /// What the file says.
        stated: String,
        /// What follows from the board, the number or the symbol.
        found: String,
    },
    /// A policy of members that cannot be meant.
    #[error("chain spec, at {path}: {source}")]
    Governance {
        /// Where.
        path: String,
        /// What is wrong with it.
        source: pallet_governance::PolicyError,
    },
    /// A board that cannot act.
    #[error("chain spec, at {path}: {source}")]
    Board {
        /// Where.
        path: String,
        /// What is wrong with it.
        source: BoardError,
    },
    /// Lazy entities that are members of each other: each identifier would be a hash of the other.
    #[error(
        "chain spec, at {path}: {entity} is the hash of its board, whose members wait for that hash; say `\"registered\": true` of one of them"
    )]
    Circular {
        /// Where.
        path: String,
        /// One of them.
        entity: String,
    },
    /// A channel of an entity with itself.
    #[error("chain spec, at {path}: both sides of the channel are {entity}")]
    OneSided {
        /// Where.
        path: String,
        /// The entity on both sides.
        entity: EntityId,
    },
    /// A sum that no ledger can hold.
    #[error("chain spec, at {path}: {what} exceeds what an amount can hold")]
    Overflow {
        /// Where the sum becomes too large.
        path: String,
        /// Which sum.
        what: &'static str,
    },
}
