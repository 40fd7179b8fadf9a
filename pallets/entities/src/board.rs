//! The board of the entity whose state this is.

use xln_primitives::{
    Board, Height, Nonce, Origin, PublicKey, SignerId, Storage, StorageKey, StorageType, StorageValue,
    Timestamp,
};

use crate::{
    Config, Error, Event,
    history::{Era, History},
    nonce,
};

/// Who speaks for the entity.
pub(crate) const BOARD: StorageValue<Board> = StorageValue::new(StorageType::Board, 0);
/// When a lazy entity declared itself created.
const CREATED: StorageValue<Timestamp> = StorageValue::new(StorageType::Board, 1);

/// The board of the entity; `None` if the entity does not exist here.
pub fn board(storage: &(impl Storage + ?Sized)) -> Result<Option<Board>, Error> {
    Ok(BOARD.get(storage)?)
}

/// Where [`board`] is stored, for proofs and to see whether it was written.
#[must_use]
pub fn board_key() -> StorageKey {
    BOARD.key()
}

/// Whose frames `height` belongs to: the board that certifies the frame of that height.
pub fn era(storage: &(impl Storage + ?Sized), height: Height) -> Result<Era, Error> {
    History::OWN.at(storage, height)
}

/// The board that certifies the frame of this height; `None` if the entity does not exist here, or the board of then was
/// forgotten. Of heights to come it is the board of now.
pub fn board_at(storage: &(impl Storage + ?Sized), height: Height) -> Result<Option<Board>, Error> {
    match era(storage, height)? {
        Era::Present => board(storage),
        Era::Former(board) => Ok(Some(board)),
        Era::Forgotten => Ok(None),
    }
}

/// When the lazy entity was declared created by [`crate::Call::Create`]; `None` if it never was.
pub fn created(storage: &(impl Storage + ?Sized)) -> Result<Option<Timestamp>, Error> {
    Ok(CREATED.get(storage)?)
}

/// Gives a new entity, lazy or of the genesis, its board.
///
/// Errors: [`Error::AlreadyFounded`], [`Error::Board`], [`Error::CannotAgree`].
pub fn found(storage: &mut (impl Storage + ?Sized), board: &Board) -> Result<(), Error> {
    if BOARD.get(storage)?.is_some() {
        return Err(Error::AlreadyFounded);
    }
    check_hostable(board)?;
    BOARD.put(storage, board);
    Ok(())
}

/// Checks that a board is sound and that its members can certify frames: one signer alone, or a quorum by BLS keys of their
/// own or of their delegates, one of whom may propose. The form comes first: the proofs of possession of a large board are costly to check.
pub(crate) fn check_hostable(board: &Board) -> Result<(), Error> {
    let (voting, quorum) = (board.voting_weight(), board.quorum());
    if !board.members.is_empty() && board.votes() {
        if voting < quorum {
            return Err(Error::CannotAgree { voting, quorum });
        }
        if board.voters().iter().flatten().all(|voter| voter.proposing == 0) {
            return Err(Error::NobodyProposes);
        }
    }
    Ok(board.validate()?)
}

/// Checks that `signer` may make the entity execute its call number `nonce`. Changes nothing; the nonce is used
/// up with [`crate::use_nonce`].
///
/// What the member may ask for is not judged here: see the governance pallet.
///
/// Errors: [`Error::NotFounded`], [`Error::NotAMember`], [`Error::NonceTooLow`] for a replay, [`Error::NonceGap`] for a call whose predecessors are missing.
pub fn authorise(storage: &(impl Storage + ?Sized), signer: &PublicKey, nonce: Nonce) -> Result<(), Error> {
    let board = board(storage)?.ok_or(Error::NotFounded)?;
    authorise_by(&board, storage, signer, signer.signer_id(), nonce)
}

/// [`authorise`] for a caller who knows what `storage` says of the board, and the identifier `id` of `signer`.
pub fn authorise_by(
    board: &Board,
    storage: &(impl Storage + ?Sized),
    signer: &PublicKey,
    id: SignerId,
    nonce: Nonce,
) -> Result<(), Error> {
    if board.signer(signer).is_none() {
        return Err(Error::NotAMember { signer: id });
    }
    nonce::check(storage, &id, nonce)
}

/// [`crate::Call::Create`] signed to the lazy entity itself, which the runtime founded with this call.
pub(crate) fn create<T: Config>(env: &mut T, origin: Origin, new: &Board) -> Result<(), Error> {
    require_own_board(origin)?;
    let entity = env.entity();
    if new.entity() != entity {
        return Err(Error::OtherBoard { expected: entity, found: new.entity() });
    }
    if BOARD.get(env)?.is_none() {
        return Err(Error::NotFounded);
    }
    if CREATED.get(env)?.is_some() {
        return Err(Error::AlreadyCreated { entity });
    }
    let now = env.now();
    CREATED.put(env, &now);
    env.deposit_event(Event::Created { entity });
    Ok(())
}

/// Lets through a member of the board and the board as a whole.
pub(crate) fn require_own_board(origin: Origin) -> Result<(), Error> {
    match origin {
        Origin::Signer(_) | Origin::Board => Ok(()),
        Origin::Entity(_) | Origin::Server => Err(Error::OriginNotAllowed { origin }),
    }
}
