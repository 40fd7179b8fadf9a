//! The calls: each checks what it can at once, then queues moves for the end of the entity's frame.

use xln_primitives::{ChannelId, EntityId};

use crate::{
    Call, Config, Error, Event, PeerMessage, TransitionError,
    call::Credit,
    channel::Channel,
    close, exchange, invoice, payment,
    queue::{self, Purpose},
    settled,
    storage::{CHANNELS, row},
    transition::Transition,
};

/// Executes a call of one of the entity's own signers.
pub fn dispatch<T: Config>(env: &mut T, call: Call) -> Result<(), Error> {
    match call {
        Call::Open { peer, credits } => open(env, peer, &credits),
        Call::SetCreditLimit { peer, credit } => {
            let (id, channel) = open_channel(env, peer)?;
            require_asset(&channel, &credit)?;
            queue::push(env, id, set_limit(&credit), Purpose::Plain)
        }
        Call::Close { peer } => {
            let (id, channel) = open_channel(env, peer)?;
            let expires = env.now().saturating_add(close::SETTLEMENT_MS);
            close::settlement(&channel, expires)?;
            queue::push(env, id, Transition::CooperativeClose { expires }, Purpose::Plain)
        }
        Call::RequestCollateral { peer, asset, amount } => {
            let (id, channel) = open_channel(env, peer)?;
            channel.subchannel(&asset).ok_or(TransitionError::UnknownAsset { asset })?;
            if amount.is_zero() {
                return Err(TransitionError::ZeroAmount.into());
            }
            queue::push(env, id, Transition::RequestCollateral { asset, amount }, Purpose::Plain)
        }
        Call::SetPolicy { policy } => {
            policy.store(env)?;
            env.deposit_event(Event::PolicySet);
            Ok(())
        }
        Call::PayDirect { to, asset, amount } => {
            let id = payment::require_sendable(env, to, asset, amount)?;
            queue::push(env, id, Transition::Pay { asset, amount }, Purpose::Plain)
        }
        Call::Pay { to, asset, amount, route, hash, max_fee, timeout_ms } => {
            payment::pay(env, payment::Request { to, asset, amount, route, hash, max_fee, timeout_ms })
        }
        Call::Fulfil { preimage } => invoice::fulfil(env, preimage),
        Call::Cancel { hash } => invoice::give_up(env, hash),
        Call::CreateInvoice { asset, amount, hash, description, expires } => {
            invoice::create(env, asset, amount, hash, description, expires).map(|_| ())
        }
        Call::CancelInvoice { hash } => invoice::cancel(env, hash),
        Call::CancelPayment { payment } => payment::cancel(env, payment),
    }
}

/// Executes an authenticated message of another entity. A broken promise of the peer is no error: the channel
/// freezes, with evidence and an event.
pub fn receive<T: Config>(env: &mut T, from: EntityId, message: &PeerMessage) -> Result<(), Error> {
    match message {
        PeerMessage::Frame(frame) => exchange::frame(env, from, frame),
        PeerMessage::Ack(ack) => exchange::ack(env, from, ack),
        PeerMessage::Closed { settled, proof } => {
            settled::told_by_peer(env, from, settled.clone(), proof.clone())
        }
        PeerMessage::InvoiceRequest { request, asset, amount } => {
            invoice::requested(env, from, *request, *asset, *amount)
        }
        PeerMessage::InvoiceIssued { request, hash, .. } => {
            payment::invoice_issued(env, from, *request, *hash)
        }
    }
}

/// The channel with a peer, if it takes new moves.
fn open_channel<T: Config>(env: &T, peer: EntityId) -> Result<(ChannelId, Channel), Error> {
    let id = ChannelId::between(&env.entity(), &peer);
    let channel = CHANNELS.get(env, &row(&id))?.ok_or(Error::UnknownChannel { peer })?;
    channel.require_open()?;
    Ok((id, channel))
}

fn require_asset(channel: &Channel, credit: &Credit) -> Result<(), Error> {
    let asset = credit.asset;
    channel.subchannel(&asset).map(|_| ()).ok_or(TransitionError::UnknownAsset { asset }.into())
}

fn set_limit(credit: &Credit) -> Transition {
    Transition::SetCreditLimit { asset: credit.asset, limit: credit.limit }
}

fn open<T: Config>(env: &mut T, peer: EntityId, credits: &[Credit]) -> Result<(), Error> {
    if credits.is_empty() {
        return Err(Error::NothingToDo);
    }
    let own = env.entity();
    let id = ChannelId::between(&own, &peer);
    let channel = match CHANNELS.get(env, &row(&id))? {
        Some(channel) => channel,
        None => {
            let channel = Channel::empty(own, peer, 0, 0).ok_or(Error::OwnEntity)?;
            CHANNELS.put(env, &row(&id), &channel);
            channel
        }
    };
    channel.require_open()?;
    for credit in credits {
        if channel.subchannel(&credit.asset).is_none() {
            queue::push(env, id, Transition::AddAsset { asset: credit.asset }, Purpose::Plain)?;
        }
        queue::push(env, id, set_limit(credit), Purpose::Plain)?;
    }
    Ok(())
}
