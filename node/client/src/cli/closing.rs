//! `xln channel close`.

use std::time::Duration;

use clap::Args;
use xln_rpc::{
    Calls, ChannelRef, RpcError,
    error::code,
    params::{ChannelClose, ChannelGet},
    view::{ChannelStatus, ChannelView},
    words::readable,
};

use super::{context::Context, exit::Failure, output::Report, output::harmless, submitted};
use crate::Error;

/// How often, and how many times, is asked whether the depositary has settled a channel. It mostly has at once.
const ASKED_EVERY: Duration = Duration::from_millis(100);
const ASKED_AT_MOST: u32 = 20;

/// Closes a channel.
#[derive(Debug, Args)]
pub(super) struct Close {
    /// Which channel: the name of the peer, or a 0x identifier.
    channel: ChannelRef,
}

/// What an entity gets out of a channel when it is closed.
fn shares(channel: &ChannelView) -> Vec<String> {
    let held = channel.assets.iter().filter(|asset| !asset.out_collateral.is_zero());
    held.map(|asset| format!("{} {}", readable(asset.out_collateral, asset.decimals), asset.symbol)).collect()
}

impl Close {
    /// Does it, and says where the money went.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { channel } = self;
        let get = ChannelGet { entity: context.entity.clone(), channel: channel.clone() };
        let before = context.ask("asking", context.client.channel_get(&get)).await?;
        let request =
            ChannelClose { entity: context.entity.clone(), channel: channel.clone(), wait: context.wait };
        let done = context.ask("closing", context.client.channel_close(&request)).await?;
        if !context.wait {
            return submitted::report(&format!("the channel with {channel} is closing"), &done);
        }
        let what = if settled(context, &get).await? {
            let gained = match shares(&before) {
                shares if shares.is_empty() => String::new(),
                shares => {
                    format!("; {} went to the reserve of {}", shares.join(" and "), before.entity.label())
                }
            };
            format!("the channel with {channel} is closed{gained}")
        } else {
            format!("the channel with {channel} is closing; xln channel show {channel} tells how far it is")
        };
        submitted::report(&harmless(&what), &done)
    }
}

/// Whether a channel is gone, after the moment that this takes. One that has no asset is only being opened again.
async fn settled(context: &Context, get: &ChannelGet) -> Result<bool, Failure> {
    for _ in 0..ASKED_AT_MOST {
        match context.ask("waiting for the depositary", context.client.channel_get(get)).await {
            Ok(channel) if channel.status == ChannelStatus::Opening => return Ok(true),
            Ok(_) => tokio::time::sleep(ASKED_EVERY).await,
            Err(Failure::Client(Error::Refused(RpcError { code: code::CHANNEL_NOT_OPEN, .. }))) => {
                return Ok(true);
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(false)
}
