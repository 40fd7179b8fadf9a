//! Assets, reserves, collateral and settlement.
