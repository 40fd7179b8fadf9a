//! What the rules of governance look at in each call.

use pallet_governance::{CallFacts, Spend};
use xln_primitives::{Amount, AssetId, EntityId, Permissions};

use crate::RuntimeCall;

impl RuntimeCall {
    /// What it spends and with whom it deals, if `own` makes it.
    #[must_use]
    pub fn facts(&self, own: EntityId) -> CallFacts {
        let facts = CallFacts::new(self.code());
        match self {
            Self::Entities(call) => of_entities(facts, call),
            Self::Channels(call) => of_channels(facts, call),
            Self::Governance(call) => of_governance(facts, call),
            Self::Reserves(call) => of_reserves(facts, call, own),
        }
    }
}

fn spending(asset: AssetId, amount: Amount) -> Vec<Spend> {
    vec![Spend { asset, amount }]
}

fn of_entities(facts: CallFacts, call: &pallet_entities::Call) -> CallFacts {
    use pallet_entities::{BoardChange, Call};
    match call {
        Call::ChangeBoard(BoardChange::Add(_)) => {
            CallFacts { proposable_with: Some(Permissions::ADD_VALIDATOR), ..facts }
        }
        Call::ChangeBoard(BoardChange::Remove(_)) => {
            CallFacts { proposable_with: Some(Permissions::REMOVE_VALIDATOR), ..facts }
        }
        Call::Create { .. } | Call::SetMetadata(_) | Call::ChangeBoard(_) => facts,
        // An entity tells the registry by itself.
        Call::Update { .. } => CallFacts { by_board: false, ..facts },
    }
}

fn of_channels(facts: CallFacts, call: &pallet_channels::Call) -> CallFacts {
    use pallet_channels::Call;
    match call {
        Call::Open { peer, .. }
        | Call::SetCreditLimit { peer, .. }
        | Call::Close { peer }
        | Call::RequestCollateral { peer, .. } => CallFacts { parties: vec![*peer], ..facts },
        Call::PayDirect { to, asset, amount } => {
            CallFacts { parties: vec![*to], spends: spending(*asset, *amount), ..facts }
        }
        Call::Pay { to, asset, amount, route, max_fee, .. } => {
            let forwarders = route.iter().map(|hop| hop.via);
            // What does not fit is above every limit.
            let most = amount.add(*max_fee).unwrap_or(Amount::MAX);
            let parties = core::iter::once(*to).chain(forwarders).collect();
            CallFacts { parties, spends: spending(*asset, most), ..facts }
        }
        Call::SetPolicy { .. }
        | Call::Fulfil { .. }
        | Call::Cancel { .. }
        | Call::CreateInvoice { .. }
        | Call::CancelInvoice { .. }
        | Call::CancelPayment { .. } => facts,
    }
}

fn of_governance(facts: CallFacts, call: &pallet_governance::Call) -> CallFacts {
    use pallet_governance::Call;
    match call {
        Call::Propose { .. } | Call::Vote { .. } | Call::Withdraw { .. } | Call::Delegate { .. } => {
            CallFacts { by_board: false, ..facts }
        }
        Call::SetPolicy(_) | Call::SetListing { .. } => facts,
        Call::Instruct { entity, .. } => CallFacts { parties: vec![*entity], ..facts },
    }
}

fn of_reserves(facts: CallFacts, call: &pallet_reserves::Call, own: EntityId) -> CallFacts {
    use pallet_reserves::Call;
    match call {
        Call::Deposit { to, .. } => CallFacts { parties: vec![*to], ..facts },
        Call::Withdraw { asset, amount, .. } => CallFacts { spends: spending(*asset, *amount), ..facts },
        Call::Allocate { left, right, asset, amount, .. } => {
            let parties = [*left, *right].into_iter().filter(|side| *side != own).collect();
            CallFacts { parties, spends: spending(*asset, *amount), ..facts }
        }
        Call::Transfer { to, asset, amount } => {
            CallFacts { parties: vec![*to], spends: spending(*asset, *amount), ..facts }
        }
        Call::Settle(_)
        | Call::Reveal { .. }
        | Call::ConfirmWithdrawal { .. }
        | Call::RejectWithdrawal { .. } => facts,
    }
}
