//! `benchmark`: measuring this machine.

use std::fmt;

use serde::Serialize;

use super::CommandError;
use crate::{
    benchmark::{self, BenchmarkError, Plan, PlanError, Report, rpc::RpcReport},
    cli::{BenchmarkHub, BenchmarkMode},
    config::BasePath,
};

/// What was found.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum HubReport {
    /// The hub alone, in this process.
    Node(Box<Report>),
    /// A node over RPC.
    Rpc(RpcReport),
}

impl fmt::Display for HubReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(report) => report.fmt(f),
            Self::Rpc(report) => report.fmt(f),
        }
    }
}

/// Measures how many payments a hub carries on this machine.
pub fn benchmark_hub(args: &BenchmarkHub) -> Result<HubReport, CommandError> {
    let plan = Plan::new(args.wanted()).map_err(BenchmarkError::from)?;
    let base = args.base_path.clone().map_or(BasePath::Temporary, BasePath::Kept);
    match args.mode {
        BenchmarkMode::Node => Ok(HubReport::Node(Box::new(benchmark::run(plan, args.rate, &base)?))),
        BenchmarkMode::Rpc => {
            if plan.kind != benchmark::Kind::Routed || plan.per_frame != 1 {
                return Err(BenchmarkError::from(PlanError::OnlyRouted).into());
            }
            let program = std::env::current_exe()?;
            Ok(HubReport::Rpc(benchmark::rpc::run(&program, plan, args.rate, &base)?))
        }
    }
}
