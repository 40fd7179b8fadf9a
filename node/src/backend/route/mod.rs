//! `route.query`: ways of payments, over the channels of hosted entities as they are now.
//!
//! ```text
//!   payer ──a₀──► hop ──a₁──► hop ──a₂──► payee        a₂ = what shall arrive;  aᵢ = aᵢ₊₁ + fee of the hop between
//!     ◄── the search runs backwards: what a channel must carry depends on the fees of the hops after it ──
//! ```
//!
//! [`search`] finds the cheapest way over a graph, [`hosted`] is the graph.

mod hosted;
mod search;

use pallet_channels::{MAX_HOPS, view as read};
use serde_json::json;
use xln_primitives::{Amount, AssetId, ChannelId, EntityId};
use xln_rpc::{
    EntityRef, RpcError,
    params::RouteQuery,
    view::{HopView, RouteView},
};
use xln_runtime::Entity;

use self::{
    hosted::{Hosted, Unlimited},
    search::{Graph, Route, along, find},
};
use super::{NodeBackend, channels::insufficient, codes::Refused, codes::error_of};

/// Channels that are read at once.
const PAGE: usize = 256;
/// How long the payee has to take a payment, in milliseconds: clocks may differ by 30 s, and the rest is for it to act.
pub(super) const TIMEOUT_MS: u64 = 120_000;

fn no_route(message: String) -> RpcError {
    RpcError::new(4202, "NoRoute", message)
}

impl NodeBackend {
    /// The way of a payment: the one that is asked for, or the cheapest that can carry it now.
    pub(super) fn route(
        &self,
        payer: &Entity,
        payee: EntityId,
        asset: AssetId,
        amount: Amount,
        via: Option<&[EntityRef]>,
        max_fee: Option<Amount>,
    ) -> Result<Route, RpcError> {
        if payer.id() == payee {
            return Err(error_of(&pallet_channels::Error::OwnEntity));
        }
        if amount.is_zero() {
            return Err(error_of(&pallet_channels::TransitionError::ZeroAmount));
        }
        let graph = Hosted::new(self, asset);
        let route = match via {
            Some(via) => {
                let via = via.iter().map(|hop| self.directory.entity(hop)).collect::<Result<Vec<_>, _>>()?;
                along(&graph, &via, amount)?
            }
            None => match find(&graph, payer.id(), payee, amount)? {
                Some(route) => route,
                None => {
                    let error = self.why_not(&graph, payer, payee, amount)?;
                    return Err(self.directory.worded(error, Some(asset)));
                }
            },
        };
        let needed = route.fee()?;
        match max_fee {
            Some(max_fee) if needed > max_fee => {
                let error = error_of(&pallet_channels::Error::FeeAboveLimit { needed, max_fee });
                Err(self.directory.worded(error, Some(asset)))
            }
            _ => Ok(route),
        }
    }

    /// Why there is no way, with the numbers of the channels at its ends.
    fn why_not(
        &self,
        graph: &Hosted<'_>,
        payer: &Entity,
        payee: EntityId,
        amount: Amount,
    ) -> Result<RpcError, RpcError> {
        let label = |id| self.directory.party(id).label();
        let (from, to) = (label(payer.id()), label(payee));
        let (symbol, _) = self.directory.unit(&graph.asset);
        let (state, mut after, mut widest) = (payer.state(), None, None);
        loop {
            let page = read::channels(&state, after, PAGE).refused()?;
            for stored in &page {
                let side = stored.channel.side_of(&payer.id());
                let Some(row) = stored.channel.subchannel(&graph.asset) else { continue };
                let capacity = row.out_capacity(side);
                if widest.as_ref().is_none_or(|(most, _, _)| capacity > *most) {
                    widest = Some((capacity, row.clone(), side));
                }
            }
            after = page.last().map(|stored| stored.id);
            if page.len() < PAGE {
                break;
            }
        }
        let Some((most, row, side)) = widest else {
            return Ok(no_route(format!("{from} has no channel in {symbol}"))
                .with_hint("open one with channel.open, for example with a hub"));
        };
        if most < amount {
            return Ok(insufficient(&row, side, amount));
        }
        let inbound = graph.senders(payee)?.into_iter().map(|(_, capacity)| capacity).max();
        let mut details = json!({ "needed": amount, "canSend": most, "canReceive": inbound });
        let money = |sum| self.directory.money(&graph.asset, sum);
        Ok(match inbound {
            None => no_route(format!("{to} has no channel in {symbol} that is known here"))
                .with_hint(format!("{to} has to open a channel first, for example with a hub")),
            Some(inbound) if inbound < amount => {
                no_route(format!(
                    "{to} can receive at most {} over one channel, {} is needed",
                    money(inbound),
                    money(amount)
                ))
                    .with_hint(format!(
                        "{to} can grant its peer more credit with channel.setCredit, or ask it for collateral"
                    ))
            }
            Some(_) => match find(&Unlimited { graph, payer: payer.id() }, payer.id(), payee, amount)? {
                Some(route) => {
                    details["fee"] = json!(route.fee()?);
                    no_route(format!(
                        "{from} can send {} over one channel: enough for {}, but not for the fee of {} on top",
                        money(most),
                        money(amount),
                        money(route.fee()?)
                    ))
                    .with_hint("pay less by the fee, or receive something first")
                }
                None => no_route(format!(
                    "no way of at most {MAX_HOPS} hops from {from} to {to} carries {} now",
                    money(amount)
                ))
                .with_hint("try a smaller amount, or open another channel"),
            },
        }
        .with_details(details))
    }

    pub(super) fn route_query(&self, params: RouteQuery) -> Result<RouteView, RpcError> {
        let payer = self.acting(params.entity.as_ref())?;
        let payee = self.directory.entity(&params.to)?;
        let asset = self.directory.asset(params.asset.as_ref())?;
        let route = self.route(&payer, payee, asset, params.amount, params.via.as_deref(), params.max_fee)?;
        self.route_view(&payer, payee, asset, params.amount, &route)
    }

    fn route_view(
        &self,
        payer: &Entity,
        payee: EntityId,
        asset: AssetId,
        amount: Amount,
        route: &Route,
    ) -> Result<RouteView, RpcError> {
        let graph = Hosted::new(self, asset);
        let (symbol, decimals) = self.directory.unit(&asset);
        let (mut from, mut carried, mut taken) = (payer.id(), route.total, Amount::ZERO);
        let mut hops = Vec::with_capacity(route.hops.len() + 1);
        let last = [(payee, Amount::ZERO)];
        for (to, fee) in route.hops.iter().map(|hop| (hop.via, hop.fee)).chain(last) {
            hops.push(HopView {
                channel: ChannelId::between(&from, &to),
                from: self.directory.party(from),
                to: self.directory.party(to),
                amount: carried,
                fee: taken,
                capacity: graph.capacity(from, to)?,
            });
            (from, carried, taken) = (to, carried.sub(fee).refused()?, fee);
        }
        let held = route.hops.iter().map(|hop| hop.timelock_delta_ms).fold(TIMEOUT_MS, u64::saturating_add);
        Ok(RouteView {
            from: self.directory.party(payer.id()),
            to: self.directory.party(payee),
            asset,
            symbol,
            decimals,
            amount,
            fee: route.fee()?,
            total: route.total,
            lock_ms: held,
            hops,
        })
    }
}
