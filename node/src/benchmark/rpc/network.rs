//! The files from which the node starts: chain spec, keys and their password.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use xln_chain_spec::ChainSpec;
use xln_keystore::{Cost, Keystore, Password};
use zeroize::Zeroizing;

use super::{
    super::{BenchmarkError, Parties, Party},
    LoadError,
};

/// Short name of the network.
pub(super) const CHAIN_ID: &str = "benchmark";
/// Password of keys that everybody can derive from the seed.
const PASSWORD: &str = "benchmark";
/// What each side has in a channel at the start.
const SHARE: u64 = 1 << 40;

/// Where the files are.
pub(super) struct Files {
    pub(super) spec: PathBuf,
    pub(super) keystore: PathBuf,
    pub(super) password: PathBuf,
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
}

/// The chain spec: a hub, a depositary, and users with a channel each.
pub(super) fn spec(parties: &Parties) -> Result<ChainSpec, BenchmarkError> {
    let entity = |name: String, party: &Party| json!({ "name": name, "board": { "members": [{ "key": party.key() }] } });
    let users = || (0_u32..).zip(parties.users());
    let hub = [entity("hub".into(), parties.hub()), entity("depositary".into(), parties.depositary())];
    let entities =
        hub.into_iter().chain(users().map(|(number, user)| entity(format!("user-{number}"), user)));
    let channel = |number: u32| {
        let row = json!({ "collateral": (SHARE * 2).to_string(), "leftShare": SHARE.to_string() });
        json!({ "left": format!("user-{number}"), "right": "hub", "assets": { "usd": row } })
    };
    let spec = json!({
        "name": "Benchmark",
        "id": CHAIN_ID,
        "chainType": "Development",
        "forkId": format!("seed-{}", parties.plan().seed),
        "genesis": {
            "assets": [{ "symbol": "usd", "name": "US dollar", "decimals": 2 }],
            "entities": entities.collect::<Vec<Value>>(),
            "depositary": { "entity": "depositary", "disputeWindowMs": 10_000 },
            "channels": users().map(|(number, _)| channel(number)).collect::<Vec<Value>>(),
        },
    });
    Ok(serde_json::from_value(spec).map_err(LoadError::from)?)
}

/// Writes everything that the node needs under `base`. What an earlier run left there is replaced.
pub(super) fn write(parties: &Parties, base: &Path) -> Result<Files, BenchmarkError> {
    let path = |name: &str| base.join(name);
    let files = Files {
        spec: path("spec.json"),
        keystore: path("keystore"),
        password: path("password"),
        data: path("data"),
        log: path("node.log"),
    };
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source: io::Error| BenchmarkError::Folder { path, source }
    };
    for folder in [&files.keystore, &files.data] {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(folder)(error)),
            _ => {}
        }
    }
    let text = serde_json::to_vec(&spec(parties)?).map_err(LoadError::from)?;
    fs::write(&files.spec, text).map_err(failed(&files.spec))?;
    let mut open = fs::OpenOptions::new();
    let password = open.write(true).create(true).truncate(true).mode(0o600).open(&files.password);
    let written = password.and_then(|mut file| file.write_all(PASSWORD.as_bytes()));
    written.map_err(failed(&files.password))?;
    let password = Password::new(Zeroizing::new(PASSWORD.to_owned())).map_err(LoadError::from)?;
    let keystore = Keystore::open_with(&files.keystore, password, Cost::LIGHT)?;
    for party in [parties.hub(), parties.depositary()].into_iter().chain(parties.users()) {
        keystore.insert(party.secret().clone())?;
    }
    Ok(files)
}
