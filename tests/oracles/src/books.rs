//! What everybody should have, by the events alone.
//!
//! Wealth is an entity's reserve, plus what it may claim of its channels. Each event says who became richer by how much;
//! the state must say the same. A hub that paid without being paid, a sum that moved twice or a fee that got lost shows
//! here at once. Sums are taken modulo 2¹²⁸, so that absurd ones need no other treatment.

use std::collections::{BTreeMap, BTreeSet};

use pallet_channels::{Event as Channels, PaymentHash, view};
use pallet_reserves::Event as Reserves;
use xln_primitives::{Amount, AssetId, ChannelId, Delta, EntityId, Height, Side};
use xln_runtime::{Executed, RuntimeError, RuntimeEvent};

use crate::Whole;

/// Wealth per entity and asset; zero is not stored.
type Wealth = BTreeMap<(EntityId, AssetId), u128>;

fn add(wealth: &mut Wealth, entity: EntityId, asset: AssetId, amount: u128) {
    let entry = wealth.entry((entity, asset)).or_default();
    *entry = entry.wrapping_add(amount);
    if *entry == 0 {
        wealth.remove(&(entity, asset));
    }
}

fn take(wealth: &mut Wealth, entity: EntityId, asset: AssetId, amount: u128) {
    add(wealth, entity, asset, amount.wrapping_neg());
}

/// Expectations, and what must happen only once.
#[derive(Debug, Default)]
pub struct Books {
    wealth: Wealth,
    /// Both sides of every channel.
    sides: BTreeMap<ChannelId, (EntityId, EntityId)>,
    withdrawals: BTreeMap<u64, (EntityId, AssetId, Amount)>,
    /// Payments that ended.
    ended: BTreeSet<(EntityId, u64)>,
    /// Invoices that were paid.
    paid: BTreeSet<(EntityId, PaymentHash)>,
    /// Forwards that ended.
    forwarded: BTreeSet<(EntityId, u64)>,
    /// How often what happened.
    pub tally: BTreeMap<&'static str, u64>,
}

impl Books {
    /// The books of a network that begins with what `whole` has, among these entities.
    #[must_use]
    pub fn open(whole: &Whole<'_>, entities: &[EntityId]) -> Self {
        let pairs = entities.iter().flat_map(|one| entities.iter().map(move |other| (*one, *other)));
        let sides = pairs
            .filter(|(one, other)| one < other)
            .map(|(one, other)| (ChannelId::between(&one, &other), (one, other)))
            .collect();
        let books = Self { sides, ..Self::default() };
        Self { wealth: books.actual(whole), ..books }
    }

    /// Takes note of what a slice reported of these entities. What is noted twice counts twice: who follows an entity
    /// that another server hosts leaves it out.
    ///
    /// # Panics
    /// If something happened twice that happens once, or that cannot happen among the honest.
    pub fn take_note(&mut self, executed: &Executed, whose: impl Fn(&EntityId, Height) -> bool) {
        for frame in executed.events.iter().filter(|frame| whose(&frame.entity, frame.height)) {
            for event in &frame.events {
                match event {
                    RuntimeEvent::Channels(event) => self.channel_event(frame.entity, event),
                    RuntimeEvent::Reserves(event) => self.ledger_event(event),
                    RuntimeEvent::Entities(_) => self.count("entity events"),
                    RuntimeEvent::Governance(_) => self.count("events of boards"),
                }
            }
        }
        for receipt in &executed.receipts {
            if let Err(error) = &receipt.result {
                // What an entity's own list refuses leaves a record of it, with an event.
                let screened =
                    matches!(error, RuntimeError::Governance(pallet_governance::Error::Screened { .. }));
                assert!(screened || receipt.events.is_empty(), "what failed has events: {receipt:?}");
                assert!(
                    screened || receipt.changes.len() <= 1,
                    "what failed changed more than a nonce: {receipt:?}"
                );
                assert!(!breaks_the_protocol(error), "among the honest this cannot happen: {error}");
            }
            self.count(if receipt.result.is_ok() { "calls that worked" } else { "calls that failed" });
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn channel_event(&mut self, at: EntityId, event: &Channels) {
        let wealth = &mut self.wealth;
        match event {
            Channels::PaidDirect { asset, amount, from, to, .. } if *from == at => {
                take(wealth, *from, *asset, amount.get());
                add(wealth, *to, *asset, amount.get());
                self.count("direct payments");
            }
            Channels::PaymentSent { payment, asset, amount, fee, .. } => {
                take(wealth, at, *asset, amount.get().wrapping_add(fee.get()));
                assert!(self.ended.insert((at, *payment)), "payment {payment} of {at} ended twice");
                self.count("payments that succeeded");
            }
            Channels::PaymentFailed { payment, .. } => {
                assert!(self.ended.insert((at, *payment)), "payment {payment} of {at} ended twice");
                self.count("payments that failed");
            }
            Channels::PaymentReceived { hash, asset, amount, .. } => {
                add(wealth, at, *asset, amount.get());
                assert!(self.paid.insert((at, *hash)), "invoice {hash} of {at} was paid twice");
            }
            Channels::PaymentForwarded { forward, asset, fee, .. } => {
                add(wealth, at, *asset, fee.get());
                assert!(self.forwarded.insert((at, *forward)), "forward {forward} of {at} ended twice");
                self.count("forwards");
            }
            Channels::ForwardFailed { forward, .. } => {
                assert!(self.forwarded.insert((at, *forward)), "forward {forward} of {at} ended twice");
                self.count("forwards that failed");
            }
            Channels::HtlcExpired { .. } => self.count("expiries"),
            Channels::PaymentHeld { .. } => self.count("payments held"),
            Channels::ChannelClosed { .. } => self.count("closes"),
            Channels::ChannelReopened { .. } => self.count("closes that lapsed"),
            Channels::SettlementApplied { .. } => self.count("settlements"),
            Channels::PreimagePublished { .. } => self.count("preimages published"),
            Channels::TransitionDropped { .. } => self.count("moves dropped"),
            Channels::ChannelFrozen { channel, fault } => panic!("{channel} froze among the honest: {fault}"),
            _ => {}
        }
    }

    fn ledger_event(&mut self, event: &Reserves) {
        let wealth = &mut self.wealth;
        match event {
            Reserves::Deposited { asset, to, amount, .. } => add(wealth, *to, *asset, amount.get()),
            Reserves::Transferred { asset, from, to, amount } => {
                take(wealth, *from, *asset, amount.get());
                add(wealth, *to, *asset, amount.get());
            }
            Reserves::WithdrawalRequested { id, owner, asset, amount, .. } => {
                take(wealth, *owner, *asset, amount.get());
                self.withdrawals.insert(*id, (*owner, *asset, *amount));
            }
            Reserves::WithdrawalConfirmed { id } => {
                assert!(self.withdrawals.remove(id).is_some(), "withdrawal {id} ended twice");
                self.count("withdrawals");
            }
            Reserves::WithdrawalRejected { id } => {
                let (owner, asset, amount) = self.withdrawals.remove(id).expect("a withdrawal ends once");
                add(wealth, owner, asset, amount.get());
            }
            Reserves::Allocated { channel, from, in_favour, asset, amount } => {
                let (left, right) = self.sides[channel];
                take(wealth, *from, *asset, amount.get());
                let to = if *in_favour == Side::Left { left } else { right };
                add(wealth, to, *asset, amount.get());
                self.count("allocations");
            }
            Reserves::HalfSettled { .. } | Reserves::Settled(_) | Reserves::Revealed { .. } => {}
        }
    }

    /// Compares the state with the expectations, while nothing is on its way.
    ///
    /// # Errors
    /// In words, who should have what and has not.
    pub fn compare(&self, whole: &Whole<'_>) -> Result<(), String> {
        let actual = self.actual(whole);
        let keys: BTreeSet<_> = self.wealth.keys().chain(actual.keys()).collect();
        for key in keys {
            let (expected, found) = (self.wealth.get(key), actual.get(key));
            if expected != found {
                let signed = |wealth: Option<&u128>| wealth.copied().unwrap_or(0).cast_signed();
                return Err(format!(
                    "entity {} should have {} of asset {} and has {}",
                    key.0,
                    signed(expected),
                    key.1,
                    signed(found)
                ));
            }
        }
        Ok(())
    }

    fn actual(&self, whole: &Whole<'_>) -> Wealth {
        let mut wealth = Wealth::new();
        let depositary = whole.depositary();
        let ledger = depositary.state();
        for (channel, (left, right)) in &self.sides {
            for (asset, account) in pallet_reserves::accounts(&ledger, channel).unwrap() {
                let of_left = account.ondelta.get().cast_unsigned();
                add(&mut wealth, *left, asset, of_left);
                add(&mut wealth, *right, asset, account.collateral.get().wrapping_sub(of_left));
            }
            for (asset, offdelta) in offdeltas(whole, *channel, *left, *right) {
                add(&mut wealth, *left, asset, offdelta.get().cast_unsigned());
                take(&mut wealth, *right, asset, offdelta.get().cast_unsigned());
            }
        }
        let entities: BTreeSet<EntityId> =
            self.sides.values().flat_map(|(left, right)| [*left, *right]).collect();
        for entity in entities {
            for (asset, amount) in pallet_reserves::reserves(&ledger, &entity, None, 64).unwrap() {
                add(&mut wealth, entity, asset, amount.get());
            }
        }
        wealth
    }
}

/// Failures that no call can cause: somebody's machine broke the protocol.
fn breaks_the_protocol(error: &RuntimeError) -> bool {
    use pallet_channels::Error as C;
    use pallet_reserves::Error as R;
    match error {
        RuntimeError::Channels(error) => matches!(
            error,
            C::ForeignChannel { .. }
                | C::WrongProposer { .. }
                | C::OtherEpoch { .. }
                | C::UnexpectedHeight { .. }
                | C::TwoFramesInFlight { .. }
                | C::InvalidFirstFrame(_)
                | C::UnexpectedAck { .. }
                | C::InvalidProof
                | C::ProofTooLarge { .. }
                | C::ClosedWithConditions { .. }
                | C::Corrupt(_)
        ),
        RuntimeError::Reserves(error) => matches!(
            error,
            R::Unbalanced { .. }
                | R::CloseLeaves { .. }
                | R::InsufficientCollateral { .. }
                | R::WrongChannel { .. }
                | R::NotASide { .. }
                | R::Corrupt(_)
        ),
        RuntimeError::NotTheDepositary { .. }
        | RuntimeError::ForgedNotice { .. }
        | RuntimeError::NotByMessage { .. } => true,
        RuntimeError::Governance(error) => matches!(error, pallet_governance::Error::Corrupt(_)),
        RuntimeError::Entities(_) => false,
    }
}

/// What payments moved, by the copy of whichever side lives here.
fn offdeltas(
    whole: &Whole<'_>,
    channel: ChannelId,
    left: EntityId,
    right: EntityId,
) -> Vec<(AssetId, Delta)> {
    let copy = |side| {
        let entity = whole.entity(&side)?;
        view::channel(&entity.state(), channel).unwrap()
    };
    let rows = |view: view::ChannelView| {
        view.channel.subchannels.iter().map(|row| (row.asset, row.offdelta)).collect()
    };
    copy(left).or_else(|| copy(right)).map(rows).unwrap_or_default()
}
