//! What must hold when the faults are over.

use serde_json::{Value, json};

use crate::{
    load::Known,
    process::eventually,
    servers::{Servers, number},
};

const ENTITIES: [&str; 4] = ["alice", "bob", "hub-1", "hub-2"];

/// What everybody owns in usd: reserves and claims, less debts. Fails while payments are under way.
pub(crate) fn wealth(servers: &Servers) -> Result<i128, String> {
    let mut all = 0;
    for entity in ENTITIES {
        let home = if matches!(entity, "alice" | "hub-1") { servers.hub() } else { servers.hub() + 1 };
        all += servers.reserve(home, entity)?;
        let channels = servers.ask(home, "channel.list", json!({ "entity": entity }))?;
        for channel in channels.as_array().ok_or("no list")? {
            if channel["pendingHtlcs"] != 0 || channel["queued"] != 0 {
                return Err(format!("under way: {channel}"));
            }
            let row = &channel["assets"][0];
            all += number(&row["outCollateral"])? + number(&row["outPeerCredit"])?
                - number(&row["inOwnCredit"])?;
        }
    }
    Ok(all)
}

/// Nothing is to be decided any more, and every server stands at the same frame.
fn settled(servers: &Servers) -> Result<u64, String> {
    let head = servers.head(0)?;
    for place in servers.all() {
        let found = servers.head(place)?;
        if found != head {
            return Err(format!(
                "{} is at {found:?}, {} at {head:?}",
                servers.names[place], servers.names[0]
            ));
        }
        let status = servers.ask(place, "consensus.status", json!({}))?;
        let board = &status[0];
        assert_eq!(board["halted"], Value::Null, "{}: {status}", servers.names[place]);
        if board["waiting"] != 0 {
            return Err(format!("{}: {status}", servers.names[place]));
        }
    }
    Ok(head.0)
}

/// After the faults: one more frame can be decided; all servers have the same last frame, whose hash commits to all before
/// it; every acknowledged payment
/// succeeded; everybody together has what they had. Tells how many frames there are.
pub(crate) fn judge(servers: &Servers, known: &Known, wealth_before: i128) -> u64 {
    servers.until_connected();
    servers.decide(servers.hub());
    let height = eventually("all servers are of one state", || settled(servers));
    for (home, payer, number) in &known.payments {
        let request = json!({ "entity": payer, "number": number });
        let payment = servers.ask(*home, "payment.get", request).unwrap();
        assert_eq!(payment["status"], "succeeded", "{payment}");
        assert!(payment["preimage"].is_string(), "{payment}");
    }
    eventually("everybody together has what they had", || match wealth(servers)? {
        wealth if wealth == wealth_before => Ok(()),
        wealth => Err(format!("{wealth} instead of {wealth_before}")),
    });
    height
}
