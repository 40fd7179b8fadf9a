//! The network that is built in.

use xln_chain_spec::{ChainSpec, ChainType};
use xln_primitives::{AssetId, ChannelId};

const GOLDEN: &str = "0xf7a8a597d8993c9dd470d7175f5bde2e56e368d8a8082a42be3ca99cf5ab002e";

#[test]
fn the_genesis_hash_of_dev_stays_what_it_is() {
    assert_eq!(ChainSpec::load("dev").unwrap().network().unwrap().to_string(), GOLDEN);
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
