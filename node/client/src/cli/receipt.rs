//! `xln receipt`.

use clap::Args;
use xln_primitives::CallHash;
use xln_rpc::{Calls, params::GetReceipt, view::CallStatus};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

/// What became of a call.
#[derive(Debug, Args)]
pub(super) struct Receipt {
    /// The hash of the call.
    hash: CallHash,
}

impl Receipt {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let request = GetReceipt { hash: self.hash };
        let receipt = context.ask("asking", context.client.chain_get_receipt(&request)).await?;
        let status = match receipt.status {
            CallStatus::Succeeded => "succeeded",
            CallStatus::Failed => "failed",
        };
        let mut rows = vec![
            ("call", Cell::both(receipt.hash.to_string(), receipt.hash.to_string())),
            ("entity", Cell::foreign(&receipt.entity.label())),
            ("frame", Cell::new(receipt.height)),
            ("block", Cell::maybe(receipt.block, Cell::new)),
            ("status", Cell::new(status)),
        ];
        if let Some(error) = &receipt.error {
            rows.push(("error", Cell::foreign(&format!("{}: {}", error.name, error.message))));
            rows.push(("hint", Cell::maybe(error.hint.as_deref(), Cell::foreign)));
        }
        for event in &receipt.events {
            rows.push(("event", Cell::foreign(&event.to_string())));
        }
        for change in &receipt.changes {
            rows.push(("changed", Cell::new(&change.key)));
        }
        Report::new(&receipt, Table::properties(rows))
    }
}
