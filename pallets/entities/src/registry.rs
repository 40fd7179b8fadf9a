//! The registry of entities by number; in the depositary's state only.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    ArithmeticError, Board, EntityId, FrameHash, Height, Origin, Storage, StorageMap, StorageType,
    StorageValue,
};

use crate::{
    Config, Error, Event,
    history::{Era, History},
    nesting,
};

/// Registrations by number, big-endian so that pages are in the order of numbers.
pub(crate) const REGISTRY: StorageMap<[u8; 8], Registration> = StorageMap::new(StorageType::Board, 2);
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
/// Errors: [`Error::Board`], [`Error::Cycle`], [`Error::TooDeep`], [`Error::TooWide`].
pub fn register(storage: &mut (impl Storage + ?Sized), board: &Board) -> Result<EntityId, Error> {
    let number = next_number(storage)?;
    // Cheaper than the proofs of possession.
    nesting::check(storage, EntityId::registered(number), board)?;
    board.validate()?;
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

/// Whose frames `height` of the registered entity of this number belongs to, as far as it has told. A frame above
/// [`Registration::last_height`] is of the board of now, or of one that the registry has not heard of yet.
pub fn registered_era(storage: &(impl Storage + ?Sized), number: u64, height: Height) -> Result<Era, Error> {
    History::of(number).at(storage, height)
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

/// [`crate::Call::Update`].
pub(crate) fn update<T: Config>(env: &mut T, origin: Origin, board: &Board) -> Result<(), Error> {
    let refused = Error::OriginNotAllowed { origin };
    let Origin::Entity(entity) = origin else { return Err(refused) };
    let (is_registry, carrier) = (env.entity() == env.depositary(), env.carrier());
    let Some((height, header)) = carrier.filter(|_| is_registry) else { return Err(refused) };
    let Some(number) = entity.registry_number() else { return Err(Error::NotRegistered { entity }) };
    let before = registration(env, number)?.ok_or(Error::NotRegistered { entity })?;
    if height <= before.last_height {
        return Err(Error::Outdated { last: before.last_height, found: height });
    }
    board.validate()?;
    History::of(number).push(env, height, &before.board)?;
    let now = Registration { board: board.clone(), last_height: height, last_header: header };
    REGISTRY.put(env, &number.to_be_bytes(), &now);
    env.deposit_event(Event::Updated { entity, board_hash: board.hash(), last_height: height });
    if let Err(fault) = nesting::check(env, entity, board) {
        env.deposit_event(Event::NestingFault { entity, fault });
    }
    Ok(())
}
