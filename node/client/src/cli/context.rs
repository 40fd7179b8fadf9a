//! What every command works with: the node, the acting entity, the assets.

use core::future::Future;
use std::time::Duration;

use jsonrpsee::core::ClientError;
use tokio::sync::OnceCell;
use xln_primitives::Amount;
use xln_rpc::{
    AssetRef, Calls, EntityRef,
    params::{ChannelList, EntityList, MAX_LIMIT, NoParams},
    view::{AssetView, ChannelView},
    words::readable,
};

use super::{
    amount::{Quantity, choose},
    exit::Failure,
    output::{Format, harmless},
    progress,
};
use crate::Client;

/// A connection with the options that all commands share.
pub(super) struct Context {
    /// The node.
    pub(super) client: Client,
    /// Who acts.
    pub(super) entity: Option<EntityRef>,
    /// In which form answers are written.
    pub(super) format: Format,
    /// Whether to wait for outcomes.
    pub(super) wait: bool,
    assets: OnceCell<Vec<AssetView>>,
}

/// An amount of an asset.
pub(super) struct Sum {
    /// In smallest units.
    pub(super) amount: Amount,
    /// Of which asset.
    pub(super) asset: AssetRef,
    /// As people read it, such as `120.00 usd`.
    pub(super) text: String,
}

impl Context {
    /// Connects.
    pub(super) async fn connect(
        url: &str,
        timeout: Duration,
        entity: Option<EntityRef>,
        format: Format,
        wait: bool,
    ) -> Result<Self, Failure> {
        let client = progress::shown("connecting", Client::connect(url, timeout)).await?;
        Ok(Self { client, entity, format, wait, assets: OnceCell::new() })
    }

    /// Waits for an answer, with a sign of life.
    pub(super) async fn ask<T>(
        &self,
        what: &str,
        request: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, Failure> {
        Ok(progress::shown(what, request).await?)
    }

    /// The assets of the network; asked for once.
    pub(super) async fn assets(&self) -> Result<&[AssetView], Failure> {
        let ask = || self.client.depositary_list_assets(&NoParams {});
        Ok(self.assets.get_or_try_init(ask).await?)
    }

    /// What `quantity` is in smallest units, and of which asset.
    pub(super) async fn sum(&self, quantity: &Quantity, asset: Option<&AssetRef>) -> Result<Sum, Failure> {
        let asked = asset.map(ToString::to_string);
        let asset = choose(self.assets().await?, quantity.symbol.as_deref(), asked.as_deref())?;
        let amount = quantity.units(asset)?;
        let text = harmless(&format!("{} {}", readable(amount, asset.decimals), asset.symbol));
        Ok(Sum { amount, asset: AssetRef::Id(asset.id), text })
    }

    /// What `quantity` is, if it is given; else the asset that is named beside it.
    pub(super) async fn maybe_sum(
        &self,
        quantity: Option<&Quantity>,
        asset: Option<AssetRef>,
    ) -> Result<(Option<Sum>, Option<AssetRef>), Failure> {
        match quantity {
            Some(quantity) => {
                let sum = self.sum(quantity, asset.as_ref()).await?;
                let asset = sum.asset.clone();
                Ok((Some(sum), Some(asset)))
            }
            None => Ok((None, asset)),
        }
    }

    /// At most `limit` channels as the acting entity sees them. Without one, those of every entity that lives on the node,
    /// each as that entity sees it: a channel between two of them is there twice.
    pub(super) async fn channels(&self, limit: usize) -> Result<Vec<ChannelView>, Failure> {
        if let Some(entity) = &self.entity {
            return self.channels_of(entity.clone(), limit).await;
        }
        let mut channels = Vec::new();
        let mut request = EntityList { hosted: Some(true), after: None, limit: Some(MAX_LIMIT) };
        loop {
            let page = self.ask("asking for entities", self.client.entity_list(&request)).await?;
            for entity in page.iter().filter(|entity| entity.channels > 0) {
                let left = limit.saturating_sub(channels.len());
                if left == 0 {
                    return Ok(channels);
                }
                channels.extend(self.channels_of(EntityRef::Id(entity.id), left).await?);
            }
            request.after = page.last().map(|entity| entity.id);
            if page.len() < usize::try_from(MAX_LIMIT).unwrap_or(usize::MAX) {
                return Ok(channels);
            }
        }
    }

    async fn channels_of(&self, entity: EntityRef, limit: usize) -> Result<Vec<ChannelView>, Failure> {
        let mut channels: Vec<ChannelView> = Vec::new();
        while channels.len() < limit {
            let left = u32::try_from(limit - channels.len()).unwrap_or(u32::MAX).min(MAX_LIMIT);
            let after = channels.last().map(|channel| channel.id);
            let request = ChannelList { entity: Some(entity.clone()), after, limit: Some(left) };
            let page = self.ask("asking for channels", self.client.channel_list(&request)).await?;
            let is_last = page.len() < usize::try_from(left).unwrap_or(usize::MAX);
            channels.extend(page);
            if is_last {
                break;
            }
        }
        Ok(channels)
    }

    /// The acting entity as a text for people.
    pub(super) fn actor(&self) -> String {
        self.entity.as_ref().map_or_else(|| "the node's default entity".into(), ToString::to_string)
    }
}
