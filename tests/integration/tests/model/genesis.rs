//! The network that a seed begins with.

use xln_integration::{Actor, Random};
use xln_primitives::{Amount, AssetId, EntityId, Network, Timestamp};
use xln_runtime::{
    Genesis,
    genesis::{GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity, GenesisPolicy},
};

/// When every network begins: some moment in 2026, in ms.
pub(crate) const BEGINNING: u64 = 1_790_000_000_000;

/// Who takes part.
pub(crate) struct Cast {
    pub(crate) depositary: Actor,
    pub(crate) bridge: Actor,
    pub(crate) hubs: Vec<Actor>,
    /// Those who are there from the start.
    pub(crate) users: Vec<Actor>,
    /// Those who may join later.
    pub(crate) newcomers: Vec<Actor>,
}

impl Cast {
    pub(crate) fn choose(random: &mut Random) -> Self {
        let named = |name: String| Actor::named(name).unwrap();
        let many = |what: &str, count: u64| (0..count).map(|n| named(format!("{what} {n}"))).collect();
        Self {
            depositary: named("depositary".into()),
            bridge: named("bridge".into()),
            hubs: many("hub", random.between(1, 2)),
            users: many("user", random.between(2, 4)),
            newcomers: many("newcomer", random.between(0, 2)),
        }
    }

    /// Everybody, in the order in which a generator picks them.
    pub(crate) fn everybody(&self) -> Vec<Actor> {
        let single = [&self.depositary, &self.bridge];
        single.into_iter().chain(&self.hubs).chain(&self.users).chain(&self.newcomers).cloned().collect()
    }
}

/// The assets: of one everybody may take from a faucet, the other comes over the bridge alone.
pub(crate) fn assets() -> [AssetId; 2] {
    [AssetId::named("usd"), AssetId::named("eur")]
}

pub(crate) fn genesis(cast: &Cast, random: &mut Random) -> Genesis {
    let [usd, eur] = assets();
    let asset = |id, symbol: &str, faucet_max| GenesisAsset {
        id,
        symbol: symbol.into(),
        name: format!("the {symbol}"),
        decimals: 2,
        bridge: cast.bridge.id,
        faucet_max,
    };
    let mut entities = vec![entity(&cast.depositary, 0), entity(&cast.bridge, 0)];
    entities.extend(cast.users.iter().map(|user| entity(user, random.below(100_000))));
    for hub in &cast.hubs {
        let policy = GenesisPolicy {
            base_fee: Amount::new(random.below(3).into()),
            fee_ppm: 1_000,
            timelock_delta_ms: 40_000,
            htlc_min: Amount::new(1),
            htlc_max: Amount::new(1_000_000),
            pending_max: 50,
        };
        entities.push(GenesisEntity { policy: Some(policy), ..entity(hub, 1_000_000) });
    }
    let mut channels = Vec::new();
    if let [one, other] = &cast.hubs[..] {
        channels.push(channel(one.id, other.id, random));
    }
    for user in &cast.users {
        if random.chance(70) {
            let hub = random.pick(&cast.hubs).unwrap();
            channels.push(channel(user.id, hub.id, random));
        }
    }
    Genesis {
        network: Network::new(random.bytes()),
        timestamp: Timestamp::from_millis(BEGINNING),
        depositary: cast.depositary.id,
        dispute_window_ms: 10_000,
        hosted: None,
        assets: vec![asset(usd, "usd", Some(Amount::new(10_000))), asset(eur, "eur", None)],
        entities,
        channels,
    }
}

fn entity(actor: &Actor, reserve: u64) -> GenesisEntity {
    let reserves =
        assets().into_iter().filter(|_| reserve > 0).map(|asset| (asset, Amount::new(reserve.into())));
    GenesisEntity {
        id: actor.id,
        name: actor.name.clone(),
        board: actor.board.clone(),
        reserves: reserves.collect(),
        policy: None,
        governance: None,
    }
}

fn channel(one: EntityId, other: EntityId, random: &mut Random) -> GenesisChannel {
    let collateral = random.below(20_000);
    let row = GenesisChannelRow {
        asset: assets()[0],
        collateral: Amount::new(collateral.into()),
        ondelta: Amount::new(random.between(0, collateral).into()),
        left_credit: Amount::new(random.below(5_000).into()),
        right_credit: Amount::new(random.below(5_000).into()),
    };
    GenesisChannel { left: one.min(other), right: one.max(other), rows: vec![row] }
}
