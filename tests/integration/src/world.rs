//! One server in memory that hosts everybody and holds every key, and the log of all it did.

use std::collections::BTreeMap;

use xln_primitives::{
    Amount, BlockHeader, Board, BoundedVec, CALL_VERSION, Certificate, EntityId, FrameHeader, Hash, Network,
    Nonce, SecretKey, Signature, SignatureError, SignerId, Timestamp, Vote, keccak256,
};
use xln_runtime::{
    CallBody, Certifier, CertifyError, Executed, Genesis, RuntimeCall, Server, SignedCall, Slice,
    SliceInputs, genesis::GenesisError,
};

/// A key, and the entity whose board it is.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What it is called; the key is derived from it.
    pub name: String,
    /// Its board of one.
    pub board: Board,
    /// The lazy entity of that board.
    pub id: EntityId,
    secret: SecretKey,
}

impl Actor {
    /// The actor of this name. Two runs with the same names have the same keys.
    pub fn named(name: impl Into<String>) -> Result<Self, SignatureError> {
        let name = name.into();
        let secret = SecretKey::Ed25519((*keccak256(name.as_bytes()).as_bytes()).into());
        let board = Board::single(secret.public()?);
        Ok(Self { name, id: board.entity(), board, secret })
    }

    /// Somebody who signs for an entity of this board with one of its keys.
    #[must_use]
    pub fn member(name: impl Into<String>, board: Board, secret: SecretKey) -> Self {
        Self { name: name.into(), id: board.entity(), board, secret }
    }

    /// Who signs.
    ///
    /// # Errors
    /// A secret that is none.
    pub fn signer(&self) -> Result<SignerId, SignatureError> {
        Ok(self.secret.public()?.signer_id())
    }

    /// A call to `entity` that this actor signs. More than 64 calls are cut off.
    pub fn sign(
        &self,
        network: Network,
        entity: EntityId,
        nonce: Nonce,
        calls: Vec<RuntimeCall>,
    ) -> Result<SignedCall, SignatureError> {
        let body = CallBody {
            version: CALL_VERSION,
            network,
            signer: self.secret.public()?,
            entity,
            nonce,
            valid_until: Timestamp::MAX,
            calls: BoundedVec::truncate_from(calls),
            tip: Amount::ZERO,
        };
        body.sign(&self.secret)
    }
}

/// What a log holds, in the order in which it became durable.
#[derive(Debug, Clone)]
pub enum Logged {
    /// A slice.
    Slice(Slice),
    /// A block over the slices since the one before.
    Block(BlockHeader),
}

/// A server with every key.
#[derive(Debug)]
pub struct World {
    /// How it began.
    pub genesis: Genesis,
    /// How it stands.
    pub server: Server,
    /// What happened in between.
    pub log: Vec<Logged>,
    keys: Keys,
}

/// The keys of boards of one.
#[derive(Debug, Clone)]
pub struct Keys {
    network: Network,
    secrets: BTreeMap<SignerId, SecretKey>,
}

impl Keys {
    /// Of these actors, for a network.
    #[must_use]
    pub fn new(network: Network, actors: &[Actor]) -> Self {
        let secret = |actor: &Actor| {
            let signer = actor.board.sole_signer()?.signer_id();
            Some((signer, actor.secret.clone()))
        };
        Self { network, secrets: actors.iter().filter_map(secret).collect() }
    }

    /// Signs with one of them.
    #[must_use]
    pub fn sign(&self, signer: &SignerId, message: &[u8]) -> Option<Signature> {
        self.secrets.get(signer)?.sign(message).ok()
    }
}

impl Certifier for Keys {
    fn can_certify(&self, _entity: EntityId, board: &Board) -> bool {
        board.sole_signer().is_some_and(|key| self.secrets.contains_key(&key.signer_id()))
    }

    fn certify(
        &self,
        _ordinal: usize,
        board: &Board,
        header: &FrameHeader,
    ) -> Result<Certificate, CertifyError> {
        let refused = |reason: &str| CertifyError {
            entity: header.entity,
            height: header.height,
            reason: reason.into(),
        };
        let secret = board
            .sole_signer()
            .and_then(|key| self.secrets.get(&key.signer_id()))
            .ok_or_else(|| refused("no key"))?;
        let signature = secret.sign(&Vote::precommit(self.network, header, 0).sign_bytes());
        Ok(Certificate::Single(signature.map_err(|error| refused(&error.to_string()))?))
    }
}

impl World {
    /// The world after `genesis`, with the keys of `actors`.
    pub fn new(genesis: Genesis, actors: &[Actor]) -> Result<Self, GenesisError> {
        let keys = Keys::new(genesis.network, actors);
        Ok(Self { server: genesis.build()?, genesis, log: Vec::new(), keys })
    }

    /// Executes a slice and throws the outcome away.
    pub fn attempt(
        &self,
        now: Timestamp,
        entropy: Hash,
        inputs: SliceInputs,
    ) -> Result<Executed, CertifyError> {
        self.server.execute(now, entropy, inputs, &self.keys)
    }

    /// Executes a slice, logs and commits it.
    pub fn run(
        &mut self,
        now: Timestamp,
        entropy: Hash,
        inputs: SliceInputs,
    ) -> Result<Executed, CertifyError> {
        let executed = self.attempt(now, entropy, inputs)?;
        self.log.push(Logged::Slice(executed.slice.clone()));
        self.server.commit(&executed);
        Ok(executed)
    }

    /// Seals and logs a block over the slices since the last one, if there are any.
    pub fn seal(&mut self, now: Timestamp) -> Option<BlockHeader> {
        let sealed = self.server.seal(now)?;
        let header = sealed.header.clone();
        self.log.push(Logged::Block(header.clone()));
        self.server.commit_block(sealed);
        Some(header)
    }
}
