//! Where things are kept in the entity's state: type `0x03`, then one of these tags.

use xln_primitives::{ChannelId, StorageMap, StorageType};

use crate::{
    PaymentHash,
    channel::Channel,
    forward::Forward,
    htlc::{Htlc, Slot},
    invoice::Invoice,
    payment::Payment,
    queue::{Ends, Pending, Queued},
};

pub(crate) mod tag {
    pub(crate) const CHANNEL: u8 = 0x00;
    pub(crate) const HTLC: u8 = 0x01;
    pub(crate) const CONDITION_PAGE: u8 = 0x02;
    pub(crate) const CONDITION_INDEX: u8 = 0x03;
    pub(crate) const QUEUE: u8 = 0x04;
    pub(crate) const QUEUE_ENDS: u8 = 0x05;
    pub(crate) const PENDING: u8 = 0x06;
    pub(crate) const DEADLINE: u8 = 0x07;
    pub(crate) const POLICY: u8 = 0x08;
    pub(crate) const PAYMENT: u8 = 0x09;
    pub(crate) const PAYMENT_BY_HASH: u8 = 0x0a;
    pub(crate) const PAYMENT_COUNT: u8 = 0x0b;
    pub(crate) const INVOICE: u8 = 0x0c;
    pub(crate) const ISSUED_INVOICE: u8 = 0x0d;
    pub(crate) const ISSUED_COUNT: u8 = 0x0e;
    pub(crate) const FORWARD: u8 = 0x0f;
    pub(crate) const FORWARD_COUNT: u8 = 0x10;
    pub(crate) const GRANT: u8 = 0x11;
}

pub(crate) const CHANNELS: StorageMap<ChannelId, Channel> = map(tag::CHANNEL);
pub(crate) const HTLCS: StorageMap<SlotKey, Htlc> = map(tag::HTLC);
pub(crate) const QUEUE: StorageMap<QueueKey, Queued> = map(tag::QUEUE);
pub(crate) const QUEUE_ENDS: StorageMap<ChannelId, Ends> = map(tag::QUEUE_ENDS);
pub(crate) const PENDING: StorageMap<ChannelId, Pending> = map(tag::PENDING);
pub(crate) const PAYMENTS: StorageMap<NumberKey, Payment> = map(tag::PAYMENT);
pub(crate) const PAYMENT_BY_HASH: StorageMap<PaymentHash, u64> = map(tag::PAYMENT_BY_HASH);
pub(crate) const INVOICES: StorageMap<PaymentHash, Invoice> = map(tag::INVOICE);
pub(crate) const FORWARDS: StorageMap<NumberKey, Forward> = map(tag::FORWARD);

pub(crate) const fn map<K, V>(tag: u8) -> StorageMap<K, V>
where
    K: codec::Encode + codec::Decode + codec::MaxEncodedLen,
    V: codec::Encode + codec::Decode,
{
    StorageMap::new(StorageType::Channels, tag)
}

/// Channel, then slot or page number, big-endian, so that order is kept.
pub(crate) type SlotKey = (ChannelId, [u8; 2]);
/// Channel, then position, big-endian.
pub(crate) type QueueKey = (ChannelId, [u8; 8]);
/// A number, big-endian.
pub(crate) type NumberKey = [u8; 8];

pub(crate) fn slot_key(channel: ChannelId, slot: Slot) -> SlotKey {
    (channel, slot.to_be_bytes())
}
