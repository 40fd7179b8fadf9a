//! What every command works with: the node, the acting entity, the assets.

use core::future::Future;
use std::time::Duration;

use jsonrpsee::core::ClientError;
use tokio::sync::OnceCell;
use xln_primitives::Amount;
use xln_rpc::{AssetRef, Calls, EntityRef, params::NoParams, view::AssetView};

use super::{
    amount::{Quantity, choose},
    exit::Failure,
    output::Format,
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
    pub(super) async fn amount(
        &self,
        quantity: &Quantity,
        asset: Option<&AssetRef>,
    ) -> Result<(Amount, AssetRef), Failure> {
        let asked = asset.map(ToString::to_string);
        let asset = choose(self.assets().await?, quantity.symbol.as_deref(), asked.as_deref())?;
        Ok((quantity.units(asset)?, AssetRef::Id(asset.id)))
    }

    /// The acting entity as a text for people.
    pub(super) fn actor(&self) -> String {
        self.entity.as_ref().map_or_else(|| "the node's default entity".into(), ToString::to_string)
    }
}
