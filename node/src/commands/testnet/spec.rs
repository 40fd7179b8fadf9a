//! The chain spec of such a network: validators, who decide for the depositary, and hubs, each with a user on the same server.
//! Every user has a channel with the own hub, and all hubs with each other.

use std::collections::BTreeMap;

use xln_chain_spec::{
    AssetSpec, BoardSpec, ChainSpec, ChainType, ChannelSpec, ConsensusSpec, DepositarySpec, EntityRef,
    EntitySpec, FaucetSpec, GenesisSpec, MemberSpec, PolicySpec, Properties, RowSpec, ServerSpec,
};
use xln_keystore::{DEV_NAMES, Signer};
use xln_primitives::{Amount, Profile, PublicKey, Timestamp};

use super::{METRICS, keys::Keys};
use crate::{cli::Testnet, commands::CommandError};

/// Short name of the network.
pub(super) const CHAIN_ID: &str = "local";
/// Most validators.
const NODES_MAX: u8 = 64;
/// Most hubs: users have the first of the well-known names.
const HUBS_MAX: u8 = 6;

/// Who takes part.
pub(super) struct Plan {
    validators: Vec<String>,
    hubs: Vec<String>,
    users: Vec<String>,
    port: u16,
}

impl Plan {
    /// Checks that there is a network of that size.
    pub(super) fn new(args: &Testnet) -> Result<Self, CommandError> {
        let range = |what: &str, found: u8, max: u8| {
            let wrong = format!("--{what} {found}: it must be within 1 and {max}");
            if (1..=max).contains(&found) { Ok(()) } else { Err(CommandError::Range(wrong)) }
        };
        range("nodes", args.nodes, NODES_MAX)?;
        range("hubs", args.hubs, HUBS_MAX)?;
        let last = METRICS.saturating_add(u16::from(args.nodes)).saturating_add(u16::from(args.hubs));
        if args.port == 0 || args.port.checked_add(last).is_none() {
            let wrong =
                format!("--port {}: ports up to {last} above it are used, and 65535 is the last", args.port);
            return Err(CommandError::Range(wrong));
        }
        let numbered = |what: &str, count: u8| (1..=count).map(|number| format!("{what}-{number}")).collect();
        Ok(Self {
            validators: numbered("validator", args.nodes),
            hubs: numbered("hub", args.hubs),
            users: DEV_NAMES.iter().take(usize::from(args.hubs)).map(|name| (*name).to_owned()).collect(),
            port: args.port,
        })
    }
}

/// The chain spec.
pub(super) fn spec(plan: &Plan, keys: &dyn Keys) -> Result<ChainSpec, CommandError> {
    let Plan { validators, hubs, users, port } = plan;
    let voters: Vec<_> = validators.iter().map(|name| keys.voting(name)).collect::<Result<_, _>>()?;
    let members: Vec<_> = voters.iter().map(|voter| member(voter.as_ref())).collect::<Result<_, _>>()?;
    let mut entities = vec![EntitySpec {
        name: "depositary".to_owned(),
        id: None,
        registered: false,
        board: BoardSpec { members, threshold: None, profile: Profile::Byzantine },
        reserves: BTreeMap::new(),
        policy: None,
        governance: None,
    }];
    for hub in hubs {
        let policy = PolicySpec {
            base_fee: Amount::new(1),
            fee_ppm: 100,
            timelock_delta_ms: 40_000,
            min_htlc: Amount::new(1),
            max_htlc: Amount::MAX,
            max_pending: 10_000,
        };
        entities.push(entity(hub, keys.entity(hub, hub)?, 100_000_000, Some(policy)));
    }
    for (user, hub) in users.iter().zip(hubs) {
        entities.push(entity(user, keys.entity(hub, user)?, 100_000, None));
    }
    let mut channels: Vec<ChannelSpec> =
        users.iter().zip(hubs).map(|(user, hub)| channel(user, hub, 50_000, 50_000)).collect();
    for (place, one) in hubs.iter().enumerate() {
        channels.extend(hubs.iter().skip(place + 1).map(|other| channel(one, other, 10_000_000, 10_000_000)));
    }
    let mut servers = Vec::with_capacity(validators.len() + hubs.len());
    for (validator, voter) in validators.iter().zip(&voters) {
        servers.push((validator, Some(voter.public()), Vec::new()));
    }
    for (hub, user) in hubs.iter().zip(users) {
        servers.push((hub, None, vec![EntityRef::from(hub.as_str()), EntityRef::from(user.as_str())]));
    }
    let servers = (0_u16..).zip(servers).map(|(place, (name, validator, hosts))| {
        Ok(ServerSpec {
            name: name.clone(),
            key: keys.connections(name)?,
            validator,
            addresses: vec![format!("/ip4/127.0.0.1/tcp/{}", port.saturating_add(place))],
            hosts,
        })
    });
    let spec = ChainSpec {
        name: "XLN Local Testnet".to_owned(),
        id: CHAIN_ID.to_owned(),
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

fn entity(name: &str, key: PublicKey, reserve: u128, policy: Option<PolicySpec>) -> EntitySpec {
    EntitySpec {
        name: name.to_owned(),
        id: None,
        registered: false,
        board: BoardSpec::single(key),
        reserves: BTreeMap::from([("usd".into(), Amount::new(reserve))]),
        policy,
        governance: None,
    }
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

fn member(voter: &dyn Signer) -> Result<MemberSpec, CommandError> {
    let proof = voter.prove_possession()?;
    Ok(MemberSpec::of_key(voter.public(), proof.map(|proof| format!("0x{}", hex::encode(proof)))))
}
