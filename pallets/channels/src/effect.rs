//! What follows from a committed frame: events, forwarding, the end of payments. Nothing of it happens before both
//! sides hold the other's commitment.

use xln_primitives::{ChannelId, Side};

use crate::{
    Config, Error, Event,
    apply::Outcome,
    channel::Channel,
    collateral, deadlines, forward,
    htlc::{Cause, Failure, HtlcRole, Progress, Slot},
    invoice, payment,
    queue::Purpose,
    settled,
    transition::{Proof, Transition},
};

/// A move of a committed frame.
pub(crate) struct Step<'a> {
    pub(crate) transition: &'a Transition,
    pub(crate) outcome: Outcome,
    /// Why we proposed it; `None` if the peer did.
    pub(crate) purpose: Option<&'a Purpose>,
}

/// Reports and continues a committed frame of `proposer`; `channel` is the state after it.
pub(crate) fn committed<T: Config>(
    env: &mut T,
    channel: &Channel,
    proposer: Side,
    steps: Vec<Step<'_>>,
) -> Result<(), Error> {
    let id = channel.id;
    let own = env.entity();
    let peer = channel.entity(channel.side_of(&own).other());
    if channel.height == 1 {
        env.deposit_event(Event::ChannelOpened { channel: id, peer, epoch: channel.epoch });
    }
    env.deposit_event(Event::FrameCommitted {
        channel: id,
        height: channel.height,
        state_hash: channel.state_hash,
        transitions: u32::try_from(steps.len()).unwrap_or(u32::MAX),
    });
    let context = Context { channel, id, proposer };
    for step in steps {
        follow(env, &context, step)?;
    }
    Ok(())
}

struct Context<'a> {
    channel: &'a Channel,
    id: ChannelId,
    proposer: Side,
}

fn follow<T: Config>(env: &mut T, context: &Context<'_>, step: Step<'_>) -> Result<(), Error> {
    let Context { channel, id, proposer } = *context;
    let by = channel.entity(proposer);
    let other = channel.entity(proposer.other());
    let Step { transition, outcome, purpose } = step;
    match (transition, outcome) {
        (Transition::AddAsset { asset }, _) => {
            env.deposit_event(Event::AssetAdded { channel: id, asset: *asset });
        }
        (Transition::SetCreditLimit { asset, limit }, _) => {
            let (asset, limit) = (*asset, *limit);
            env.deposit_event(Event::CreditLimitSet { channel: id, asset, debtor: other, limit });
        }
        (Transition::Pay { asset, amount }, _) => {
            let (asset, amount) = (*asset, *amount);
            env.deposit_event(Event::PaidDirect { channel: id, asset, amount, from: by, to: other });
        }
        (Transition::HtlcAdd { asset, amount, hash, deadline, onward }, Outcome::Added(slot)) => {
            env.deposit_event(Event::HtlcAdded {
                channel: id,
                slot,
                hash: *hash,
                asset: *asset,
                amount: *amount,
                deadline: *deadline,
                payer: by,
            });
            match purpose {
                None => forward::arrived(env, id, by, channel.pending_htlcs, slot, onward)?,
                Some(Purpose::Expired(proof)) => expired_before(env, channel, slot, proof.clone())?,
                Some(_) => {}
            }
        }
        (Transition::HtlcFulfil { slot, preimage }, Outcome::Removed(htlc)) => {
            env.deposit_event(Event::HtlcFulfilled { channel: id, slot: *slot, hash: htlc.terms.hash });
            match &htlc.role {
                HtlcRole::Outbound(cause) => {
                    deadlines::unwatch_expiry(env, id, *slot, htlc.terms.deadline);
                    payment::outbound_fulfilled(env, cause, *preimage, false)?;
                }
                HtlcRole::Inbound(progress) => {
                    deadlines::unwatch_inbound(env, id, *slot, htlc.terms.deadline);
                    match progress {
                        Progress::Fulfilling { forward: Some(number), .. } => {
                            forward::completed(env, *number)?;
                        }
                        _ => invoice::paid(env, id, &htlc)?,
                    }
                }
            }
        }
        (Transition::HtlcFail { slot, failure }, Outcome::Removed(htlc)) => {
            let (slot, hash) = (*slot, htlc.terms.hash);
            env.deposit_event(Event::HtlcFailed { channel: id, slot, hash, failure: failure.clone() });
            match &htlc.role {
                HtlcRole::Outbound(cause) => {
                    deadlines::unwatch_expiry(env, id, slot, htlc.terms.deadline);
                    payment::outbound_failed(env, cause, failure.clone().one_hop_back())?;
                }
                HtlcRole::Inbound(_) => invoice::released(env, id, slot, hash)?,
            }
        }
        (Transition::HtlcExpire { slot, .. }, Outcome::Removed(htlc)) => {
            let (slot, hash) = (*slot, htlc.terms.hash);
            env.deposit_event(Event::HtlcExpired { channel: id, slot, hash });
            if let HtlcRole::Inbound(progress) = &htlc.role {
                deadlines::unwatch_inbound(env, id, slot, htlc.terms.deadline);
                if !matches!(progress, Progress::Forwarded(_)) {
                    invoice::released(env, id, slot, hash)?;
                }
            }
        }
        (Transition::RequestCollateral { asset, amount }, _) => {
            collateral::requested(env, channel, by, *asset, *amount)?;
        }
        (Transition::SettlementApplied { settled, .. }, outcome) => {
            env.deposit_event(Event::SettlementApplied { channel: id, nonce: settled.nonce });
            if let Outcome::Reopened(settlement) = outcome {
                settled::reopened(env, &settlement);
            }
        }
        (Transition::CooperativeClose { .. }, Outcome::Closing(settlement)) => {
            let expires = settlement.expires;
            deadlines::watch_settlement(env, &settlement);
            env.submit_settlement(settlement);
            env.deposit_event(Event::ChannelClosing { channel: id, expires });
        }
        (Transition::SettlementLapsed { .. }, Outcome::Reopened(settlement)) => {
            settled::reopened(env, &settlement);
        }
        _ => {}
    }
    Ok(())
}

/// The acknowledgement of an HTLC came after its expiry was proven: only its removal is left.
fn expired_before<T: Config>(env: &mut T, channel: &Channel, slot: Slot, proof: Proof) -> Result<(), Error> {
    deadlines::remove_expired(env, channel.id, slot, channel.height, proof)
}

/// An own move became impossible while it waited. It was never sent, so whoever waits can be told.
pub(crate) fn dropped<T: Config>(
    env: &mut T,
    channel: &Channel,
    transition: Transition,
    purpose: Purpose,
    error: crate::TransitionError,
) -> Result<(), Error> {
    use crate::TransitionError as E;
    let id = channel.id;
    let cause = match (&transition, purpose) {
        (_, Purpose::Payment(number)) => Cause::Payment(number),
        (_, Purpose::Forward(number)) => Cause::Forward(number),
        // Whoever waited was told, or the peer was faster.
        (_, Purpose::Expired(_)) => return Ok(()),
        (_, Purpose::Removal(_)) if matches!(error, E::EmptySlot { .. } | E::SlotReused { .. }) => {
            return Ok(());
        }
        (Transition::SettlementApplied { .. }, _)
            if matches!(error, E::SettlementOutOfOrder { .. } | E::ForeignSettlement) =>
        {
            return Ok(());
        }
        (Transition::SettlementLapsed { .. }, _) if error == E::NotClosing => return Ok(()),
        (Transition::AddAsset { .. }, _) if matches!(error, E::AssetExists { .. }) => return Ok(()),
        (Transition::Pay { asset, amount }, _) => {
            let (asset, amount) = (*asset, *amount);
            env.deposit_event(Event::DirectPaymentFailed { channel: id, asset, amount, error });
            return Ok(());
        }
        _ => {
            env.deposit_event(Event::TransitionDropped { channel: id, error });
            return Ok(());
        }
    };
    let reason = payment::fail_reason(&Error::Transition(error));
    payment::outbound_failed(env, &cause, Failure::here(reason))
}
