//! `depositary.*`: reserves, and requests to the depositary.
//!
//! A request travels as a message; it has succeeded when the depositary's own receipt says so.

use std::collections::{BTreeMap, BTreeSet};

use pallet_channels::view as channels;
use pallet_reserves::Call;
use xln_primitives::{Amount, AssetId, BoundedVec, Side};
use xln_rpc::{
    RpcError,
    params::{Allocate, Deposit, ListReserves, NoParams, Transfer, Withdraw},
    view::{AssetView, ReserveView, Submitted},
};
use xln_runtime::Entity;

use super::{NodeBackend, channels::peer_of, codes::Refused};

/// Rows that are read at once.
const PAGE: usize = 1_000;

impl NodeBackend {
    fn depositary(&self) -> Result<Entity, RpcError> {
        let server = self.read();
        server.depositary().cloned().ok_or_else(|| {
            RpcError::not_found("depositary", server.facts().depositary)
                .with_hint("this server does not host it; ask one that does")
        })
    }

    pub(super) async fn depositary_deposit(&self, params: Deposit) -> Result<Submitted, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let asset = self.directory.asset(params.asset.as_ref())?;
        let (to, amount, reference) = (entity.id(), params.amount, BoundedVec::new());
        self.act(&entity, Call::Deposit { asset, to, amount, reference }, params.wait).await
    }

    pub(super) async fn depositary_withdraw(&self, params: Withdraw) -> Result<Submitted, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let asset = self.directory.asset(params.asset.as_ref())?;
        let destination = params.to.unwrap_or_default().0;
        let destination = BoundedVec::try_from(destination).map_err(|bytes| {
            RpcError::invalid_params(format!("a destination has at most 128 bytes, not {}", bytes.len()))
        })?;
        self.act(&entity, Call::Withdraw { asset, amount: params.amount, destination }, params.wait).await
    }

    pub(super) async fn depositary_transfer(&self, params: Transfer) -> Result<Submitted, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let to = self.directory.entity(&params.to)?;
        let asset = self.directory.asset(params.asset.as_ref())?;
        self.act(&entity, Call::Transfer { to, asset, amount: params.amount }, params.wait).await
    }

    pub(super) async fn depositary_allocate(&self, params: Allocate) -> Result<Submitted, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let stored = self.channel_of(&entity, &params.channel)?;
        let asset = self.directory.asset(params.asset.as_ref())?;
        let (own, peer) = (entity.id(), peer_of(&entity, &stored));
        let favoured = match &params.favour {
            Some(side) => self.directory.entity(side)?,
            None => own,
        };
        let (left, right) = (stored.channel.left, stored.channel.right);
        let in_favour = match favoured {
            side if side == left => Side::Left,
            side if side == right => Side::Right,
            other => {
                let label = |id| self.directory.party(id).label();
                let (other, own, peer) = (label(other), label(own), label(peer));
                return Err(RpcError::invalid_params(format!(
                    "{other} is no side of the channel of {own} and {peer}"
                )));
            }
        };
        let call = Call::Allocate { left, right, in_favour, asset, amount: params.amount };
        self.act(&entity, call, params.wait).await
    }

    pub(super) fn depositary_list_reserves(
        &self,
        params: ListReserves,
    ) -> Result<Vec<ReserveView>, RpcError> {
        let ListReserves { entity, asset } = params;
        let depositary = self.depositary()?;
        let mut views = Vec::new();
        for entity in self.selected(entity.as_ref())? {
            self.reserves_of(&depositary, &entity, asset, &mut views)?;
        }
        Ok(views)
    }

    fn reserves_of(
        &self,
        depositary: &Entity,
        entity: &Entity,
        only: Option<AssetId>,
        views: &mut Vec<ReserveView>,
    ) -> Result<(), RpcError> {
        let ledger = depositary.state();
        let mut reserves = BTreeMap::new();
        let mut after = None;
        loop {
            let page = pallet_reserves::reserves(&ledger, &entity.id(), after.as_ref(), PAGE).refused()?;
            after = page.last().map(|(asset, _)| *asset);
            let full = page.len() == PAGE;
            reserves.extend(page);
            if !full {
                break;
            }
        }
        let collateral = collateral_of(entity)?;
        let assets: BTreeSet<AssetId> = reserves.keys().chain(collateral.keys()).copied().collect();
        for asset in assets.into_iter().filter(|asset| only.is_none_or(|only| only == *asset)) {
            let (symbol, decimals) = self.directory.unit(&asset);
            views.push(ReserveView {
                entity: self.directory.party(entity.id()),
                asset,
                symbol,
                decimals,
                reserve: reserves.get(&asset).copied().unwrap_or_default(),
                collateral: collateral.get(&asset).copied().unwrap_or_default(),
                debt: Amount::ZERO,
            });
        }
        Ok(())
    }

    pub(super) fn depositary_list_assets(&self, _: NoParams) -> Result<Vec<AssetView>, RpcError> {
        let depositary = self.depositary()?;
        let state = depositary.state();
        self.directory
            .assets()
            .iter()
            .map(|asset| {
                let supply = pallet_reserves::totals(&state, &asset.id).refused()?.supply().refused()?;
                Ok(AssetView { supply, ..asset.clone() })
            })
            .collect()
    }
}

/// What is locked in the channels of an entity, by asset; zero sums left out.
fn collateral_of(entity: &Entity) -> Result<BTreeMap<AssetId, Amount>, RpcError> {
    let state = entity.state();
    let mut sums: BTreeMap<AssetId, Amount> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = channels::channels(&state, after, PAGE).refused()?;
        for row in page.iter().flat_map(|stored| &stored.channel.subchannels) {
            if !row.collateral.is_zero() {
                let sum = sums.entry(row.asset).or_default();
                *sum = sum.add(row.collateral).refused()?;
            }
        }
        after = page.last().map(|stored| stored.id);
        if page.len() < PAGE {
            return Ok(sums);
        }
    }
}
