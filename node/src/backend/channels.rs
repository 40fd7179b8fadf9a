//! `channel.*`: channels as their sides see them, and what their sides may do.

use pallet_channels::{
    Call, Credit, Event, Htlc, Policy, Slot, Status, Subchannel, capacity_bar,
    view::{self as read, ChannelView as Stored},
};
use xln_primitives::{Amount, AssetId, BoundedVec, ChannelId, EntityId, Side};
use xln_rpc::{
    AssetRef, ChannelRef, EntityRef, RpcError, U64,
    params::{
        ChannelClose, ChannelGet, ChannelList, ChannelListHtlcs, ChannelOpen, ChannelRequestCollateral,
        ChannelSetCredit, ChannelSetPolicy, PolicyChange, page_size,
    },
    view::{ChannelStatus, ChannelView, Direction, HtlcView, PolicyView, SubchannelView, Submitted},
};
use xln_runtime::Entity;

use super::{NodeBackend, act::dropped, codes::Refused, codes::error_of, directory::Directory};

/// Characters of a capacity bar.
const BAR_WIDTH: usize = 48;
/// Channels that are read at once.
const PAGE: usize = 256;

/// A policy as the API shows it.
pub(super) fn policy_view(policy: &Policy) -> PolicyView {
    PolicyView {
        fee_base: policy.fee_base,
        fee_ppm: policy.fee_ppm,
        min_htlc: policy.min_htlc,
        max_htlc: policy.max_htlc,
        timelock_delta_ms: policy.timelock_delta_ms,
        max_pending: u32::from(policy.max_pending),
        auto_collateral: policy.auto_collateral,
    }
}

fn changed(policy: Policy, change: PolicyChange) -> Result<Policy, RpcError> {
    let max_pending = match change.max_pending {
        Some(pending) => u16::try_from(pending).map_err(|_| {
            RpcError::invalid_params(format!("at most {} HTLCs can be pending, not {pending}", u16::MAX))
        })?,
        None => policy.max_pending,
    };
    Ok(Policy {
        fee_base: change.fee_base.unwrap_or(policy.fee_base),
        fee_ppm: change.fee_ppm.unwrap_or(policy.fee_ppm),
        min_htlc: change.min_htlc.unwrap_or(policy.min_htlc),
        max_htlc: change.max_htlc.unwrap_or(policy.max_htlc),
        timelock_delta_ms: change.timelock_delta_ms.unwrap_or(policy.timelock_delta_ms),
        max_pending,
        auto_collateral: change.auto_collateral.unwrap_or(policy.auto_collateral),
    })
}

fn subchannel_view(directory: &Directory, row: &Subchannel, side: Side) -> SubchannelView {
    let capacity = row.capacity(side);
    let (symbol, decimals) = directory.unit(&row.asset);
    SubchannelView {
        asset: row.asset,
        symbol,
        decimals,
        collateral: row.collateral,
        ondelta: row.ondelta,
        offdelta: row.offdelta,
        delta: row.delta(),
        left_credit_limit: row.left_credit_limit,
        right_credit_limit: row.right_credit_limit,
        left_hold: row.left_hold,
        right_hold: row.right_hold,
        out_collateral: capacity.out_collateral,
        in_collateral: capacity.in_collateral,
        in_own_credit: capacity.in_own_credit,
        out_own_credit: capacity.out_own_credit,
        out_peer_credit: capacity.out_peer_credit,
        in_peer_credit: capacity.in_peer_credit,
        out_capacity: capacity.out_capacity,
        in_capacity: capacity.in_capacity,
        total: capacity.total,
        bar: capacity_bar(row, side, BAR_WIDTH),
    }
}

/// A channel as one of its sides sees it.
pub(super) fn channel_view(directory: &Directory, entity: EntityId, stored: &Stored) -> ChannelView {
    let Stored { id, channel, pending, queued } = stored;
    let side = channel.side_of(&entity);
    let status = match &channel.status {
        Status::Open if channel.subchannels.is_empty() => ChannelStatus::Opening,
        Status::Open => ChannelStatus::Open,
        Status::Closing(_) => ChannelStatus::Closing,
        Status::Frozen { .. } => ChannelStatus::Frozen,
    };
    let proposed = pending.as_ref().map_or(0, |frame| frame.transitions.len());
    let queued = u32::try_from(*queued).unwrap_or(u32::MAX);
    ChannelView {
        id: *id,
        left: directory.party(channel.left),
        right: directory.party(channel.right),
        entity: directory.party(entity),
        peer: directory.party(channel.entity(side.other())),
        side,
        status,
        height: U64(channel.height),
        epoch: U64(u64::from(channel.epoch)),
        assets: channel.subchannels.iter().map(|row| subchannel_view(directory, row, side)).collect(),
        pending_htlcs: u32::from(channel.pending_htlcs),
        queued: u32::try_from(proposed).unwrap_or(u32::MAX).saturating_add(queued),
    }
}

/// Whether there is anything in a channel: one that was closed, and nobody has reopened, has nothing.
fn is_there(stored: &Stored) -> bool {
    !stored.channel.subchannels.is_empty() || stored.pending.is_some() || stored.queued > 0
}

impl NodeBackend {
    /// The channel of an entity that a request means, by its identifier or by the peer's, or by the peer's name.
    pub(super) fn channel_of(&self, entity: &Entity, reference: &ChannelRef) -> Result<Stored, RpcError> {
        let own = entity.id();
        let candidates = match reference {
            ChannelRef::Name(name) => {
                let peer = self.directory.entity(&EntityRef::Name(name.clone()))?;
                vec![ChannelId::between(&own, &peer)]
            }
            ChannelRef::Id(hash) => {
                let bytes = *hash.as_bytes();
                vec![ChannelId::new(bytes), ChannelId::between(&own, &EntityId::new(bytes))]
            }
        };
        let state = entity.state();
        for id in candidates {
            if let Some(stored) = read::channel(&state, id).refused()?.filter(is_there) {
                return Ok(stored);
            }
        }
        let label = self.directory.party(own).label();
        Err(RpcError::new(
            xln_rpc::error::code::CHANNEL_NOT_OPEN,
            "UnknownChannel",
            format!("{label} has no channel {reference}"),
        )
        .with_hint("channel.list names those that there are; channel.open opens one"))
    }

    /// The entity and the channel that a request means. A request by the identifier of a channel need not name its side.
    fn sided(
        &self,
        entity: Option<&EntityRef>,
        reference: &ChannelRef,
    ) -> Result<(Entity, Stored), RpcError> {
        let first = match self.acting(entity) {
            Ok(entity) => self.channel_of(&entity, reference).map(|stored| (entity, stored)),
            Err(error) => Err(error),
        };
        match (first, entity, reference) {
            (Err(error), None, ChannelRef::Id(hash)) => {
                let id = ChannelId::new(*hash.as_bytes());
                let entities: Vec<Entity> = self.read().entities().cloned().collect();
                for entity in entities {
                    let stored = read::channel(&entity.state(), id).refused()?.filter(is_there);
                    if let Some(stored) = stored {
                        return Ok((entity, stored));
                    }
                }
                Err(error)
            }
            (first, ..) => first,
        }
    }

    pub(super) fn channel_get(&self, params: ChannelGet) -> Result<ChannelView, RpcError> {
        let (entity, stored) = self.sided(params.entity.as_ref(), &params.channel)?;
        Ok(channel_view(&self.directory, entity.id(), &stored))
    }

    pub(super) fn channel_list(&self, params: ChannelList) -> Result<Vec<ChannelView>, RpcError> {
        let ChannelList { entity, after, limit } = params;
        let (limit, everybody) = (page_size(limit), entity.is_none());
        let mut views = Vec::new();
        for entity in self.selected(entity.as_ref())? {
            let (own, state) = (entity.id(), entity.state());
            let mut found = 0;
            let mut last = after;
            while found < limit {
                let page = read::channels(&state, last, PAGE).refused()?;
                last = page.last().map(|stored| stored.id);
                let full = page.len() == PAGE;
                let is_shown = |stored: &Stored| {
                    let left = stored.channel.left;
                    is_there(stored) && (!everybody || own == left || self.hosted(&left).is_none())
                };
                for stored in page.iter().filter(|stored| is_shown(stored)).take(limit - found) {
                    views.push(channel_view(&self.directory, own, stored));
                    found += 1;
                }
                if !full {
                    break;
                }
            }
        }
        views.sort_by_key(|view| view.id);
        views.truncate(limit);
        Ok(views)
    }

    pub(super) fn channel_list_htlcs(&self, params: ChannelListHtlcs) -> Result<Vec<HtlcView>, RpcError> {
        let (entity, stored) = self.sided(params.entity.as_ref(), &params.channel)?;
        let after = params.after.map(|slot| Slot::try_from(slot).unwrap_or(Slot::MAX));
        let htlcs = read::htlcs(&entity.state(), stored.id, after, page_size(params.limit)).refused()?;
        let side = stored.channel.side_of(&entity.id());
        Ok(htlcs.into_iter().map(|(slot, htlc)| self.htlc_view(stored.id, side, slot, &htlc)).collect())
    }

    fn htlc_view(&self, channel: ChannelId, side: Side, slot: Slot, htlc: &Htlc) -> HtlcView {
        let terms = &htlc.terms;
        let (symbol, decimals) = self.directory.unit(&terms.asset);
        HtlcView {
            slot: u32::from(slot),
            hash: (*terms.hash.as_bytes()).into(),
            channel,
            direction: if terms.payer == side { Direction::Out } else { Direction::In },
            asset: terms.asset,
            symbol,
            decimals,
            amount: terms.amount,
            expires: terms.deadline,
        }
    }

    /// Makes a call about the channel with `peer`. Its move is sent at the end of the same frame; one that is impossible
    /// then is the request's error.
    async fn move_channel(
        &self,
        entity: &Entity,
        peer: EntityId,
        asset: Option<AssetId>,
        call: Call,
        wait: bool,
    ) -> Result<Submitted, RpcError> {
        let position = self.recent.position();
        let worded = |error| {
            let (left, right) = (entity.id().min(peer), entity.id().max(peer));
            self.directory.worded(self.directory.with_side(error, left, right), asset)
        };
        let submitted = self.act(entity, call, wait).await.map_err(worded)?;
        let Some(receipt) = &submitted.receipt else { return Ok(submitted) };
        let (own, channel) = (entity.id(), ChannelId::between(&entity.id(), &peer));
        let decision = self.recent.find(position, |decision| {
            decision.entity == own
                && decision.height >= receipt.height.0
                && matches!(&decision.event, Event::TransitionDropped { channel: found, .. } if *found == channel)
        });
        match decision.map(|decision| decision.event) {
            Some(Event::TransitionDropped { error, .. }) => Err(worded(dropped(&error, submitted.hash))),
            _ => Ok(submitted),
        }
    }

    /// Acting entity, peer of its channel, and asset.
    fn subject(
        &self,
        entity: Option<&EntityRef>,
        channel: &ChannelRef,
        asset: Option<&AssetRef>,
    ) -> Result<(Entity, EntityId, AssetId), RpcError> {
        let entity = self.acting(entity)?;
        let stored = self.channel_of(&entity, channel)?;
        Ok((entity.clone(), peer_of(&entity, &stored), self.directory.asset(asset)?))
    }

    pub(super) async fn channel_open(&self, params: ChannelOpen) -> Result<Submitted, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let peer = self.directory.entity(&params.peer)?;
        let asset = self.directory.asset(params.asset.as_ref())?;
        let credit = Credit { asset, limit: params.credit.unwrap_or(Amount::ZERO) };
        let call = Call::Open { peer, credits: BoundedVec::truncate_from(vec![credit]) };
        self.move_channel(&entity, peer, Some(asset), call, params.wait).await
    }

    pub(super) async fn channel_close(&self, params: ChannelClose) -> Result<Submitted, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let peer = peer_of(&entity, &self.channel_of(&entity, &params.channel)?);
        self.move_channel(&entity, peer, None, Call::Close { peer }, params.wait).await
    }

    pub(super) async fn channel_set_credit(&self, params: ChannelSetCredit) -> Result<Submitted, RpcError> {
        let ChannelSetCredit { entity, channel, asset, limit, wait } = params;
        let (entity, peer, asset) = self.subject(entity.as_ref(), &channel, asset.as_ref())?;
        let call = Call::SetCreditLimit { peer, credit: Credit { asset, limit } };
        self.move_channel(&entity, peer, Some(asset), call, wait).await
    }

    pub(super) async fn channel_set_policy(&self, params: ChannelSetPolicy) -> Result<Submitted, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let policy = changed(Policy::load(&entity.state()).refused()?, params.policy)?;
        self.act(&entity, Call::SetPolicy { policy }, params.wait).await
    }

    pub(super) async fn channel_request_collateral(
        &self,
        params: ChannelRequestCollateral,
    ) -> Result<Submitted, RpcError> {
        let ChannelRequestCollateral { entity, channel, asset, amount, wait } = params;
        let (entity, peer, asset) = self.subject(entity.as_ref(), &channel, asset.as_ref())?;
        self.move_channel(&entity, peer, Some(asset), Call::RequestCollateral { peer, asset, amount }, wait)
            .await
    }
}

/// The other side.
pub(super) fn peer_of(entity: &Entity, stored: &Stored) -> EntityId {
    stored.channel.entity(stored.channel.side_of(&entity.id()).other())
}

/// What `side` lacks to send `needed`.
pub(super) fn insufficient(row: &Subchannel, side: Side, needed: Amount) -> RpcError {
    let capacity = row.capacity(side);
    let owned = capacity.out_collateral.get().saturating_add(capacity.out_peer_credit.get());
    error_of(&pallet_channels::TransitionError::InsufficientCapacity {
        needed,
        available: capacity.out_capacity,
        collateral: Amount::new(owned),
        credit: capacity.out_own_credit,
        held: capacity.own_hold,
    })
}
