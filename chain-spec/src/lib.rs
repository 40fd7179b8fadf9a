//! The file that starts a network, and its genesis hash.
//!
//! A chain spec is JSON that people write and read: entities have names, defaults may be left out. What the
//! network *is* follows from it in one direction:
//!
//! ```text
//!  dev.json / a file ──parse──► ChainSpec ──resolve──► ChainSpec, raw form ──keccak-256──► Network
//!   names, defaults     │        (checked)    names → ids          │                  (the genesis hash)
//!   left out            │                     sorted, explicit     └──► Genesis, what the runtime starts from
//!                       └── an unknown field, a bad value: error with its path
//! ```
//!
//! **The raw form** is a chain spec too: every default is written out, entities and assets are named by their
//! identifiers, lists are sorted by them, and the text is one line of JSON with the fields in declaration order.
//! Resolving a raw form gives the same bytes again, so a network may be joined with either. `xln-node build-spec
//! --raw` prints exactly the bytes that are hashed.
//!
//! **Everything counts.** Whatever the file says is part of the hash, hence of every signature: two files that
//! differ in one credit limit are two networks. The one exception are the [servers](ServerSpec), which may move. Fields that
//! this version does not know are refused, since a node that ignored one would run another network than its neighbours
//! believe.
//!
//! **References.** Where an entity is referred to, its name or its identifier (`0x…`) may stand; likewise an
//! asset's symbol or identifier. An entity is *lazy* (its identifier is the hash of its board) unless it says
//! `"registered": true`; registered entities are numbered from 1 in the order of the file. A member of a board may be an entity; lazy
//! ones that are members of each other are refused, since none of their identifiers could be computed.
//!
//! **Channels** may be written from either side. `left` and `right` of the file are put in the order of the
//! identifiers, and then the two credit limits change places and the share of the collateral becomes its rest.
//!
//! Amounts are decimal strings in the asset's smallest unit; times are milliseconds. A network of several servers
//! names them, and its depositary has a board of BLS keys, which agree by consensus.
//!
//! **Built in**, in `specs/`: `dev`, one server for trying things out; `local`, four validators and two hubs on one machine, with
//! keys that everybody knows; `consortium`, an example for organisations to edit, whose keys nobody has.

mod board;
mod channel;
mod entity;
mod error;
mod file;
mod member;
mod names;
mod permission;
mod reference;
mod resolve;
mod server;
mod spec;
mod text;
mod unique_map;

pub use board::BoardSpec;
pub use channel::{ChannelSpec, RowSpec};
pub use entity::{EntitySpec, GovernanceSpec, PolicySpec};
pub use error::SpecError;
pub use member::{DelegateSpec, MemberSpec, WhoSpec};
pub use permission::Permission;
pub use reference::{AssetRef, EntityRef};
pub use server::{KnownServer, ServerSpec};
pub use spec::{
    AssetSpec, ChainSpec, ChainType, ConsensusSpec, DepositarySpec, FaucetSpec, GenesisSpec, Properties,
};
