//! Receipts: what became of a call.

use xln_primitives::{CallHash, StateChange, decode_exact};
use xln_rpc::{
    Bytes, RpcError, U64,
    view::{CallStatus, ChangeView, ReceiptView},
};
use xln_runtime::Receipt;
use xln_store::Store;

use super::{
    NodeBackend,
    codes::{error_of, storage, undecodable},
    directory::Directory,
    events::event_json,
};

fn change_view(change: &StateChange) -> ChangeView {
    let bytes = |value: &Option<Vec<u8>>| value.clone().map(Bytes);
    ChangeView { key: Bytes(change.key.clone()), old: bytes(&change.old), new: bytes(&change.new) }
}

/// A receipt as the API shows it, in the block if that is known.
pub(super) fn receipt_view(directory: &Directory, receipt: &Receipt, block: Option<u64>) -> ReceiptView {
    let error = receipt.result.as_ref().err().map(|error| directory.worded(error_of(error), None));
    ReceiptView {
        hash: receipt.call,
        entity: directory.party(receipt.entity),
        height: U64(receipt.height),
        block: block.map(U64),
        status: if error.is_none() { CallStatus::Succeeded } else { CallStatus::Failed },
        error,
        events: receipt.events.iter().map(event_json).collect(),
        changes: receipt.changes.iter().map(change_view).collect(),
    }
}

/// The receipt of a call, from the disk.
pub(super) fn stored_receipt(store: &Store, call: &CallHash) -> Result<Option<Receipt>, RpcError> {
    let Some(bytes) = store.receipt(call).map_err(|error| storage(&error))? else { return Ok(None) };
    let receipt =
        decode_exact(&bytes, bytes.len()).map_err(|error| undecodable("the stored receipt", &error));
    receipt.map(Some).map_err(|error| RpcError::storage(error.message))
}

impl NodeBackend {
    /// A receipt as the API shows it.
    pub(super) fn receipt_view(&self, receipt: &Receipt) -> ReceiptView {
        let block = self.recent.slice_of(&receipt.call).and_then(|slice| self.block_of(slice).ok().flatten());
        receipt_view(&self.directory, receipt, block)
    }
}
