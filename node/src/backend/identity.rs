//! What this node is, as its operator and its chain spec say.

use xln_primitives::EntityId;
use xln_rpc::view::ServerRole;

/// What does not change while the node runs.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Name of the server, chosen by its operator.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// What it does in its network.
    pub role: ServerRole,
    /// The network's name for people.
    pub chain_name: String,
    /// The network's name for programs.
    pub chain_id: String,
    /// `Development`, `Local` or `Live`.
    pub chain_type: String,
    /// Symbol of the asset that requests mean which name none.
    pub default_asset: Option<String>,
    /// The entity that acts where a request names none.
    pub default_entity: Option<EntityId>,
    /// Whether methods that use the node's keys are answered.
    pub unsafe_methods: bool,
}
