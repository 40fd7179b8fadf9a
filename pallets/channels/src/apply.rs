//! The rules of the moves: the one place where a channel's state changes.
//!
//! The proposer runs it when it seals a frame and again when the acknowledgement commits it, the receiver when the
//! frame arrives. A move either applies as a whole or changes nothing.

use std::collections::BTreeMap;

use xln_primitives::{Amount, ArithmeticError, AssetId, ChannelId, Hash, Height, Side, Storage, Timestamp};

use crate::{
    Config, TransitionError,
    capacity::Subchannel,
    channel::{Channel, Status},
    close,
    conditions::Conditions,
    htlc::{Cause, Htlc, HtlcRole, HtlcTerms, Progress, Slot},
    queue::Purpose,
    settlement::{MAX_ASSETS, Settled, Settlement},
    state_hash::{self, DisputeProof, Sections},
    storage::{CHANNELS, HTLCS, row, slot_key},
    transition::Transition,
};

/// Whose move it is, and what only its proposer knows about it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Author<'a> {
    /// Ours: proofs were checked before it was queued.
    Own(&'a Purpose),
    /// The peer's: everything is checked.
    Peer,
}

/// What a move did, beyond the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Plain,
    Added(Slot),
    Removed(Htlc),
    Closing(Settlement),
    Reopened(Settlement),
}

/// A channel while moves are applied to it.
pub(crate) struct Working {
    pub(crate) channel: Channel,
    id: ChannelId,
    conditions: Conditions,
    htlcs: BTreeMap<Slot, Option<Htlc>>,
    /// Hash of the agreement section, once the step is completed.
    agreement: Hash,
}

impl Working {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            id: channel.id,
            conditions: Conditions::under(channel.conditions_root),
            channel,
            htlcs: BTreeMap::new(),
            agreement: Hash::ZERO,
        }
    }

    /// The height that the moves lead to.
    fn next_height(&self) -> Height {
        self.channel.height.saturating_add(1)
    }

    /// Applies one move of `proposer`.
    pub(crate) fn apply<T: Config>(
        &mut self,
        env: &T,
        proposer: Side,
        author: Author<'_>,
        transition: &Transition,
    ) -> Result<Outcome, TransitionError> {
        if let Status::Closing(settlement) = &self.channel.status
            && !matches!(
                transition,
                Transition::SettlementApplied { .. } | Transition::SettlementLapsed { .. }
            )
        {
            return Err(TransitionError::Closing { expires: settlement.expires });
        }
        match transition {
            Transition::AddAsset { asset } => self.add_asset(*asset),
            Transition::SetCreditLimit { asset, limit } => {
                let row = self.channel.subchannel_mut(asset)?;
                match proposer {
                    Side::Left => row.right_credit_limit = *limit,
                    Side::Right => row.left_credit_limit = *limit,
                }
                Ok(Outcome::Plain)
            }
            Transition::Pay { asset, amount } => {
                let row = self.channel.subchannel_mut(asset)?;
                require_capacity(row, proposer, *amount)?;
                row.offdelta = moved(row, proposer, *amount)?;
                Ok(Outcome::Plain)
            }
            Transition::HtlcAdd { asset, amount, hash, deadline, .. } => {
                let terms = HtlcTerms {
                    payer: proposer,
                    asset: *asset,
                    amount: *amount,
                    hash: *hash,
                    deadline: *deadline,
                };
                self.htlc_add(env, author, terms)
            }
            Transition::HtlcFulfil { slot, preimage } => {
                let htlc = self.removable(env, *slot, author)?;
                if htlc.terms.payer == proposer {
                    return Err(TransitionError::NotBeneficiary { slot: *slot });
                }
                if preimage.hash() != htlc.terms.hash {
                    return Err(TransitionError::WrongPreimage { slot: *slot, hash: htlc.terms.hash });
                }
                if htlc.role == HtlcRole::Outbound(Cause::ExpiryProven) {
                    return Err(TransitionError::ExpiryProven { slot: *slot, deadline: htlc.terms.deadline });
                }
                self.remove(env, *slot, htlc, true)
            }
            Transition::HtlcFail { slot, .. } => {
                let htlc = self.removable(env, *slot, author)?;
                if htlc.terms.payer == proposer {
                    return Err(TransitionError::NotBeneficiary { slot: *slot });
                }
                self.remove(env, *slot, htlc, false)
            }
            Transition::HtlcExpire { slot, proof } => {
                let htlc = self.removable(env, *slot, author)?;
                if htlc.terms.payer != proposer {
                    return Err(TransitionError::NotPayer { slot: *slot });
                }
                if matches!(author, Author::Peer)
                    && !env.verify_expired(&htlc.terms.hash, htlc.terms.deadline, proof)
                {
                    return Err(TransitionError::InvalidProof);
                }
                self.remove(env, *slot, htlc, false)
            }
            Transition::RequestCollateral { asset, amount } => {
                self.channel.subchannel_mut(asset)?;
                if amount.is_zero() {
                    return Err(TransitionError::ZeroAmount);
                }
                Ok(Outcome::Plain)
            }
            Transition::SettlementApplied { settled, proof } => {
                self.check_settled(settled)?;
                if matches!(author, Author::Peer) && !env.verify_settled(settled, proof) {
                    return Err(TransitionError::InvalidProof);
                }
                self.apply_settled(settled)
            }
            Transition::CooperativeClose { expires } => {
                let settlement = close::settlement(&self.channel, *expires)?;
                self.channel.status = Status::Closing(settlement.clone());
                Ok(Outcome::Closing(settlement))
            }
            Transition::SettlementLapsed { proof } => {
                let Status::Closing(settlement) = &self.channel.status else {
                    return Err(TransitionError::NotClosing);
                };
                if matches!(author, Author::Peer) && !env.verify_settlement_expired(settlement, proof) {
                    return Err(TransitionError::InvalidProof);
                }
                let settlement = settlement.clone();
                self.channel.status = Status::Open;
                Ok(Outcome::Reopened(settlement))
            }
        }
    }

    fn add_asset(&mut self, asset: AssetId) -> Result<Outcome, TransitionError> {
        if self.channel.subchannel(&asset).is_some() {
            return Err(TransitionError::AssetExists { asset });
        }
        let full = TransitionError::TooManyAssets { limit: MAX_ASSETS };
        if u32::try_from(self.channel.subchannels.len()).unwrap_or(u32::MAX) >= MAX_ASSETS {
            return Err(full);
        }
        self.channel.subchannels.try_push(Subchannel::empty(asset)).map_err(|_| full)?;
        Ok(Outcome::Plain)
    }

    fn htlc_add(
        &mut self,
        storage: &impl Storage,
        author: Author<'_>,
        terms: HtlcTerms,
    ) -> Result<Outcome, TransitionError> {
        let row = self.channel.subchannel_mut(&terms.asset)?;
        require_capacity(row, terms.payer, terms.amount)?;
        let hold = row.hold(terms.payer).add(terms.amount)?;
        // Δ must still fit when every hold is spent either way.
        let delta = row.checked_delta()?;
        match terms.payer {
            Side::Left => delta.lowered(hold)?,
            Side::Right => delta.raised(hold)?,
        };
        let slot = self.conditions.insert(storage, &self.id, terms.leaf())?;
        let row = self.channel.subchannel_mut(&terms.asset)?;
        match terms.payer {
            Side::Left => row.left_hold = hold,
            Side::Right => row.right_hold = hold,
        }
        let role = match author {
            Author::Peer => HtlcRole::Inbound(Progress::Held),
            Author::Own(Purpose::Payment(number)) => HtlcRole::Outbound(Cause::Payment(*number)),
            Author::Own(Purpose::Forward(number)) => HtlcRole::Outbound(Cause::Forward(*number)),
            Author::Own(_) => HtlcRole::Outbound(Cause::ExpiryProven),
        };
        let added = self.next_height();
        self.htlcs.insert(slot, Some(Htlc { terms, added, role }));
        self.channel.pending_htlcs = self.channel.pending_htlcs.saturating_add(1);
        Ok(Outcome::Added(slot))
    }

    pub(crate) fn htlc(&self, storage: &impl Storage, slot: Slot) -> Result<Option<Htlc>, TransitionError> {
        match self.htlcs.get(&slot) {
            Some(htlc) => Ok(htlc.clone()),
            None => Ok(HTLCS.get(storage, &slot_key(&self.id, slot))?),
        }
    }

    /// The HTLC that is to be removed; for an own move, the very one that was meant.
    fn removable(
        &self,
        storage: &impl Storage,
        slot: Slot,
        author: Author<'_>,
    ) -> Result<Htlc, TransitionError> {
        let htlc = self.htlc(storage, slot)?.ok_or(TransitionError::EmptySlot { slot })?;
        match author {
            Author::Own(Purpose::Removal(added)) if *added != htlc.added => {
                Err(TransitionError::SlotReused { slot, added: htlc.added })
            }
            _ => Ok(htlc),
        }
    }

    fn remove(
        &mut self,
        storage: &impl Storage,
        slot: Slot,
        htlc: Htlc,
        paid: bool,
    ) -> Result<Outcome, TransitionError> {
        let HtlcTerms { payer, asset, amount, .. } = htlc.terms;
        let row = self.channel.subchannel_mut(&asset)?;
        let hold = row.hold(payer).sub(amount)?;
        let offdelta = if paid { moved(row, payer, amount)? } else { row.offdelta };
        self.conditions.remove(storage, &self.id, slot)?;
        let row = self.channel.subchannel_mut(&asset)?;
        row.offdelta = offdelta;
        match payer {
            Side::Left => row.left_hold = hold,
            Side::Right => row.right_hold = hold,
        }
        self.htlcs.insert(slot, None);
        self.channel.pending_htlcs = self.channel.pending_htlcs.saturating_sub(1);
        Ok(Outcome::Removed(htlc))
    }

    fn check_settled(&self, settled: &Settled) -> Result<(), TransitionError> {
        if settled.channel != self.id || settled.epoch != self.channel.epoch || settled.closed {
            return Err(TransitionError::ForeignSettlement);
        }
        if settled.nonce <= self.channel.settled_nonce {
            let applied = self.channel.settled_nonce;
            return Err(TransitionError::SettlementOutOfOrder { applied, found: settled.nonce });
        }
        Ok(())
    }

    fn apply_settled(&mut self, settled: &Settled) -> Result<Outcome, TransitionError> {
        let mut rows = self.channel.subchannels.clone();
        for event in &settled.rows {
            let place = rows.iter().position(|row| row.asset == event.asset);
            let row = match place.and_then(|place| rows.get_mut(place)) {
                Some(row) => row,
                None => {
                    let full = TransitionError::TooManyAssets { limit: MAX_ASSETS };
                    rows.try_push(Subchannel::empty(event.asset)).map_err(|_| full.clone())?;
                    rows.last_mut().ok_or(full)?
                }
            };
            row.collateral = event.collateral;
            row.ondelta = event.ondelta;
            let delta = row.checked_delta()?;
            delta.lowered(row.left_hold)?;
            delta.raised(row.right_hold)?;
        }
        self.channel.subchannels = rows;
        self.channel.settled_nonce = settled.nonce;
        // The depositary executes a settlement only as its next event: after another one it never will.
        match &self.channel.status {
            Status::Closing(settlement) => {
                let settlement = settlement.clone();
                self.channel.status = Status::Open;
                Ok(Outcome::Reopened(settlement))
            }
            _ => Ok(Outcome::Plain),
        }
    }

    /// Completes the step and returns the state hash that both sides commit to, with its parts.
    pub(crate) fn finish(&mut self, timestamp: Timestamp) -> Sections {
        self.finish_as(timestamp, None)
    }

    /// Completes an own step whose hashes are known from when it was proposed.
    pub(crate) fn finish_known(&mut self, timestamp: Timestamp, known: Sections) {
        self.finish_as(timestamp, Some(known));
    }

    fn finish_as(&mut self, timestamp: Timestamp, known: Option<Sections>) -> Sections {
        self.channel.height = self.next_height();
        self.channel.timestamp = timestamp;
        self.channel.conditions_root = self.conditions.root(self.channel.conditions_root);
        let sections = known.unwrap_or_else(|| state_hash::sections(&self.channel));
        self.channel.state_hash = sections.state;
        self.agreement = sections.agreement;
        sections
    }

    /// Stores the step; returns the channel as it is now, with the proof of its state.
    pub(crate) fn store(self, storage: &mut impl Storage) -> (Channel, DisputeProof) {
        for (slot, htlc) in self.htlcs {
            let key = slot_key(&self.id, slot);
            match htlc {
                Some(htlc) => HTLCS.put(storage, &key, &htlc),
                None => HTLCS.remove(storage, &key),
            }
        }
        self.conditions.flush(storage, &self.id);
        CHANNELS.put(storage, &row(&self.id), &self.channel);
        let proof = DisputeProof::with_agreement(&self.channel, self.agreement);
        (self.channel, proof)
    }
}

/// Refuses a sum that `payer` cannot send now.
pub(crate) fn require_capacity(row: &Subchannel, payer: Side, amount: Amount) -> Result<(), TransitionError> {
    if amount.is_zero() {
        return Err(TransitionError::ZeroAmount);
    }
    if amount > row.out_capacity(payer) {
        let capacity = row.capacity(payer);
        let collateral = capacity.out_collateral.get().saturating_add(capacity.out_peer_credit.get());
        return Err(TransitionError::InsufficientCapacity {
            needed: amount,
            available: capacity.out_capacity,
            collateral: Amount::new(collateral),
            credit: capacity.out_own_credit,
            held: capacity.own_hold,
        });
    }
    Ok(())
}

/// `offdelta` after `payer` paid `amount`; fails where it, or Δ with all holds spent, would not fit.
fn moved(row: &Subchannel, payer: Side, amount: Amount) -> Result<xln_primitives::Delta, ArithmeticError> {
    let offdelta = match payer {
        Side::Left => row.offdelta.lowered(amount)?,
        Side::Right => row.offdelta.raised(amount)?,
    };
    let delta = row.ondelta.add(offdelta)?;
    match payer {
        Side::Left => delta.lowered(row.left_hold.saturating_sub(amount))?,
        Side::Right => delta.raised(row.right_hold.saturating_sub(amount))?,
    };
    Ok(offdelta)
}
