//! The search for the cheapest way over a graph of channels.
//!
//! Dijkstra's algorithm on (what must be sent, hops, identifier), so the cheapest way wins, of equally cheap ones the
//! shortest, and the answer never depends on memory layout. Since the payer takes no fee, the first entity reached that
//! has a channel with the payer ends the search; so the channels of a large hub are looked through only if the payer has
//! none with it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use pallet_channels::{MAX_HOPS, Policy, RouteHop};
use xln_primitives::{Amount, BoundedVec, ConstU32, EntityId};
use xln_rpc::RpcError;

use crate::backend::codes::Refused;

/// What a search has to know.
pub(in crate::backend) trait Graph {
    /// Entities with a channel to `to`, each with what it can send over it. The error is one of reading.
    fn senders(&self, to: EntityId) -> Result<Vec<(EntityId, Amount)>, RpcError>;
    /// What `from` can send to `to`; `None` without a channel that works.
    fn capacity(&self, from: EntityId, to: EntityId) -> Result<Option<Amount>, RpcError>;
    /// What an entity asks of those whose payments it takes; `None` if that is not known here.
    fn policy(&self, entity: EntityId) -> Result<Option<Policy>, RpcError>;
}

/// A way, and what each channel on it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::backend) struct Route {
    /// The forwarders, nearest to the payer first.
    pub(in crate::backend) hops: BoundedVec<RouteHop, ConstU32<MAX_HOPS>>,
    /// What leaves the payer.
    pub(in crate::backend) total: Amount,
}

impl Route {
    /// What the forwarders take.
    pub(in crate::backend) fn fee(&self) -> Result<Amount, RpcError> {
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
pub(in crate::backend) fn find(
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
pub(in crate::backend) fn along(
    graph: &impl Graph,
    via: &[EntityId],
    amount: Amount,
) -> Result<Route, RpcError> {
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
