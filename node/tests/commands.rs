//! The subcommands, through their functions.

use clap::Parser;
use xln_chain_spec::ChainSpec;
use xln_keystore::{Password, Phrase};
use xln_node::{
    cli::{ChainArgs, Cli, Command, DatabaseArgs, Exit, KeystoreArgs, SchemeArg, SchemeName},
    commands,
};
use xln_primitives::keccak256;
use xln_store::{Options, Store};
use zeroize::Zeroizing;

const WORDS: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

fn dev() -> ChainArgs {
    ChainArgs { chain: "dev".to_owned() }
}

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.to_owned())).expect("not empty")
}

fn first_ed25519() -> SchemeArg {
    SchemeArg { scheme: SchemeName::Ed25519, index: 0 }
}

#[test]
fn the_raw_spec_is_what_the_genesis_hash_is_the_hash_of() {
    let Some(Command::BuildSpec(args)) =
        Cli::try_parse_from(["xln-node", "build-spec", "--chain", "dev", "--raw"]).unwrap().command
    else {
        panic!("another command");
    };
    let raw = commands::build_spec(&args).unwrap();
    let info = commands::chain_info(&dev()).unwrap();
    assert_eq!(keccak256(&raw).as_bytes(), info.genesis_hash.as_bytes());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raw.json");
    std::fs::write(&file, &raw).unwrap();
    let again = commands::chain_info(&ChainArgs { chain: file.to_str().unwrap().to_owned() }).unwrap();
    assert_eq!(again.genesis_hash, info.genesis_hash);
    let json = serde_json::to_value(&info).unwrap();
    assert_eq!(json["genesisHash"], info.genesis_hash.to_string());
    assert!(info.to_string().contains(&info.genesis_hash.to_string()));
}

#[test]
fn a_spec_that_is_not_there_has_its_exit_code() {
    let error = commands::chain_info(&ChainArgs { chain: "/no/spec.json".to_owned() }).unwrap_err();
    assert_eq!(error.exit(), Exit::NoInput);
}

#[test]
fn words_give_the_same_key_when_shown_and_when_stored() {
    let folder = tempfile::tempdir().unwrap();
    let keystore =
        KeystoreArgs { chain: dev(), base_path: None, keystore_path: Some(folder.path().join("keys")) };
    assert!(commands::list_keys(&keystore).unwrap().0.is_empty(), "no folder, no keys");
    let phrase = || Phrase::parse(WORDS).expect("a valid phrase");
    let shown = commands::inspect_phrase(&phrase(), &first_ed25519()).unwrap();
    let stored = commands::insert_key(&keystore, password("one"), &phrase(), &first_ed25519()).unwrap();
    assert_eq!(shown, stored);
    assert_eq!(commands::list_keys(&keystore).unwrap().0, vec![stored]);

    commands::rotate_password(&keystore, password("one"), password("two")).unwrap();
    let wrong = commands::rotate_password(&keystore, password("one"), password("three")).unwrap_err();
    assert_eq!(wrong.exit(), Exit::NoPermission);
    commands::rotate_password(&keystore, password("two"), password("three")).unwrap();
}

#[test]
fn every_generated_phrase_is_another_and_its_words_give_its_key() {
    let [one, other] =
        [(), ()].map(|()| serde_json::to_value(commands::new_phrase(&first_ed25519()).unwrap()).unwrap());
    assert_ne!(one["words"], other["words"]);
    let phrase = Phrase::parse(one["words"].as_str().unwrap()).unwrap();
    let key = commands::inspect_phrase(&phrase, &first_ed25519()).unwrap();
    assert_eq!(one["publicKey"], serde_json::to_value(key.public_key).unwrap());
}

#[test]
fn a_database_is_described_checked_and_removed_only_while_nobody_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let args = DatabaseArgs { chain: dev(), base_path: Some(folder.path().to_path_buf()) };
    assert_eq!(commands::database_stats(&args).unwrap_err().exit(), Exit::NoInput);
    assert!(!commands::purge(&args).unwrap());

    let path = commands::database_folder(&args).unwrap();
    let network = ChainSpec::dev().unwrap().network().unwrap();
    std::fs::create_dir_all(&path).unwrap();
    let store = Store::open(&path, network, &Options::default()).unwrap();
    assert_eq!(commands::purge(&args).unwrap_err().exit(), Exit::Unavailable);
    drop(store);

    let stats = commands::database_stats(&args).unwrap();
    assert_eq!((stats.block, stats.slice), (None, None));
    assert_eq!(commands::verify_database(&args).unwrap().faults, 0);
    assert!(commands::purge(&args).unwrap());
    assert!(!path.exists());
}

#[test]
fn completions_and_the_manual_know_every_subcommand() {
    use clap::CommandFactory;
    let mut script = Vec::new();
    clap_complete::generate(clap_complete::Shell::Bash, &mut Cli::command(), "xln-node", &mut script);
    let script = String::from_utf8(script).unwrap();
    let mut manual = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut manual).unwrap();
    let manual = String::from_utf8(manual).unwrap();
    for name in ["build-spec", "key", "chain-info", "db", "purge-chain", "completions", "man"] {
        assert!(script.contains(name), "{name}");
        assert!(manual.replace('\\', "").contains(name), "{name}");
    }
}
