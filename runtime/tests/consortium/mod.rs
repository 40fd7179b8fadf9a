//! A depositary whose board is of four, followed by two servers: each hosts a part of the others.
#![allow(dead_code, reason = "every test file uses its part")]

mod changing;

use std::{collections::BTreeMap, sync::Arc};

use xln_primitives::{
    Amount, AssetId, Board, Certificate, CertifiedMessage, EntityId, FrameHeader, Hash, Member, MemberId,
    Permissions, Profile, SecretKey, Timestamp, crypto::bls,
};
use xln_runtime::{
    BoardProof, DecidedFrame, Executed, FrameBody, Genesis, Known, RuntimeCall, RuntimeMessage, Server,
    SliceInputs, Speaker, authenticate_calls, authenticate_messages, invariants,
};

use crate::network::{self, USD};

/// The board of validators.
pub(crate) struct Validators {
    pub(crate) secrets: Vec<SecretKey>,
    pub(crate) board: Board,
}

impl Validators {
    pub(crate) fn new() -> Self {
        Self::of(1..=4)
    }

    /// Those with the keys made of these numbers.
    pub(crate) fn of(numbers: impl IntoIterator<Item = u8>) -> Self {
        let scalars: Vec<[u8; 32]> = numbers.into_iter().map(|n| [n; 32]).collect();
        let secret = |scalar: &[u8; 32]| SecretKey::Bls(zeroize::Zeroizing::new(*scalar));
        let member = |scalar: &[u8; 32]| Member {
            id: MemberId::Signer {
                key: secret(scalar).public().unwrap(),
                possession: Some(bls::prove_possession(scalar).unwrap()),
            },
            weight: 1,
            permissions: Permissions::ALL,
        };
        let members: Vec<Member> = scalars.iter().map(member).collect();
        let board = Board { members: members.try_into().unwrap(), threshold: 1, profile: Profile::Byzantine };
        Self { secrets: scalars.iter().map(secret).collect(), board }
    }

    /// The certificate of a quorum of them.
    pub(crate) fn certify(&self, genesis: &Genesis, header: &FrameHeader) -> Certificate {
        xln_integration::certify(genesis.network, &self.board, header, &self.secrets)
    }
}

/// Two servers and the validators, with everything that one said to another under way.
pub(crate) struct Consortium {
    pub(crate) genesis: Genesis,
    pub(crate) validators: Validators,
    pub(crate) keys: network::Network,
    pub(crate) servers: [Server; 2],
    pub(crate) now: Timestamp,
    pub(crate) boards: BTreeMap<EntityId, Board>,
    pub(crate) waiting: Vec<Arc<CertifiedMessage<RuntimeMessage>>>,
    /// Changes of the depositary's board that the first server saw.
    pub(crate) handovers: Vec<BoardProof>,
}

impl Consortium {
    /// The hub lives on the first server, alice and bob on the second.
    pub(crate) fn new() -> Self {
        let keys = network::Network::new();
        let validators = Validators::new();
        let mut genesis = keys.genesis.clone();
        let (old, new) = (genesis.depositary, validators.board.entity());
        genesis.depositary = new;
        for entity in &mut genesis.entities {
            if entity.id == old {
                (entity.id, entity.board) = (new, validators.board.clone());
            }
        }
        genesis.assets[0].bridge = new;
        let hub = keys.id("hub");
        let others = [keys.id("alice"), keys.id("bob")];
        let part = |hosted: &[EntityId]| {
            let hosted = Some(hosted.iter().copied().collect());
            Genesis { hosted, ..genesis.clone() }.build().unwrap()
        };
        let servers = [part(&[hub]), part(&others)];
        let boards = genesis.entities.iter().map(|entity| (entity.id, entity.board.clone())).collect();
        let now = Timestamp::from_millis(100);
        let (waiting, handovers) = (Vec::new(), Vec::new());
        Self { genesis, validators, keys, servers, now, boards, waiting, handovers }
    }

    pub(crate) fn run(&mut self, server: usize, inputs: SliceInputs) -> Executed {
        let executed = self.servers[server]
            .execute(self.now, Hash::new([7; 32]), inputs, self.keys.certifier())
            .unwrap();
        self.servers[server].commit(&executed);
        self.now = self.now.saturating_add(10);
        self.waiting.extend(executed.outbox.iter().map(|delivery| delivery.certified().unwrap()));
        if server == 0 {
            self.handovers.extend(executed.handovers.iter().cloned());
        }
        invariants::check(&self.servers[server]).unwrap();
        executed
    }

    pub(crate) fn call(&mut self, server: usize, who: &str, nonce: u64, call: RuntimeCall) -> Executed {
        let call = self.keys.call(who, nonce, [call]);
        let calls = authenticate_calls(vec![call], self.genesis.network, self.now, [1; 32]);
        self.run(
            server,
            SliceInputs { calls: calls.into_iter().map(Result::unwrap).collect(), ..Default::default() },
        )
    }

    pub(crate) fn authentic(&self, to: impl Fn(&EntityId) -> bool) -> SliceInputs {
        let pairs = self.waiting.iter().filter(|message| to(&message.message.to));
        let speaker =
            |message: &CertifiedMessage<RuntimeMessage>| match self.servers[0].board_of(&message.header) {
                Known::Board(board) => Speaker::Known(board),
                Known::NotYet | Known::Never => self.boards[&message.message.from].clone().into(),
            };
        let pairs = pairs.map(|message| (Arc::clone(message), speaker(message)));
        let messages = authenticate_messages(pairs.collect(), self.genesis.network, [2; 32]);
        SliceInputs { messages: messages.into_iter().map(Result::unwrap).collect(), ..Default::default() }
    }

    /// The depositary's next frame, from all that waits for it.
    pub(crate) fn propose(&self) -> Option<(FrameBody, FrameHeader)> {
        let depositary = self.genesis.depositary;
        let inputs = self.authentic(|to| *to == depositary);
        self.servers[0].propose(depositary, self.now, Hash::new([3; 32]), inputs, &self.boards).unwrap()
    }

    pub(crate) fn decide(&self, (body, header): (FrameBody, FrameHeader)) -> DecidedFrame {
        let certificate = self.validators.certify(&self.genesis, &header);
        DecidedFrame { body, header, certificate }
    }

    /// Decides and delivers until nothing is under way. Returns the frames that were decided.
    pub(crate) fn settle(&mut self) -> Vec<DecidedFrame> {
        let mut frames_decided = Vec::new();
        for _ in 0..20 {
            if let Some(proposal) = self.propose() {
                let frame = self.decide(proposal);
                frame.verify(self.genesis.network, &self.validators.board).unwrap();
                let depositary = self.genesis.depositary;
                self.waiting.retain(|message| message.message.to != depositary);
                for server in 0..2 {
                    let frames = vec![frame.clone()];
                    let executed = self.run(server, SliceInputs { frames, ..Default::default() });
                    assert_eq!(executed.unfit, []);
                    assert_eq!(executed.slice.frames, std::slice::from_ref(&frame));
                }
                frames_decided.push(frame);
            }
            for server in 0..2 {
                let here = |to: &EntityId| {
                    *to != self.genesis.depositary && self.servers[server].entity(to).is_some()
                };
                let inputs = self.authentic(here);
                self.waiting = {
                    let servers = &self.servers[server];
                    let depositary = self.genesis.depositary;
                    let waits = |to: &EntityId| *to == depositary || servers.entity(to).is_none();
                    self.waiting.iter().filter(|message| waits(&message.message.to)).cloned().collect()
                };
                if !inputs.is_empty() {
                    self.run(server, inputs);
                }
            }
            if self.waiting.is_empty() {
                return frames_decided;
            }
        }
        panic!("{} messages are still under way", self.waiting.len());
    }

    pub(crate) fn reserve(&self, server: usize, who: &str) -> Amount {
        let depositary = self.servers[server].depositary().unwrap();
        pallet_reserves::reserve(&depositary.state(), &self.keys.id(who), &AssetId::named(USD)).unwrap()
    }
}

/// Gives somebody what one owns at the depositary.
pub(crate) fn transfer(to: EntityId, amount: u128) -> RuntimeCall {
    pallet_reserves::Call::Transfer { to, asset: AssetId::named(USD), amount: Amount::new(amount) }.into()
}
