use std::os::unix::fs::PermissionsExt;

use clap::Parser;
use xln_chain_spec::ChainSpec;
use yaml_rust2::{Yaml, YamlLoader};

use super::*;
use crate::{
    cli::{Cli, Command, PasswordSource},
    config::Config,
};

fn args(line: &str, out: &Path) -> Testnet {
    let line = format!("xln-node testnet {line} --out {}", out.display());
    match Cli::try_parse_from(line.split_whitespace()).unwrap().command {
        Some(Command::Testnet(args)) => args,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_written_network_is_one_that_starts() {
    let out = tempfile::tempdir().unwrap();
    let written = testnet(&args("--well-known --port 31000", out.path())).unwrap();
    let spec = ChainSpec::load(written.chain.to_str().unwrap()).unwrap();
    let genesis = spec.to_genesis().unwrap();
    let board = &genesis.facts().unwrap().depositary_board;
    assert_eq!((board.members.len(), board.quorum(), board.votes()), (4, 3, true));
    let servers = spec.known_servers().unwrap();
    let hosts: Vec<usize> = servers.iter().map(|server| server.hosts.len()).collect();
    assert_eq!(hosts, [0, 0, 0, 0, 2, 2]);
    let start = fs::read_to_string(written.start).unwrap();
    assert_eq!(start.matches("--config ").count(), 6);
    assert!(!out.path().join("hub-1/password").exists());
}

#[test]
fn every_server_has_keys_of_its_own_that_only_it_can_read() {
    let out = tempfile::tempdir().unwrap();
    let written = testnet(&args("--nodes 1 --hubs 1 --port 31000", out.path())).unwrap();
    let spec = ChainSpec::load(written.chain.to_str().unwrap()).unwrap();
    for server in &spec.servers {
        let folder = out.path().join(&server.name);
        for file in ["password", "node.key"] {
            let mode = fs::metadata(folder.join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file} of {}", server.name);
        }
        let keys = xln_keystore::Keystore::inspect(folder.join("data/chains/local/keystore")).unwrap();
        let public: Vec<_> = keys.iter().map(|key| key.public).collect();
        match server.validator {
            Some(voting) => assert_eq!(public, [voting]),
            None => assert_eq!(public.len(), 2, "the hub and its user"),
        }
    }
    let again = testnet(&args("--nodes 1 --hubs 1 --port 31000", out.path())).unwrap_err().to_string();
    assert!(again.contains("holds a network already"), "{again}");

    // Two networks have no key in common.
    let other = tempfile::tempdir().unwrap();
    let other = testnet(&args("--nodes 1 --hubs 1 --port 31000", other.path())).unwrap();
    assert_ne!(
        ChainSpec::load(other.chain.to_str().unwrap()).unwrap().network().unwrap(),
        spec.network().unwrap()
    );
}

#[test]
fn a_configuration_says_what_the_node_reads() {
    let out = tempfile::tempdir().unwrap();
    testnet(&args("--nodes 1 --hubs 1 --port 31000", out.path())).unwrap();
    let load = |name: &str| {
        let file = out.path().join(name).join("config.toml");
        let line = ["xln-node", "--config", file.to_str().unwrap()];
        Config::load(&Cli::try_parse_from(line).unwrap().run).unwrap()
    };
    let (validator, hub) = (load("validator-1"), load("hub-1"));
    assert!(validator.peers.validator && !hub.peers.validator);
    assert_eq!((validator.name.as_str(), validator.chain.as_str()), ("validator-1", "chain.json"));
    assert_eq!(hub.password, PasswordSource::File("hub-1/password".into()));
    assert_eq!(hub.peers.key_file, Some("hub-1/node.key".into()));
    assert_eq!(hub.peers.listen.first().map(ToString::to_string).unwrap(), "/ip4/127.0.0.1/tcp/31001");
    assert_eq!((hub.rpc.listen.port(), hub.prometheus.map(|address| address.port())), (31_101, Some(31_201)));
}

#[test]
fn containers_are_described_in_yaml_with_one_folder_each() {
    let out = tempfile::tempdir().unwrap();
    let written = testnet(&args("--well-known --port 31000", out.path())).unwrap();
    let text = fs::read_to_string(&written.compose).unwrap();
    let [document] = YamlLoader::load_from_str(&text).unwrap().try_into().unwrap();
    let services = document["services"].as_hash().unwrap();
    assert_eq!(services.len(), 6);
    for (name, service) in services {
        let name = name.as_str().unwrap();
        let command: Vec<&str> =
            service["command"].as_vec().unwrap().iter().filter_map(Yaml::as_str).collect();
        assert_eq!(command, ["xln-node", "--config", &format!("{name}/config.toml")]);
        let volumes: Vec<&str> =
            service["volumes"].as_vec().unwrap().iter().filter_map(Yaml::as_str).collect();
        assert_eq!(volumes.get(2), Some(&format!("./{name}:/net/{name}").as_str()), "{volumes:?}");
        assert_eq!(service["network_mode"].as_str(), Some("host"));
        assert!(service["user"].as_str().is_some_and(|user| user.contains(':')));
    }
}

#[test]
fn sizes_without_sense_are_refused_with_the_range() {
    let out = tempfile::tempdir().unwrap();
    for (line, range) in [
        ("--nodes 0", "within 1 and 64"),
        ("--hubs 7", "within 1 and 6"),
        ("--port 65400", "65535"),
        ("--port 0", "65535"),
    ] {
        let message = testnet(&args(line, out.path())).unwrap_err().to_string();
        assert!(message.contains(range), "{message}");
    }
    assert!(!out.path().join("chain.json").exists());
}
