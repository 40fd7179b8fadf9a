//! Which board spoke for an entity at which height, so that an old certificate stays checkable.
//!
//! ```text
//!   heights   1 …………………… 40   41 …………… 97   98 ……►
//!   board     A               B              C
//!             row 40: 1, A    row 97: 41, B  what the entity's state, or the registry, says now
//! ```
//!
//! A row is kept under the last height that its board certified, and says which was the first. The frame in which a board changes is still certified by
//! the board before, however often it changes in that frame.

use codec::{Decode, Encode};
use xln_primitives::{Board, Height, Storage, StorageMap, StorageType};

use crate::{Error, Term};

/// Most former boards that are remembered of one entity; of a longer history the oldest are forgotten.
pub const FORMER_BOARDS_MAX: u32 = 1_024;

/// A number of the registry and the last height of a board, big-endian.
pub(crate) type Place = ([u8; 8], [u8; 8]);

/// Former boards.
pub(crate) const FORMER: StorageMap<Place, Former> = StorageMap::new(StorageType::Board, 4);
/// How much is remembered, by number of the registry.
pub(crate) const REMEMBERED: StorageMap<[u8; 8], Remembered> = StorageMap::new(StorageType::Board, 5);

/// A board that spoke before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Former {
    /// The first height that it certified.
    pub(crate) first: Height,
    /// The board.
    pub(crate) board: Board,
}

impl Former {
    pub(crate) fn until(self, last: Height) -> Term {
        Term { board: self.board, first: self.first, last: Some(last) }
    }
}

/// How much of a history is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Remembered {
    /// Former boards that are kept.
    pub(crate) boards: u32,
    /// Nothing is known of the boards up to this height any more; 0 if nothing was forgotten.
    pub(crate) forgotten: Height,
    /// The last height of the last of them.
    pub(crate) last: Height,
}

impl Remembered {
    /// The first height of the board of now.
    pub(crate) const fn next(self) -> Height {
        self.last.saturating_add(1)
    }
}

/// Whose frames a height belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Era {
    /// The board of now, as far as is known.
    Present,
    /// A board before it.
    Former(Board),
    /// A board that was forgotten, since [`FORMER_BOARDS_MAX`] came after it.
    Forgotten,
}

/// The history of one entity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History([u8; 8]);

impl History {
    /// Of the entity whose state it is; the registry gives no number zero.
    pub(crate) const OWN: Self = Self([0; 8]);

    /// Of an entity of the registry.
    pub(crate) const fn of(number: u64) -> Self {
        Self(number.to_be_bytes())
    }

    /// Under which number it stands.
    pub(crate) const fn number(self) -> [u8; 8] {
        self.0
    }

    /// Whose frames `height` belongs to.
    pub(crate) fn at(self, storage: &(impl Storage + ?Sized), height: Height) -> Result<Era, Error> {
        let after = height.checked_sub(1).map(|before| (self.0, before.to_be_bytes()));
        let next = FORMER.page_under(storage, &self.0, after.as_ref(), 1)?.pop();
        // Without a former board there is nothing that could have been forgotten.
        let Some((_, Former { board, .. })) = next else { return Ok(Era::Present) };
        let forgotten = REMEMBERED.get(storage, &self.0)?.unwrap_or_default().forgotten;
        Ok(if height <= forgotten { Era::Forgotten } else { Era::Former(board) })
    }

    /// Remembers that `board` certified the frames up to `last`, unless it is known already which one did.
    pub(crate) fn push(
        self,
        storage: &mut (impl Storage + ?Sized),
        last: Height,
        board: &Board,
    ) -> Result<(), Error> {
        let place = (self.0, last.to_be_bytes());
        if FORMER.contains(storage, &place) {
            return Ok(());
        }
        let mut remembered = REMEMBERED.get(storage, &self.0)?.unwrap_or_default();
        FORMER.put(storage, &place, &Former { first: remembered.next(), board: board.clone() });
        remembered.last = last;
        remembered.boards = remembered.boards.saturating_add(1);
        if remembered.boards > FORMER_BOARDS_MAX
            && let Some((oldest, _)) = FORMER.page_under(storage, &self.0, None, 1)?.pop()
        {
            FORMER.remove(storage, &oldest);
            remembered.boards = remembered.boards.saturating_sub(1);
            remembered.forgotten = Height::from_be_bytes(oldest.1);
        }
        REMEMBERED.put(storage, &self.0, &remembered);
        Ok(())
    }
}
