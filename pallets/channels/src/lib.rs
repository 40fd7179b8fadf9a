//! Bilateral channels with collateral and credit.
