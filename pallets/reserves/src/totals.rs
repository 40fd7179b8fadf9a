//! Totals per asset: both sides of the conservation law, kept with every change.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{Amount, ArithmeticError, AssetId, Storage, StorageMap, StorageType};

use crate::Error;

pub(crate) const TOTALS: StorageMap<AssetId, Totals> = StorageMap::new(StorageType::Reserves, 1);

/// Sums over all entities and channels in one asset.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen,
)]
pub struct Totals {
    /// All that ever came in.
    pub deposited: Amount,
    /// All that ever left for good.
    pub withdrawn: Amount,
    /// What is in reserves now.
    pub reserves: Amount,
    /// What is locked in channels now.
    pub collateral: Amount,
    /// What left reserves and waits for the bridge.
    pub pending: Amount,
}

impl Totals {
    /// What the depositary must hold: deposits − withdrawals.
    pub fn supply(&self) -> Result<Amount, ArithmeticError> {
        self.deposited.sub(self.withdrawn)
    }

    /// What it does hold: reserves + collateral + pending withdrawals.
    pub fn held(&self) -> Result<Amount, ArithmeticError> {
        self.reserves.add(self.collateral)?.add(self.pending)
    }
}

/// The totals of an asset; all zero for an asset that was never deposited.
pub fn totals(storage: &(impl Storage + ?Sized), asset: &AssetId) -> Result<Totals, Error> {
    Ok(TOTALS.get(storage, asset)?.unwrap_or_default())
}

/// Changes the totals of an asset.
pub(crate) fn update(
    storage: &mut (impl Storage + ?Sized),
    asset: &AssetId,
    change: impl FnOnce(&mut Totals) -> Result<(), ArithmeticError>,
) -> Result<(), Error> {
    let mut totals = totals(storage, asset)?;
    change(&mut totals)?;
    TOTALS.put(storage, asset, &totals);
    Ok(())
}
