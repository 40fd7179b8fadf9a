//! The registry of entities by number; in the depositary's state only.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    ArithmeticError, Board, EntityId, FrameHash, Height, Origin, Storage, StorageMap, StorageType,
    StorageValue,
};

use crate::{Config, Error, Event};

/// Registrations by number, big-endian so that pages are in the order of numbers.
const REGISTRY: StorageMap<[u8; 8], Registration> = StorageMap::new(StorageType::Board, 2);
/// The number that the next registration gets.
const NEXT_NUMBER: StorageValue<u64> = StorageValue::new(StorageType::Board, 3);
/// The first number; zero would be [`EntityId::ZERO`], which is nobody.
pub(crate) const FIRST_NUMBER: u64 = 1;

/// The board that speaks for a registered entity, and since when.
///
/// Frames up to `last_height` belong to the board before; a frame there other than those that lead to
/// `last_header` is refused, and so is every frame of the board before above it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Registration {
    /// Who speaks for the entity now.
    pub board: Board,
    /// Height of the last frame of the board before; 0 for a first board.
    pub last_height: Height,
    /// Hash of that frame's header; zero for a first board.
    pub last_header: FrameHash,
}

/// Registers a board under the next number. Any sound board may be registered, also one that cannot be hosted yet.
///
/// Errors: [`Error::Board`].
pub fn register(storage: &mut (impl Storage + ?Sized), board: &Board) -> Result<EntityId, Error> {
    board.validate()?;
    let number = next_number(storage)?;
    let registration = Registration { board: board.clone(), last_height: 0, last_header: FrameHash::ZERO };
    REGISTRY.put(storage, &number.to_be_bytes(), &registration);
    NEXT_NUMBER.put(storage, &number.checked_add(1).ok_or(ArithmeticError)?);
    Ok(EntityId::registered(number))
}

/// The entry of a number, if it was given.
pub fn registration(storage: &(impl Storage + ?Sized), number: u64) -> Result<Option<Registration>, Error> {
    Ok(REGISTRY.get(storage, &number.to_be_bytes())?)
}

/// The board that speaks for the registered entity of this number, if it was given.
pub fn registered_board(storage: &(impl Storage + ?Sized), number: u64) -> Result<Option<Board>, Error> {
    Ok(registration(storage, number)?.map(|entry| entry.board))
}

/// At most `limit` entries with a number greater than `after`, by number.
pub fn registrations(
    storage: &(impl Storage + ?Sized),
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<(u64, Registration)>, Error> {
    let page = REGISTRY.page(storage, after.map(u64::to_be_bytes).as_ref(), limit)?;
    Ok(page.into_iter().map(|(number, entry)| (u64::from_be_bytes(number), entry)).collect())
}

/// The number that the next registration gets.
pub(crate) fn next_number(storage: &(impl Storage + ?Sized)) -> Result<u64, Error> {
    Ok(NEXT_NUMBER.get(storage)?.unwrap_or(FIRST_NUMBER))
}

/// [`crate::Call::Create`] at the depositary.
pub(crate) fn dispatch<T: Config>(env: &mut T, origin: Origin, board: &Board) -> Result<(), Error> {
    if origin == Origin::Server {
        return Err(Error::OriginNotAllowed { origin });
    }
    let entity = register(env, board)?;
    env.deposit_event(Event::Registered { entity, board_hash: board.hash() });
    Ok(())
}
