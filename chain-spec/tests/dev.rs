//! The network that is built in.

use xln_chain_spec::{ChainSpec, ChainType};
use xln_keystore::dev_key;
use xln_primitives::{AssetId, Board, ChannelId};

#[test]
fn the_genesis_hash_of_dev_stays_what_it_is() {
    let network = ChainSpec::load("dev").unwrap().network().unwrap();
    assert_eq!(network.to_string(), "0x019774da127d53a5e9ab22e10c1c5071665bdad189a56222550fe7daa2d3df14");
}

#[test]
fn every_entity_is_alone_on_its_board_with_its_well_known_key() {
    for entity in ChainSpec::dev().unwrap().to_genesis().unwrap().entities {
        let key = dev_key(&entity.name).public().unwrap();
        assert_eq!(entity.board, Board::single(key), "{} has key {key}", entity.name);
    }
}

#[test]
fn the_newcomer_bob_has_no_channel_and_alice_can_pay_at_once() {
    let spec = ChainSpec::dev().unwrap();
    assert_eq!(spec.chain_type, ChainType::Development);
    let genesis = spec.to_genesis().unwrap();
    let id = |name: &str| genesis.entities.iter().find(|entity| entity.name == name).unwrap().id;
    let bob = id("bob");
    assert!(genesis.channels.iter().all(|channel| channel.left != bob && channel.right != bob));

    let channel = |one, other| {
        let wanted = ChannelId::between(&id(one), &id(other));
        genesis.channels.iter().find(|channel| ChannelId::between(&channel.left, &channel.right) == wanted)
    };
    for user in ["alice", "carol", "dave"] {
        assert!(channel(user, "hub").is_some(), "{user}");
    }
    let alice = channel("alice", "hub").unwrap();
    let row = alice.rows.iter().find(|row| row.asset == AssetId::named("usd")).unwrap();
    let (share, credit) = if alice.left == id("alice") {
        (row.ondelta, row.left_credit)
    } else {
        (row.collateral.sub(row.ondelta).unwrap(), row.right_credit)
    };
    assert_eq!(share.add(credit).unwrap().get(), 50_000, "500 usd to send: 300 collateral + 200 credit");
}

#[test]
fn the_built_in_network_of_several_servers_is_the_one_that_testnet_writes() {
    let spec = ChainSpec::load("local").unwrap();
    assert_eq!((spec.chain_type, spec.id.as_str(), spec.servers.len()), (ChainType::Local, "local", 6));
    let genesis = spec.to_genesis().unwrap();
    let board = genesis.facts().unwrap().depositary_board;
    assert_eq!((board.members.len(), board.quorum(), board.votes()), (4, 3, true));
    for server in spec.known_servers().unwrap() {
        let key = dev_key(&format!("{}/connections", server.name)).public().unwrap();
        assert_eq!(xln_primitives::PublicKey::Ed25519(server.key), key, "{}", server.name);
    }
    for entity in genesis.entities.iter().filter(|entity| entity.id != genesis.depositary) {
        assert_eq!(entity.board, Board::single(dev_key(&entity.name).public().unwrap()), "{}", entity.name);
    }
}

#[test]
fn the_example_of_a_consortium_is_live_and_gives_nothing_away() {
    let spec = ChainSpec::load("consortium").unwrap();
    assert_eq!(spec.chain_type, ChainType::Live);
    assert!(spec.genesis.assets.iter().all(|asset| asset.faucet.is_none()));
    let genesis = spec.to_genesis().unwrap();
    let board = genesis.facts().unwrap().depositary_board;
    assert_eq!(
        (board.members.len(), board.quorum(), board.profile),
        (4, 3, xln_primitives::Profile::Byzantine)
    );
    let servers = spec.known_servers().unwrap();
    assert_eq!(servers.iter().filter(|server| server.validator.is_some()).count(), 4);
    // Keys that everybody knows would let everybody vote.
    let known = ChainSpec::load("local").unwrap().known_servers().unwrap();
    for server in &servers {
        assert!(known.iter().all(|other| other.key != server.key
            && (other.validator != server.validator || server.validator.is_none())));
    }
}
