//! What was signed in a turn leaves when the rows of that turn are durable.
//!
//! ```text
//!  turn 7: rows ──► Append{7} ─────────────► Durable{7}
//!          letters ───────── held under 7 ───────┴────► Send, proposals first
//! ```
//!
//! A turn without rows says nothing new, only what was durable before; its letters leave at once, unless earlier ones
//! wait, which they never overtake.

use std::{collections::VecDeque, sync::Arc};

use crate::{BlsKey, Effect};

/// What leaves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// A proposal: the others can do nothing before they have it.
    Proposal,
    /// Everything else.
    Vote,
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) rank: Rank,
    pub(crate) to: Arc<[BlsKey]>,
    pub(crate) bytes: Arc<[u8]>,
}

impl From<Letter> for Effect {
    fn from(letter: Letter) -> Self {
        Self::Send { to: letter.to, bytes: letter.bytes }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<(u64, Vec<Letter>)>,
}

impl Outbox {
    /// Takes the letters of a turn. With the number of an `Append` they wait for it; without, for the last one before.
    /// Returns what may leave now.
    pub(crate) fn post(&mut self, turn: Option<u64>, mut letters: Vec<Letter>) -> Vec<Letter> {
        letters.sort_by_key(|letter| letter.rank);
        if let Some(turn) = turn {
            self.waiting.push_back((turn, letters));
            return Vec::new();
        }
        match self.waiting.back_mut() {
            Some((_, last)) => {
                last.append(&mut letters);
                Vec::new()
            }
            None => letters,
        }
    }

    /// Everything up to `turn` is durable: returns what may leave now.
    pub(crate) fn durable(&mut self, turn: u64) -> Vec<Letter> {
        let ready = self.waiting.iter().take_while(|(held, _)| *held <= turn).count();
        self.waiting.drain(..ready).flat_map(|(_, letters)| letters).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(rank: Rank, byte: u8) -> Letter {
        Letter { rank, to: Arc::new([]), bytes: Arc::new([byte]) }
    }

    fn bytes(letters: &[Letter]) -> Vec<u8> {
        letters.iter().map(|letter| letter.bytes[0]).collect()
    }

    #[test]
    fn letters_wait_for_their_turn_and_proposals_leave_first() {
        let mut outbox = Outbox::default();
        assert_eq!(bytes(&outbox.post(None, vec![letter(Rank::Vote, 1)])), [1], "nothing to wait for");
        let both = vec![letter(Rank::Vote, 2), letter(Rank::Proposal, 3)];
        assert!(outbox.post(Some(7), both).is_empty());
        assert!(outbox.post(None, vec![letter(Rank::Vote, 4)]).is_empty(), "never overtakes");
        assert!(outbox.post(Some(8), vec![letter(Rank::Vote, 5)]).is_empty());
        assert!(outbox.durable(6).is_empty());
        assert_eq!(bytes(&outbox.durable(7)), [3, 2, 4]);
        assert_eq!(bytes(&outbox.durable(9)), [5]);
    }
}
