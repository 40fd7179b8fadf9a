//! Of the consensus: S1 to S4 of the specification, judged by what leaves the machines and what reaches them.

use std::collections::{BTreeMap, BTreeSet};

use xln_consensus::{Ballot, BoardMessage, Content, Evidence, MemberIndex, Offer, Signed, Step};
use xln_primitives::{Board, Certificate, EntityId, FrameHash, Hash, Height, Network};

/// What a member can say once: entity, height, round, step (none for a proposal), who.
type Slot = (EntityId, Height, u32, Option<Step>, MemberIndex);

/// What was said in a slot, and by whose signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Ballot(Signed<Ballot>),
    Offer(Signed<Offer>),
}

impl Said {
    const fn frame(&self) -> Option<FrameHash> {
        match self {
            Self::Ballot(ballot) => ballot.statement.frame,
            Self::Offer(offer) => Some(offer.statement.frame),
        }
    }

    /// Proof that a member said both.
    fn beside(self, other: Self, (entity, height, board): (EntityId, Height, Hash)) -> Option<Evidence> {
        let (small, large) = if self <= other { (self, other) } else { (other, self) };
        match (small, large) {
            (Self::Ballot(first), Self::Ballot(second)) => {
                Some(Evidence::Ballots { entity, height, board, first, second })
            }
            (Self::Offer(first), Self::Offer(second)) => {
                Some(Evidence::Offers { entity, height, board, first, second })
            }
            _ => None,
        }
    }
}

/// Watches the boards of a network. Servers are numbered by whoever asks.
#[derive(Debug)]
pub struct Agreement {
    /// What was violated, in words.
    pub violations: Vec<String>,
    network: Network,
    /// Whose double statements are no violation, since it lies on purpose.
    liars: BTreeSet<(EntityId, MemberIndex)>,
    /// Which board decides from which height on.
    boards: BTreeMap<EntityId, BTreeMap<Height, Board>>,
    decided: BTreeMap<(EntityId, Height), FrameHash>,
    sent: BTreeMap<Slot, BTreeSet<Said>>,
    heard: BTreeMap<(usize, Slot), BTreeSet<Said>>,
    convicted: BTreeSet<(usize, Slot)>,
}

impl Agreement {
    /// Of a network without boards.
    #[must_use]
    pub const fn new(network: Network) -> Self {
        Self {
            violations: Vec::new(),
            network,
            liars: BTreeSet::new(),
            boards: BTreeMap::new(),
            decided: BTreeMap::new(),
            sent: BTreeMap::new(),
            heard: BTreeMap::new(),
            convicted: BTreeSet::new(),
        }
    }

    /// This board decides the entity's frames from a height on.
    pub fn board(&mut self, entity: EntityId, from: Height, board: Board) {
        self.boards.entry(entity).or_default().insert(from, board);
    }

    /// This member lies from now on.
    pub fn liar(&mut self, entity: EntityId, member: MemberIndex) {
        self.liars.insert((entity, member));
    }

    /// S1: one frame per height. S2: a quorum of distinct members signed.
    pub fn decided(&mut self, entity: EntityId, height: Height, frame: FrameHash, certificate: &Certificate) {
        let first = *self.decided.entry((entity, height)).or_insert(frame);
        if first != frame {
            self.violations.push(format!("S1: height {height} of {entity} has two certified frames"));
        }
        let Certificate::Aggregate { signers, .. } = certificate else {
            self.violations.push(format!("S2: the certificate of height {height} is not an aggregate"));
            return;
        };
        let Some(board) = self.board_at(entity, height) else {
            self.violations.push(format!("S2: nobody decides height {height} of {entity}"));
            return;
        };
        let bit = |index: usize| signers.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1);
        let members = board.members.iter().enumerate();
        let weight: u32 = members.filter(|(index, _)| bit(*index)).map(|(_, member)| member.weight).sum();
        let quorum = board.quorum();
        let holds = certificate.verify_frame(self.network, board, entity, height, frame).is_ok();
        if weight < quorum {
            self.violations.push(format!("S2: height {height} is certified by weight {weight}"));
        }
        if !holds {
            self.violations.push(format!("S2: the certificate of height {height} does not hold"));
        }
    }

    /// S3: an honest key never says two things in one slot. Judged by what leaves `server`, and by signature: what a liar says in
    /// another's name is not that one's.
    pub fn sent(&mut self, server: usize, bytes: &[u8]) {
        let Some((slot, said)) = statement(bytes) else { return };
        if self.liars.contains(&(slot.0, slot.4)) {
            return;
        }
        let before = self.sent.entry(slot).or_default();
        if before.insert(said) && before.len() > 1 && self.is_double(&slot, &self.sent[&slot]) {
            self.violations.push(format!("S3: server {server} sends a second statement for {slot:?}"));
        }
    }

    /// Whether a member has said anything at a height.
    #[must_use]
    pub fn has_signed(&self, entity: EntityId, member: MemberIndex, height: Height) -> bool {
        self.sent.keys().any(|slot| slot.0 == entity && slot.4 == member && slot.1 == height)
    }

    /// What reaches a server that decides the height it is about.
    pub fn delivered(&mut self, server: usize, height: Height, bytes: &[u8]) {
        if let Ok(BoardMessage { entity, height: of, content: Content::Vote(vote) }) =
            BoardMessage::from_bytes(bytes)
            && of == height
        {
            let Ballot { round, step, member, .. } = vote.statement;
            let slot = (entity, height, round, Some(step), member);
            self.heard.entry((server, slot)).or_default().insert(Said::Ballot(vote));
        }
    }

    /// A server forgets what it heard and did not log.
    pub fn crashed(&mut self, server: usize) {
        self.heard.retain(|(of, _), _| *of != server);
    }

    /// A server has proof of a double statement.
    pub fn evidence(&mut self, server: usize, evidence: &Evidence) {
        if let Evidence::Ballots { entity, height, first, .. } = evidence {
            let ballot = &first.statement;
            self.convicted
                .insert((server, (*entity, *height, ballot.round, Some(ballot.step), ballot.member)));
        }
    }

    /// S4: whoever heard a double vote has evidence. Returns how many double votes were heard.
    pub fn judge_evidence(&mut self) -> usize {
        let double: Vec<_> =
            self.heard.iter().filter(|(at, votes)| self.is_double(&at.1, votes)).map(|(at, _)| *at).collect();
        for at in &double {
            if !self.convicted.contains(at) {
                self.violations
                    .push(format!("S4: server {} heard a double vote {:?} and kept no evidence", at.0, at.1));
            }
        }
        double.len()
    }

    /// Whether the member signed two of these for different frames; what others damaged on the way proves nothing.
    fn is_double(&self, (entity, height, ..): &Slot, said: &BTreeSet<Said>) -> bool {
        let Some(board) = self.board_at(*entity, *height) else { return false };
        let place = (*entity, *height, board.hash());
        let others = |one| said.iter().filter(move |other| one < *other).map(move |other| (one, other));
        said.iter().flat_map(others).filter(|(one, other)| one.frame() != other.frame()).any(
            |(one, other)| {
                let evidence = one.clone().beside(other.clone(), place);
                evidence.is_some_and(|evidence| evidence.verify(self.network, board).is_ok())
            },
        )
    }

    /// The board that decides at a height.
    #[must_use]
    pub fn board_at(&self, entity: EntityId, height: Height) -> Option<&Board> {
        self.boards.get(&entity)?.range(..=height).next_back().map(|(_, board)| board)
    }

    /// The highest height of an entity that was certified.
    #[must_use]
    pub fn height(&self, entity: EntityId) -> Height {
        self.decided
            .range((entity, 0)..=(entity, Height::MAX))
            .next_back()
            .map_or(0, |((_, height), _)| *height)
    }
}

/// The vote or proposal in a message, if it is one.
fn statement(bytes: &[u8]) -> Option<(Slot, Said)> {
    let BoardMessage { entity, height, content } = BoardMessage::from_bytes(bytes).ok()?;
    match content {
        Content::Vote(vote) => {
            let Ballot { round, step, member, .. } = vote.statement;
            Some(((entity, height, round, Some(step), member), Said::Ballot(vote)))
        }
        Content::Proposal { offer, .. } => {
            let Offer { round, member, .. } = offer.statement;
            Some(((entity, height, round, None, member), Said::Offer(offer)))
        }
        _ => None,
    }
}
