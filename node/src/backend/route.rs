//! `route.query`: ways of payments, over the channels of hosted entities as they are now.
//!
//! ```text
//!   payer ──a₀──► hop ──a₁──► hop ──a₂──► payee        a₂ = what shall arrive;  aᵢ = aᵢ₊₁ + fee of the hop between
//!     ◄── the search runs backwards: what a channel must carry depends on the fees of the hops after it ──
//! ```
//!
//! Dijkstra's algorithm on (what must be sent, hops, identifier), so the cheapest way wins, of equally cheap ones the
//! shortest, and the answer never depends on memory layout. Since the payer takes no fee, the first entity reached that
//! has a channel with the payer ends the search; so the channels of a large hub are looked through only if the payer has
//! none with it.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use pallet_channels::{MAX_HOPS, Policy, RouteHop, Status, view as read};
use serde_json::json;
use xln_primitives::{Amount, AssetId, BoundedVec, ChannelId, ConstU32, EntityId};
use xln_rpc::{
    EntityRef, RpcError,
    params::RouteQuery,
    view::{HopView, RouteView},
};
use xln_runtime::Entity;

use super::{NodeBackend, channels::insufficient, codes::Refused, codes::error_of};

/// Most channels that one search looks at.
const CHANNELS_MAX: usize = 100_000;
/// Channels that are read at once.
const PAGE: usize = 256;
/// How long the payee has to take a payment, in milliseconds: clocks may differ by 30 s, and the rest is for it to act.
pub(super) const TIMEOUT_MS: u64 = 120_000;

/// What a search has to know.
pub(super) trait Graph {
    /// Entities with a channel to `to`, each with what it can send over it. The error is one of reading.
    fn senders(&self, to: EntityId) -> Result<Vec<(EntityId, Amount)>, RpcError>;
    /// What `from` can send to `to`; `None` without a channel that works.
    fn capacity(&self, from: EntityId, to: EntityId) -> Result<Option<Amount>, RpcError>;
    /// What an entity asks of those whose payments it takes; `None` if that is not known here.
    fn policy(&self, entity: EntityId) -> Result<Option<Policy>, RpcError>;
}

/// A way, and what each channel on it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// The forwarders, nearest to the payer first.
    pub(super) hops: BoundedVec<RouteHop, ConstU32<MAX_HOPS>>,
    /// What leaves the payer.
    pub(super) total: Amount,
}

impl Route {
    /// What the forwarders take.
    pub(super) fn fee(&self) -> Result<Amount, RpcError> {
        self.hops.iter().try_fold(Amount::ZERO, |sum, hop| sum.add(hop.fee)).refused()
    }
}

/// Where a search stands at an entity that is to receive `amount`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    amount: Amount,
    hops: u32,
    entity: EntityId,
}

/// Whether an entity takes a payment of `amount`, as far as its policy is known.
fn takes(policy: Option<&Policy>, amount: Amount) -> bool {
    policy.is_none_or(|policy| (policy.min_htlc..=policy.max_htlc).contains(&amount))
}

/// The cheapest way from `payer` to `payee` on which `amount` arrives; `None` if there is none.
pub(super) fn find(
    graph: &impl Graph,
    payer: EntityId,
    payee: EntityId,
    amount: Amount,
) -> Result<Option<Route>, RpcError> {
    let mut best: BTreeMap<EntityId, Place> = BTreeMap::new();
    // By whom an entity sends on, and what it takes for that.
    let mut onward: BTreeMap<EntityId, (EntityId, RouteHop)> = BTreeMap::new();
    let mut done: BTreeSet<EntityId> = BTreeSet::new();
    let mut open = BinaryHeap::new();
    if takes(graph.policy(payee)?.as_ref(), amount) {
        open.push(Reverse(Place { amount, hops: 0, entity: payee }));
    }
    while let Some(Reverse(place)) = open.pop() {
        if !done.insert(place.entity) {
            continue;
        }
        if graph.capacity(payer, place.entity)?.is_some_and(|capacity| capacity >= place.amount) {
            return Ok(Some(trace(&onward, place.entity, payee, place.amount)));
        }
        if place.hops >= MAX_HOPS {
            continue;
        }
        for (from, capacity) in graph.senders(place.entity)? {
            if from == payer || done.contains(&from) || capacity < place.amount {
                continue;
            }
            let Some(policy) = graph.policy(from)? else { continue };
            let fee = policy.fee(place.amount);
            let Ok((fee, total)) = fee.and_then(|fee| Ok((fee, place.amount.add(fee)?))) else { continue };
            let next = Place { amount: total, hops: place.hops.saturating_add(1), entity: from };
            if !takes(Some(&policy), total) || best.get(&from).is_some_and(|known| *known <= next) {
                continue;
            }
            let hop = RouteHop { via: from, fee, timelock_delta_ms: policy.timelock_delta_ms };
            onward.insert(from, (place.entity, hop));
            best.insert(from, next.clone());
            open.push(Reverse(next));
        }
    }
    Ok(None)
}

fn trace(
    onward: &BTreeMap<EntityId, (EntityId, RouteHop)>,
    first: EntityId,
    payee: EntityId,
    total: Amount,
) -> Route {
    let (mut hops, mut at) = (Vec::new(), first);
    while at != payee {
        let Some((next, hop)) = onward.get(&at) else { break };
        hops.push(hop.clone());
        at = *next;
    }
    Route { hops: BoundedVec::truncate_from(hops), total }
}

/// The way over given forwarders, with the fees that they ask.
pub(super) fn along(graph: &impl Graph, via: &[EntityId], amount: Amount) -> Result<Route, RpcError> {
    let mut hops = Vec::with_capacity(via.len());
    let mut total = amount;
    for forwarder in via.iter().rev() {
        let policy = graph.policy(*forwarder)?.ok_or_else(|| {
            RpcError::not_found("policy of entity", forwarder)
                .with_hint("only entities that are hosted here can be hops")
        })?;
        let fee = policy.fee(total).refused()?;
        total = total.add(fee).refused()?;
        hops.push(RouteHop { via: *forwarder, fee, timelock_delta_ms: policy.timelock_delta_ms });
    }
    hops.reverse();
    let count = hops.len();
    let hops = BoundedVec::try_from(hops)
        .map_err(|_| RpcError::invalid_params(format!("a route has at most {MAX_HOPS} hops, not {count}")))?;
    Ok(Route { hops, total })
}

/// The channels of one asset, read from the committed states as the search needs them.
struct Hosted<'a> {
    node: &'a NodeBackend,
    asset: AssetId,
    entities: RefCell<BTreeMap<EntityId, Option<Entity>>>,
    looked_at: RefCell<usize>,
}

impl<'a> Hosted<'a> {
    fn new(node: &'a NodeBackend, asset: AssetId) -> Self {
        Self { node, asset, entities: RefCell::default(), looked_at: RefCell::new(0) }
    }

    /// An entity as it was when the search first saw it.
    fn entity(&self, id: EntityId) -> Option<Entity> {
        self.entities.borrow_mut().entry(id).or_insert_with(|| self.node.hosted(&id)).clone()
    }

    /// What `from` can send over a channel.
    fn sendable(&self, stored: &read::ChannelView, from: EntityId) -> Option<Amount> {
        if stored.channel.status != Status::Open {
            return None;
        }
        let row = stored.channel.subchannel(&self.asset)?;
        Some(row.out_capacity(stored.channel.side_of(&from)))
    }

    fn channel(&self, one: EntityId, other: EntityId) -> Result<Option<read::ChannelView>, RpcError> {
        let id = ChannelId::between(&one, &other);
        match self.entity(one).or_else(|| self.entity(other)) {
            Some(entity) => read::channel(&entity.state(), id).refused(),
            None => Ok(None),
        }
    }

    fn look(&self) -> Result<(), RpcError> {
        let mut looked_at = self.looked_at.borrow_mut();
        *looked_at = looked_at.saturating_add(1);
        if *looked_at > CHANNELS_MAX {
            return Err(no_route(format!("no route was found among the first {CHANNELS_MAX} channels"))
                .with_hint("name the hops with via"));
        }
        Ok(())
    }
}

impl Graph for Hosted<'_> {
    fn senders(&self, to: EntityId) -> Result<Vec<(EntityId, Amount)>, RpcError> {
        let mut senders = Vec::new();
        let Some(entity) = self.entity(to) else {
            // Its channels are known from their other sides only.
            let hosted: Vec<EntityId> = self.node.read().entities().map(Entity::id).collect();
            for from in hosted {
                self.look()?;
                senders.extend(self.capacity(from, to)?.map(|capacity| (from, capacity)));
            }
            return Ok(senders);
        };
        let (state, mut after) = (entity.state(), None);
        loop {
            let page = read::channels(&state, after, PAGE).refused()?;
            for stored in &page {
                self.look()?;
                let from = stored.channel.entity(stored.channel.side_of(&to).other());
                senders.extend(self.sendable(stored, from).map(|capacity| (from, capacity)));
            }
            after = page.last().map(|stored| stored.id);
            if page.len() < PAGE {
                return Ok(senders);
            }
        }
    }

    fn capacity(&self, from: EntityId, to: EntityId) -> Result<Option<Amount>, RpcError> {
        Ok(self.channel(from, to)?.and_then(|stored| self.sendable(&stored, from)))
    }

    fn policy(&self, entity: EntityId) -> Result<Option<Policy>, RpcError> {
        self.entity(entity).map(|entity| Policy::load(&entity.state()).refused()).transpose()
    }
}

/// A graph in which whatever the payer's channels lack does not matter.
struct Unlimited<'a, G> {
    graph: &'a G,
    payer: EntityId,
}

impl<G: Graph> Graph for Unlimited<'_, G> {
    fn senders(&self, to: EntityId) -> Result<Vec<(EntityId, Amount)>, RpcError> {
        self.graph.senders(to)
    }

    fn capacity(&self, from: EntityId, to: EntityId) -> Result<Option<Amount>, RpcError> {
        let capacity = self.graph.capacity(from, to)?;
        Ok(if from == self.payer { capacity.map(|_| Amount::MAX) } else { capacity })
    }

    fn policy(&self, entity: EntityId) -> Result<Option<Policy>, RpcError> {
        self.graph.policy(entity)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Channels as (from, to, what from can send), and fees per entity.
    struct Map {
        channels: Vec<(u8, u8, u128)>,
        fees: BTreeMap<u8, u128>,
    }

    fn id(number: u8) -> EntityId {
        EntityId::new([number; 32])
    }

    impl Graph for Map {
        fn senders(&self, to: EntityId) -> Result<Vec<(EntityId, Amount)>, RpcError> {
            let into = self.channels.iter().filter(|(_, end, _)| id(*end) == to);
            Ok(into.map(|(from, _, capacity)| (id(*from), Amount::new(*capacity))).collect())
        }
        fn capacity(&self, from: EntityId, to: EntityId) -> Result<Option<Amount>, RpcError> {
            Ok(self
                .senders(to)?
                .into_iter()
                .find(|(sender, _)| *sender == from)
                .map(|(_, capacity)| capacity))
        }
        fn policy(&self, entity: EntityId) -> Result<Option<Policy>, RpcError> {
            let fee = self.fees.iter().find(|(number, _)| id(**number) == entity).map_or(0, |(_, fee)| *fee);
            Ok(Some(Policy { fee_base: Amount::new(fee), ..Policy::default() }))
        }
    }

    fn way(map: &Map, from: u8, to: u8, amount: u128) -> Option<(Vec<EntityId>, u128)> {
        let route = find(map, id(from), id(to), Amount::new(amount)).unwrap()?;
        Some((route.hops.iter().map(|hop| hop.via).collect(), route.total.get()))
    }

    #[test]
    fn a_direct_channel_is_taken_when_it_is_wide_enough() {
        let map =
            Map { channels: vec![(1, 2, 100), (1, 3, 500), (3, 2, 500)], fees: BTreeMap::from([(3, 5)]) };
        assert_eq!(way(&map, 1, 2, 100), Some((vec![], 100)));
        assert_eq!(way(&map, 1, 2, 101), Some((vec![id(3)], 106)));
    }

    #[test]
    fn the_cheapest_way_wins_and_of_equal_ones_the_shortest() {
        let channels = vec![(1, 3, 500), (3, 2, 500), (1, 4, 500), (4, 5, 500), (5, 2, 500)];
        let map = Map { channels: channels.clone(), fees: BTreeMap::from([(3, 5), (4, 1), (5, 1)]) };
        assert_eq!(way(&map, 1, 2, 100), Some((vec![id(4), id(5)], 102)));
        let map = Map { channels, fees: BTreeMap::new() };
        assert_eq!(way(&map, 1, 2, 100), Some((vec![id(3)], 100)));
    }

    #[test]
    fn a_channel_must_carry_the_fees_of_the_hops_after_it() {
        let map = |first| Map { channels: vec![(1, 3, first), (3, 2, 100)], fees: BTreeMap::from([(3, 5)]) };
        assert_eq!(way(&map(104), 1, 2, 100), None);
        assert_eq!(way(&map(105), 1, 2, 100), Some((vec![id(3)], 105)));
    }

    #[test]
    fn a_way_has_at_most_twenty_forwarders() {
        let chain = |length: u8| Map {
            channels: (1..=length).map(|hop| (hop, hop + 1, 500)).collect(),
            fees: BTreeMap::new(),
        };
        assert_eq!(way(&chain(21), 1, 22, 1).map(|(hops, _)| hops.len()), Some(20));
        assert_eq!(way(&chain(22), 1, 23, 1), None);
    }

    #[test]
    fn fees_along_given_hops_add_up_from_the_payee() {
        let map = Map { channels: vec![], fees: BTreeMap::from([(3, 5), (4, 7)]) };
        let route = along(&map, &[id(3), id(4)], Amount::new(100)).unwrap();
        assert_eq!(route.total, Amount::new(112));
        assert_eq!(route.fee(), Ok(Amount::new(12)));
        assert_eq!(route.hops.first().map(|hop| hop.via), Some(id(3)));
    }
}
