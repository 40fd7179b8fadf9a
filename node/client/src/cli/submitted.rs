//! What is said of a call after it was accepted or executed.

use xln_rpc::view::Submitted;

use super::{
    exit::Failure,
    output::{Cell, Report, Table},
};

/// Reports a call that did `what` ("opened a channel with hub").
pub(super) fn report(what: &str, submitted: &Submitted) -> Result<Report, Failure> {
    let mut rows = vec![("call", Cell::id(submitted.hash))];
    let summary = match &submitted.receipt {
        Some(receipt) => {
            rows.push(("entity", Cell::foreign(&receipt.entity.label())));
            rows.push(("frame", Cell::new(receipt.height)));
            rows.push(("block", Cell::maybe(receipt.block, Cell::new)));
            for event in &receipt.events {
                let name = event.get("name").and_then(serde_json::Value::as_str);
                rows.push(("event", Cell::foreign(name.unwrap_or(&event.to_string()))));
            }
            what.to_owned()
        }
        None => format!("accepted, not yet executed: {what}; follow it with xln receipt {}", submitted.hash),
    };
    Ok(Report::new(submitted, Table::properties(rows))?.with_summary(summary))
}
