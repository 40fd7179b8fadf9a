//! What a liar says, as a function of what it hears.

use std::collections::{BTreeSet, VecDeque};

use codec::Encode;
use xln_consensus::{
    Ballot, BlsKey, BlsSignature, BoardMessage, Body, Content, Electorate, MemberIndex, Offer, Polka, Signed,
    Step, Subject,
};
use xln_primitives::{Board, EntityId, FrameHash, Height, Network, Round, SecretKey, Signature, keccak256};

/// Messages of others that are said again.
const REPLAYED: usize = 32;
/// How many of them for each slot.
const REPLAYS: usize = 8;
/// Slots after which something too large is sent again.
const OVERSIZED_EVERY: usize = 16;
/// Slots that are remembered.
const SLOTS_MAX: usize = 1_024;

/// Something that no honest server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lie {
    /// A proposal.
    Proposal(Vec<u8>),
    /// A vote, a certificate or a request.
    Vote(Vec<u8>),
    /// A decision.
    Decision(Vec<u8>),
    /// A frame for everybody.
    Gossip(Vec<u8>),
    /// More bytes than a message may have.
    Oversized,
}

/// A member of one board, with its key.
pub struct Liar {
    electorate: Electorate,
    board: Board,
    network: Network,
    entity: EntityId,
    key: SecretKey,
    own: MemberIndex,
    /// Rounds in which it has lied.
    slots: BTreeSet<(Height, Round)>,
    lied: usize,
    heard: VecDeque<Vec<u8>>,
    /// The last frame that somebody proposed.
    body: Body,
}

impl Liar {
    /// None if the key does not vote on the board.
    #[must_use]
    pub fn new(
        board: &Board,
        network: Network,
        entity: EntityId,
        key: SecretKey,
        public: BlsKey,
    ) -> Option<Self> {
        let electorate = Electorate::new(board).ok()?;
        let own = electorate.index_of(&public)?;
        let (slots, heard, body, board) = (BTreeSet::new(), VecDeque::new(), Body::default(), board.clone());
        Some(Self { electorate, board, network, entity, key, own, slots, lied: 0, heard, body })
    }

    /// What it says when it hears a message of another member.
    pub fn hear(&mut self, bytes: Vec<u8>) -> Vec<Lie> {
        let Ok(message) = BoardMessage::from_bytes(&bytes) else { return Vec::new() };
        let (height, round, frame) = match &message.content {
            Content::Proposal { offer, body } => {
                self.body = Body::clone(body);
                (message.height, offer.statement.round, Some(offer.statement.frame))
            }
            Content::Vote(vote) => (message.height, vote.statement.round, vote.statement.frame),
            // Everybody goes on to the next height.
            Content::Decided { .. } => (message.height.saturating_add(1), 0, None),
            _ => return Vec::new(),
        };
        if message.entity != self.entity {
            return Vec::new();
        }
        if self.heard.len() >= REPLAYED {
            self.heard.pop_front();
        }
        self.heard.push_back(bytes);
        if !self.slots.insert((height, round)) {
            return Vec::new();
        }
        while self.slots.len() > SLOTS_MAX {
            self.slots.pop_first();
        }
        self.lied += 1;
        self.lie(height, round, frame)
    }

    fn lie(&self, height: Height, round: Round, frame: Option<FrameHash>) -> Vec<Lie> {
        let invented = |what: u8| FrameHash::new(*keccak256(&(height, round, what).encode()).as_bytes());
        let (one, other) = (frame.unwrap_or_else(|| invented(1)), invented(2));
        let mut lies = Vec::new();
        // The next round too: a proposal is worth most before its round begins.
        for round in [round, round.saturating_add(1)] {
            if self.electorate.proposer(height, round) == self.own {
                lies.extend([one, other].map(|frame| self.proposal(height, round, frame)));
            }
        }
        for step in [Step::Prevote, Step::Precommit] {
            lies.extend([one, other].map(|frame| self.vote(height, height, round, step, frame)));
        }
        // Of another height or round than it says, or far away.
        lies.push(self.vote(height, height.saturating_add(1), round, Step::Prevote, one));
        lies.push(self.vote(
            height.saturating_sub(1),
            height.saturating_sub(1),
            round,
            Step::Precommit,
            other,
        ));
        lies.push(self.vote(
            height.saturating_add(1_000),
            height.saturating_add(1_000),
            0,
            Step::Precommit,
            one,
        ));
        lies.push(self.vote(height, height, round.saturating_add(1_000_000), Step::Prevote, one));
        lies.push(self.proposal(height, round.saturating_add(1), other));
        // In the name of somebody else, with a signature that is none.
        let statement = Ballot { member: MemberIndex(0), step: Step::Precommit, round, frame: Some(other) };
        lies.push(self.say(height, Content::Vote(Signed { statement, signature: [0xc5; 96] })));
        let prevotes = vec![(self.own, [0x5c; 96]); self.electorate.size()];
        lies.push(self.say(height, Content::Polka(Polka { round, frame: other, prevotes })));
        lies.push(self.say(height, Content::Request { round, frame: other }));
        lies.push(Lie::Vote(vec![0xff; 300]));
        lies.push(Lie::Gossip((height, round, vec![0xff_u8; 300]).encode()));
        lies.extend(self.heard.iter().rev().step_by(3).take(REPLAYS).map(|bytes| Lie::Vote(bytes.clone())));
        for bytes in self.heard.iter().take(REPLAYS) {
            // A decision of one height as that of another.
            if let Ok(BoardMessage { entity, content: content @ Content::Decided { .. }, .. }) =
                BoardMessage::from_bytes(bytes)
            {
                lies.push(Lie::Decision(BoardMessage { entity, height, content }.encode()));
            }
        }
        if self.lied % OVERSIZED_EVERY == 1 {
            lies.push(Lie::Oversized);
        }
        lies
    }

    fn subject(&self, height: Height) -> Subject {
        Subject { network: self.network, entity: self.entity, board: self.board.hash(), height }
    }

    fn sign(&self, bytes: &[u8]) -> BlsSignature {
        match self.key.sign(bytes) {
            Ok(Signature::Bls(signature)) => signature,
            _ => [0; 96],
        }
    }

    fn proposal(&self, height: Height, round: Round, frame: FrameHash) -> Lie {
        let statement = Offer { member: self.own, round, valid_round: None, frame };
        let signature = self.sign(&self.subject(height).offer_bytes(&statement));
        let (offer, body) = (Signed { statement, signature }, Body::clone(&self.body));
        self.say(height, Content::Proposal { offer, body })
    }

    /// A vote for one height, sent as one of another.
    fn vote(&self, signed: Height, said: Height, round: Round, step: Step, frame: FrameHash) -> Lie {
        let statement = Ballot { member: self.own, step, round, frame: Some(frame) };
        let signature = self.sign(&self.subject(signed).ballot_bytes(&statement));
        self.say(said, Content::Vote(Signed { statement, signature }))
    }

    fn say(&self, height: Height, content: Content) -> Lie {
        let is_proposal = matches!(content, Content::Proposal { .. });
        let bytes = BoardMessage { entity: self.entity, height, content }.encode();
        if is_proposal { Lie::Proposal(bytes) } else { Lie::Vote(bytes) }
    }
}
