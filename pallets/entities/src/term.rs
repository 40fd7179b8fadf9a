//! For how long a board spoke, as one row of a state that can be proven to anybody.
//!
//! A former board stands in one row with the first and the last height that it certified, so whoever is shown the row, with
//! its path to a certified state root, knows that no other board spoke in between. Two states keep such rows: the entity's own,
//! which proves them to whoever trusts its board of now, and the registry of the depositary, which proves them to everybody
//! who trusts the depositary.

use codec::Decode;
use xln_primitives::{Board, Height, Storage, StorageKey};

use crate::{
    Error, Registration,
    board::{BOARD, board},
    history::{FORMER, Former, History, REMEMBERED},
    registry::{REGISTRY, registration},
};

/// Whose boards are meant, in the state of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of the entity whose state it is.
    Own,
    /// Those of the entity with this number of the registry, in the state of the depositary.
    Registered(u64),
}

/// A board and the heights of the frames that it certifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The board.
    pub board: Board,
    /// The first height.
    pub first: Height,
    /// The last one; none for the board of now.
    pub last: Option<Height>,
}

impl Whose {
    const fn history(self) -> History {
        match self {
            Self::Own => History::OWN,
            Self::Registered(number) => History::of(number),
        }
    }

    /// The board of now, if the state has one.
    fn present(self, storage: &(impl Storage + ?Sized)) -> Result<Option<Term>, Error> {
        let remembered = REMEMBERED.get(storage, &self.history().number())?.unwrap_or_default();
        let board = match self {
            Self::Own => board(storage)?,
            Self::Registered(number) => registration(storage, number)?.map(|entry| entry.board),
        };
        Ok(board.map(|board| Term { board, first: remembered.next(), last: None }))
    }
}

/// The boards of an entity in the order of their heights: at most `limit` of those that spoke after height `after`, the one of now
/// last. Of a long history the oldest are missing ([`crate::FORMER_BOARDS_MAX`]).
pub fn terms(
    storage: &(impl Storage + ?Sized),
    whose: Whose,
    after: Height,
    limit: usize,
) -> Result<Vec<Term>, Error> {
    let number = whose.history().number();
    let place = (number, after.to_be_bytes());
    let former = FORMER.page_under(storage, &number, Some(&place), limit)?;
    let mut terms: Vec<Term> =
        former.into_iter().map(|((_, last), former)| former.until(Height::from_be_bytes(last))).collect();
    if terms.len() < limit {
        terms.extend(whose.present(storage)?);
    }
    Ok(terms)
}

/// The board that certifies the frame of this height; none if there is none, or if it was forgotten. Of heights to come it is the
/// board of now.
pub fn term_at(
    storage: &(impl Storage + ?Sized),
    whose: Whose,
    height: Height,
) -> Result<Option<Term>, Error> {
    let Some(before) = height.checked_sub(1) else { return Ok(None) };
    let term = terms(storage, whose, before, 1)?.pop();
    Ok(term.filter(|term| term.first <= height))
}

impl Term {
    /// Where a state keeps this term.
    #[must_use]
    pub fn key(&self, whose: Whose) -> StorageKey {
        let number = whose.history().number();
        match (self.last, whose) {
            (Some(last), _) => FORMER.key(&(number, last.to_be_bytes())),
            (None, Whose::Own) => BOARD.key(),
            (None, Whose::Registered(_)) => REGISTRY.key(&number),
        }
    }

    /// What a row says that was proven to stand under `key` in the state after frame `at` of whoever keeps it. None if the row is no
    /// such row, or no term of this entity's.
    ///
    /// The present board of an entity in its own state is proven for the frames after `at` only: those before it may have been of
    /// another.
    #[must_use]
    pub fn read(whose: Whose, at: Height, key: &[u8], value: &[u8]) -> Option<Self> {
        let last = key.last_chunk().copied().map(Height::from_be_bytes);
        let number = whose.history().number();
        if let Some(last) = last
            && FORMER.key(&(number, last.to_be_bytes())).as_ref() == key
        {
            return Some(whole::<Former>(value)?.until(last));
        }
        let term = match whose {
            Whose::Own => Self { board: whole(value)?, first: at.saturating_add(1), last: None },
            Whose::Registered(_) => {
                let Registration { board, last_height, .. } = whole(value)?;
                Self { board, first: last_height.saturating_add(1), last: None }
            }
        };
        (term.key(whose).as_ref() == key).then_some(term)
    }
}

/// A value that takes up all the bytes.
fn whole<T: Decode>(mut value: &[u8]) -> Option<T> {
    T::decode(&mut value).ok().filter(|_| value.is_empty())
}
