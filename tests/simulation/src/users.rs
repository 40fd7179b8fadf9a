//! Users: each does one thing after the other, and asks again until it is told that it is done.

use std::time::Duration;

use pallet_channels::{Call as Channels, RouteHop};
use pallet_reserves::Call as Reserves;
use xln_integration::Random;
use xln_node::consortium::Input;
use xln_primitives::{Amount, BoundedVec, EntityId, Nonce, Side};
use xln_runtime::{RuntimeCall, SignedCall, authenticate_calls};

use crate::{
    cast::{Cast, User, policy, usd},
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
    pub(crate) fn begin(&mut self, cast: &Cast, user: &User, random: &mut Random) {
        let call = match user.hub {
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

fn choose(cast: &Cast, user: &User, own_hub: usize, random: &mut Random) -> RuntimeCall {
    let amount = Amount::new(random.between(1, 200).into());
    let others: Vec<(&User, usize)> = cast
        .users
        .iter()
        .filter(|other| other.actor.id != user.actor.id)
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
        let after = pause(&mut self.random, who.is_board());
        self.schedule.at(self.now + after, Happening::Act { user });
        let errand = &mut self.errands[user];
        if errand.pending.is_none() && self.busy {
            errand.begin(&self.cast, who, &mut self.random);
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
