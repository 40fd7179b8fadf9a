//! Values of the runtime as JSON: the forms of the API, so that events and error details read like everything else.

use codec::Encode;
use pallet_channels::{FailReason, Failure, FrameFault, PaymentHash, Policy, Preimage, TransitionError};
use serde_json::{Value, json};
use xln_primitives::{
    Amount, AssetId, Board, BoundedVec, CallHash, ChannelId, Delta, EntityId, Hash, Network, Origin,
    Permissions, Principal, Side, SignerId, Timestamp,
};
use xln_rpc::{Bytes, camel_case};

/// Something with a form in the API.
pub(super) trait Json {
    /// That form.
    fn json(&self) -> Value;
}

macro_rules! by_serde {
    ($($type:ty),* $(,)?) => {
        $(impl Json for $type {
            fn json(&self) -> Value {
                json!(self)
            }
        })*
    };
}

by_serde!(
    Amount, AssetId, CallHash, ChannelId, Delta, EntityId, Hash, Network, Side, SignerId, Timestamp, bool,
    u8, u16, u32, usize, String,
);

impl Json for u64 {
    fn json(&self) -> Value {
        json!(self.to_string())
    }
}

impl Json for PaymentHash {
    fn json(&self) -> Value {
        json!(self.to_string())
    }
}

impl Json for Preimage {
    fn json(&self) -> Value {
        Hash::new(*self.as_bytes()).json()
    }
}

impl Json for [u8; 32] {
    fn json(&self) -> Value {
        Hash::new(*self).json()
    }
}

impl<T: Json> Json for Option<T> {
    fn json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Json::json)
    }
}

impl<T: Json> Json for Box<T> {
    fn json(&self) -> Value {
        self.as_ref().json()
    }
}

impl<S> Json for BoundedVec<u8, S> {
    fn json(&self) -> Value {
        json!(Bytes(self.to_vec()))
    }
}

impl Json for Board {
    fn json(&self) -> Value {
        json!(Bytes(self.encode()))
    }
}

impl Json for Origin {
    fn json(&self) -> Value {
        match self {
            Self::Signer(signer) => json!({ "signer": signer }),
            Self::Entity(entity) => json!({ "entity": entity }),
            Self::Board => json!("board"),
            Self::Server => json!("server"),
        }
    }
}

impl Json for Principal {
    fn json(&self) -> Value {
        match self {
            Self::Signer(signer) => json!({ "signer": signer }),
            Self::Entity(entity) => json!({ "entity": entity }),
        }
    }
}

impl Json for Permissions {
    fn json(&self) -> Value {
        json!(self)
    }
}

impl Json for pallet_governance::Listing {
    fn json(&self) -> Value {
        json!(self)
    }
}

impl Json for pallet_governance::Reason {
    fn json(&self) -> Value {
        json!(self.to_string())
    }
}

impl Json for pallet_governance::Status {
    fn json(&self) -> Value {
        match self {
            Self::Failed { reason } => json!({ "name": "Failed", "reason": reason.to_string() }),
            Self::Pending => json!({ "name": "Pending" }),
            Self::Executed => json!({ "name": "Executed" }),
            Self::Rejected => json!({ "name": "Rejected" }),
            Self::Expired => json!({ "name": "Expired" }),
            Self::Withdrawn => json!({ "name": "Withdrawn" }),
        }
    }
}

impl Json for pallet_entities::Error {
    fn json(&self) -> Value {
        let error = super::codes::error_of(self);
        json!({ "code": error.code, "name": error.name, "message": error.message, "details": error.details })
    }
}

impl Json for Failure {
    fn json(&self) -> Value {
        json!({ "hop": self.hop, "reason": self.reason.json() })
    }
}

impl Json for Policy {
    fn json(&self) -> Value {
        json!(super::channels::policy_view(self))
    }
}

impl Json for pallet_entities::Metadata {
    fn json(&self) -> Value {
        json!({ "name": text(&self.name), "description": text(&self.description) })
    }
}

impl Json for pallet_reserves::Settled {
    fn json(&self) -> Value {
        let row = |row: &pallet_reserves::SettledRow| json!({ "asset": row.asset, "collateral": row.collateral, "ondelta": row.ondelta });
        json!({
            "channel": self.channel, "left": self.left, "right": self.right, "epoch": self.epoch,
            "nonce": self.nonce.to_string(), "closed": self.closed,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

/// Bytes that were checked to be text when they were stored.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An object with these fields, their names in camelCase.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(field, value)| (camel_case(field), value)).collect())
}

/// An object with a `name` first.
pub(super) fn named<const N: usize>(name: &str, fields: [(&str, Value); N]) -> Value {
    let mut whole = object(fields);
    if let Value::Object(fields) = &mut whole {
        fields.insert("name".into(), name.into());
    }
    whole
}

/// Gives every variant of an enum its JSON form: an object of its name and its fields. A variant or a field that is
/// missing here does not compile.
macro_rules! named_variants {
    ($type:ty { $($variant:ident $({ $($field:ident),* $(,)? })? $(($($inner:ident),*))?;)* }) => {
        impl Json for $type {
            fn json(&self) -> Value {
                type Variants = $type;
                match self {
                    $(Variants::$variant $({ $($field),* })? $(($($inner),*))? => $crate::backend::json::named(
                        stringify!($variant),
                        [$($((stringify!($field), Json::json($field)),)*)? $($((stringify!($inner), Json::json($inner)),)*)?],
                    ),)*
                }
            }
        }
    };
}
pub(super) use named_variants;

named_variants! {
    pallet_governance::Verdict {
        Pass;
        Report;
        Refuse { party };
    }
}

named_variants! {
    FailReason {
        FeeTooLow { needed, offered };
        InsufficientCapacity { needed, available };
        DeadlineTooSoon { needed, found };
        DeadlineTooFar { limit, found };
        UnknownNextHop { to };
        UnknownInvoice;
        AlreadyPaid;
        InvoiceExpired { expired };
        WrongAmount { expected, found };
        WrongAsset { expected };
        OutsideLimits { min, max, found };
        TooManyPending { pending, limit };
        ChannelUnavailable;
        Expired { deadline };
        Cancelled;
    }
}

named_variants! {
    FrameFault {
        WrongParent { height, expected, found };
        WrongState { height, computed, claimed };
        InvalidTransition { height, index, error };
        TimeRunsBackwards { height, parent, found };
        TwoStatesAtOneHeight { height, first, second };
        WrongAcknowledgement { height, expected, found };
    }
}

impl Json for TransitionError {
    fn json(&self) -> Value {
        let error = super::codes::error_of(self);
        json!({ "code": error.code, "name": error.name, "message": error.message, "details": error.details })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_its_name_and_its_numbers() {
        let reason = FailReason::FeeTooLow { needed: Amount::new(5), offered: Amount::new(2) };
        let json = Failure { hop: 2, reason }.json();
        assert_eq!(
            json,
            json!({ "hop": 2, "reason": { "name": "FeeTooLow", "needed": "5", "offered": "2" } })
        );
    }

    #[test]
    fn field_names_are_camel_case() {
        assert_eq!(camel_case("left_reserve_diff"), "leftReserveDiff");
        assert_eq!(object([("min_ms", 5_u64.json())]), json!({ "minMs": "5" }));
    }
}
