//! The server itself.

use xln_primitives::{EntityId, Hash, Network, Timestamp};

use super::views;
use crate::U64;

views! {
    /// What this server does in its network.
    #[derive(Copy)]
    pub enum ServerRole {
        /// Certifies frames of the depositary.
        Validator,
        /// Follows the depositary and hosts its own entities.
        Observer,
    }

    /// What this server is and where it stands.
    pub struct ServerInfo {
        /// Name of the server, chosen by its operator.
        pub name: String,
        /// Version of the program.
        pub version: String,
        /// What it does.
        pub role: ServerRole,
        /// The network: the hash of its genesis.
        pub network: Network,
        /// The network's name for people.
        pub chain_name: String,
        /// The network's name for programs.
        pub chain_id: String,
        /// `Development`, `Local` or `Live`.
        pub chain_type: String,
        /// The entity that holds reserves and collateral.
        pub depositary: EntityId,
        /// The entity that acts where a request names none.
        pub default_entity: Option<EntityId>,
        /// The last sealed block.
        pub block: U64,
        /// The last durable slice.
        pub slice: U64,
        /// Root of the server's state in that block.
        pub state_root: Hash,
        /// Time of that block.
        pub time: Timestamp,
        /// Milliseconds since the start of the process.
        pub uptime_ms: u64,
        /// Whether methods that use the node's keys are answered here.
        pub unsafe_methods: bool,
    }

    /// Counts since the start of the process, and sizes now.
    #[derive(Default)]
    pub struct ServerStats {
        /// Signers with keys here.
        pub signers: u64,
        /// Entities hosted here.
        pub entities: u64,
        /// Channels of those.
        pub channels: u64,
        /// HTLCs that are neither fulfilled nor failed.
        pub pending_htlcs: u64,
        /// Calls that wait for inclusion.
        pub pending_calls: u64,
        /// Blocks sealed.
        pub blocks: u64,
        /// Slices executed.
        pub slices: u64,
        /// Frames certified.
        pub frames: u64,
        /// Calls that took effect.
        pub calls_succeeded: u64,
        /// Calls that failed.
        pub calls_failed: u64,
        /// Payments of hosted entities that succeeded.
        pub payments_succeeded: u64,
        /// Payments of hosted entities that failed.
        pub payments_failed: u64,
        /// Keys in the state.
        pub state_keys: u64,
        /// Median time between blocks.
        pub block_interval_p50_ms: u64,
        /// Time between blocks that 99 of 100 do not exceed.
        pub block_interval_p99_ms: u64,
    }

    /// Whether the server does its work; `reason` says why not.
    pub struct HealthView {
        /// Whether it accepts and executes calls.
        pub ready: bool,
        /// Why not.
        pub reason: Option<String>,
        /// The last sealed block.
        pub block: U64,
        /// Milliseconds since that block was sealed.
        pub block_age_ms: u64,
        /// Calls that wait for inclusion.
        pub pending_calls: u64,
        /// Connected servers.
        pub peers: u32,
    }

    /// The program.
    pub struct VersionView {
        /// Name of the program.
        pub name: String,
        /// Its version.
        pub version: String,
        /// Format of signed calls that it understands.
        pub call_version: u8,
    }
}
