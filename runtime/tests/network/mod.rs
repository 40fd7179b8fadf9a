//! A small network in one process: a depositary, a hub, and two users with a thousand each. Alice has a channel with the
//! hub, in which 400 of the collateral is hers; bob has none.
#![allow(dead_code, reason = "every test file uses its part")]

use std::collections::BTreeMap;

use xln_primitives::{
    Amount, AssetId, BlockHeader, Board, CALL_VERSION, Certificate, ChannelId, EntityId, FrameHeader, Hash,
    SecretKey, SignerId, Timestamp, Vote, keccak256,
};
use xln_runtime::{
    CallBody, Certifier, CertifyError, Executed, Genesis, RuntimeCall, Server, SignedCall, Slice,
    SliceInputs, StateRow, authenticate_calls,
    genesis::{GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity},
    invariants,
};

pub(crate) const USD: &str = "usd";
const NETWORK: xln_primitives::Network = xln_primitives::Network::new([9; 32]);

pub(crate) struct Network {
    pub(crate) genesis: Genesis,
    pub(crate) server: Server,
    pub(crate) slices: Vec<Slice>,
    pub(crate) blocks: Vec<BlockHeader>,
    pub(crate) now: Timestamp,
    keys: Keys,
}

/// Signs with every key that it was told to hold.
struct Keys(BTreeMap<SignerId, SecretKey>);

impl Certifier for Keys {
    fn can_certify(&self, _entity: EntityId, board: &Board) -> bool {
        board.sole_signer().is_some_and(|key| self.0.contains_key(&key.signer_id()))
    }

    fn certify(
        &self,
        _ordinal: usize,
        board: &Board,
        header: &FrameHeader,
    ) -> Result<Certificate, CertifyError> {
        let key = &self.0[&board.sole_signer().unwrap().signer_id()];
        Ok(Certificate::Single(key.sign(&Vote::precommit(NETWORK, header, 0).sign_bytes()).unwrap()))
    }
}

fn secret(name: &str) -> SecretKey {
    SecretKey::Ed25519(zeroize::Zeroizing::new(*keccak256(name.as_bytes()).as_bytes()))
}

fn board(name: &str) -> Board {
    Board::single(secret(name).public().unwrap())
}

/// A channel whose collateral is all of `owner`'s.
fn channel(owner: &str, peer: &str, collateral: u128) -> GenesisChannel {
    let (owner, peer) = (board(owner).entity(), board(peer).entity());
    let (left, right) = if owner < peer { (owner, peer) } else { (peer, owner) };
    let ondelta = if owner == left { collateral } else { 0 };
    let row = GenesisChannelRow {
        asset: AssetId::named(USD),
        collateral: Amount::new(collateral),
        ondelta: Amount::new(ondelta),
        left_credit: Amount::ZERO,
        right_credit: Amount::ZERO,
    };
    GenesisChannel { left, right, rows: vec![row] }
}

impl Network {
    pub(crate) fn new() -> Self {
        let asset = AssetId::named(USD);
        let entity = |name: &str, reserve: u128| GenesisEntity {
            id: board(name).entity(),
            name: name.into(),
            board: board(name),
            reserves: vec![(asset, Amount::new(reserve))],
            policy: None,
            governance: None,
        };
        let genesis = Genesis {
            network: NETWORK,
            timestamp: Timestamp::from_millis(1),
            depositary: board("depositary").entity(),
            dispute_window_ms: 10_000,
            hosted: None,
            assets: vec![GenesisAsset {
                id: asset,
                symbol: USD.into(),
                name: "US dollar".into(),
                decimals: 2,
                bridge: board("depositary").entity(),
                faucet_max: None,
            }],
            entities: vec![
                entity("depositary", 0),
                entity("hub", 0),
                entity("alice", 1000),
                entity("bob", 1000),
            ],
            channels: vec![channel("alice", "hub", 400)],
        };
        let server = genesis.build().unwrap();
        let mut network = Self {
            genesis,
            server,
            slices: Vec::new(),
            blocks: Vec::new(),
            now: Timestamp::from_millis(100),
            keys: Keys(BTreeMap::new()),
        };
        for name in ["depositary", "hub", "alice", "bob"] {
            network.hold_key(name);
        }
        network.check();
        network
    }

    pub(crate) fn id_of_network(&self) -> xln_primitives::Network {
        NETWORK
    }

    pub(crate) fn board(&self, name: &str) -> Board {
        board(name)
    }

    pub(crate) fn id(&self, name: &str) -> EntityId {
        board(name).entity()
    }

    pub(crate) const fn certifier(&self) -> &dyn Certifier {
        &self.keys
    }

    pub(crate) fn hold_key(&mut self, name: &str) {
        let secret = secret(name);
        self.keys.0.insert(secret.public().unwrap().signer_id(), secret);
    }

    pub(crate) fn lose_key(&mut self, name: &str) {
        self.keys.0.remove(&secret(name).public().unwrap().signer_id());
    }

    pub(crate) fn call<const N: usize>(&self, who: &str, nonce: u64, calls: [RuntimeCall; N]) -> SignedCall {
        self.call_as(who, who, nonce, calls)
    }

    pub(crate) fn call_as<const N: usize>(
        &self,
        signer: &str,
        entity: &str,
        nonce: u64,
        calls: [RuntimeCall; N],
    ) -> SignedCall {
        self.call_to(signer, self.id(entity), nonce, calls)
    }

    pub(crate) fn call_to<const N: usize>(
        &self,
        signer: &str,
        entity: EntityId,
        nonce: u64,
        calls: [RuntimeCall; N],
    ) -> SignedCall {
        let body = CallBody {
            version: CALL_VERSION,
            network: NETWORK,
            signer: secret(signer).public().unwrap(),
            entity,
            nonce,
            valid_until: Timestamp::MAX,
            calls: calls.to_vec().try_into().unwrap(),
            tip: Amount::ZERO,
        };
        body.sign(&secret(signer)).unwrap()
    }

    pub(crate) fn run(&mut self, calls: Vec<SignedCall>) -> Executed {
        let calls = authenticate_calls(calls, NETWORK, self.now, [1; 32]);
        let calls = calls.into_iter().map(Result::unwrap).collect();
        self.run_inputs(SliceInputs { calls, ..SliceInputs::default() })
    }

    pub(crate) fn run_inputs(&mut self, inputs: SliceInputs) -> Executed {
        let entropy = Hash::new([u8::try_from(self.slices.len()).unwrap(); 32]);
        let executed = self.server.execute(self.now, entropy, inputs, &self.keys).unwrap();
        self.server.commit(&executed);
        self.slices.push(executed.slice.clone());
        self.now = self.now.saturating_add(10);
        self.check();
        executed
    }

    pub(crate) fn seal(&mut self) {
        let sealed = self.server.seal(self.now).unwrap();
        self.blocks.push(sealed.header.clone());
        self.server.commit_block(sealed);
    }

    pub(crate) fn check(&self) {
        invariants::check(&self.server).unwrap();
    }

    /// All rows of the state.
    pub(crate) fn rows(&mut self) -> Vec<StateRow<'static>> {
        self.server.take_changes().rows().map(StateRow::into_owned).collect()
    }

    pub(crate) fn reserve(&self, entity: EntityId) -> Amount {
        let depositary = self.server.depositary().unwrap();
        pallet_reserves::reserve(&depositary.state(), &entity, &AssetId::named(USD)).unwrap()
    }

    /// What `of` may claim in its channel with the peer, as the copy of `holder` has it.
    pub(crate) fn delta(&self, of: EntityId, peer: EntityId, holder: EntityId) -> i128 {
        let copy = self.server.entity(&holder).unwrap();
        let id = ChannelId::between(&of, &peer);
        let channel = pallet_channels::view::channel(&copy.state(), id).unwrap().unwrap().channel;
        let row = channel.subchannel(&AssetId::named(USD)).unwrap();
        let delta = row.ondelta.get() + row.offdelta.get();
        let collateral = i128::try_from(row.collateral.get()).unwrap();
        if channel.left == of { delta } else { collateral - delta }
    }
}
