//! Where things are kept in the entity's state.
//!
//! ```text
//!   0x03 ‖ 0x00 ‖ channel ‖ part ‖ rest     everything about one channel, its rows side by side
//!   0x03 ‖ tag  ‖ key                       everything else
//! ```
//!
//! A payment touches most rows of a channel. Neighbours in the state share the nodes above them, so all of them are found,
//! changed and hashed for little more than one.

use codec::{Decode, Encode, EncodeLike, Error, Input, MaxEncodedLen, Output};
use xln_primitives::{ChannelId, Corrupt, Storage, StorageMap, StorageType};

use crate::{
    PaymentHash,
    channel::Channel,
    forward::Forward,
    htlc::{Htlc, Slot},
    invoice::Invoice,
    payment::Payment,
    queue::{Ends, Pending, Queued},
};

/// What follows the storage type.
pub(crate) mod tag {
    pub(crate) const OF_CHANNEL: u8 = 0x00;
    pub(crate) const DEADLINE: u8 = 0x01;
    pub(crate) const POLICY: u8 = 0x02;
    pub(crate) const PAYMENT: u8 = 0x03;
    pub(crate) const PAYMENT_BY_HASH: u8 = 0x04;
    pub(crate) const PAYMENT_COUNT: u8 = 0x05;
    pub(crate) const INVOICE: u8 = 0x06;
    pub(crate) const ISSUED_INVOICE: u8 = 0x07;
    pub(crate) const ISSUED_COUNT: u8 = 0x08;
    pub(crate) const FORWARD: u8 = 0x09;
    pub(crate) const FORWARD_COUNT: u8 = 0x0a;
}

/// What follows the identifier of a channel. The channel itself comes first; see [`channels`].
pub(crate) mod part {
    pub(crate) const CHANNEL: u8 = 0x00;
    pub(crate) const HTLC: u8 = 0x01;
    pub(crate) const CONDITIONS: u8 = 0x02;
    pub(crate) const CONDITION_PAGE: u8 = 0x03;
    pub(crate) const QUEUE: u8 = 0x04;
    pub(crate) const QUEUE_ENDS: u8 = 0x05;
    pub(crate) const PENDING: u8 = 0x06;
    pub(crate) const GRANT: u8 = 0x07;
    /// After all others; nothing is stored here.
    pub(crate) const LAST: u8 = 0xff;
}

pub(crate) const CHANNELS: StorageMap<RowKey<{ part::CHANNEL }>, Channel> = rows();
pub(crate) const HTLCS: StorageMap<RowKey<{ part::HTLC }, BigEndian>, Htlc> = rows();
pub(crate) const QUEUE: StorageMap<RowKey<{ part::QUEUE }, NumberKey>, Queued> = rows();
pub(crate) const QUEUE_ENDS: StorageMap<RowKey<{ part::QUEUE_ENDS }>, Ends> = rows();
pub(crate) const PENDING: StorageMap<RowKey<{ part::PENDING }>, Pending> = rows();
const LAST: StorageMap<RowKey<{ part::LAST }>, ()> = rows();
pub(crate) const PAYMENTS: StorageMap<NumberKey, Payment> = map(tag::PAYMENT);
pub(crate) const PAYMENT_BY_HASH: StorageMap<PaymentHash, u64> = map(tag::PAYMENT_BY_HASH);
pub(crate) const INVOICES: StorageMap<PaymentHash, Invoice> = map(tag::INVOICE);
pub(crate) const FORWARDS: StorageMap<NumberKey, Forward> = map(tag::FORWARD);

pub(crate) const fn map<K, V>(tag: u8) -> StorageMap<K, V>
where
    K: Encode + Decode + MaxEncodedLen,
    V: Encode + Decode,
{
    StorageMap::new(StorageType::Channels, tag)
}

/// Rows of channels; which part of a channel they are is in the type of the key.
pub(crate) const fn rows<const PART: u8, K, V>() -> StorageMap<RowKey<PART, K>, V>
where
    K: Encode + Decode + MaxEncodedLen,
    V: Encode + Decode,
{
    map(tag::OF_CHANNEL)
}

/// A channel, which of its parts, and where in this part.
pub(crate) type RowKey<const PART: u8, K = ()> = (ChannelId, Part<PART>, K);
/// A slot or page number, big-endian, so that order is kept.
pub(crate) type BigEndian = [u8; 2];
/// A number, big-endian.
pub(crate) type NumberKey = [u8; 8];

/// The part of pending HTLCs, to list them.
pub(crate) const HTLC: Part<{ part::HTLC }> = Part;

/// One byte that is always the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<const PART: u8>;

impl<const PART: u8> Encode for Part<PART> {
    fn size_hint(&self) -> usize {
        1
    }

    fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
        dest.push_byte(PART);
    }
}

impl<const PART: u8> EncodeLike for Part<PART> {}

impl<const PART: u8> Decode for Part<PART> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        if input.read_byte()? == PART { Ok(Self) } else { Err("a row of another part of a channel".into()) }
    }
}

impl<const PART: u8> MaxEncodedLen for Part<PART> {
    fn max_encoded_len() -> usize {
        1
    }
}

/// The key of what a channel has once.
pub(crate) const fn row<const PART: u8>(channel: &ChannelId) -> RowKey<PART> {
    row_at(channel, ())
}

/// The key of one of several rows in a part of a channel.
pub(crate) const fn row_at<const PART: u8, K: Copy>(channel: &ChannelId, place: K) -> RowKey<PART, K> {
    (*channel, Part, place)
}

pub(crate) const fn slot_key<const PART: u8>(channel: &ChannelId, slot: Slot) -> RowKey<PART, BigEndian> {
    row_at(channel, slot.to_be_bytes())
}

/// At most `limit` channels after `after`, by identifier; goes from one to the next without reading their other rows.
pub(crate) fn channels(
    storage: &impl Storage,
    after: Option<&ChannelId>,
    limit: usize,
) -> Result<Vec<(ChannelId, Channel)>, Corrupt> {
    let mut channels: Vec<(ChannelId, Channel)> = Vec::new();
    while channels.len() < limit {
        let before = channels.last().map(|(id, _)| id).or(after);
        // The first row after all those of the channel before is that of the next channel itself.
        let end = before.map(|id| LAST.key(&row(id)));
        let Some(((id, ..), channel)) = CHANNELS.following(storage, end.as_ref())? else { break };
        channels.push((id, channel));
    }
    Ok(channels)
}
