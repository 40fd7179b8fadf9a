//! What always holds in the state of an entity.

use std::collections::BTreeMap;

use xln_primitives::{BoardError, Corrupt, Height, Storage};

use crate::{
    Error, board,
    history::{FORMER, FORMER_BOARDS_MAX, Former, REMEMBERED, Remembered},
    metadata::metadata,
    nonce::NONCES,
    position::{POSITIONS, Positions},
    registry,
};

/// Entries read at once.
const PAGE: usize = 256;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// State that is damaged, or that no call could have written.
    #[error(transparent)]
    State(#[from] Error),
    /// A stored counter stands at zero: it would not be stored.
    #[error("a stored {counter} stands at zero")]
    IdleCounter {
        /// Which kind of counter.
        counter: &'static str,
    },
    /// The registry has an entry that it never gave, or lacks one that it gave.
    #[error("the registry has an entry {found} where {expected} follows")]
    RegistryGap {
        /// The number that follows the entries before.
        expected: u64,
        /// The number that was found.
        found: u64,
    },
    /// The registry holds a board that cannot exist.
    #[error("the registry's board {number} is unsound: {error}")]
    RegisteredBoard {
        /// Its number.
        number: u64,
        /// What is wrong with it.
        error: BoardError,
    },
    /// The history of boards is not what changes leave behind.
    #[error("the history of boards of number {number} (0: the entity itself): {what}")]
    History {
        /// Whose.
        number: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl From<Corrupt> for Violation {
    fn from(corrupt: Corrupt) -> Self {
        Self::State(Error::Corrupt(corrupt))
    }
}

/// Checks, by a full scan in pages, that the board is sound and hosted lawfully, that counters are above zero, that
/// the metadata are text, that the registry's numbers have no gap, and that histories of boards are as long as they say.
pub fn try_state(storage: &(impl Storage + ?Sized)) -> Result<(), Violation> {
    if let Some(board) = board::board(storage)? {
        board::check_hostable(&board)?;
    }
    metadata(storage)?.validate()?;
    counters_are_used(storage)?;
    registry_is_whole(storage)?;
    histories_are_whole(storage)
}

fn counters_are_used(storage: &(impl Storage + ?Sized)) -> Result<(), Violation> {
    let mut after = None;
    loop {
        let page = NONCES.page(storage, after.as_ref(), PAGE)?;
        if page.iter().any(|(_, next)| *next == 0) {
            return Err(Violation::IdleCounter { counter: "nonce" });
        }
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
    }
    let mut after = None;
    loop {
        let page = POSITIONS.page(storage, after.as_ref(), PAGE)?;
        if page.iter().any(|(_, positions)| *positions == Positions::default()) {
            return Err(Violation::IdleCounter { counter: "pair of positions" });
        }
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
    }
}

fn registry_is_whole(storage: &(impl Storage + ?Sized)) -> Result<(), Violation> {
    let next = registry::next_number(storage)?;
    let mut expected = registry::FIRST_NUMBER;
    let mut after = None;
    loop {
        let page = registry::registrations(storage, after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (found, entry) in page {
            if found != expected || found >= next {
                return Err(Violation::RegistryGap { expected, found });
            }
            entry.board.validate().map_err(|error| Violation::RegisteredBoard { number: found, error })?;
            expected = expected.saturating_add(1);
        }
    }
    if expected != next {
        return Err(Violation::RegistryGap { expected, found: next });
    }
    Ok(())
}

fn histories_are_whole(storage: &(impl Storage + ?Sized)) -> Result<(), Violation> {
    // How many rows of each, the first height that any of them certified, and the last.
    let mut found: BTreeMap<[u8; 8], (u32, Height, Height)> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = FORMER.page(storage, after.as_ref(), PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for ((number, until), Former { first, .. }) in page {
            let until = Height::from_be_bytes(until);
            let (rows, _, last) = found.entry(number).or_insert((0, first, first.saturating_sub(1)));
            if first != last.saturating_add(1) || until < first {
                let number = u64::from_be_bytes(number);
                return Err(Violation::History { number, what: "a board does not follow on the one before" });
            }
            (*rows, *last) = (rows.saturating_add(1), until);
        }
    }
    let remembered: BTreeMap<[u8; 8], Remembered> = all_remembered(storage)?;
    for (number, kept) in &remembered {
        let history = |what| Violation::History { number: u64::from_be_bytes(*number), what };
        let Some((rows, first, last)) = found.remove(number) else {
            return Err(history("nothing is there of what is counted"));
        };
        if rows != kept.boards || rows > FORMER_BOARDS_MAX {
            return Err(history("another number of boards is there than is counted"));
        }
        if first != kept.forgotten.saturating_add(1) {
            return Err(history("what was forgotten is not what came before the first board"));
        }
        if last != kept.last {
            return Err(history("the last board is another one than is noted"));
        }
        let number = u64::from_be_bytes(*number);
        if number > 0
            && registry::registration(storage, number)?.is_none_or(|entry| entry.last_height != last)
        {
            return Err(history("it does not lead to the board of now"));
        }
    }
    found.keys().next().map_or(Ok(()), |number| {
        let what = "boards are there that are not counted";
        Err(Violation::History { number: u64::from_be_bytes(*number), what })
    })
}

fn all_remembered(storage: &(impl Storage + ?Sized)) -> Result<BTreeMap<[u8; 8], Remembered>, Violation> {
    let mut all = BTreeMap::new();
    let mut after = None;
    loop {
        let page = REMEMBERED.page(storage, after.as_ref(), PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after = Some(*last);
        all.extend(page);
    }
}
