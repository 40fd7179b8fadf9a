//! Events as JSON: each an object with its `name` and its fields.

use serde_json::Value;
use xln_primitives::{ChannelId, EntityId};
use xln_runtime::RuntimeEvent;

use super::json::{Json, named_variants};

/// An event as the API shows it.
pub(super) fn event_json(event: &RuntimeEvent) -> Value {
    match event {
        RuntimeEvent::Entities(event) => event.json(),
        RuntimeEvent::Channels(event) => event.json(),
        RuntimeEvent::Reserves(event) => event.json(),
        RuntimeEvent::Governance(event) => event.json(),
    }
}

named_variants! {
    pallet_entities::Event {
        Created { entity };
        Registered { entity, board_hash };
        MetadataSet(metadata);
        BoardChanged { board_hash, last_height };
        Updated { entity, board_hash, last_height };
        NestingFault { entity, fault };
    }
}

named_variants! {
    pallet_channels::Event {
        ChannelOpened { channel, peer, epoch };
        AssetAdded { channel, asset };
        CreditLimitSet { channel, asset, debtor, limit };
        FrameCommitted { channel, height, state_hash, transitions };
        TransitionDropped { channel, error };
        PaidDirect { channel, asset, amount, from, to };
        DirectPaymentFailed { channel, asset, amount, error };
        PaymentStarted { payment, hash, to, asset, amount };
        PaymentSent { payment, hash, preimage, to, asset, amount, fee };
        PaymentFailed { payment, hash, failure };
        PaymentReceived { channel, hash, asset, amount };
        PaymentForwarded { forward, inbound, outbound, asset, amount, fee };
        ForwardFailed { forward, hash, failure };
        HtlcAdded { channel, slot, hash, asset, amount, deadline, payer };
        HtlcFulfilled { channel, slot, hash };
        HtlcFailed { channel, slot, hash, failure };
        HtlcExpired { channel, slot, hash };
        PreimagePublished { channel, slot, hash };
        InvoiceIssued { hash, asset, amount, expires };
        InvoiceCancelled { hash };
        PaymentHeld { channel, slot, hash, amount, deadline };
        PolicySet;
        CollateralRequested { channel, asset, amount, by, granted };
        SettlementApplied { channel, nonce };
        ChannelClosing { channel, expires };
        ChannelReopened { channel };
        ChannelClosed { channel, epoch };
        ChannelFrozen { channel, fault };
    }
}

named_variants! {
    pallet_reserves::Event {
        Deposited { asset, by, to, amount, reference };
        WithdrawalRequested { id, owner, asset, amount, destination };
        WithdrawalConfirmed { id };
        WithdrawalRejected { id };
        Transferred { asset, from, to, amount };
        Allocated { channel, from, in_favour, asset, amount };
        HalfSettled { channel, side, nonce, expires };
        Settled(settled);
        Revealed { hash, preimage };
    }
}

named_variants! {
    pallet_governance::Event {
        Proposed { proposal, by, expires };
        Voted { proposal, by, approves };
        ProposalExecuted { proposal };
        ProposalFailed { proposal, reason };
        ProposalRejected { proposal };
        ProposalExpired { proposal };
        ProposalWithdrawn { proposal };
        WeightDelegated { by, to, until };
        MemberPolicySet;
        ListingSet { entity, listing };
        Screened { record, party, verdict };
        AskedToVote { by, proposal, calls, expires };
    }
}

/// The channel whose state an event of one of its sides tells of.
pub(super) fn changed_channel(event: &RuntimeEvent) -> Option<ChannelId> {
    use pallet_channels::Event;
    let RuntimeEvent::Channels(event) = event else { return None };
    match event {
        Event::ChannelOpened { channel, .. }
        | Event::FrameCommitted { channel, .. }
        | Event::SettlementApplied { channel, .. }
        | Event::ChannelClosing { channel, .. }
        | Event::ChannelReopened { channel }
        | Event::ChannelClosed { channel, .. }
        | Event::ChannelFrozen { channel, .. } => Some(*channel),
        _ => None,
    }
}

/// The proposal that an event tells of.
pub(super) const fn changed_proposal(event: &RuntimeEvent) -> Option<u64> {
    use pallet_governance::Event;
    let RuntimeEvent::Governance(event) = event else { return None };
    match event {
        Event::Proposed { proposal, .. }
        | Event::Voted { proposal, .. }
        | Event::ProposalExecuted { proposal }
        | Event::ProposalFailed { proposal, .. }
        | Event::ProposalRejected { proposal }
        | Event::ProposalExpired { proposal }
        | Event::ProposalWithdrawn { proposal } => Some(*proposal),
        // A proposal of another entity, or none.
        Event::AskedToVote { .. }
        | Event::WeightDelegated { .. }
        | Event::MemberPolicySet
        | Event::ListingSet { .. }
        | Event::Screened { .. } => None,
    }
}

/// The entity whose name an event may change, given whose frame it stands in.
pub(super) fn renamed(entity: EntityId, event: &RuntimeEvent) -> Option<(EntityId, String)> {
    match event {
        RuntimeEvent::Entities(pallet_entities::Event::MetadataSet(metadata)) => {
            Some((entity, super::json::text(&metadata.name)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pallet_channels::{PaymentHash, Preimage};
    use serde_json::json;
    use xln_primitives::{Amount, AssetId};

    #[test]
    fn an_event_is_an_object_with_its_name_and_its_fields() {
        let preimage = Preimage::new([7; 32]);
        let event = pallet_channels::Event::PaymentSent {
            payment: 5,
            hash: PaymentHash::new([1; 32]),
            preimage,
            to: EntityId::new([2; 32]),
            asset: AssetId::new([3; 32]),
            amount: Amount::new(120),
            fee: Amount::new(1),
        };
        let json = event_json(&RuntimeEvent::Channels(event));
        assert_eq!(json["name"], "PaymentSent");
        assert_eq!(json["payment"], "5");
        assert_eq!(json["amount"], "120");
        assert_eq!(json["preimage"], json!(format!("0x{}", "07".repeat(32))));
    }
}
