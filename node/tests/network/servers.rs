//! Validators and hubs as processes, and what they are asked.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    namespaces::Namespaces,
    process::{BINARY, Process, call, eventually, free_ports, testnet},
    proxy::Proxy,
};

/// What lies between the servers.
pub(crate) enum Wires {
    Proxy(Proxy),
    Namespaces(Namespaces),
}

/// The servers of one network, each running or not: validators first, then hubs with one user each.
pub(crate) struct Servers {
    folder: tempfile::TempDir,
    pub(crate) names: Vec<String>,
    pub(crate) validators: usize,
    running: Vec<Option<Process>>,
    addresses: Vec<SocketAddr>,
    wires: Wires,
    /// Servers that are not validators of the chain spec and have a voting key, with the file of its password.
    voters: BTreeMap<usize, PathBuf>,
}

impl Servers {
    /// Servers behind a proxy, not started yet.
    pub(crate) fn new(validators: usize, hubs: usize, seed: u64) -> Self {
        let addresses: Vec<SocketAddr> =
            (0..validators + hubs).map(|_| (Ipv4Addr::LOCALHOST, free_ports(1)).into()).collect();
        let proxy = Proxy::start(&addresses, seed);
        Self::between(validators, hubs, addresses, Wires::Proxy(proxy))
    }

    /// Servers with these addresses, not started yet.
    pub(crate) fn between(validators: usize, hubs: usize, addresses: Vec<SocketAddr>, wires: Wires) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("spec");
        // Its ports are replaced below.
        testnet((validators, hubs), 30_400, &out);
        let spec = std::fs::read_to_string(out.join("chain.json")).unwrap();
        let spec: Value = serde_json::from_str(&spec).unwrap();
        let servers = spec["servers"].as_array().unwrap();
        let names: Vec<String> =
            servers.iter().map(|server| server["name"].as_str().unwrap().to_owned()).collect();
        let running = names.iter().map(|_| None).collect();
        let this = Self { folder, names, validators, running, addresses, wires, voters: BTreeMap::new() };
        for place in 0..this.names.len() {
            std::fs::create_dir_all(this.home(place)).unwrap();
            std::fs::write(this.spec(place), this.spec_of(spec.clone(), place).to_string()).unwrap();
        }
        this
    }

    /// As [`Servers::new`], all of them started and connected.
    pub(crate) fn start(validators: usize, hubs: usize, seed: u64) -> Self {
        let mut servers = Self::new(validators, hubs, seed);
        servers.run_all();
        servers
    }

    /// The chain spec as one server has it: with the addresses at which it finds the others.
    fn spec_of(&self, mut spec: Value, place: usize) -> Value {
        for (other, server) in spec["servers"].as_array_mut().unwrap().iter_mut().enumerate() {
            let mut address = self.addresses[other];
            if let Wires::Proxy(proxy) = &self.wires
                && other != place
            {
                address.set_port(proxy.port(place, other));
            }
            server["addresses"] = json!([format!("/ip4/{}/tcp/{}", address.ip(), address.port())]);
        }
        spec
    }

    /// Where a server has its files.
    pub(crate) fn home(&self, place: usize) -> PathBuf {
        self.folder.path().join(&self.names[place])
    }

    /// The chain spec of a server.
    pub(crate) fn spec(&self, place: usize) -> PathBuf {
        self.home(place).join("chain.json")
    }

    /// The links between the servers.
    pub(crate) fn proxy(&self) -> &Proxy {
        match &self.wires {
            Wires::Proxy(proxy) => proxy,
            Wires::Namespaces(_) => panic!("these servers are joined by a bridge"),
        }
    }

    pub(crate) fn namespaces(&self) -> &Namespaces {
        match &self.wires {
            Wires::Namespaces(namespaces) => namespaces,
            Wires::Proxy(_) => panic!("these servers are joined by a proxy"),
        }
    }

    pub(crate) fn all(&self) -> std::ops::Range<usize> {
        0..self.names.len()
    }

    /// The first hub.
    pub(crate) const fn hub(&self) -> usize {
        self.validators
    }

    /// Starts every server that does not run, and waits until all who run are connected.
    pub(crate) fn run_all(&mut self) {
        for place in self.all() {
            if self.running[place].is_none() {
                self.run(place);
            }
        }
        self.until_connected();
    }

    pub(crate) fn until_connected(&self) {
        for place in self.all().filter(|place| self.running[*place].is_some()) {
            eventually("everybody is connected", || {
                let peers = self.ask(place, "system.peers", json!({}))?;
                let peers = peers.as_array().ok_or("no list")?;
                let away = |peer: &&Value| {
                    let name = peer["name"].as_str().unwrap_or_default();
                    let other = self.names.iter().position(|other| other == name).unwrap();
                    self.running[other].is_some() && peer["connected"] != true
                };
                match peers.iter().find(away) {
                    Some(peer) => Err(format!("{} and {}", self.names[place], peer["name"])),
                    None => Ok(()),
                }
            });
        }
    }

    /// Starts a server on what it has on its disk.
    pub(crate) fn run(&mut self, place: usize) {
        let (folder, chain, name) = (self.home(place), self.spec(place), &self.names[place]);
        let address = self.addresses[place];
        let listen = format!("/ip4/{}/tcp/{}", address.ip(), address.port());
        let mut options =
            vec!["--chain", chain.to_str().unwrap(), "--server", name, "--listen-addr", &listen];
        options.push("--no-discovery");
        if place < self.validators || self.voters.contains_key(&place) {
            options.push("--validator");
        }
        if let Some(password) = self.voters.get(&place) {
            let password = password.to_str().unwrap();
            options.extend(["--password-filename", password, "--vote-history", "first"]);
        }
        let log = folder.join("node.log");
        let started = match &self.wires {
            Wires::Proxy(_) => Process::start_by(&mut Command::new(BINARY), &folder, &log, &options),
            Wires::Namespaces(namespaces) => {
                options.extend(["--rpc-external", "--rpc-methods", "unsafe"]);
                let started =
                    Process::start_by(&mut namespaces.command(place, BINARY), &folder, &log, &options);
                started.map(|mut process| {
                    process.url = process.url.replace("[::]", &namespaces.control(place).to_string());
                    process
                })
            }
        };
        self.running[place] = Some(started.unwrap_or_else(|said| panic!("{name} did not start: {said}")));
    }

    /// Makes a voting key and puts it into the keystore of a server and into its own chain spec, which is no other's business.
    /// Returns it as a member of a board.
    pub(crate) fn give_voting_key(&mut self, place: usize) -> Value {
        let key = Command::new(BINARY).args(["key", "generate", "--scheme", "bls", "-o", "json"]).output();
        let key: Value = serde_json::from_slice(&key.unwrap().stdout).unwrap();
        let password = self.home(place).join("password");
        std::fs::write(&password, "for this test").unwrap();
        std::fs::set_permissions(&password, Permissions::from_mode(0o600)).unwrap();
        let mut inserted = Command::new(BINARY)
            .args(["key", "insert", "--scheme", "bls", "--chain"])
            .arg(self.spec(place))
            .arg("--base-path")
            .arg(self.home(place).join("data"))
            .arg("--password-filename")
            .arg(&password)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        inserted.stdin.take().unwrap().write_all(key["words"].as_str().unwrap().as_bytes()).unwrap();
        assert!(inserted.wait().unwrap().success());
        let spec = std::fs::read_to_string(self.spec(place)).unwrap();
        let mut spec: Value = serde_json::from_str(&spec).unwrap();
        spec["servers"][place]["validator"] = key["publicKey"].clone();
        std::fs::write(self.spec(place), spec.to_string()).unwrap();
        self.voters.insert(place, password);
        json!({ "key": key["publicKey"], "proofOfPossession": key["proofOfPossession"] })
    }

    /// kill −9.
    pub(crate) fn kill(&mut self, place: usize) {
        self.running[place].take().unwrap().kill();
    }

    /// Stops its time.
    pub(crate) fn pause(&self, place: usize) {
        self.running[place].as_ref().unwrap().signal("STOP");
    }

    pub(crate) fn resume(&self, place: usize) {
        self.running[place].as_ref().unwrap().signal("CONT");
    }

    /// Removes what a server that does not run has on its disk.
    pub(crate) fn wipe(&self, place: usize) {
        assert!(self.running[place].is_none());
        std::fs::remove_dir_all(self.home(place).join("data")).unwrap();
    }

    /// Processor time of all servers.
    pub(crate) fn processor(&self) -> Duration {
        self.running.iter().flatten().map(Process::processor).sum()
    }

    pub(crate) fn url(&self, place: usize) -> Option<String> {
        self.running[place].as_ref().map(|process| process.url.clone())
    }

    pub(crate) fn ask(&self, place: usize, method: &str, params: Value) -> Result<Value, String> {
        call(&self.url(place).ok_or("it does not run")?, method, &params)
    }

    /// What an entity has at the depositary, as a server sees it.
    pub(crate) fn reserve(&self, place: usize, entity: &str) -> Result<i128, String> {
        let rows = self.ask(place, "depositary.listReserves", json!({ "entity": entity }))?;
        number(&rows[0]["reserve"])
    }

    /// Height and hash of the depositary's latest frame, as a server has it.
    pub(crate) fn head(&self, place: usize) -> Result<(u64, String), String> {
        let header = self.ask(place, "chain.getHeader", json!({ "entity": "depositary" }))?;
        let height = u64::try_from(number(&header["height"])?).map_err(|error| error.to_string())?;
        Ok((height, header["hash"].to_string()))
    }

    /// Moves between reserves; the answer may come before the depositary's.
    pub(crate) fn transfer(&self, from: usize, owner: &str, to: &str, amount: u32) -> Result<Value, String> {
        let transfer = json!({ "entity": owner, "to": to, "amount": amount.to_string(), "asset": "usd" });
        self.ask(from, "depositary.transfer", transfer)
    }

    /// Who lives on a hub, and what it owns at the depositary.
    fn owner(&self, hub: usize) -> (&'static str, i128) {
        let owner = if hub == self.hub() { "alice" } else { "bob" };
        (owner, eventually("the reserve is known", || self.reserve(hub, owner)))
    }

    /// Decides one more frame, a transfer of one unit by the user of a hub, and waits until everybody who runs has it.
    pub(crate) fn decide(&self, hub: usize) {
        let (owner, _) = self.owner(hub);
        let (before, _) = self.head(hub).unwrap();
        // Without an answer it is still under way. What the user owns says nothing: others may pay it meanwhile.
        let _ = self.transfer(hub, owner, if owner == "alice" { "bob" } else { "alice" }, 1);
        let height = eventually("a frame is decided", || match self.head(hub)? {
            (height, _) if height > before => Ok(height),
            (height, _) => Err(format!("it is still at {height}")),
        });
        for place in self.all().filter(|place| self.running[*place].is_some()) {
            eventually("the frame is everywhere", || match self.head(place)? {
                (reached, _) if reached >= height => Ok(()),
                (reached, _) => Err(format!("{} is at {reached}, not at {height}", self.names[place])),
            });
        }
    }

    /// A validator proposes something to the depositary's board, and others vote for it until it is executed. Tells how long the
    /// last vote took from its request until it was answered, by which time the voter's server has executed what was decided.
    pub(crate) fn decide_by_vote(&self, proposer: usize, voters: &[usize], action: &Value) -> Duration {
        let proposal = json!({ "entity": "depositary", "actions": [action], "wait": true });
        let mut answer = self.ask(proposer, "entity.propose", proposal).unwrap();
        let number = answer["proposal"]["number"].clone();
        let vote = json!({ "entity": "depositary", "proposal": number, "choice": "approve", "wait": true });
        let mut took = Duration::ZERO;
        for voter in voters {
            let began = Instant::now();
            answer = self.ask(*voter, "entity.vote", vote.clone()).unwrap();
            took = began.elapsed();
        }
        assert_eq!(answer["proposal"]["status"], "executed", "{answer}");
        took
    }

    /// How long one transfer takes from its request until it is answered, by which time the payer's server has executed the
    /// frame that contains it.
    pub(crate) fn commit(&self) -> Duration {
        let (owner, before) = self.owner(self.hub());
        let began = Instant::now();
        let answer = self.transfer(self.hub(), owner, "bob", 1);
        let took = began.elapsed();
        if answer.is_ok() {
            assert_eq!(self.reserve(self.hub(), owner), Ok(before - 1));
            return took;
        }
        // On a machine with other work the answer may have taken longer than the request waits.
        eventually("the transfer is executed", || match self.reserve(self.hub(), owner)? {
            reserve if reserve == before - 1 => Ok(()),
            reserve => Err(format!("{owner} has {reserve} after {answer:?}")),
        });
        began.elapsed()
    }
}

/// A number as the node writes it.
pub(crate) fn number(value: &Value) -> Result<i128, String> {
    let text = value.as_str().ok_or_else(|| format!("no number: {value}"))?;
    text.parse().map_err(|error| format!("{error}: {text}"))
}
