//! What a chain spec accepts, what it refuses and how it says so, and that its hash stays.

use serde_json::{Value, json};
use xln_chain_spec::{ChainSpec, SpecError};
use xln_primitives::{
    AssetId, EntityId, MemberId, Permissions, PublicKey, SecretKey, crypto::bls, keccak256,
};
use zeroize::Zeroizing;

fn key(seed: u8) -> String {
    SecretKey::Ed25519(Zeroizing::new([seed; 32])).public().expect("every seed is a key").to_string()
}

fn entity(name: &str, seed: u8) -> Value {
    json!({ "name": name, "board": { "members": [{ "key": key(seed) }] } })
}

fn small() -> Value {
    json!({
        "name": "Test",
        "id": "test",
        "chainType": "Local",
        "genesis": {
            "assets": [{ "symbol": "usd", "name": "US dollar", "decimals": 2 }],
            "entities": [entity("bank", 1), entity("alice", 2), entity("hub", 3)],
            "depositary": { "entity": "bank" },
            "channels": [{
                "left": "alice",
                "right": "hub",
                "assets": { "usd": { "collateral": "100", "leftShare": "30", "leftCredit": "20", "rightCredit": "50" } }
            }]
        }
    })
}

/// The small spec with the value at a JSON pointer replaced or added.
fn with(pointer: &str, value: Value) -> Value {
    let mut spec = small();
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer starts with a slash");
    match spec.pointer_mut(parent).expect("the parent exists") {
        Value::Array(items) if last == "-" => items.push(value),
        parent => parent[last] = value,
    }
    spec
}

fn read(spec: &Value) -> Result<ChainSpec, SpecError> {
    ChainSpec::from_json(&spec.to_string())
}

fn refusal(spec: &Value) -> String {
    read(spec).expect_err("it should be refused").to_string()
}

#[test]
fn an_unknown_field_is_refused_with_its_name_and_place() {
    let message = refusal(&with("/genesis/entities/1/board/treshold", json!(1)));
    assert!(message.contains("treshold"), "{message}");
    assert!(message.contains("genesis.entities[1].board"), "{message}");
    let message = refusal(&with("/bootnodes", json!([])));
    assert!(message.contains("`bootnodes`"), "{message}");
}

#[test]
fn an_entity_or_asset_that_stands_there_twice_is_refused() {
    let name = refusal(&with("/genesis/entities/-", entity("alice", 9)));
    assert_eq!(name, "chain spec, at genesis.entities[3].name: alice stands there for the second time");
    let board = refusal(&with("/genesis/entities/-", entity("other", 2)));
    assert!(board.contains("genesis.entities[3].board"), "{board}");
    let asset = json!({ "symbol": "usd", "name": "again", "decimals": 0 });
    assert!(matches!(read(&with("/genesis/assets/-", asset)), Err(SpecError::Duplicate { .. })));
}

#[test]
fn a_repeated_key_is_refused_everywhere() {
    let twice = small().to_string().replace(r#""name":"Test""#, r#""name":"Test","name":"Other""#);
    assert!(ChainSpec::from_json(&twice).unwrap_err().to_string().contains("duplicate field `name`"));
    let row = r#""usd":{"collateral":"1"}"#;
    let mut spec = small();
    spec["genesis"]["channels"][0]["assets"] = json!("HERE");
    let twice = spec.to_string().replace(r#""HERE""#, &format!("{{{row},{row}}}"));
    assert!(
        ChainSpec::from_json(&twice).unwrap_err().to_string().contains("the key `usd` stands there twice")
    );
    let id = AssetId::named("usd").to_string();
    let both = with("/genesis/entities/1/reserves", json!({ "usd": "1", id: "2" }));
    assert!(matches!(read(&both), Err(SpecError::Duplicate { .. })));
}

#[test]
fn a_reference_to_nobody_is_refused_with_the_names_that_exist() {
    assert_eq!(
        refusal(&with("/genesis/channels/0/left", json!("alcie"))),
        "chain spec, at genesis.channels[0].left: no entity is called alcie; there is alice, bank, hub"
    );
    let foreign = json!(EntityId::new([9; 32]));
    assert!(matches!(read(&with("/genesis/depositary/entity", foreign)), Err(SpecError::Unknown { .. })));
    let reserves = refusal(&with("/genesis/entities/0/reserves", json!({ "eur": "1" })));
    assert_eq!(
        reserves,
        "chain spec, at genesis.entities[0].reserves.eur: no asset is called eur; there is usd"
    );
}

#[test]
fn values_out_of_range_are_refused_with_the_place_the_value_and_the_rule() {
    let row = "/genesis/channels/0/assets/usd";
    for (pointer, value, part) in [
        ("/name", json!(" "), "at name"),
        ("/id", json!("../etc"), "at id: ../etc"),
        ("/consensus", json!({ "blockTimeMs": 0 }), "at consensus.blockTimeMs: 0"),
        ("/genesis/depositary/disputeWindowMs", json!(10), "disputeWindowMs: 10"),
        ("/genesis/assets/0/decimals", json!(31), "genesis.assets[0].decimals: 31"),
        ("/genesis/assets/0/symbol", json!("5usd"), "genesis.assets[0].symbol: 5usd"),
        ("/genesis/assets/0/faucet", json!({ "max": "0" }), "genesis.assets[0].faucet.max: 0"),
        ("/genesis/entities/1/policy", json!({ "feePpm": 1_000_001 }), "policy.feePpm: 1000001"),
        ("/genesis/entities/1/policy", json!({ "minHtlc": "2", "maxHtlc": "1" }), "policy.minHtlc: 2"),
        ("/genesis/entities/1/board/threshold", json!(2), "genesis.entities[1].board: threshold 2"),
        (&format!("{row}/leftShare"), json!("101"), "assets.usd.leftShare: 101"),
        (&format!("{row}/leftCredit"), json!(u128::MAX.to_string()), "collateral plus credit"),
        (&format!("{row}/collateral"), json!(5), "expected a string"),
        (&format!("{row}/collateral"), json!("-5"), "invalid digit"),
        ("/genesis/channels/0/right", json!("alice"), "both sides of the channel"),
    ] {
        let message = refusal(&with(pointer, value));
        assert!(message.contains(part), "{pointer}: {message}");
    }
}

#[test]
fn a_live_network_has_no_faucet() {
    let mut spec = with("/genesis/assets/0/faucet", json!({ "max": "5" }));
    assert!(read(&spec).is_ok());
    spec["chainType"] = json!("Live");
    assert!(refusal(&spec).contains("a live network has no faucet"));
}

#[test]
fn sums_that_no_ledger_can_hold_are_refused() {
    let mut spec = with("/genesis/entities/1/reserves", json!({ "usd": u128::MAX.to_string() }));
    assert!(refusal(&spec).contains("exceeds what an amount can hold"), "collateral comes on top");
    spec["genesis"]["channels"] = json!([]);
    assert!(read(&spec).is_ok());
}

#[test]
fn a_stated_identifier_must_follow_from_the_board() {
    let found = read(&small()).unwrap().to_genesis().unwrap();
    let alice = found.entities.iter().find(|entity| entity.name == "alice").unwrap().id;
    assert!(read(&with("/genesis/entities/1/id", json!(alice))).is_ok());
    let other = refusal(&with("/genesis/entities/1/id", json!(EntityId::new([7; 32]))));
    assert!(other.contains("genesis.entities[1].id") && other.contains(&alice.to_string()), "{other}");
}

#[test]
fn registered_entities_are_numbered_in_the_order_of_the_file() {
    let mut spec = with("/genesis/entities/2/registered", json!(true));
    spec["genesis"]["entities"][0]["registered"] = json!(true);
    let spec = read(&spec).unwrap();
    let genesis = spec.to_genesis().unwrap();
    let id = |name| genesis.entities.iter().find(|entity| entity.name == name).unwrap().id;
    assert_eq!(id("bank"), EntityId::registered(1));
    assert_eq!(id("hub"), EntityId::registered(2));
    assert_eq!(id("alice").registry_number(), None);
    let raw = String::from_utf8(spec.raw().unwrap()).unwrap();
    assert_eq!(ChainSpec::from_json(&raw).unwrap().to_genesis().unwrap(), genesis);
}

/// The BLS key of a server with its proof of possession.
fn delegate(seed: u8) -> Value {
    let key = SecretKey::Bls(Zeroizing::new([seed; 32])).public().expect("every seed is a key");
    let proof = bls::prove_possession(&[seed; 32]).expect("every seed is a key");
    let proof: String = proof.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "key": key.to_string(), "proofOfPossession": format!("0x{proof}") })
}

fn company(name: &str, members: Value) -> Value {
    json!({ "name": name, "board": { "threshold": 2, "members": members } })
}

#[test]
fn members_may_be_entities_by_name_in_any_order_and_have_delegates() {
    let holding = company(
        "holding",
        json!([
            { "entity": "workshop", "delegate": delegate(40), "weight": 3 },
            { "entity": "alice" },
            { "entity": EntityId::registered(99).to_string(), "permissions": ["propose", "custom3", "compliance"] },
        ]),
    );
    let workshop = company(
        "workshop",
        json!([{ "key": key(30), "delegate": delegate(41) }, { "entity": "hub", "delegate": delegate(42) }]),
    );
    let mut spec = small();
    spec["genesis"]["entities"].as_array_mut().unwrap().extend([holding, workshop]);
    let spec = read(&spec).unwrap();
    let genesis = spec.to_genesis().unwrap();
    let found = |name: &str| genesis.entities.iter().find(|entity| entity.name == name).unwrap();
    let (holding, workshop) = (found("holding"), found("workshop"));
    assert_eq!((holding.id, workshop.id), (holding.board.entity(), workshop.board.entity()));
    let member = |place: usize| &holding.board.members[place];
    let PublicKey::Bls(server) = SecretKey::Bls(Zeroizing::new([40; 32])).public().unwrap() else { panic!() };
    assert_eq!((member(0).principal(), member(0).weight), (entity_member(workshop.id), 3));
    assert_eq!(member(0).bls_key(), Some(&server));
    assert_eq!((member(1).principal(), member(1).bls_key()), (entity_member(found("alice").id), None));
    let allowed = Permissions::PROPOSE.with(Permissions::COMPLIANCE).with(Permissions::CUSTOM[3]);
    assert_eq!(
        (member(2).principal(), member(2).permissions),
        (entity_member(EntityId::registered(99)), allowed)
    );
    assert!(matches!(workshop.board.members[0].id, MemberId::Delegating { .. }));
    // The raw form names members by identifier and means the same.
    let raw = String::from_utf8(spec.raw().unwrap()).unwrap();
    assert!(!raw.contains(r#""entity":"workshop""#), "{raw}");
    assert_eq!(ChainSpec::from_json(&raw).unwrap().raw().unwrap(), raw.as_bytes());
    assert_eq!(ChainSpec::from_json(&raw).unwrap().to_genesis().unwrap(), genesis);
}

fn entity_member(id: EntityId) -> xln_primitives::Principal {
    xln_primitives::Principal::Entity(id)
}

#[test]
fn entities_in_each_others_boards_need_a_registered_one_among_them() {
    let one = |other: &str| json!([{ "entity": other }, { "key": key(31) }]);
    let mut spec = with("/genesis/entities/-", company("left", one("right")));
    spec["genesis"]["entities"].as_array_mut().unwrap().push(company("right", one("left")));
    let message = refusal(&spec);
    assert!(message.contains("genesis.entities[3].board: left is the hash of its board"), "{message}");
    spec["genesis"]["entities"][4]["registered"] = json!(true);
    assert!(read(&spec).is_ok());
    let own = refusal(&with("/genesis/entities/-", company("own", one("own"))));
    assert!(own.contains("own is the hash of its board"), "{own}");
}

#[test]
fn members_that_contradict_themselves_are_refused_by_place() {
    let place = "genesis.entities[3].board.members[0]";
    let proof = delegate(40)["proofOfPossession"].clone();
    let bls = delegate(40)["key"].clone();
    for (member, at, part) in [
        (json!({}), "", "either a `key` or is an `entity`"),
        (json!({ "key": key(9), "entity": "hub" }), "", "either a `key` or is an `entity`"),
        (json!({ "entity": "hub", "proofOfPossession": proof }), "", "an entity has no key"),
        (json!({ "entity": "huub" }), ".entity", "no entity is called huub; there is"),
        (
            json!({ "key": key(9), "delegate": { "key": key(8), "proofOfPossession": proof } }),
            ".delegate.key",
            "BLS",
        ),
        (
            json!({ "key": key(9), "delegate": { "key": bls, "proofOfPossession": "0x12" } }),
            ".delegate.proof",
            "192",
        ),
        (
            json!({ "key": key(9), "delegate": delegate(1), "proofOfPossession": proof }),
            ".proof",
            "needs no delegate",
        ),
        (json!({ "key": bls, "delegate": delegate(1) }), ".delegate", "orders frames itself"),
        (
            json!({ "key": key(9), "permissions": ["fly"] }),
            "",
            "no permission is called \"fly\"; there is all, propose",
        ),
        (json!({ "key": key(9), "permissions": ["custom16"] }), "", "no permission is called"),
    ] {
        let message = refusal(&with("/genesis/entities/-", company("new", json!([member]))));
        assert!(message.contains(&format!("{place}{at}")) && message.contains(part), "{member}: {message}");
    }
}

#[test]
fn a_channel_means_the_same_from_both_sides() {
    let one = read(&small()).unwrap();
    let mut spec = small();
    spec["genesis"]["channels"] = json!([{
        "left": "hub",
        "right": "alice",
        "assets": { "usd": { "collateral": "100", "leftShare": "70", "leftCredit": "50", "rightCredit": "20" } }
    }]);
    let other = read(&spec).unwrap();
    assert_ne!(one, other);
    assert_eq!(one.to_genesis().unwrap(), other.to_genesis().unwrap());
    let channel = &one.to_genesis().unwrap().channels[0];
    assert!(channel.left < channel.right);

    spec["genesis"]["channels"].as_array_mut().unwrap().push(small()["genesis"]["channels"][0].clone());
    assert!(matches!(read(&spec), Err(SpecError::Duplicate { .. })));
}

#[test]
fn the_raw_form_is_the_same_bytes_from_either_form_and_any_order() {
    for spec in [read(&small()).unwrap(), ChainSpec::dev().unwrap()] {
        let raw = spec.raw().unwrap();
        let again = ChainSpec::from_json(std::str::from_utf8(&raw).unwrap()).unwrap();
        assert_eq!(again.raw().unwrap(), raw);
        assert_eq!(again.to_genesis().unwrap(), spec.to_genesis().unwrap());
        assert_eq!(spec.network().unwrap().as_bytes(), keccak256(&raw).as_bytes());
        assert_eq!(spec.to_genesis().unwrap().network, spec.network().unwrap());
        let pretty = serde_json::to_string_pretty(&spec).unwrap();
        assert_eq!(ChainSpec::from_json(&pretty).unwrap().raw().unwrap(), raw);
    }
    let mut spec = small();
    spec["genesis"]["entities"].as_array_mut().unwrap().reverse();
    assert_eq!(read(&spec).unwrap().network().unwrap(), read(&small()).unwrap().network().unwrap());
}

#[test]
fn the_raw_form_leaves_no_default_and_no_name_unsaid() {
    let raw: Value = serde_json::from_slice(&read(&small()).unwrap().raw().unwrap()).unwrap();
    assert_eq!(raw["consensus"]["blockTimeMs"], 100);
    assert_eq!(raw["protocolId"], "test");
    assert_eq!(raw["genesis"]["depositary"]["disputeWindowMs"], 604_800_000);
    assert_eq!(raw["genesis"]["assets"][0]["bridge"], raw["genesis"]["depositary"]["entity"]);
    for side in ["left", "right"] {
        assert!(raw["genesis"]["channels"][0][side].as_str().unwrap().starts_with("0x"));
    }
    assert_eq!(raw["genesis"]["entities"][0]["board"]["members"][0]["permissions"], json!(["all"]));
}

#[test]
fn every_difference_is_another_network() {
    let network = |spec: &Value| read(spec).unwrap().network().unwrap();
    let original = network(&small());
    for (pointer, value) in [
        ("/name", json!("Tesd")),
        ("/forkId", json!("2")),
        ("/genesis/timestamp", json!(1)),
        ("/genesis/channels/0/assets/usd/leftCredit", json!("21")),
        ("/genesis/entities/1/policy", json!({})),
    ] {
        assert_ne!(network(&with(pointer, value)), original, "{pointer}");
    }
}

#[test]
fn text_after_the_spec_and_files_that_are_not_there_are_refused() {
    assert!(ChainSpec::from_json(&format!("{} x", small())).is_err());
    let message = ChainSpec::load("/no/such/spec.json").unwrap_err().to_string();
    assert!(
        message.contains("/no/such/spec.json") && message.contains("built in: dev, local, consortium"),
        "{message}"
    );
}

#[test]
fn what_members_may_do_alone_is_a_preset_or_a_policy_in_full() {
    use pallet_governance::{Need, Preset, Share};
    let of = |value: Value| {
        let genesis = read(&with("/genesis/entities/1/governance", value)).unwrap().to_genesis().unwrap();
        let alice = genesis.entities.iter().find(|entity| entity.name == "alice").unwrap();
        alice.governance.clone().unwrap()
    };
    assert_eq!(of(json!("hub")), Preset::Hub.policy());
    let own = of(json!({
        "rules": [{ "first": 3, "last": 4, "need": { "vote": 6667 } }],
        "otherwise": { "permission": 4 },
        "proposalMs": 60000
    }));
    assert_eq!(own.need(3), Need::Vote(Share::from_basis_points(6_667)));
    let message = refusal(&with("/genesis/entities/1/governance", json!("tyranny")));
    assert!(message.contains("governance"), "{message}");
    let never = json!({ "rules": [], "otherwise": "member", "proposalMs": 0 });
    let spec = read(&with("/genesis/entities/1/governance", never));
    let message = spec.and_then(|spec| spec.to_genesis()).unwrap_err().to_string();
    assert!(message.contains("genesis.entities[1].governance"), "{message}");
}

#[test]
fn a_board_without_a_threshold_needs_as_much_weight_as_orders_its_frames() {
    let members: Vec<Value> = (1..=4).map(delegate).collect();
    let threshold = |profile: &str| {
        let board = json!({ "members": members, "profile": profile });
        let genesis = read(&with("/genesis/entities/1/board", board)).unwrap().to_genesis().unwrap();
        genesis.entities.iter().find(|entity| entity.name == "alice").unwrap().board.threshold
    };
    assert_eq!((threshold("byzantine"), threshold("crashFault")), (3, 3));
}
