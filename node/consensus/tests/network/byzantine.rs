//! Members that lie.

use std::collections::BTreeSet;

use codec::Encode;
use xln_consensus::{
    Ballot, BoardMessage, Content, Electorate, Engine, MemberIndex, Offer, Signed, Step, Subject,
};
use xln_primitives::{FrameHash, Height, SecretKey, Signature};

use crate::{
    net::{NETWORK, Net, entity, secret},
    server::Toy,
};

/// Votes for one frame to some and for another, or none, to the others, in every round that anybody enters; proposes two
/// frames when it is its turn. Sometimes says both to the same member.
pub(crate) struct Equivocator {
    pub(crate) index: usize,
    done: BTreeSet<(Height, u32, FrameHash)>,
    proposed: BTreeSet<(Height, u32)>,
}

impl Equivocator {
    pub(crate) fn new(index: usize) -> Self {
        Self { index, done: BTreeSet::new(), proposed: BTreeSet::new() }
    }

    /// Looks at what a server just did, and acts.
    pub(crate) fn watch<E: Engine>(&mut self, net: &mut Net<E>, server: usize) {
        let Some(host) = net.servers[server].host.as_ref() else { return };
        let Some((_, height, round)) = host.active().next() else { return };
        let parent = net.servers[server].head();
        let electorate = Electorate::new(&net.board).unwrap();
        let own = MemberIndex(u16::try_from(self.index).unwrap());
        let subject = Subject { network: NETWORK, entity: entity(), board: net.board.hash(), height };
        let toys = [1, 2].map(|nonce| Toy { height, parent, nonce: nonce + 10 * u64::from(round) });
        if electorate.proposer(height, round) == own && self.proposed.insert((height, round)) {
            for to in 0..net.servers.len() {
                let toy = &toys[to % 2];
                let statement = Offer { member: own, round, valid_round: None, frame: toy.hash() };
                let signature = self.sign(&subject.offer_bytes(&statement));
                let offer = Signed { statement, signature };
                self.say(net, to, height, Content::Proposal { offer, body: toy.body() });
            }
        }
        if !self.done.insert((height, round, parent)) {
            return;
        }
        for to in 0..net.servers.len() {
            for step in [Step::Prevote, Step::Precommit] {
                let both = net.chance(50);
                let votes = [Some(toys[0].hash()), Some(toys[1].hash())];
                for (at, frame) in votes.into_iter().enumerate() {
                    if both || at == to % 2 {
                        let statement = Ballot { member: own, step, round, frame };
                        let signature = self.sign(&subject.ballot_bytes(&statement));
                        self.say(net, to, height, Content::Vote(Signed { statement, signature }));
                    }
                }
            }
        }
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 96] {
        let Signature::Bls(signature) = SecretKey::Bls(secret(self.index).into()).sign(bytes).unwrap() else {
            unreachable!()
        };
        signature
    }

    fn say<E: Engine>(&self, net: &mut Net<E>, to: usize, height: Height, content: Content) {
        if to != self.index {
            let bytes = BoardMessage { entity: entity(), height, content }.encode();
            net.send(self.index, to, &bytes);
        }
    }
}
