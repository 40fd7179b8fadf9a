//! The checksum behind every value: the first eight bytes of BLAKE3 over `key ‖ value`.
//!
//! The key is part of it, so that a good value in a wrong place does not pass. It guards against faulty disks,
//! memory and software, not against an attacker who may write the database.

use crate::{Column, StoreError};

/// Bytes that the checksum adds to a value.
pub(crate) const CHECKSUM_SIZE: usize = 8;

fn checksum(key: &[u8], value: &[u8]) -> [u8; CHECKSUM_SIZE] {
    let digest = *blake3::Hasher::new().update(key).update(value).finalize().as_bytes();
    let mut short = [0; CHECKSUM_SIZE];
    short.copy_from_slice(&digest[..CHECKSUM_SIZE]);
    short
}

/// The value as it is stored.
pub(crate) fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(value.len() + CHECKSUM_SIZE);
    seal_into(&mut sealed, key, value);
    sealed
}

/// The value as it is stored, in place of what `sealed` holds.
pub(crate) fn seal_into(sealed: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    sealed.clear();
    sealed.extend_from_slice(value);
    sealed.extend_from_slice(&checksum(key, value));
}

/// The value that was stored.
pub(crate) fn unseal(column: Column, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    check(column, key, sealed).map(<[u8]>::to_vec)
}

/// The value that was stored, in place.
pub(crate) fn check<'a>(column: Column, key: &[u8], sealed: &'a [u8]) -> Result<&'a [u8], StoreError> {
    match sealed.split_last_chunk::<CHECKSUM_SIZE>() {
        Some((value, found)) if checksum(key, value) == *found => Ok(value),
        _ => Err(StoreError::corrupt(column, key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_passes_only_whole_and_in_its_place() {
        let sealed = seal(b"key", b"value");
        assert_eq!(unseal(Column::State, b"key", &sealed).unwrap(), b"value");
        assert!(unseal(Column::State, b"kez", &sealed).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(Column::State, b"key", &damaged).is_err(), "bit {bit}");
        }
        assert!(unseal(Column::State, b"key", &sealed[..7]).is_err());
    }
}
