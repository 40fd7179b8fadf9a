//! A server of a chain spec that is not what it says.

use std::{path::Path, time::Duration};

use xln_chain_spec::{ChainSpec, SpecError};
use xln_keystore::{DeriveError, Scheme, dev_key, dev_secret};
use xln_network::{
    Access, Code, Config, Event, Limits, Multiaddr, Network, SendError, ServerAddress, ServerId, ServerKey,
    StartError, Topic,
};
use xln_primitives::{PublicKey, SecretKey, SignatureError};

use crate::{Liar, Lie};

/// Larger than what an honest server takes.
const OVERSIZED: usize = 5 << 20;

/// Why there is no liar.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The chain spec cannot be used.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// It has no such validator.
    #[error("chain spec: {0} is no validator")]
    NoValidator(String),
    /// An address in it is none.
    #[error("chain spec: {0} is no address")]
    Address(String),
    /// The server has no well-known key.
    #[error(transparent)]
    Key(#[from] DeriveError),
    /// The key signs nothing.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The network does not start.
    #[error(transparent)]
    Network(#[from] StartError),
}

/// Is the validator `name` of a chain spec, with its well-known keys, and lies until the process ends.
///
/// Every other server is told every lie.
pub async fn run(chain: &Path, name: &str) -> Result<(), Failed> {
    let no_validator = || Failed::NoValidator(name.to_owned());
    let spec = ChainSpec::load(&chain.display().to_string())?;
    let facts = spec.to_genesis()?.facts().map_err(|_| no_validator())?;
    let servers = spec.known_servers()?;
    let own = servers.iter().find(|server| server.name == name).ok_or_else(no_validator)?;
    let SecretKey::Ed25519(secret) = dev_key(&format!("{name}/connections")) else {
        return Err(no_validator());
    };
    let voting = dev_secret(name, Scheme::Bls)?;
    let PublicKey::Bls(public) = voting.public()? else { return Err(no_validator()) };
    let mut liar = Liar::new(&facts.depositary_board, facts.network, facts.depositary, voting, public)
        .ok_or_else(no_validator)?;

    let address = |text: &String| text.parse::<Multiaddr>().map_err(|_| Failed::Address(text.clone()));
    let others: Vec<_> = servers.iter().filter(|server| server.name != name).collect();
    let mut reserved = Vec::new();
    for other in &others {
        for text in &other.addresses {
            reserved.push(ServerAddress { server: ServerId::new(other.key), address: address(text)? });
        }
    }
    let config = Config {
        listen: own.addresses.iter().map(address).collect::<Result<_, _>>()?,
        reserved,
        access: Access::Listed(others.iter().map(|other| ServerId::new(other.key)).collect()),
        discovery: false,
        // It allows itself what others refuse.
        limits: Limits {
            consensus_bytes: 2 * OVERSIZED,
            redial_max: Duration::from_secs(2),
            ..Limits::default()
        },
        ..Config::new(facts.network, ServerKey::from_secret(secret))
    };
    let (network, mut events, _task) = Network::start(config)?;
    println!("lying as {name}");
    while let Some(event) = events.next().await {
        let lies = match event {
            Event::Consensus { code: Code::Propose | Code::Vote | Code::Commit, body, .. } => {
                liar.hear(body.into_inner())
            }
            // It knows nothing, and passes nothing on.
            _ => Vec::new(),
        };
        for lie in lies {
            // What cannot be sent is one lie less.
            let _ =
                tell(&network, &others.iter().map(|other| ServerId::new(other.key)).collect::<Vec<_>>(), lie);
        }
    }
    Ok(())
}

fn tell(network: &Network, others: &[ServerId], lie: Lie) -> Result<(), SendError> {
    match lie {
        Lie::Proposal(bytes) => network.consensus(others.to_vec(), Code::Propose, bytes),
        Lie::Vote(bytes) => network.consensus(others.to_vec(), Code::Vote, bytes),
        Lie::Decision(bytes) => network.consensus(others.to_vec(), Code::Commit, bytes),
        Lie::Gossip(bytes) => network.publish(Topic::Frames, Code::Commit, bytes),
        Lie::Oversized => network.consensus(others.to_vec(), Code::Propose, vec![0x5a; OVERSIZED]),
    }
}
