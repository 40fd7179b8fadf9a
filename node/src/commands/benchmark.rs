//! `benchmark`: measuring this machine.

use std::fmt;

use serde::Serialize;

use super::CommandError;
use crate::{
    benchmark::{self, BenchmarkError, Plan, Report, rpc::RpcReport},
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
    let base = args.base_path.clone().map_or(BasePath::Temporary, BasePath::Kept);
    match args.mode {
        BenchmarkMode::Node => {
            let plan = Plan::new(args.wanted()).map_err(BenchmarkError::from)?;
            Ok(HubReport::Node(Box::new(benchmark::run(plan, args.rate, &base)?)))
        }
        BenchmarkMode::Rpc => {
            let plan = Plan::over_rpc(args.wanted()).map_err(BenchmarkError::from)?;
            let program = std::env::current_exe()?;
            Ok(HubReport::Rpc(benchmark::rpc::run(&program, plan, args.rate, &base)?))
        }
    }
}
