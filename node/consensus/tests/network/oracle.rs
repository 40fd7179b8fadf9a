//! The invariants of reliability, judged from outside of the machines.

use std::collections::{BTreeMap, BTreeSet};

use xln_consensus::{BoardMessage, Content, Evidence, MemberIndex, Step};
use xln_primitives::{Board, Certificate, FrameHash, Height};

use crate::net::{NETWORK, entity};

type Slot = (Height, u32, Option<Step>, MemberIndex);

pub(crate) struct Oracle {
    /// What was violated, in words.
    pub(crate) violations: Vec<String>,
    /// Whose double statements are no violation, since it lies on purpose.
    pub(crate) liar: Option<usize>,
    /// Another board, from this height on.
    pub(crate) changed: Option<(Height, Board)>,
    board: Board,
    decided: BTreeMap<Height, FrameHash>,
    signed: BTreeMap<(usize, Slot), Option<FrameHash>>,
    heard: BTreeMap<(usize, Slot), BTreeSet<Option<FrameHash>>>,
    convicted: BTreeSet<(usize, Slot)>,
}

impl Oracle {
    pub(crate) fn new(board: Board) -> Self {
        Self {
            violations: Vec::new(),
            liar: None,
            changed: None,
            board,
            decided: BTreeMap::new(),
            signed: BTreeMap::new(),
            heard: BTreeMap::new(),
            convicted: BTreeSet::new(),
        }
    }

    /// S1: one frame per height. S2: a quorum of distinct members signed.
    pub(crate) fn decided(&mut self, height: Height, frame: FrameHash, certificate: &Certificate) {
        let first = *self.decided.entry(height).or_insert(frame);
        if first != frame {
            self.violations.push(format!("S1: height {height} has two certified frames"));
        }
        let Certificate::Aggregate { signers, .. } = certificate else {
            self.violations.push("S2: not an aggregate".into());
            return;
        };
        let board = match &self.changed {
            Some((from, board)) if height >= *from => board,
            _ => &self.board,
        };
        let bit = |index: usize| signers.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1);
        let members = board.members.iter().enumerate();
        let weight: u32 = members.filter(|(index, _)| bit(*index)).map(|(_, member)| member.weight).sum();
        if weight < board.quorum() {
            self.violations.push(format!("S2: height {height} is certified by weight {weight}"));
        }
        if certificate.verify_frame(NETWORK, board, entity(), height, frame).is_err() {
            self.violations.push(format!("S2: the certificate of height {height} does not hold"));
        }
    }

    /// S3: an honest key never says two things in one slot. Judged by what leaves.
    pub(crate) fn sent(&mut self, server: usize, bytes: &[u8]) {
        for (slot, frame) in statements(bytes) {
            let author = usize::from(slot.3.0);
            if Some(author) == self.liar {
                continue;
            }
            let first = *self.signed.entry((author, slot)).or_insert(frame);
            if first != frame {
                self.violations.push(format!("S3: server {server} sends a second statement for {slot:?}"));
            }
        }
    }

    /// Whether a member has said anything at a height.
    pub(crate) fn has_signed(&self, member: usize, height: Height) -> bool {
        self.signed.keys().any(|(author, slot)| *author == member && slot.0 == height)
    }

    /// What reaches a server that decides the height it is about.
    pub(crate) fn delivered(&mut self, server: usize, height: Height, bytes: &[u8]) {
        for (slot, frame) in statements(bytes) {
            if slot.0 == height && slot.2.is_some() {
                self.heard.entry((server, slot)).or_default().insert(frame);
            }
        }
    }

    /// A server forgets what it heard and did not log.
    pub(crate) fn crashed(&mut self, server: usize) {
        self.heard.retain(|(of, _), _| *of != server);
    }

    pub(crate) fn evidence(&mut self, server: usize, evidence: &Evidence) {
        if let Evidence::Ballots { height, first, .. } = evidence {
            let ballot = &first.statement;
            self.convicted.insert((server, (*height, ballot.round, Some(ballot.step), ballot.member)));
        }
    }

    /// S4: whoever heard a double vote has evidence. Returns how many double votes were heard.
    pub(crate) fn judge_evidence(&mut self) -> usize {
        let double: Vec<_> =
            self.heard.iter().filter(|(_, frames)| frames.len() > 1).map(|(at, _)| *at).collect();
        for at in &double {
            if !self.convicted.contains(at) {
                self.violations
                    .push(format!("S4: server {} heard a double vote {:?} and kept no evidence", at.0, at.1));
            }
        }
        double.len()
    }
}

fn statements(bytes: &[u8]) -> Vec<(Slot, Option<FrameHash>)> {
    let Ok(BoardMessage { height, content, .. }) = BoardMessage::from_bytes(bytes) else { return Vec::new() };
    match content {
        Content::Vote(vote) => {
            let ballot = vote.statement;
            vec![((height, ballot.round, Some(ballot.step), ballot.member), ballot.frame)]
        }
        Content::Proposal { offer, .. } => {
            vec![((height, offer.statement.round, None, offer.statement.member), Some(offer.statement.frame))]
        }
        _ => Vec::new(),
    }
}
