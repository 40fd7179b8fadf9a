//! Reading an entity's channels, for the node.

use xln_primitives::{ChannelId, Storage};

use crate::{
    Error, Forward, Htlc, Invoice, Payment, PaymentHash, Slot,
    channel::Channel,
    frame::ChannelFrame,
    queue,
    storage::{self, CHANNELS, FORWARDS, HTLC, HTLCS, INVOICES, PAYMENT_BY_HASH, PAYMENTS, row, slot_key},
};

/// A channel with what waits for the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelView {
    /// Its identifier.
    pub id: ChannelId,
    /// The committed state.
    pub channel: Channel,
    /// The proposed frame that the peer has not acknowledged.
    pub pending: Option<ChannelFrame>,
    /// Moves that wait behind it.
    pub queued: u64,
}

/// A channel, if there is one.
pub fn channel(storage: &impl Storage, id: ChannelId) -> Result<Option<ChannelView>, Error> {
    CHANNELS.get(storage, &row(&id))?.map(|channel| view(storage, id, channel)).transpose()
}

fn view(storage: &impl Storage, id: ChannelId, channel: Channel) -> Result<ChannelView, Error> {
    let pending = queue::pending(storage, &id)?.map(|pending| pending.frame);
    Ok(ChannelView { id, channel, pending, queued: queue::len(storage, &id)? })
}

/// At most `limit` channels after `after`, by identifier.
pub fn channels(
    storage: &impl Storage,
    after: Option<ChannelId>,
    limit: usize,
) -> Result<Vec<ChannelView>, Error> {
    let page = storage::channels(storage, after.as_ref(), limit)?;
    page.into_iter().map(|(id, channel)| view(storage, id, channel)).collect()
}

/// At most `limit` pending HTLCs of a channel after slot `after`.
pub fn htlcs(
    storage: &impl Storage,
    channel: ChannelId,
    after: Option<Slot>,
    limit: usize,
) -> Result<Vec<(Slot, Htlc)>, Error> {
    let after = after.map(|slot| slot_key(&channel, slot));
    let page = HTLCS.page_under(storage, &(channel, HTLC), after.as_ref(), limit)?;
    Ok(page.into_iter().map(|((.., slot), htlc)| (Slot::from_be_bytes(slot), htlc)).collect())
}

/// The HTLC in a slot.
pub fn htlc(storage: &impl Storage, channel: ChannelId, slot: Slot) -> Result<Option<Htlc>, Error> {
    Ok(HTLCS.get(storage, &slot_key(&channel, slot))?)
}

/// A payment of this entity, by its number.
pub fn payment(storage: &impl Storage, number: u64) -> Result<Option<Payment>, Error> {
    Ok(PAYMENTS.get(storage, &number.to_be_bytes())?)
}

/// The newest payment of this entity with this hash.
pub fn payment_by_hash(storage: &impl Storage, hash: PaymentHash) -> Result<Option<Payment>, Error> {
    PAYMENT_BY_HASH.get(storage, &hash)?.map_or(Ok(None), |number| payment(storage, number))
}

/// At most `limit` payments with numbers above `after`, oldest first.
pub fn payments(storage: &impl Storage, after: Option<u64>, limit: usize) -> Result<Vec<Payment>, Error> {
    let after = after.map(u64::to_be_bytes);
    Ok(PAYMENTS.page(storage, after.as_ref(), limit)?.into_iter().map(|(_, payment)| payment).collect())
}

/// An invoice of this entity.
pub fn invoice(storage: &impl Storage, hash: PaymentHash) -> Result<Option<Invoice>, Error> {
    Ok(INVOICES.get(storage, &hash)?)
}

/// At most `limit` invoices after `after`, by hash.
pub fn invoices(
    storage: &impl Storage,
    after: Option<PaymentHash>,
    limit: usize,
) -> Result<Vec<Invoice>, Error> {
    Ok(INVOICES.page(storage, after.as_ref(), limit)?.into_iter().map(|(_, invoice)| invoice).collect())
}

/// A forward, by its number.
pub fn forward(storage: &impl Storage, number: u64) -> Result<Option<Forward>, Error> {
    Ok(FORWARDS.get(storage, &number.to_be_bytes())?)
}

/// At most `limit` forwards with numbers above `after`, oldest first.
pub fn forwards(storage: &impl Storage, after: Option<u64>, limit: usize) -> Result<Vec<Forward>, Error> {
    let after = after.map(u64::to_be_bytes);
    Ok(FORWARDS.page(storage, after.as_ref(), limit)?.into_iter().map(|(_, forward)| forward).collect())
}

/// How many channels this entity has. Reads all of them.
pub fn count(storage: &impl Storage) -> usize {
    const PAGE: usize = 1_000;
    let (mut total, mut after) = (0, None);
    loop {
        let Ok(page) = storage::channels(storage, after.as_ref(), PAGE) else { return total };
        total += page.len();
        match page.last() {
            Some((id, _)) if page.len() == PAGE => after = Some(*id),
            _ => return total,
        }
    }
}
