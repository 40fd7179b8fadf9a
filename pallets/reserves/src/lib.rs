//! The depositary's ledger: assets, reserves, collateral of channels, and settlement.
//!
//! All of this is state of one entity, the depositary. Every other entity acts on it by message, and the ledger knows
//! it by its identifier alone.
//!
//! ```text
//!   outside            ┌──────────────────── the depositary, per asset ───────────────────┐
//!  (a chain,  deposit  │              transfer                                            │
//!   a bank) ──────────►│ reserve(A) ───────────► reserve(B)                               │
//!     ▲      by bridge │  │   ▲  ▲                                                        │
//!     │                │  │   │  └── reject ── pending withdrawal ◄─ withdraw ─ reserve    │
//!     │                │  │   │                       │                                   │
//!     └── confirm ─────┼──┼───┼───────────────────────┘                                   │
//!         by bridge    │  │   │ settle (both sides)                                       │
//!                      │  ▼ allocate                                                       │
//!                      │ collateral and ondelta of a channel (left, right)                 │
//!                      └──────────────────────────────────────────────────────────────────┘
//! ```
//!
//! **Conservation (C1).** Per asset, after every call, exactly:
//! `Σ reserves + Σ collateral + pending withdrawals = Σ deposits − Σ withdrawals`. [`Totals`] keeps both sides
//! incrementally; [`try_state`] adds the entries up. The supply of an asset stays below 2¹²⁷, so every balance is
//! also a [`Delta`](xln_primitives::Delta).
//!
//! **Channels.** Of a channel the ledger knows, per asset, the collateral and `ondelta`, left's claim as far as
//! settlement moved it, and for all assets together an epoch and a nonce ([`ChannelInfo`]). Every change of a channel's
//! rows takes the next nonce and tells both sides the absolute values ([`Notice::Settled`]); the nonce never goes
//! back, also when a close raises the epoch. Allocating changes a channel without asking anybody, since it only
//! gives; everything else needs both sides ([`Settlement`]).
//!
//! **Settlement by two halves.** Each side sends the identical body as its own call. The first is kept, the second
//! executes it. A body names the exact next nonce, so it executes at most once and dies with every other change of
//! the channel; `expires` bounds how long a half that was sent can bind its sender.
//!
//! **What may be proven of this state** to somebody who holds a certified header of the depositary: that a hash was
//! not revealed ([`reveal_key`]), that a channel's nonce has not moved ([`channel_key`]).
//!
//! **Debts (C5)** will arise in disputes. Every increase of a reserve passes through one place and every outflow
//! through another (`reserve.rs`): debts are paid in the first and enforced in the second, so that no outflow happens
//! while a debt is open and the oldest is paid first.

mod allocation;
mod asset;
mod call;
mod channel;
mod deposit;
mod error;
mod event;
mod genesis;
mod invariant;
mod notice;
mod reserve;
mod reveal;
mod settlement;
mod totals;
mod withdrawal;

use xln_primitives::{EntityId, Environment};

pub use asset::{AssetInfo, AssetKind, asset, assets};
pub use call::{Call, Destination, Reference};
pub use channel::{Account, ChannelInfo, MAX_ROWS, account, accounts, channel, channel_key};
pub use error::Error;
pub use event::Event;
pub use genesis::{genesis_account, genesis_asset, genesis_reserve};
pub use invariant::{Violation, try_state};
pub use notice::{Notice, Settled, SettledRow};
pub use reserve::{reserve, reserves};
pub use reveal::{Revelation, reveal_key, revealed};
pub use settlement::{Settlement, SettlementRow, half};
pub use totals::{Totals, totals};
pub use withdrawal::{Withdrawal, WithdrawalId, withdrawal, withdrawals};

/// What the pallet needs of the machine that runs it.
pub trait Config: Environment {
    /// Reports what happened.
    fn deposit_event(&mut self, event: Event);
    /// Tells an entity what happened to it; the machine makes a message of it.
    fn notify(&mut self, to: EntityId, notice: Notice);
}

/// Executes a call of this pallet on behalf of `origin`: the entity that acts, which is the depositary itself for
/// calls of its own signers. After an error the caller drops every change.
pub fn dispatch<T: Config>(env: &mut T, origin: EntityId, call: Call) -> Result<(), Error> {
    match call {
        Call::Deposit { asset, to, amount, reference } => {
            deposit::deposit(env, origin, asset, to, amount, reference)
        }
        Call::Withdraw { asset, amount, destination } => {
            withdrawal::request(env, origin, asset, amount, destination)
        }
        Call::Allocate { left, right, in_favour, asset, amount } => {
            allocation::allocate(env, origin, (left, right), in_favour, asset, amount)
        }
        Call::Transfer { to, asset, amount } => reserve::transfer(env, origin, to, asset, amount),
        Call::Settle(settlement) => settlement::settle(env, origin, settlement),
        Call::Reveal { preimage } => reveal::reveal(env, &preimage),
        Call::ConfirmWithdrawal { id } => withdrawal::confirm(env, origin, id),
        Call::RejectWithdrawal { id } => withdrawal::reject(env, origin, id),
    }
}
