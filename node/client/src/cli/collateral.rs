//! `xln channel request-collateral`.

use std::time::Duration;

use clap::Args;
use xln_primitives::Amount;
use xln_rpc::{
    AssetRef, Calls, ChannelRef, EntityRef,
    params::{ChannelGet, ChannelRequestCollateral, EntityGet},
    view::ChannelView,
    words::readable,
};

use super::{
    amount::Quantity,
    context::{Context, Sum},
    exit::Failure,
    output::{Report, harmless},
    submitted,
};

/// How often, and how many times, is asked whether the collateral is there. A peer that grants it does so at once.
const ASKED_EVERY: Duration = Duration::from_millis(100);
const ASKED_AT_MOST: u32 = 20;

/// Asks for collateral.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  xln --as bob channel request-collateral hub 100usd
The peer locks by itself what its policy allows (channel policy set --auto-collateral), nothing by default.")]
pub(super) struct Request {
    /// Which channel: the name of the peer, or a 0x identifier.
    channel: ChannelRef,
    /// How much.
    amount: Quantity,
    /// Which asset, if the amount does not say it.
    #[arg(long)]
    asset: Option<AssetRef>,
}

/// Collateral of an asset in a channel.
fn collateral(channel: &ChannelView, asset: &AssetRef) -> Amount {
    let is_meant = |of: &&xln_rpc::view::SubchannelView| AssetRef::Id(of.asset) == *asset;
    channel.assets.iter().find(is_meant).map_or(Amount::ZERO, |of| of.collateral)
}

impl Request {
    /// Asks, and says whether the peer granted it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { channel, amount: quantity, asset } = self;
        let Sum { amount, asset, text } = context.sum(&quantity, asset.as_ref()).await?;
        let (entity, wait) = (context.entity.clone(), context.wait);
        let get = ChannelGet { entity: entity.clone(), channel: channel.clone() };
        let before = context.ask("asking", context.client.channel_get(&get)).await?;
        let (id, wanted) =
            (Some(asset.clone()), collateral(&before, &asset).add(amount).unwrap_or(Amount::MAX));
        let request = ChannelRequestCollateral { entity, channel: channel.clone(), asset: id, amount, wait };
        let done =
            context.ask("asking the peer", context.client.channel_request_collateral(&request)).await?;
        if !wait {
            return submitted::report(&format!("asked {channel} for {text} of collateral"), &done);
        }
        let peer = EntityGet { entity: EntityRef::Id(before.peer.id) };
        let policy = context.ask("asking", context.client.entity_get_state(&peer)).await?.policy;
        // What is beyond the policy is not locked by itself, so there is nothing to wait for.
        let hopeless = policy.as_ref().is_some_and(|policy| policy.auto_collateral < amount);
        for _ in 0..if hopeless { 0 } else { ASKED_AT_MOST } {
            let now = context.ask("waiting for the peer", context.client.channel_get(&get)).await?;
            if collateral(&now, &asset) >= wanted {
                return submitted::report(&format!("granted: {channel} locked {text} as collateral"), &done);
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
        let decimals = before.assets.iter().find(|of| AssetRef::Id(of.asset) == asset);
        let limit = policy.map(|policy| match decimals {
            Some(of) => format!("{} {}", readable(policy.auto_collateral, of.decimals), of.symbol),
            None => format!("{} smallest units", policy.auto_collateral),
        });
        let limit =
            limit.map(|limit| format!(", which locks at most {limit} on request")).unwrap_or_default();
        let what = format!("not granted: {channel} was asked for {text} of collateral{limit}");
        submitted::report(&harmless(&what), &done)
    }
}
