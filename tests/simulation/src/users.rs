//! Users: each does one thing after the other, and asks again until it is told that it is done.

use std::time::Duration;

use codec::Encode;
use pallet_channels::{Call as Channels, RouteHop};
use pallet_governance::{Call as Governance, Preset};
use pallet_reserves::Call as Reserves;
use xln_integration::Random;
use xln_node::consortium::Input;
use xln_primitives::{Amount, BoundedVec, EntityId, Nonce, Side, Timestamp};
use xln_runtime::{RuntimeCall, Server, SignedCall, authenticate_calls};

use crate::{
    cast::{BEGINNING, Cast, User, policy, usd},
    governing::govern,
    happening::Happening,
    simulation::Simulation,
    site::clock,
};

/// What a user is about.
#[derive(Debug, Default)]
pub(crate) struct Errand {
    pub(crate) nonce: Nonce,
    pub(crate) pending: Option<SignedCall>,
    /// Calls that are included.
    pub(crate) done: u64,
}

/// How long a user waits before it asks again or does the next thing.
pub(crate) fn pause(random: &mut Random, is_board: bool) -> Duration {
    // A board that decides without a pause would only slow the simulation down.
    let slower = if is_board { 6 } else { 1 };
    Duration::from_millis(slower * random.between(20, 400))
}

impl Errand {
    /// The next thing to do.
    pub(crate) fn begin(&mut self, cast: &Cast, user: &User, server: &Server, random: &mut Random) {
        let call = match user.hub {
            _ if user.governs => govern(cast, user, server, random),
            _ if user.directs => direct(cast, user, server, random),
            Some(hub) => choose(cast, user, hub, random),
            None => speak(user, self.nonce),
        };
        let signed = user.actor.sign(cast.genesis.network, user.actor.id, self.nonce, vec![call]);
        self.pending = Some(signed.unwrap());
    }

    /// It is included.
    pub(crate) fn finish(&mut self) {
        self.pending = None;
        self.nonce += 1;
        self.done += 1;
    }
}

/// Founds itself first, and then says how often it has spoken.
fn speak(user: &User, nonce: Nonce) -> RuntimeCall {
    if nonce == 0 {
        return pallet_entities::Call::Create { board: user.actor.board.clone() }.into();
    }
    let name = BoundedVec::truncate_from(format!("club {nonce}").into_bytes());
    let metadata = pallet_entities::Metadata { name, description: BoundedVec::default() };
    pallet_entities::Call::SetMetadata(metadata).into()
}

/// Votes on something that is open, or puts something new before the board.
fn direct(cast: &Cast, user: &User, server: &Server, random: &mut Random) -> RuntimeCall {
    let entity = server.entity(&user.actor.id);
    let open = entity.map(|entity| pallet_governance::open_proposals(&entity.state()).unwrap_or_default());
    let open = open.unwrap_or_default();
    match random.below(10) {
        0..6 if !open.is_empty() => {
            let proposal = *random.pick(&open).unwrap();
            Governance::Vote { proposal, approve: random.chance(80) }.into()
        }
        6 => {
            // Who picks itself ends its delegation.
            let members: Vec<_> = user.actor.board.members.iter().collect();
            let to = random.pick(&members).filter(|other| ***other != user.actor.board.members[user.home]);
            let to = to.map(|member| member.principal());
            let until = Timestamp::from_millis(BEGINNING + random.between(1_000, 60_000));
            Governance::Delegate { to, until }.into()
        }
        _ => {
            let owner = *random.pick(&cast.owners()).unwrap();
            let amount = Amount::new(random.between(1, 500).into());
            let mut calls: Vec<RuntimeCall> = vec![match random.below(4) {
                0 => Governance::SetPolicy(Preset::Company.policy()).into(),
                // Nobody has a channel with itself, so that this one fails.
                1 => Channels::Close { peer: user.actor.id }.into(),
                _ => Reserves::Transfer { to: owner, asset: usd(), amount }.into(),
            }];
            if random.chance(30) {
                calls.insert(0, speak(user, 1));
            }
            let encoded = calls.iter().map(|call| call.encode().try_into().unwrap()).collect::<Vec<_>>();
            let lifetime_ms = Some(random.between(1_000, 10_000));
            Governance::Propose { calls: encoded.try_into().unwrap(), lifetime_ms }.into()
        }
    }
}

fn choose(cast: &Cast, user: &User, own_hub: usize, random: &mut Random) -> RuntimeCall {
    let amount = Amount::new(random.between(1, 200).into());
    let others: Vec<(&User, usize)> = cast
        .users
        .iter()
        .filter(|other| other.actor.id != user.actor.id && !other.directs)
        .filter_map(|other| Some((other, other.hub?)))
        .collect();
    let (other, other_hub) = *random.pick(&others).unwrap();
    let hub = cast.hubs[own_hub].id;
    match random.below(10) {
        0..2 => Channels::PayDirect { to: hub, asset: usd(), amount }.into(),
        2..4 => Reserves::Transfer { to: other.actor.id, asset: usd(), amount }.into(),
        4 => {
            let (left, right) = (user.actor.id.min(hub), user.actor.id.max(hub));
            let in_favour = Side::of(&user.actor.id, &hub).unwrap();
            Reserves::Allocate { left, right, in_favour, asset: usd(), amount }.into()
        }
        _ => pay(cast, own_hub, other, other_hub, amount),
    }
}

fn pay(cast: &Cast, own_hub: usize, other: &User, other_hub: usize, amount: Amount) -> RuntimeCall {
    let mut hubs: Vec<EntityId> = vec![cast.hubs[own_hub].id];
    if other_hub != own_hub {
        hubs.push(cast.hubs[other_hub].id);
    }
    let terms = policy().resolve();
    let (mut route, mut carried, mut max_fee) = (Vec::new(), amount.get(), 0);
    for via in hubs.into_iter().rev() {
        let fee = terms.fee(Amount::new(carried)).unwrap();
        carried += fee.get();
        max_fee += fee.get();
        route.insert(0, RouteHop { via, fee, timelock_delta_ms: terms.timelock_delta_ms });
    }
    Channels::Pay {
        to: other.actor.id,
        asset: usd(),
        amount,
        route: BoundedVec::truncate_from(route),
        hash: None,
        max_fee: Amount::new(max_fee),
        timeout_ms: 60_000,
    }
    .into()
}

impl Simulation {
    /// A user begins something new, or asks again for what is not done.
    pub(crate) fn act(&mut self, user: usize) {
        let who = &self.cast.users[user];
        let after = pause(&mut self.random, who.is_board() && !who.governs);
        self.schedule.at(self.now + after, Happening::Act { user });
        let errand = &mut self.errands[user];
        if errand.pending.is_none() && self.busy {
            let server = self.nodes[who.home].running.as_mut().map(|up| &up.machine.environment().server);
            let Some(server) = server else { return };
            errand.begin(&self.cast, who, server, &mut self.random);
        }
        let Some(call) = errand.pending.clone() else { return };
        let node = &mut self.nodes[who.home];
        if !node.is_awake(self.now) {
            return;
        }
        let (home, now) = (who.home, clock(self.now, node.skew_ms));
        let authentic = authenticate_calls(vec![call], self.cast.genesis.network, now, self.random.bytes());
        let Some(running) = &mut self.nodes[home].running else { return };
        let is_board = who.is_board();
        let mut crashed = false;
        for call in authentic {
            if is_board {
                running.machine.environment().now = self.now;
                crashed |= running.machine.take(Input::Call(call.unwrap())).is_err();
            } else {
                running.author.submit(call.unwrap());
            }
        }
        if crashed {
            self.crash(home);
        } else {
            self.turn(home);
        }
    }
}
