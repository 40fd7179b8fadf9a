//! `xln info`.

use xln_rpc::{Calls, params::NoParams, view::ServerRole};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

/// What the node is and where it stands.
pub(super) async fn run(context: &Context) -> Result<Report, Failure> {
    let info = context.ask("asking the node", context.client.server_get_info(&NoParams {})).await?;
    let role = match info.role {
        ServerRole::Validator => "validator",
        ServerRole::Observer => "observer",
    };
    let methods = if info.unsafe_methods { "all, also those that use its keys" } else { "safe ones only" };
    let table = Table::properties(vec![
        ("node", Cell::foreign(&info.name)),
        ("version", Cell::foreign(&info.version)),
        ("role", Cell::new(role)),
        ("chain", Cell::foreign(&format!("{} ({}, {})", info.chain_name, info.chain_id, info.chain_type))),
        ("network", Cell::id(info.network)),
        ("depositary", Cell::id(info.depositary)),
        ("default entity", Cell::maybe(info.default_entity, Cell::id)),
        ("block", Cell::new(info.block)),
        ("slice", Cell::new(info.slice)),
        ("state root", Cell::id(info.state_root)),
        ("uptime", Cell::new(format!("{} s", info.uptime_ms / 1_000))),
        ("methods", Cell::new(methods)),
    ]);
    Report::new(&info, table)
}
