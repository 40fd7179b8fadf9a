//! `benchmark`: measuring this machine.

use super::CommandError;
use crate::{
    benchmark::{self, Plan, Report},
    cli::BenchmarkHub,
    config::BasePath,
};

/// Measures how many payments a hub carries on this machine.
pub fn benchmark_hub(args: &BenchmarkHub) -> Result<Report, CommandError> {
    let plan = Plan::new(args.wanted()).map_err(benchmark::BenchmarkError::from)?;
    let base = args.base_path.clone().map_or(BasePath::Temporary, BasePath::Kept);
    Ok(benchmark::run(plan, args.rate, &base)?)
}
