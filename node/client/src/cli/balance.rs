//! `xln balance`.

use std::collections::BTreeMap;

use serde::Serialize;
use xln_primitives::{Amount, AssetId, EntityId};
use xln_rpc::{Calls, params::ListReserves, view::PartyView, words::readable};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

/// What an entity has of an asset, over its reserve and all of its channels.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Balance {
    entity: PartyView,
    asset: AssetId,
    symbol: String,
    decimals: u8,
    reserve: Amount,
    can_send: Amount,
    can_receive: Amount,
    owed_to_it: Amount,
    owed_by_it: Amount,
}

fn sum(one: Amount, other: Amount) -> Amount {
    one.add(other).unwrap_or(Amount::MAX)
}

/// Reserve, sendable and receivable sums and credit, by entity and asset.
pub(super) async fn run(context: &Context) -> Result<Report, Failure> {
    let request = ListReserves { entity: context.entity.clone(), asset: None };
    let reserves =
        context.ask("asking the depositary", context.client.depositary_list_reserves(&request)).await?;
    let mut balances: BTreeMap<(EntityId, AssetId), Balance> = BTreeMap::new();
    for row in reserves {
        let key = (row.entity.id, row.asset);
        let balance = Balance {
            entity: row.entity,
            asset: row.asset,
            symbol: row.symbol,
            decimals: row.decimals,
            reserve: row.reserve,
            can_send: Amount::ZERO,
            can_receive: Amount::ZERO,
            owed_to_it: Amount::ZERO,
            owed_by_it: Amount::ZERO,
        };
        balances.insert(key, balance);
    }
    for channel in context.channels(usize::MAX).await? {
        for asset in &channel.assets {
            let balance = balances.entry((channel.entity.id, asset.asset)).or_insert_with(|| Balance {
                entity: channel.entity.clone(),
                asset: asset.asset,
                symbol: asset.symbol.clone(),
                decimals: asset.decimals,
                reserve: Amount::ZERO,
                can_send: Amount::ZERO,
                can_receive: Amount::ZERO,
                owed_to_it: Amount::ZERO,
                owed_by_it: Amount::ZERO,
            });
            balance.can_send = sum(balance.can_send, asset.out_capacity);
            balance.can_receive = sum(balance.can_receive, asset.in_capacity);
            balance.owed_to_it = sum(balance.owed_to_it, asset.out_peer_credit);
            balance.owed_by_it = sum(balance.owed_by_it, asset.in_own_credit);
        }
    }
    let mut table =
        Table::new(&["entity", "asset", "reserve", "can send", "can receive", "owed to it", "owed by it"]);
    let balances: Vec<Balance> = balances.into_values().collect();
    for row in &balances {
        let money = |amount| Cell::new(readable(amount, row.decimals));
        table.push(vec![
            Cell::foreign(&row.entity.label()),
            Cell::foreign(&row.symbol),
            money(row.reserve),
            money(row.can_send),
            money(row.can_receive),
            money(row.owed_to_it),
            money(row.owed_by_it),
        ]);
    }
    Ok(Report::new(&balances, table)?.or_if_empty("nothing yet: open a channel with xln channel open"))
}
