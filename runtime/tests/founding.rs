//! Founding a server from portions of a network.

use xln_primitives::{Amount, AssetId, Board, ChannelId, EntityId, Network, PublicKey, Timestamp, keccak256};
use xln_runtime::{
    Founding, Genesis, Server,
    genesis::{GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity},
    invariants,
};

const USERS: u8 = 9;

fn entity(number: u8) -> GenesisEntity {
    let board = Board::single(PublicKey::Ed25519(*keccak256(&[number]).as_bytes()));
    let reserves = vec![(AssetId::named("usd"), Amount::new(u128::from(number) * 100))];
    GenesisEntity {
        id: board.entity(),
        name: format!("entity {number}"),
        board,
        reserves,
        policy: None,
        governance: None,
    }
}

/// A depositary (0), a hub (1) and users with a channel each.
fn genesis() -> Genesis {
    let entities: Vec<_> = (0..2 + USERS).map(entity).collect();
    let hub = entities[1].id;
    let channel = |user: &GenesisEntity| GenesisChannel {
        left: user.id.min(hub),
        right: user.id.max(hub),
        rows: vec![GenesisChannelRow {
            asset: AssetId::named("usd"),
            collateral: Amount::new(50),
            ondelta: Amount::new(20),
            left_credit: Amount::new(3),
            right_credit: Amount::ZERO,
        }],
    };
    Genesis {
        network: Network::new([7; 32]),
        timestamp: Timestamp::from_millis(5),
        depositary: entities[0].id,
        dispute_window_ms: 10_000,
        hosted: None,
        assets: vec![GenesisAsset {
            id: AssetId::named("usd"),
            symbol: "usd".into(),
            name: "US dollar".into(),
            decimals: 2,
            bridge: entities[0].id,
            faucet_max: None,
        }],
        channels: entities[2..].iter().map(channel).collect(),
        entities,
    }
}

/// Hosts those whom `hosted` names, three channels at a time.
fn founded(genesis: &Genesis, hosted: impl Fn(&EntityId) -> bool) -> Server {
    let mut founding = Founding::new(genesis.facts().expect("there is a depositary"));
    for entity in genesis.entities.iter().filter(|entity| hosted(&entity.id)) {
        founding.host(entity).expect("new here");
    }
    founding.assets(&genesis.assets).expect("new assets");
    for entity in &genesis.entities {
        founding.reserves(entity).expect("a known asset");
    }
    for portion in genesis.channels.chunks(3) {
        founding.accounts(portion).expect("new accounts");
        founding.copies(portion).expect("new channels");
    }
    founding.finish()
}

#[test]
fn portions_lead_to_the_state_of_the_whole_genesis() {
    let genesis = genesis();
    let whole = genesis.build().expect("sound");
    let portions = founded(&genesis, |_| true);
    assert_eq!(portions.state_root(), whole.state_root());
    assert_eq!(portions.head(), whole.head());
    invariants::check(&portions).expect("sound");
}

#[test]
fn a_part_of_a_network_has_the_very_entities_that_the_whole_has() {
    let genesis = genesis();
    let whole = genesis.build().expect("sound");
    let (depositary, hub) = (genesis.entities[0].id, genesis.entities[1].id);
    let hubs_server = founded(&genesis, |id| *id == depositary || *id == hub);
    let users_server = founded(&genesis, |id| *id != depositary && *id != hub);
    assert_eq!((hubs_server.entities().len(), users_server.entities().len()), (2, usize::from(USERS)));
    for part in [&hubs_server, &users_server] {
        for entity in part.entities() {
            assert_eq!(entity.head(), whole.entity(&entity.id()).and_then(|entity| entity.head()));
        }
        invariants::check(part).expect("sound, with the other sides elsewhere");
    }
    let user = genesis.entities[2].id;
    let channel = |server: &Server, holder| {
        let state = server.entity(holder).expect("hosted").state();
        let view = pallet_channels::view::channel(&state, ChannelId::between(&user, &hub));
        view.expect("readable").expect("it is there").channel.state_hash
    };
    assert_eq!(channel(&hubs_server, &hub), channel(&users_server, &user));
}

#[test]
fn nobody_is_hosted_twice() {
    let mut founding = Founding::new(genesis().facts().expect("there is a depositary"));
    founding.host(&entity(3)).expect("new here");
    assert!(founding.host(&entity(3)).is_err());
}
