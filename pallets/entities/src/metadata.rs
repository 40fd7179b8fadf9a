//! What an entity says of itself.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{BoundedVec, ConstU32, Origin, Storage, StorageType, StorageValue};

use crate::{Config, Error, Event, board};

/// What an entity calls itself. Nobody checks it: it proves nothing.
pub(crate) const METADATA: StorageValue<Metadata> = StorageValue::new(StorageType::Metadata, 0);

/// Name and description of an entity, UTF-8 without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Metadata {
    /// Its name, at most 64 bytes.
    pub name: BoundedVec<u8, ConstU32<64>>,
    /// What it is, at most 256 bytes.
    pub description: BoundedVec<u8, ConstU32<256>>,
}

impl Metadata {
    /// Checks that both parts are text that cannot disturb the display of whoever reads it.
    pub fn validate(&self) -> Result<(), Error> {
        let is_text =
            |bytes: &[u8]| core::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control));
        if is_text(&self.name) && is_text(&self.description) { Ok(()) } else { Err(Error::NotText) }
    }
}

/// What the entity says of itself; empty if it said nothing.
pub fn metadata(storage: &(impl Storage + ?Sized)) -> Result<Metadata, Error> {
    Ok(METADATA.get(storage)?.unwrap_or_default())
}

/// Replaces what the entity says of itself; also for the genesis.
///
/// Errors: [`Error::NotText`].
pub fn set_metadata(storage: &mut (impl Storage + ?Sized), metadata: &Metadata) -> Result<(), Error> {
    metadata.validate()?;
    METADATA.put(storage, metadata);
    Ok(())
}

/// [`crate::Call::SetMetadata`].
pub(crate) fn dispatch<T: Config>(env: &mut T, origin: Origin, metadata: &Metadata) -> Result<(), Error> {
    board::require_own_board(origin)?;
    set_metadata(env, metadata)?;
    env.deposit_event(Event::MetadataSet(metadata.clone()));
    Ok(())
}
