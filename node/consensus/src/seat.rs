//! Our seat on the board of one entity: what is kept while it is idle, and the active height if there is one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use xln_primitives::{Board, Certificate, EntityId, FrameHash, Hash, Height, Network};

use crate::{
    BlsKey, BoardMessage, Content, EARLY_MESSAGES_MAX, Electorate, MemberIndex, STRIKES_MAX, Subject,
    desk::Ground, instance::Instance, listening::Listening, stale::Stale,
};

/// Where a height stands.
pub(crate) enum Phase<E> {
    /// Nothing to do: no engine, no timer.
    Idle,
    /// Being decided.
    Active(Box<Instance<E>>),
    /// Decided, not yet committed by the caller.
    Decided(FrameHash),
    /// No more, until the process is started again.
    Halted,
}

pub(crate) struct Seat<E> {
    pub(crate) ground: Ground,
    pub(crate) phase: Phase<E>,
    pub(crate) stale: Stale,
    pub(crate) listening: Option<Listening>,
    /// Whether there was something to decide while we only listened.
    pub(crate) wanted: bool,
    /// Messages for the next height, by sender.
    early: BTreeMap<BlsKey, Vec<BoardMessage>>,
    strikes: BTreeMap<BlsKey, u32>,
    catching_up: BTreeSet<BlsKey>,
}

impl<E> Seat<E> {
    /// For the height that `board` decides. `None` if `own` does not vote on it.
    pub(crate) fn new(
        network: Network,
        entity: EntityId,
        height: Height,
        (board, electorate): (Board, Electorate),
        own: &BlsKey,
    ) -> Option<Self> {
        let own = electorate.index_of(own)?;
        let subject = Subject { network, entity, board: electorate.board_hash(), height };
        let ground = Ground { subject, board: Arc::new(board), electorate: Arc::new(electorate), own };
        Some(Self::vacant(ground))
    }

    fn vacant(ground: Ground) -> Self {
        Self {
            stale: Stale::new(ground.subject.height.saturating_sub(1), None),
            ground,
            phase: Phase::Idle,
            listening: None,
            wanted: false,
            early: BTreeMap::new(),
            strikes: BTreeMap::new(),
            catching_up: BTreeSet::new(),
        }
    }

    pub(crate) const fn height(&self) -> Height {
        self.ground.subject.height
    }

    pub(crate) fn board_hash(&self) -> Hash {
        self.ground.subject.board
    }

    /// Moves on to `height`, with another board if it changed. `None` if `own` does not vote there.
    pub(crate) fn advance(
        self,
        height: Height,
        board: Option<(Board, Electorate)>,
        decided: Option<FrameHash>,
        own: &BlsKey,
    ) -> Option<(Self, Vec<(BlsKey, BoardMessage)>)> {
        let Subject { network, entity, .. } = self.ground.subject;
        let mut next = match board {
            Some(board) => Self::new(network, entity, height, board, own)?,
            None => {
                Self::vacant(Ground { subject: Subject { height, ..self.ground.subject }, ..self.ground })
            }
        };
        next.stale = Stale::new(height.saturating_sub(1), decided);
        // Above what we may have voted on there is nothing to listen for any more.
        next.listening = self.listening.filter(|listening| !listening.may_vote(height));
        let early =
            self.early.into_iter().flat_map(|(from, messages)| messages.into_iter().map(move |m| (from, m)));
        let for_next = early.filter(|(_, message)| message.height == height).collect();
        Some((next, for_next))
    }

    /// Whether our key may vote at this height.
    pub(crate) fn may_vote(&self) -> bool {
        self.listening.as_ref().is_none_or(|listening| listening.may_vote(self.height()))
    }

    /// Whether a certificate commits our board to this frame at our height.
    pub(crate) fn certifies(&self, frame: FrameHash, certificate: &Certificate) -> bool {
        let Subject { network, entity, height, .. } = self.ground.subject;
        certificate.verify_frame(network, &self.ground.board, entity, height, frame).is_ok()
    }

    pub(crate) fn hear(&mut self, member: MemberIndex, height: Height) {
        let (own, at) = (self.ground.own, self.height());
        if member != own
            && let Some(listening) = &mut self.listening
            && !listening.may_vote(at)
        {
            listening.hear(member, height, own, &self.ground.electorate);
            if listening.may_vote(at) {
                self.listened();
            }
        }
    }

    /// We may vote from now on.
    pub(crate) fn listened(&mut self) {
        if matches!(self.phase, Phase::Active(_)) {
            // It heard of a certified frame only and never began.
            self.phase = Phase::Idle;
        }
    }

    /// Keeps a message for the next height; false if the sender's share is full, or if it is large and not due first.
    pub(crate) fn keep_early(&mut self, from: BlsKey, message: BoardMessage) -> bool {
        let may_wait = match &message.content {
            Content::Proposal { offer, .. } => {
                let first = self.ground.electorate.proposer(message.height, 0);
                offer.statement.round == 0 && self.ground.electorate.index_of(&from) == Some(first)
            }
            // Comes from a catch-up, which a member at the next height sets off.
            Content::Decided { .. } => return true,
            Content::Vote(_) | Content::Polka(_) | Content::RoundCertificate(_) | Content::Request { .. } => {
                true
            }
        };
        let has_body = |message: &BoardMessage| matches!(message.content, Content::Proposal { .. });
        let kept = self.early.entry(from).or_default();
        let fits = kept.len() < EARLY_MESSAGES_MAX && !(has_body(&message) && kept.iter().any(has_body));
        if may_wait && fits {
            kept.push(message);
        }
        may_wait && fits
    }

    /// Some member who is at the next height already.
    pub(crate) fn ahead(&self) -> Option<BlsKey> {
        self.early.keys().next().copied()
    }

    /// Whether to ask for a catch-up from this member now: once, until it ended.
    pub(crate) fn catches_up_from(&mut self, member: BlsKey) -> bool {
        self.catching_up.insert(member)
    }

    pub(crate) fn catch_up_ended(&mut self) {
        self.catching_up.clear();
    }

    pub(crate) fn strike(&mut self, from: BlsKey) {
        let strikes = self.strikes.entry(from).or_insert(0);
        *strikes = strikes.saturating_add(1);
    }

    pub(crate) fn is_muted(&self, from: &BlsKey) -> bool {
        self.strikes.get(from).is_some_and(|strikes| *strikes >= STRIKES_MAX)
    }
}
