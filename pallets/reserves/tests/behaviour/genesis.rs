//! What is there before the first block.

use pallet_reserves::{
    Account, AssetInfo, AssetKind, Error, Totals, asset, channel_key, genesis_account, genesis_asset,
    genesis_reserve, totals, try_state,
};
use xln_primitives::{Amount, Delta, Storage};

use crate::ledger::{self, ART, LEFT, Ledger, RIGHT, UNKNOWN, USD, amount, info};

#[test]
fn reserves_and_collateral_of_the_genesis_count_as_deposited() {
    let mut state = Ledger::new().state;
    genesis_reserve(&mut state, &LEFT, &USD, Amount::ZERO).unwrap();
    let account = Account { collateral: amount(50), ondelta: Delta::new(20) };
    genesis_account(&mut state, &LEFT, &RIGHT, &USD, account).unwrap();
    let expected =
        Totals { deposited: amount(250), reserves: amount(200), collateral: amount(50), ..Totals::default() };
    assert_eq!(totals(&state, &USD), Ok(expected));
    assert!(state.get(channel_key(&ledger::channel()).as_ref()).is_some(), "the channel is known");
    assert_eq!(try_state(&state), Ok(()));
}

#[test]
fn a_genesis_that_contradicts_itself_is_refused() {
    let mut state = Ledger::new().state;
    let usd = info(AssetKind::Fungible, None);
    assert_eq!(genesis_asset(&mut state, USD, &usd), Err(Error::AssetExists { asset: USD }));
    let bell = AssetInfo { symbol: vec![7].try_into().unwrap(), ..usd.clone() };
    assert_eq!(genesis_asset(&mut state, UNKNOWN, &bell), Err(Error::NotText { asset: UNKNOWN }));
    assert_eq!(asset(&state, &UNKNOWN), Err(Error::UnknownAsset { asset: UNKNOWN }));
    assert_eq!(asset(&state, &USD), Ok(usd));

    let refused = genesis_reserve(&mut state, &LEFT, &UNKNOWN, amount(1));
    assert_eq!(refused, Err(Error::UnknownAsset { asset: UNKNOWN }));
    let refused = genesis_reserve(&mut state, &LEFT, &ART, amount(2));
    assert!(matches!(refused, Err(Error::SupplyTooLarge { .. })));

    let account = Account { collateral: amount(1), ondelta: Delta::ZERO };
    let refused = genesis_account(&mut state, &RIGHT, &LEFT, &USD, account);
    assert_eq!(refused, Err(Error::SidesOutOfOrder { left: RIGHT, right: LEFT }));
    genesis_account(&mut state, &LEFT, &RIGHT, &USD, account).unwrap();
    let refused = genesis_account(&mut state, &LEFT, &RIGHT, &USD, account);
    assert_eq!(refused, Err(Error::DuplicateAsset { asset: USD }));
    assert_eq!(try_state(&state), Ok(()));
}
