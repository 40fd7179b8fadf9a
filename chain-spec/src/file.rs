//! Reading chain specs, and writing their raw form.

use std::{fs, io, path::Path};

use xln_primitives::{Network, keccak256};
use xln_runtime::genesis::Genesis;

use crate::{ChainSpec, SpecError, resolve};

/// Names of specs that need no file.
const BUILT_IN: &str = "dev, local, consortium";
const DEV: &str = include_str!("../specs/dev.json");
const LOCAL: &str = include_str!("../specs/local.json");
const CONSORTIUM: &str = include_str!("../specs/consortium.json");
/// Longest file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

impl ChainSpec {
    /// The network on one machine for trying things out.
    pub fn dev() -> Result<Self, SpecError> {
        Self::from_json(DEV)
    }

    /// Four validators and two hubs on one machine, with keys that everybody knows.
    pub fn local() -> Result<Self, SpecError> {
        Self::from_json(LOCAL)
    }

    /// An example to edit: a live network of four validators and two hubs. Nobody has the secrets of its keys.
    pub fn consortium() -> Result<Self, SpecError> {
        Self::from_json(CONSORTIUM)
    }

    /// The built-in spec of that name (`dev`, `local`, `consortium`), or else the file at that path, at most 64 MiB.
    pub fn load(name_or_path: &str) -> Result<Self, SpecError> {
        match name_or_path {
            "dev" => return Self::dev(),
            "local" => return Self::local(),
            "consortium" => return Self::consortium(),
            _ => {}
        }
        let path = Path::new(name_or_path);
        let unreadable =
            |source| SpecError::Unreadable { path: path.to_path_buf(), built_in: BUILT_IN, source };
        let length = fs::metadata(path).map_err(unreadable)?.len();
        if length > MAX_FILE {
            let source = io::Error::other(format!("{length} bytes are more than the {MAX_FILE} allowed"));
            return Err(unreadable(source));
        }
        Self::from_json(&fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads and checks a chain spec. Refuses fields that it does not know.
    pub fn from_json(json: &str) -> Result<Self, SpecError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let spec: Self = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            SpecError::Form { path: error.path().to_string(), source: error.into_inner() }
        })?;
        deserializer.end().map_err(|source| SpecError::Form { path: "the end".to_owned(), source })?;
        spec.validate()?;
        Ok(spec)
    }

    /// Checks names, references, ranges, boards and sums.
    pub fn validate(&self) -> Result<(), SpecError> {
        resolve::genesis(self).map(|_| ())
    }

    /// The spec with every default and identifier stated, sorted: what the raw form says.
    pub fn resolved(&self) -> Result<Self, SpecError> {
        Ok(resolve::raw_form(self, &resolve::genesis(self)?))
    }

    /// The raw form. One line of JSON and a line feed; without its servers it is what is hashed.
    pub fn raw(&self) -> Result<Vec<u8>, SpecError> {
        to_bytes(&self.resolved()?)
    }

    /// The genesis hash: keccak-256 of the raw form.
    pub fn network(&self) -> Result<Network, SpecError> {
        Ok(self.to_genesis()?.network)
    }

    /// What the runtime starts from.
    pub fn to_genesis(&self) -> Result<Genesis, SpecError> {
        let genesis = resolve::genesis(self)?;
        let hashed = Self { servers: Vec::new(), ..resolve::raw_form(self, &genesis) };
        let network = hash(&to_bytes(&hashed)?);
        Ok(Genesis { network, ..genesis })
    }
}

fn to_bytes(resolved: &ChainSpec) -> Result<Vec<u8>, SpecError> {
    let mut bytes = serde_json::to_vec(resolved)
        .map_err(|source| SpecError::Form { path: "the whole".to_owned(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn hash(raw: &[u8]) -> Network {
    Network::new(*keccak256(raw).as_bytes())
}
