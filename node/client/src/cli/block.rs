//! `xln block`.

use clap::Args;
use xln_primitives::Hash;
use xln_rpc::{Calls, U64, params::GetBlock};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

/// A sealed block.
#[derive(Debug, Args)]
pub(super) struct Block {
    /// By number or hash; the last one if absent.
    block: Option<String>,
}

impl Block {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let request = match self.block.as_deref() {
            None => GetBlock::default(),
            Some(text) => match (text.parse::<U64>(), text.parse::<Hash>()) {
                (Ok(number), _) => GetBlock { number: Some(number), hash: None },
                (_, Ok(hash)) => GetBlock { number: None, hash: Some(hash) },
                _ => {
                    return Err(Failure::Usage {
                        message: format!("{text:?} is neither a block number nor a hash"),
                        hint: "try xln block 1".into(),
                    });
                }
            },
        };
        let block = context.ask("asking", context.client.chain_get_block(&request)).await?;
        let mut rows = vec![
            ("number", Cell::new(block.number)),
            ("hash", Cell::both(block.hash.to_string(), block.hash.to_string())),
            ("parent", Cell::id(block.parent)),
            ("time", Cell::moment(block.timestamp)),
            ("slices", Cell::new(format!("{} from {}", block.slices, block.first_slice))),
            ("inputs root", Cell::id(block.inputs_root)),
            ("state root", Cell::id(block.state_root)),
            ("receipts root", Cell::id(block.receipts_root)),
        ];
        for call in &block.calls {
            rows.push(("call", Cell::both(call.to_string(), call.to_string())));
        }
        Report::new(&block, Table::properties(rows))
    }
}
