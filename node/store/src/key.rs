//! Keys on disk: the column's number, then parts of fixed width; numbers big-endian.

use xln_primitives::{ChannelId, EntityId, Height, SignerId};

use crate::{Column, PeerId, StoreError};

/// Type byte of the row that holds an entity's head; storage types of entities start at 1.
pub(crate) const HEAD: u8 = 0x00;

/// Bytes before the key of the entity itself: column, signer, entity.
const STATE_PREFIX: usize = 1 + 32 + 32;

fn key(column: Column, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    bytes.push(column as u8);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

pub(crate) fn digest(column: Column, digest: &[u8; 32]) -> Vec<u8> {
    key(column, &[digest])
}

pub(crate) fn number(column: Column, number: u64) -> Vec<u8> {
    key(column, &[&number.to_be_bytes()])
}

/// The row that says where the state stands. It comes before all others of the column.
pub(crate) fn marker() -> Vec<u8> {
    key(Column::State, &[])
}

/// The row that says what is kept of the past.
pub(crate) fn pruning() -> Vec<u8> {
    key(Column::Snapshot, &[&[1]])
}

pub(crate) fn proof(entity: &EntityId, channel: &ChannelId) -> Vec<u8> {
    key(Column::Proofs, &[entity.as_ref(), channel.as_ref()])
}

/// The mark of an entity's last certified frame stands at height 0 and sequence 0, where no vote ever is.
pub(crate) fn signed(entity: &EntityId) -> Vec<u8> {
    key(Column::Consensus, &[entity.as_ref(), &[0; 16]])
}

/// A row of the log of a board's consensus; heights begin at 1.
pub(crate) fn consensus(entity: &EntityId, height: Height, sequence: u64) -> Vec<u8> {
    key(Column::Consensus, &[entity.as_ref(), &height.to_be_bytes(), &sequence.to_be_bytes()])
}

/// Height and sequence of such a row.
pub(crate) fn parse_consensus(key: &[u8]) -> Result<(Height, u64), StoreError> {
    let numbers = key.get(1 + 32..).and_then(|rest| rest.split_first_chunk::<8>());
    let sequence = |rest: &[u8]| <[u8; 8]>::try_from(rest).ok().map(u64::from_be_bytes);
    numbers
        .and_then(|(height, rest)| Some((u64::from_be_bytes(*height), sequence(rest)?)))
        .ok_or_else(|| StoreError::malformed(Column::Consensus, key))
}

/// A frame that a board decided.
pub(crate) fn frame(entity: &EntityId, height: Height) -> Vec<u8> {
    key(Column::Frames, &[entity.as_ref(), &height.to_be_bytes()])
}

/// Proof that a board gave way to another after a height.
pub(crate) fn handover(entity: &EntityId, height: Height) -> Vec<u8> {
    key(Column::Handovers, &[entity.as_ref(), &height.to_be_bytes()])
}

/// Proof of a member who signed two things for one place, `slot` of what an entity's board said at a height.
pub(crate) fn evidence(entity: &EntityId, height: Height, slot: u64) -> Vec<u8> {
    key(Column::Evidence, &[entity.as_ref(), &height.to_be_bytes(), &slot.to_be_bytes()])
}

/// A chunk of a state that was taken over.
pub(crate) fn adopted(entity: &EntityId, height: Height, index: u32) -> Vec<u8> {
    key(Column::Adopted, &[entity.as_ref(), &height.to_be_bytes(), &index.to_be_bytes()])
}

/// Entity, height and index of such a chunk.
pub(crate) fn parse_adopted(key: &[u8]) -> Result<(EntityId, Height, u32), StoreError> {
    let parse = || {
        let (entity, rest) = key.get(1..)?.split_first_chunk::<32>()?;
        let (height, rest) = rest.split_first_chunk::<8>()?;
        let index = rest.try_into().ok().map(u32::from_be_bytes)?;
        Some((EntityId::new(*entity), u64::from_be_bytes(*height), index))
    };
    parse().ok_or_else(|| StoreError::malformed(Column::Adopted, key))
}

/// The entity of a mark; `None` for a row of a log.
pub(crate) fn parse_signed(key: &[u8]) -> Result<Option<EntityId>, StoreError> {
    match key.split_first().and_then(|(_, rest)| rest.split_first_chunk::<32>()) {
        Some((entity, rest)) if *rest == [0; 16] => Ok(Some(EntityId::new(*entity))),
        Some((_, rest)) if rest.len() == 16 && rest.get(..8) != Some(&[0; 8]) => Ok(None),
        _ => Err(StoreError::malformed(Column::Consensus, key)),
    }
}

pub(crate) fn outbox(peer: &PeerId, sequence: u64) -> Vec<u8> {
    key(Column::Outbox, &[peer.as_bytes(), &sequence.to_be_bytes()])
}

/// Puts a state key together, in place of what `whole` holds.
pub(crate) fn write_state(whole: &mut Vec<u8>, signer: &SignerId, entity: &EntityId, inner: &[u8]) {
    whole.clear();
    whole.push(Column::State as u8);
    for part in [signer.as_ref(), entity.as_ref(), inner] {
        whole.extend_from_slice(part);
    }
}

/// Whether a key is one that this crate could have written to the column.
pub(crate) fn is_well_formed(column: Column, key: &[u8]) -> bool {
    key.first() == Some(&(column as u8))
        && match column.key_length() {
            Some(length) => key.len() == length,
            None => match key.get(STATE_PREFIX) {
                Some(&HEAD) => key.len() == STATE_PREFIX + 1,
                Some(_) => true,
                None => key.len() == 1,
            },
        }
}

/// The number in a key that consists of nothing else.
pub(crate) fn parse_number(column: Column, key: &[u8]) -> Result<u64, StoreError> {
    key.get(1..)
        .and_then(|rest| <[u8; 8]>::try_from(rest).ok())
        .map(u64::from_be_bytes)
        .ok_or_else(|| StoreError::malformed(column, key))
}

/// The sequence at the end of an outbox key.
pub(crate) fn parse_sequence(key: &[u8]) -> Result<u64, StoreError> {
    key.last_chunk::<8>()
        .map(|bytes| u64::from_be_bytes(*bytes))
        .ok_or_else(|| StoreError::malformed(Column::Outbox, key))
}

/// Signer, entity and inner key of a state key that is not the marker's.
pub(crate) fn parse_state(key: &[u8]) -> Result<(SignerId, EntityId, &[u8]), StoreError> {
    let malformed = || StoreError::malformed(Column::State, key);
    if !is_well_formed(Column::State, key) {
        return Err(malformed());
    }
    let (_, rest) = key.split_first().ok_or_else(malformed)?;
    let (signer, rest) = rest.split_first_chunk::<32>().ok_or_else(malformed)?;
    let (entity, inner) = rest.split_first_chunk::<32>().ok_or_else(malformed)?;
    Ok((SignerId::new(*signer), EntityId::new(*entity), inner))
}
