//! A validator that lies: what an honest machine says, twisted on its way out.
//!
//! It signs with the validator's own key, so its lies are as good as they can be: a second vote for another frame or for
//! none, a second proposal of the same round with another body, votes of other heights, old messages again, damaged
//! signatures, forged frames, messages of any size. Or it says nothing.

use std::collections::BTreeMap;

use codec::Encode;
use xln_consensus::{Ballot, BoardMessage, Content, MESSAGE_BYTES_MAX, MemberIndex, Offer, Signed, Subject};
use xln_integration::Random;
use xln_network::{Answer, Code, Topic};
use xln_primitives::{EntityId, FrameHash, Hash, SecretKey, Signature, decode_exact};
use xln_runtime::{DecidedFrame, FrameBody, Server};

use crate::{
    cast::{Cast, voting_key},
    wire::Wire,
};

/// Messages that it remembers, to say them again.
const MEMORY: usize = 50;

pub(crate) struct Liar {
    pub(crate) index: usize,
    member: MemberIndex,
    secret: SecretKey,
    network: xln_primitives::Network,
    /// Boards at height 1.
    first: BTreeMap<EntityId, Hash>,
    said: Vec<Vec<u8>>,
}

impl Liar {
    pub(crate) fn new(cast: &Cast, index: usize) -> Self {
        Self {
            index,
            member: MemberIndex(u16::try_from(index).unwrap()),
            secret: SecretKey::Bls(voting_key(index).into()),
            network: cast.genesis.network,
            first: cast.boards().iter().map(|(entity, board)| (*entity, board.hash())).collect(),
            said: Vec::new(),
        }
    }

    pub(crate) const fn member(&self) -> MemberIndex {
        self.member
    }

    /// What leaves instead of a message to one server.
    pub(crate) fn twist(&mut self, wire: Wire, server: &Server, random: &mut Random) -> Vec<Wire> {
        match wire {
            Wire::Consensus { code: Code::EntityTransaction, bytes } => {
                let bytes = if random.chance(20) { damaged(bytes, random) } else { bytes };
                vec![Wire::Consensus { code: Code::EntityTransaction, bytes }]
            }
            Wire::Consensus { code, bytes } => {
                if self.said.len() < MEMORY {
                    self.said.push(bytes.clone());
                }
                let all = self.lies(bytes, server, random);
                all.into_iter().map(|bytes| Wire::Consensus { code, bytes }).collect()
            }
            Wire::Gossip { topic, bytes } if random.chance(50) => {
                vec![Wire::Gossip { topic, bytes: forged(&bytes, random) }]
            }
            Wire::Answer { question, answer: Answer::Frames(frames) } if random.chance(50) => {
                let mut frames = frames.into_inner();
                if let Some(frame) = frames.last_mut() {
                    *frame = forged(frame, random);
                }
                let answer = Answer::Frames(frames.try_into().unwrap_or_default());
                vec![Wire::Answer { question, answer }]
            }
            other => vec![other],
        }
    }

    fn lies(&mut self, bytes: Vec<u8>, server: &Server, random: &mut Random) -> Vec<Vec<u8>> {
        let Ok(message) = BoardMessage::from_bytes(&bytes) else { return vec![bytes] };
        match random.below(12) {
            0 => Vec::new(),
            1 => vec![damaged(bytes, random)],
            2 => vec![bytes.clone(), random.pick(&self.said).cloned().unwrap_or(bytes)],
            3 => {
                let far = message.height.saturating_add(random.between(1, 1_000));
                vec![BoardMessage { height: far, ..message }.encode(), bytes]
            }
            4 if random.chance(10) => vec![vec![7; MESSAGE_BYTES_MAX + 1], bytes],
            5..10 => match self.second(&message, server, random) {
                Some(second) if random.chance(50) => vec![second],
                Some(second) => vec![bytes, second],
                None => vec![bytes],
            },
            _ => vec![bytes],
        }
    }

    /// Another statement for the same slot.
    fn second(&self, message: &BoardMessage, server: &Server, random: &mut Random) -> Option<Vec<u8>> {
        let BoardMessage { entity, height, .. } = *message;
        let board = match server.entity(&entity) {
            Some(entity) => pallet_entities::board_at(&entity.state(), height).ok()??.hash(),
            None => *self.first.get(&entity)?,
        };
        let subject = Subject { network: self.network, entity, board, height };
        let content = match &message.content {
            Content::Vote(vote) if vote.statement.member == self.member => {
                let frame = match vote.statement.frame {
                    Some(_) if random.chance(70) => None,
                    _ => Some(FrameHash::new(random.bytes())),
                };
                let statement = Ballot { frame, ..vote.statement.clone() };
                let signature = self.sign(&subject.ballot_bytes(&statement));
                Content::Vote(Signed { statement, signature })
            }
            Content::Proposal { offer, body } if offer.statement.member == self.member => {
                let body = decode_exact::<FrameBody>(body, body.len()).ok()?;
                // Other randomness makes another frame of the same inputs, as good as the first.
                let body = FrameBody { entropy: Hash::new(random.bytes()), ..body };
                let frame = server.draft(&body).ok()?.hash();
                let statement = Offer { frame, ..offer.statement.clone() };
                let signature = self.sign(&subject.offer_bytes(&statement));
                Content::Proposal { offer: Signed { statement, signature }, body: body.encode().into() }
            }
            _ => return None,
        };
        Some(BoardMessage { entity, height, content }.encode())
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 96] {
        match self.secret.sign(bytes) {
            Ok(Signature::Bls(signature)) => signature,
            _ => unreachable!("the key is a BLS key"),
        }
    }

    /// What it tells everybody without having been asked.
    pub(crate) fn gossip(random: &mut Random) -> Wire {
        Wire::Gossip { topic: Topic::Frames, bytes: random.bytes().to_vec() }
    }
}

/// One bit is another.
fn damaged(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let place = usize::try_from(random.below(bytes.len() as u64)).unwrap_or(0);
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << random.below(8);
    }
    bytes
}

/// A frame with another content under the same certificate.
fn forged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    match decode_exact::<DecidedFrame>(bytes, bytes.len()) {
        Ok(mut frame) if random.chance(50) => {
            frame.header.state_root = Hash::new(random.bytes());
            frame.encode()
        }
        _ => damaged(bytes.to_vec(), random),
    }
}
