//! Assets: what the depositary keeps, and who vouches for it outside.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{
    Amount, AssetId, BoundedVec, ConstU32, Delta, EntityId, Storage, StorageMap, StorageType,
};

use crate::Error;

pub(crate) const ASSETS: StorageMap<AssetId, AssetInfo> = StorageMap::new(StorageType::Reserves, 0);

/// What kind of thing an asset is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum AssetKind {
    /// The currency of a chain itself.
    #[codec(index = 0)]
    Native,
    /// Divisible and interchangeable, as ERC-20.
    #[codec(index = 1)]
    Fungible,
    /// One thing that exists once, as a token of ERC-721.
    #[codec(index = 2)]
    NonFungible,
    /// One id of a contract of many, as ERC-1155.
    #[codec(index = 3)]
    Multi,
}

/// What the depositary knows of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct AssetInfo {
    /// Short name, such as `usd`; UTF-8, at most 16 bytes.
    pub symbol: BoundedVec<u8, ConstU32<16>>,
    /// Long name; UTF-8, at most 64 bytes.
    pub name: BoundedVec<u8, ConstU32<64>>,
    /// How many decimal places the unit that people use has.
    pub decimals: u8,
    /// What kind of thing it is.
    pub kind: AssetKind,
    /// The entity that reports deposits and confirms withdrawals.
    pub bridge: EntityId,
    /// Most that anybody may deposit per call without the bridge, on a network for trying things out.
    pub faucet_max: Option<Amount>,
}

impl AssetInfo {
    /// Most that may exist of it: one of a non-fungible asset, otherwise as much as a [`Delta`] holds.
    #[must_use]
    pub fn supply_max(&self) -> Amount {
        match self.kind {
            AssetKind::NonFungible => Amount::new(1),
            AssetKind::Native | AssetKind::Fungible | AssetKind::Multi => Delta::MAX.magnitude(),
        }
    }

    /// Whether symbol and name are text that cannot disturb a display.
    pub(crate) fn is_text(&self) -> bool {
        let is_text =
            |bytes: &[u8]| core::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control));
        is_text(&self.symbol) && is_text(&self.name)
    }
}

/// What the depositary knows of an asset.
///
/// Errors: [`Error::UnknownAsset`].
pub fn asset(storage: &(impl Storage + ?Sized), id: &AssetId) -> Result<AssetInfo, Error> {
    ASSETS.get(storage, id)?.ok_or(Error::UnknownAsset { asset: *id })
}

/// At most `limit` assets after `after`, by identifier.
pub fn assets(
    storage: &(impl Storage + ?Sized),
    after: Option<&AssetId>,
    limit: usize,
) -> Result<Vec<(AssetId, AssetInfo)>, Error> {
    Ok(ASSETS.page(storage, after, limit)?)
}
