//! C6: both sides' copies of a channel agree, with each other and with the depositary.
//!
//! The receiver of a frame commits when it arrives, the proposer when the acknowledgement does. So one copy may be one
//! height ahead, and then the other one still waits for the acknowledgement of exactly the state that the first is in.

use std::collections::BTreeMap;

use pallet_channels::{Status, view::ChannelView};
use pallet_reserves::{Account, ChannelInfo};
use xln_primitives::{AssetId, ChannelId, EntityId, Hash, Height, Side};

use super::{PAGE, Violation, unreadable};
use crate::{Entity, Server};

/// A contradiction about one channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// Two states at one height.
    #[error("at height {height} left is in state {left}, right in state {right}")]
    State {
        /// The height.
        height: Height,
        /// Left's state.
        left: Hash,
        /// Right's state.
        right: Hash,
    },
    /// More than one frame apart, or not by the frame that is in flight.
    #[error("left is at height {left}, right at height {right}, and no frame in flight explains it")]
    Height {
        /// Left's height.
        left: Height,
        /// Right's height.
        right: Height,
    },
    /// More than one life apart; settled, in two lives at all.
    #[error("left is in epoch {left}, right in epoch {right}")]
    Epoch {
        /// Left's epoch.
        left: u32,
        /// Right's epoch.
        right: u32,
    },
    /// Settled: one side knows nothing of what the other one committed to.
    #[error("{side:?} has no copy")]
    Missing {
        /// Whose copy is missing.
        side: Side,
    },
    /// Settled: a side waits for an acknowledgement that nobody will send.
    #[error("{side:?} still waits for the acknowledgement of height {height}")]
    Unacknowledged {
        /// Who waits.
        side: Side,
        /// For which height.
        height: Height,
    },
    /// A side knows more events than happened; settled, another number than happened.
    #[error("{side:?} is in epoch {epoch} and knows event {nonce}, the depositary is in {of_depositary:?}")]
    Events {
        /// Whose copy.
        side: Side,
        /// Its epoch.
        epoch: u32,
        /// Last event that it applied.
        nonce: u64,
        /// Where the depositary is.
        of_depositary: ChannelInfo,
    },
    /// After the same events, a side and the depositary hold different values.
    #[error("{side:?} has {copy:?} of asset {asset}, the depositary has {ledger:?}")]
    Account {
        /// Whose copy.
        side: Side,
        /// The asset.
        asset: AssetId,
        /// Collateral and `ondelta` of the copy.
        copy: Box<Account>,
        /// The same at the depositary.
        ledger: Box<Account>,
    },
}

#[derive(Default)]
struct Copies {
    left: Option<ChannelView>,
    right: Option<ChannelView>,
}

/// Looks at every channel once, and holds no more than a page of them: a hub may have millions.
pub(super) fn check(server: &Server, settled: bool) -> Result<(), Violation> {
    for entity in server.entities() {
        let (state, id) = (entity.state(), entity.id());
        let mut after = None;
        loop {
            let page = pallet_channels::view::channels(&state, after, PAGE).map_err(unreadable(id))?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for view in page {
                let channel = view.id;
                if let Some(copies) = pair(server, id, view)? {
                    check_channel(server, channel, &copies, settled)?;
                }
            }
        }
    }
    Ok(())
}

/// The copy of `holder` with that of the other side, if that lives here; nothing if left's copy was looked at already.
fn pair(server: &Server, holder: EntityId, view: ChannelView) -> Result<Option<Copies>, Violation> {
    let side = view.channel.side_of(&holder);
    let peer = view.channel.entity(side.other());
    let other = match server.entity(&peer) {
        Some(peer) => {
            pallet_channels::view::channel(&peer.state(), view.id).map_err(unreadable(peer.id()))?
        }
        None => None,
    };
    Ok(match side {
        Side::Left => Some(Copies { left: Some(view), right: other }),
        Side::Right if other.is_none() => Some(Copies { left: None, right: Some(view) }),
        Side::Right => None,
    })
}

fn check_channel(
    server: &Server,
    channel: ChannelId,
    copies: &Copies,
    settled: bool,
) -> Result<(), Violation> {
    // A side that does not live here may be silent for ever.
    let hosted = |view: &ChannelView| {
        [Side::Left, Side::Right].iter().all(|side| server.entity(&view.channel.entity(*side)).is_some())
    };
    let settled = settled && copies.left.as_ref().or(copies.right.as_ref()).is_some_and(hosted);
    agree(server, copies, settled)
        .and_then(|()| match server.depositary() {
            Some(depositary) => ledger_agrees(depositary, channel, copies, settled),
            None => Ok(()),
        })
        .map_err(|found| Violation::Copies { channel, disagreement: Box::new(found) })
}

fn frozen(view: &ChannelView) -> bool {
    matches!(view.channel.status, Status::Frozen { .. })
}

fn agree(server: &Server, copies: &Copies, settled: bool) -> Result<(), Disagreement> {
    let (left, right) = match (&copies.left, &copies.right) {
        (Some(left), Some(right)) => (left, right),
        (Some(view), None) => return alone(server, view, Side::Right, settled),
        (None, Some(view)) => return alone(server, view, Side::Left, settled),
        (None, None) => return Ok(()),
    };
    if frozen(left) || frozen(right) {
        return Ok(());
    }
    let (one, other) = (left.channel.epoch, right.channel.epoch);
    if one.abs_diff(other) > u32::from(!settled) {
        return Err(Disagreement::Epoch { left: one, right: other });
    }
    if one != other {
        return Ok(());
    }
    let (one, other) = (left.channel.height, right.channel.height);
    let in_flight = |ahead: &ChannelView, behind: &ChannelView| {
        behind.pending.as_ref().is_some_and(|frame| {
            frame.height == ahead.channel.height && frame.state_hash == ahead.channel.state_hash
        })
    };
    let explained = if one == other {
        let (left, right) = (left.channel.state_hash, right.channel.state_hash);
        if left != right {
            return Err(Disagreement::State { height: one, left, right });
        }
        true
    } else if one > other {
        in_flight(left, right)
    } else {
        in_flight(right, left)
    };
    if !explained || one.abs_diff(other) > u64::from(!settled) {
        return Err(Disagreement::Height { left: one, right: other });
    }
    for (view, side) in [(left, Side::Left), (right, Side::Right)] {
        if let Some(frame) = view.pending.as_ref().filter(|_| settled) {
            return Err(Disagreement::Unacknowledged { side, height: frame.height });
        }
    }
    Ok(())
}

/// Only one side has a copy. If the other one lives here and everything was delivered, it must have one too.
fn alone(server: &Server, view: &ChannelView, missing: Side, settled: bool) -> Result<(), Disagreement> {
    let hosted = server.entity(&view.channel.entity(missing)).is_some();
    if hosted && (view.channel.height > 0 || settled && view.pending.is_some()) {
        return Err(Disagreement::Missing { side: missing });
    }
    Ok(())
}

fn ledger_agrees(
    depositary: &Entity,
    id: ChannelId,
    copies: &Copies,
    settled: bool,
) -> Result<(), Disagreement> {
    let state = depositary.state();
    // What does not decode was reported by the pallet's own check.
    let (Ok(info), Ok(accounts)) =
        (pallet_reserves::channel(&state, &id), pallet_reserves::accounts(&state, &id))
    else {
        return Ok(());
    };
    let accounts: BTreeMap<AssetId, Account> = accounts.into_iter().collect();
    for (view, side) in [(&copies.left, Side::Left), (&copies.right, Side::Right)] {
        let Some(view) = view.as_ref().filter(|view| !frozen(view)) else { continue };
        let (epoch, nonce) = (view.channel.epoch, view.channel.settled_nonce);
        let up_to_date = (epoch, nonce) == (info.epoch, info.nonce);
        // Who follows the depositary may learn of an event from the peer, who brings the proof, before the frame itself.
        if nonce > info.nonce && depositary.is_decided() && !settled {
            continue;
        }
        if nonce > info.nonce || nonce == info.nonce && epoch != info.epoch || settled && !up_to_date {
            return Err(Disagreement::Events { side, epoch, nonce, of_depositary: info });
        }
        if up_to_date {
            rows_agree(view, side, &accounts)?;
        }
    }
    Ok(())
}

fn rows_agree(
    view: &ChannelView,
    side: Side,
    accounts: &BTreeMap<AssetId, Account>,
) -> Result<(), Disagreement> {
    let of_copy = |asset: &AssetId| {
        view.channel
            .subchannel(asset)
            .map_or_else(Account::default, |row| Account { collateral: row.collateral, ondelta: row.ondelta })
    };
    let assets = view.channel.subchannels.iter().map(|row| &row.asset).chain(accounts.keys());
    for asset in assets {
        let (copy, ledger) = (of_copy(asset), accounts.get(asset).copied().unwrap_or_default());
        if copy != ledger {
            let (copy, ledger) = (Box::new(copy), Box::new(ledger));
            return Err(Disagreement::Account { side, asset: *asset, copy, ledger });
        }
    }
    Ok(())
}
