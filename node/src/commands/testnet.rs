//! `testnet`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde::Serialize;
use xln_chain_spec::{
    AssetSpec, BoardSpec, ChainSpec, ChainType, ChannelSpec, ConsensusSpec, DepositarySpec, EntityRef,
    EntitySpec, FaucetSpec, GenesisSpec, MemberSpec, Permission, PolicySpec, Properties, RowSpec, ServerSpec,
};
use xln_keystore::{DEV_NAMES, KeySigner, Scheme, Signer, dev_key, dev_secret};
use xln_primitives::{Amount, Profile, PublicKey, Timestamp};

use super::CommandError;
use crate::{cli::Testnet, keys::well_known_connections};

/// Users have the first of these names.
const USERS_MAX: u8 = 6;
/// RPC ports lie so far above those for other servers.
const RPC: u16 = 100;

/// A network that was written down.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// The chain spec.
    pub chain: PathBuf,
    /// Starts all servers.
    pub start: PathBuf,
    /// The servers, with their ports for others and for RPC.
    pub servers: Vec<(String, u16, u16)>,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, port, rpc) in &self.servers {
            writeln!(f, "{name:<12} for servers {port}, RPC ws://127.0.0.1:{rpc}")?;
        }
        write!(f, "start all of them: {}", self.start.display())
    }
}

/// Writes a network down.
pub fn testnet(args: &Testnet) -> Result<Written, CommandError> {
    let spec = spec(args)?;
    fs::create_dir_all(&args.out)?;
    let chain = args.out.join("chain.json");
    let mut text = serde_json::to_vec_pretty(&spec).map_err(std::io::Error::from)?;
    text.push(b'\n');
    fs::write(&chain, text)?;
    let servers: Vec<(String, u16, u16)> = (0_u16..)
        .zip(&spec.servers)
        .map(|(place, server)| {
            let port = args.port.saturating_add(place);
            (server.name.clone(), port, port.saturating_add(RPC))
        })
        .collect();
    let start = args.out.join("start");
    fs::write(&start, script(&servers, usize::from(args.nodes)))?;
    fs::set_permissions(&start, fs::Permissions::from_mode(0o755))?;
    Ok(Written { chain: absolute(&chain), start: absolute(&start), servers })
}

fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The network: validators, who decide for the depositary, and hubs, each with a user on the same server. Every user has a
/// channel with the own hub, and all hubs with each other.
fn spec(args: &Testnet) -> Result<ChainSpec, CommandError> {
    let range = |what: &str, found: u8, max: u8| {
        let wrong = format!("--{what} {found}: it must be within 1 and {max}");
        if (1..=max).contains(&found) { Ok(()) } else { Err(CommandError::Range(wrong)) }
    };
    range("nodes", args.nodes, 64)?;
    range("hubs", args.hubs, USERS_MAX)?;
    let validators: Vec<String> = (1..=args.nodes).map(|number| format!("validator-{number}")).collect();
    let hubs: Vec<String> = (1..=args.hubs).map(|number| format!("hub-{number}")).collect();
    let users = DEV_NAMES.iter().take(hubs.len()).map(|name| (*name).to_owned());
    let users: Vec<String> = users.collect();

    let mut entities = vec![EntitySpec {
        name: "depositary".to_owned(),
        id: None,
        registered: false,
        board: BoardSpec {
            members: validators.iter().map(|name| member(name)).collect::<Result<_, _>>()?,
            threshold: 1,
            profile: Profile::Byzantine,
        },
        reserves: BTreeMap::new(),
        policy: None,
    }];
    for hub in &hubs {
        let policy = PolicySpec {
            base_fee: Amount::new(1),
            fee_ppm: 100,
            timelock_delta_ms: 40_000,
            min_htlc: Amount::new(1),
            max_htlc: Amount::MAX,
            max_pending: 10_000,
        };
        entities.push(entity(hub, 100_000_000, Some(policy))?);
    }
    for user in &users {
        entities.push(entity(user, 100_000, None)?);
    }
    let mut channels: Vec<ChannelSpec> =
        users.iter().zip(&hubs).map(|(user, hub)| channel(user, hub, 50_000, 50_000)).collect();
    for (place, one) in hubs.iter().enumerate() {
        channels.extend(hubs.iter().skip(place + 1).map(|other| channel(one, other, 10_000_000, 10_000_000)));
    }
    let hosts = |server: &String| -> Vec<EntityRef> {
        let user = hubs.iter().position(|hub| hub == server).and_then(|place| users.get(place));
        user.map_or_else(Vec::new, |user| {
            vec![EntityRef::from(server.as_str()), EntityRef::from(user.as_str())]
        })
    };
    let servers = (0_u16..).zip(validators.iter().chain(&hubs)).map(|(place, name)| {
        Ok(ServerSpec {
            name: name.clone(),
            key: public(well_known_connections(name))?,
            validator: if validators.contains(name) { Some(voting(name)?.public()) } else { None },
            addresses: vec![format!("/ip4/127.0.0.1/tcp/{}", args.port.saturating_add(place))],
            hosts: hosts(name),
        })
    });
    let spec = ChainSpec {
        name: "XLN Local Testnet".to_owned(),
        id: "local".to_owned(),
        chain_type: ChainType::Local,
        protocol_id: None,
        fork_id: None,
        properties: Some(Properties { token_symbol: "usd".to_owned(), token_decimals: 2 }),
        consensus: ConsensusSpec::default(),
        servers: servers.collect::<Result<_, CommandError>>()?,
        genesis: GenesisSpec {
            timestamp: Timestamp::default(),
            assets: vec![AssetSpec {
                symbol: "usd".to_owned(),
                id: None,
                name: "US dollar".to_owned(),
                decimals: 2,
                bridge: None,
                faucet: Some(FaucetSpec { max: Amount::new(1_000_000) }),
            }],
            entities,
            depositary: DepositarySpec { entity: EntityRef::from("depositary"), dispute_window_ms: 10_000 },
            channels,
        },
    };
    spec.validate()?;
    Ok(spec)
}

fn entity(name: &str, reserve: u128, policy: Option<PolicySpec>) -> Result<EntitySpec, CommandError> {
    Ok(EntitySpec {
        name: name.to_owned(),
        id: None,
        registered: false,
        board: BoardSpec::single(public(dev_key(name))?),
        reserves: BTreeMap::from([("usd".into(), Amount::new(reserve))]),
        policy,
    })
}

/// A channel in which `left` has the collateral and both grant credit.
fn channel(left: &str, right: &str, collateral: u128, credit: u128) -> ChannelSpec {
    let row = RowSpec {
        collateral: Amount::new(collateral),
        left_share: Amount::new(collateral / 2),
        left_credit: Amount::new(credit),
        right_credit: Amount::new(credit),
    };
    ChannelSpec {
        left: EntityRef::from(left),
        right: EntityRef::from(right),
        assets: BTreeMap::from([("usd".into(), row)]),
    }
}

fn public(secret: xln_primitives::SecretKey) -> Result<PublicKey, CommandError> {
    Ok(KeySigner::new(secret)?.public())
}

fn voting(server: &str) -> Result<KeySigner, CommandError> {
    Ok(KeySigner::new(dev_secret(server, Scheme::Bls)?)?)
}

fn member(server: &str) -> Result<MemberSpec, CommandError> {
    let signer = voting(server)?;
    // A BLS key proves its possession; the spec is checked afterwards anyway.
    let proof = signer.prove_possession().ok().flatten();
    Ok(MemberSpec {
        key: signer.public(),
        proof_of_possession: proof.map(|proof| format!("0x{}", hex::encode(proof))),
        weight: 1,
        permissions: BTreeSet::from([Permission::All]),
    })
}

/// A script that starts every server in a folder of its own, and stops all of them when it is stopped.
fn script(servers: &[(String, u16, u16)], validators: usize) -> String {
    let mut text = String::from(
        "#!/bin/sh\n# Starts every server of this network; stop it with Ctrl-C.\nset -eu\ncd \"$(dirname \"$0\")\"\n\
         node=${XLN_NODE:-xln-node}\ntrap 'kill 0' INT TERM EXIT\n",
    );
    for (place, (name, port, rpc)) in servers.iter().enumerate() {
        let validator = if place < validators { " --validator" } else { "" };
        text.push_str(&format!(
            "\"$node\" --chain chain.json --server {name}{validator} --name {name} --base-path {name} --port {port} \
             --rpc-port {rpc} --no-prometheus 2>{name}.log &\n"
        ));
    }
    text.push_str("wait\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_network_is_one_that_starts() {
        let out = tempfile::tempdir().unwrap();
        let args = Testnet { nodes: 4, hubs: 2, port: 31_000, out: out.path().join("net") };
        let written = testnet(&args).unwrap();
        let spec = ChainSpec::load(written.chain.to_str().unwrap()).unwrap();
        let genesis = spec.to_genesis().unwrap();
        let board = &genesis.facts().unwrap().depositary_board;
        assert_eq!((board.members.len(), board.quorum(), board.votes()), (4, 3, true));
        let servers = spec.known_servers().unwrap();
        let hosts: Vec<usize> = servers.iter().map(|server| server.hosts.len()).collect();
        assert_eq!(hosts, [0, 0, 0, 0, 2, 2]);
        let start = fs::read_to_string(written.start).unwrap();
        assert_eq!(start.matches(" --validator ").count(), 4);
    }

    #[test]
    fn sizes_without_sense_are_refused_with_the_range() {
        let args = Testnet { nodes: 0, hubs: 2, port: 31_000, out: PathBuf::new() };
        assert!(testnet(&args).unwrap_err().to_string().contains("within 1 and 64"));
    }
}
