//! Application errors, the same over JSON-RPC and REST.
//!
//! JSON-RPC's own codes (−32700, −32600…−32603) are for faults of the protocol: malformed JSON, unknown method,
//! wrong parameters. Everything that the application refuses has a JSON-RPC code in −32020…−32059 and says what it
//! is in `data`: `{code, name, details, hint}`, where `code` is the four-digit code of the whole API.
//!
//! ```text
//!  4000 invalid request   4001 unauthorized   4003 forbidden   4004 not found   4029 busy     → −32020…−32029
//!  4100 invalid parameters   4101 no entity                                                   → −32602
//!  4200 insufficient funds   4201 channel not open   4202… one per error of a pallet          → −32040
//!  5000 internal   5001 consensus   5002 storage   5003 network   5004 timed out              → −32050…−32059
//! ```

use jsonrpsee::types::{ErrorObjectOwned, error::INVALID_PARAMS_CODE};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The code of an error in the whole API, four digits.
pub type ErrorCode = u16;

/// Codes that every area uses; each pallet's errors follow from 4202.
pub mod code {
    use super::ErrorCode;

    /// The request makes no sense.
    pub const INVALID_REQUEST: ErrorCode = 4000;
    /// Who asks is not known.
    pub const UNAUTHORIZED: ErrorCode = 4001;
    /// Who asks may not.
    pub const FORBIDDEN: ErrorCode = 4003;
    /// What is asked for does not exist.
    pub const NOT_FOUND: ErrorCode = 4004;
    /// A queue or a rate limit is full; try again.
    pub const BUSY: ErrorCode = 4029;
    /// A parameter is missing, unknown or out of range.
    pub const INVALID_PARAMS: ErrorCode = 4100;
    /// The request does not say who acts, and the node has no default entity.
    pub const NO_ENTITY: ErrorCode = 4101;
    /// More than there is, or more than a channel can carry.
    pub const INSUFFICIENT_FUNDS: ErrorCode = 4200;
    /// There is no open channel where one is needed.
    pub const CHANNEL_NOT_OPEN: ErrorCode = 4201;
    /// A defect of the node.
    pub const INTERNAL: ErrorCode = 5000;
    /// A board does not agree.
    pub const CONSENSUS: ErrorCode = 5001;
    /// The disk.
    pub const STORAGE: ErrorCode = 5002;
    /// Another server does not answer.
    pub const NETWORK: ErrorCode = 5003;
    /// It was accepted but its outcome is not known yet; ask again by hash.
    pub const TIMED_OUT: ErrorCode = 5004;
}

/// Name of the error of a request that does not say who acts.
pub const NO_ENTITY: &str = "NoEntity";

/// Why the application refuses, with numbers in `message` and `details` and advice in `hint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct RpcError {
    /// Which error, of the whole API.
    pub code: ErrorCode,
    /// The same as a word that programs may match, such as `InsufficientFunds`.
    pub name: String,
    /// The cause with its numbers, one sentence for people.
    pub message: String,
    /// The numbers for programs; `null` if there are none.
    #[serde(default)]
    pub details: Value,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
}

impl RpcError {
    /// An error without details and hint.
    #[must_use]
    pub fn new(code: ErrorCode, name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, name: name.into(), message: message.into(), details: Value::Null, hint: None }
    }

    /// With numbers for programs.
    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// With another sentence for people.
    #[must_use]
    pub fn with_message(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// With advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The request does not say who acts. `hosted` are names of entities that could, the first ones if there are many.
    #[must_use]
    pub fn no_entity(hosted: &[String]) -> Self {
        let message = "the request names no entity and the node has no default one";
        Self::new(code::NO_ENTITY, NO_ENTITY, message)
            .with_details(json!({ "hosted": hosted }))
            .with_hint("name the entity that shall act; entity.list names those that are hosted here")
    }

    /// The request makes no sense.
    #[must_use]
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_REQUEST, "InvalidRequest", message)
    }

    /// A parameter is missing, unknown or out of range.
    #[must_use]
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_PARAMS, "InvalidParams", message)
    }

    /// Who asks may not.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(code::FORBIDDEN, "Forbidden", message)
    }

    /// There is no `what` called `which`.
    #[must_use]
    pub fn not_found(what: &str, which: impl core::fmt::Display) -> Self {
        let which = which.to_string();
        Self::new(code::NOT_FOUND, "NotFound", format!("there is no {what} {which}"))
            .with_details(json!({ "what": what, "which": which }))
    }

    /// A queue or a rate limit is full.
    #[must_use]
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(code::BUSY, "Busy", message).with_hint("try again in a moment")
    }

    /// A defect of the node.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(code::INTERNAL, "Internal", message)
    }

    /// The disk failed.
    #[must_use]
    pub fn storage(message: impl Into<String>) -> Self {
        Self::new(code::STORAGE, "Storage", message)
    }

    /// Accepted, but the outcome did not come in time.
    #[must_use]
    pub fn timed_out(message: impl Into<String>) -> Self {
        Self::new(code::TIMED_OUT, "TimedOut", message)
    }

    /// The JSON-RPC code that carries it.
    #[must_use]
    pub fn json_rpc_code(&self) -> i32 {
        match self.code {
            4100..=4199 => INVALID_PARAMS_CODE,
            4200..=4999 => -32040,
            4000..=4008 => -32020 - i32::from(self.code - 4000),
            5000..=5008 => -32050 - i32::from(self.code - 5000),
            5009.. => -32059,
            _ => -32029,
        }
    }
}

/// What `data` holds.
#[derive(Serialize, Deserialize)]
struct Data {
    code: ErrorCode,
    name: String,
    #[serde(default)]
    details: Value,
    #[serde(default)]
    hint: Option<String>,
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let code = error.json_rpc_code();
        let RpcError { code: number, name, message, details, hint } = error;
        Self::owned(code, message, Some(Data { code: number, name, details, hint }))
    }
}

impl From<&ErrorObjectOwned> for RpcError {
    /// Reads back what a server sent; a fault of the protocol becomes the error that fits best.
    fn from(object: &ErrorObjectOwned) -> Self {
        let message = object.message().to_owned();
        let data = object.data().and_then(|raw| serde_json::from_str::<Data>(raw.get()).ok());
        if let Some(Data { code, name, details, hint }) = data {
            return Self { code, name, message, details, hint };
        }
        let details = object.data().map_or(Value::Null, |raw| raw.get().into());
        let error = match object.code() {
            INVALID_PARAMS_CODE => Self::invalid_params(message),
            -32603 => Self::internal(message),
            -32601 => Self::new(code::NOT_FOUND, "MethodNotFound", message)
                .with_hint("the node does not know this method: it may be older or newer than this program"),
            -32009 | -32006 => Self::busy(message),
            _ => Self::invalid_request(message),
        };
        error.with_details(details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_back_what_the_server_sent() {
        let error = RpcError::new(code::INSUFFICIENT_FUNDS, "InsufficientFunds", "needs 120, can send 80")
            .with_details(json!({ "needs": "120", "canSend": "80" }))
            .with_hint("ask the hub for more credit");
        let object = ErrorObjectOwned::from(error.clone());
        assert_eq!(object.code(), -32040);
        assert_eq!(RpcError::from(&object), error);
    }

    #[test]
    fn every_code_stays_in_its_range_of_json_rpc() {
        for (number, expected) in
            [(4000, -32020), (4003, -32023), (4029, -32029), (4100, -32602), (4201, -32040), (4350, -32040)]
        {
            assert_eq!(RpcError::new(number, "", "").json_rpc_code(), expected);
        }
        for number in 0..=ErrorCode::MAX {
            let code = RpcError::new(number, "", "").json_rpc_code();
            assert!(code == INVALID_PARAMS_CODE || (-32059..=-32020).contains(&code), "{number} {code}");
        }
    }
}
