//! What a member computes: a vote, a turn of many votes, a certificate.
//!
//! `cargo bench -p xln-consensus`. Signing and hashing are included; the network and the disk are not.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot prepare its values fails")]

use std::{hint::black_box, sync::Arc};

use codec::Encode;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use xln_consensus::{
    Ballot, BlsKey, BoardMessage, Content, Electorate, Event, Host, MemberIndex, Offer, Settings, Signed,
    Step, Subject, Timing, Verdict, VoteHistory,
};
use xln_keystore::KeySigner;
use xln_primitives::{
    Board, BoundedVec, EntityId, FrameHash, Member, MemberId, Network, Permissions, Profile, PublicKey,
    SecretKey, Signature, crypto::bls,
};

const NETWORK: Network = Network::new([9; 32]);
const FRAME: FrameHash = FrameHash::new([5; 32]);

fn secret(member: u8) -> SecretKey {
    SecretKey::Bls([member + 1; 32].into())
}

fn key(member: u8) -> BlsKey {
    let PublicKey::Bls(key) = secret(member).public().unwrap() else { unreachable!() };
    key
}

/// A board, and what its members say about its first height.
struct Scene {
    board: Board,
    subject: Subject,
    proposer: u8,
    own: u8,
}

impl Scene {
    fn new(members: u8) -> Self {
        let member = |index: u8| Member {
            id: MemberId::Signer {
                key: PublicKey::Bls(key(index)),
                possession: Some(bls::prove_possession(&[index + 1; 32]).unwrap()),
            },
            weight: 1,
            permissions: Permissions::ALL,
        };
        let members_of_board = BoundedVec::truncate_from((0..members).map(member).collect());
        let board = Board { members: members_of_board, threshold: 1, profile: Profile::Byzantine };
        let entity = EntityId::registered(7);
        let subject = Subject { network: NETWORK, entity, board: board.hash(), height: 1 };
        let proposer = u8::try_from(Electorate::new(&board).unwrap().proposer(1, 0).0).unwrap();
        let own = (proposer + 1) % members;
        Self { board, subject, proposer, own }
    }

    fn message(&self, from: u8, content: Content) -> Event {
        let bytes = BoardMessage { entity: self.subject.entity, height: 1, content }.encode();
        Event::Received { from: key(from), bytes }
    }

    fn sign(member: u8, bytes: &[u8]) -> [u8; 96] {
        let Signature::Bls(signature) = secret(member).sign(bytes).unwrap() else { unreachable!() };
        signature
    }

    fn proposal(&self) -> Event {
        let member = MemberIndex(u16::from(self.proposer));
        let statement = Offer { member, round: 0, valid_round: None, frame: FRAME };
        let signature = Self::sign(self.proposer, &self.subject.offer_bytes(&statement));
        let body = Arc::new(vec![0; 1_000]);
        self.message(self.proposer, Content::Proposal { offer: Signed { statement, signature }, body })
    }

    fn votes(&self, step: Step, count: u8) -> Vec<Event> {
        let others = (0..u8::MAX).filter(|member| *member != self.own).take(usize::from(count));
        others
            .map(|from| {
                let member = MemberIndex(u16::from(from));
                let statement = Ballot { member, step, round: 0, frame: Some(FRAME) };
                let signature = Self::sign(from, &self.subject.ballot_bytes(&statement));
                self.message(from, Content::Vote(Signed { statement, signature }))
            })
            .collect()
    }

    /// A host that has voted for the frame and waits for the others.
    fn voted(&self) -> Host {
        let signer = Arc::new(KeySigner::new(secret(self.own)).unwrap());
        let mut host: Host =
            Host::new(Settings { network: NETWORK, timing: Timing::default(), signer }).unwrap();
        let entity = self.subject.entity;
        let board = self.board.clone();
        let verdict = Verdict::Valid;
        host.step(
            [Event::Follow { entity, height: 1, board, rows: Vec::new(), history: VoteHistory::Whole }],
            [1; 32],
        );
        host.step([self.proposal()], [2; 32]);
        host.step([Event::Validated { entity, height: 1, frame: FRAME, verdict }], [3; 32]);
        host
    }
}

fn agreement(criterion: &mut Criterion) {
    for members in [4_u8, 100] {
        let scene = Scene::new(members);
        let quorum = u8::try_from(scene.board.quorum()).unwrap();
        let one = scene.votes(Step::Prevote, 1);
        let prevotes = scene.votes(Step::Prevote, quorum);
        let precommits = scene.votes(Step::Precommit, quorum);
        let mut group = criterion.benchmark_group(format!("{members} members"));
        group.sample_size(20);
        group.bench_function("one prevote", |bencher| {
            let step = |mut host: Host| black_box(host.step(one.clone(), [4; 32]));
            bencher.iter_batched(|| scene.voted(), step, BatchSize::LargeInput);
        });
        group.bench_function("prevotes of a quorum in one turn", |bencher| {
            let step = |mut host: Host| black_box(host.step(prevotes.clone(), [4; 32]));
            bencher.iter_batched(|| scene.voted(), step, BatchSize::LargeInput);
        });
        group.bench_function("precommits of a quorum in one turn, with the certificate", |bencher| {
            let prepare = || {
                let mut host = scene.voted();
                host.step(prevotes.clone(), [4; 32]);
                host
            };
            let step = |mut host: Host| black_box(host.step(precommits.clone(), [5; 32]));
            bencher.iter_batched(prepare, step, BatchSize::LargeInput);
        });
        group.finish();
    }
}

criterion_group!(benches, agreement);
criterion_main!(benches);
