//! Of copies: C6, both sides of a channel; B1, everybody who follows an entity.

use std::collections::BTreeMap;

use pallet_channels::view;
use xln_primitives::{ChannelId, EntityId, FrameHash, Hash};

use crate::Whole;

/// Whether all copies agree, for a network in which nothing is on its way.
///
/// # Errors
/// In words, which copies differ.
pub fn copies_agree(whole: &Whole<'_>) -> Result<(), String> {
    let mut heads: BTreeMap<EntityId, FrameHash> = BTreeMap::new();
    let mut channels: BTreeMap<ChannelId, (EntityId, Hash)> = BTreeMap::new();
    for server in whole.servers() {
        for entity in server.entities() {
            let id = entity.id();
            let head = entity.head().map(|head| head.header.hash()).unwrap_or_default();
            let first = *heads.entry(id).or_insert(head);
            if first != head {
                return Err(format!("two servers have different frames of entity {id}: {first} and {head}"));
            }
            let mut after = None;
            loop {
                let page = view::channels(&entity.state(), after, 64).unwrap();
                let Some(last) = page.last() else { break };
                after = Some(last.channel.id);
                for copy in page {
                    let (channel, state) = (copy.channel.id, copy.channel.state_hash);
                    let (other, found) = *channels.entry(channel).or_insert((id, state));
                    if found != state {
                        return Err(format!(
                            "C6: channel {channel} is {found} at {other} and {state} at {id}"
                        ));
                    }
                }
            }
        }
    }
    Ok(())
}
