//! What the depositary holds.

use xln_primitives::{Amount, AssetId};

use super::{PartyView, views};

views! {
    /// An asset of the depositary.
    pub struct AssetView {
        /// Its identifier.
        pub id: AssetId,
        /// Its symbol, such as `USD`.
        pub symbol: String,
        /// Its name for people.
        pub name: String,
        /// Digits after the decimal point of one unit.
        pub decimals: u8,
        /// Deposits less withdrawals, in smallest units.
        pub supply: Amount,
        /// Whether anybody may deposit it, on a development network.
        pub faucet: bool,
    }

    /// One entity's holdings of one asset at the depositary.
    pub struct ReserveView {
        /// Whose.
        pub entity: PartyView,
        /// Which asset.
        pub asset: AssetId,
        /// Its symbol.
        pub symbol: String,
        /// Digits after the decimal point of one unit.
        pub decimals: u8,
        /// Free.
        pub reserve: Amount,
        /// Locked as collateral in channels of the entity, whoever may claim it.
        pub collateral: Amount,
        /// Owed to others by judgement, which every inflow pays first.
        pub debt: Amount,
    }
}
