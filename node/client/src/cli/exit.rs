//! Why a command failed, what it prints, and with which code of `sysexits.h` it ends.

use serde_json::json;
use xln_rpc::{
    RpcError,
    error::{NO_ENTITY, code},
    view::FailureView,
};

use super::{amount::AmountError, commands::in_commands, output::harmless};
use crate::Error;

/// Exit codes of `sysexits.h`.
pub mod sysexits {
    /// The command line is wrong.
    pub const USAGE: u8 = 64;
    /// What was asked makes no sense, does not exist or is not possible.
    pub const DATA: u8 = 65;
    /// The node does not answer.
    pub const UNAVAILABLE: u8 = 69;
    /// A defect.
    pub const SOFTWARE: u8 = 70;
    /// The disk.
    pub const IO: u8 = 74;
    /// Not now; trying again may work.
    pub const TEMPORARY: u8 = 75;
    /// Not allowed.
    pub const PERMISSION: u8 = 77;
}

/// A command that failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request failed.
    #[error(transparent)]
    Client(#[from] Error),
    /// An amount that is none.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// The payment was tried and failed.
    #[error("the payment failed{}: {}", at(.0), .0.message)]
    Payment(Box<FailureView>),
    /// Options that do not go together.
    #[error("{message}")]
    Usage {
        /// Why.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The answer could not be written.
    #[error("cannot write the answer: {0}")]
    Output(#[from] std::io::Error),
    /// The answer could not be turned into JSON.
    #[error("cannot write the answer as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<jsonrpsee::core::ClientError> for Failure {
    fn from(error: jsonrpsee::core::ClientError) -> Self {
        Self::Client(error.into())
    }
}

fn at(failure: &FailureView) -> String {
    match (&failure.at, failure.hop) {
        (Some(party), _) => format!(" at {}", party.label()),
        (None, Some(hop)) => format!(" at hop {hop}"),
        (None, None) => String::new(),
    }
}

fn code_of(error: &RpcError) -> u8 {
    match error.code {
        code::UNAUTHORIZED | code::FORBIDDEN => sysexits::PERMISSION,
        code::BUSY | code::CONSENSUS | code::TIMED_OUT => sysexits::TEMPORARY,
        code::STORAGE => sysexits::IO,
        code::NETWORK => sysexits::UNAVAILABLE,
        4000..=4999 => sysexits::DATA,
        _ => sysexits::SOFTWARE,
    }
}

/// What to do where it is not said who acts.
fn who_acts(error: &RpcError) -> String {
    let names = error.details.get("hosted").and_then(serde_json::Value::as_array);
    let names: Vec<&str> = names.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    match names.as_slice() {
        [] => "use --as NAME or XLN_AS; xln entity create makes an entity".into(),
        names => harmless(&format!("use --as NAME or XLN_AS; on this node live {}", names.join(", "))),
    }
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Client(Error::Refused(error)) => code_of(error),
            Self::Client(Error::Address { .. } | Error::NoSubscriptions) | Self::Usage { .. } => {
                sysexits::USAGE
            }
            Self::Client(Error::Unreachable { .. } | Error::Broken(_)) => sysexits::UNAVAILABLE,
            Self::Client(Error::TimedOut) | Self::Payment(_) => sysexits::TEMPORARY,
            Self::Client(Error::Answer(_)) | Self::Json(_) => sysexits::SOFTWARE,
            Self::Amount(_) => sysexits::DATA,
            Self::Output(_) => sysexits::IO,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Client(Error::Refused(error)) if error.name == NO_ENTITY => Some(who_acts(error)),
            Self::Client(Error::Refused(error)) => error.hint.as_deref().map(in_commands),
            Self::Client(Error::Unreachable { .. } | Error::Broken(_)) => {
                Some("start a node with xln-node --dev, or name another with --url or XLN_URL".into())
            }
            Self::Client(Error::TimedOut) => Some(
                "look at xln payment list or xln receipt before you repeat it, or raise --timeout".into(),
            ),
            Self::Client(Error::NoSubscriptions) => Some("use --url ws://HOST:PORT".into()),
            Self::Payment(failure) => failure.hint.as_deref().map(in_commands),
            Self::Usage { hint, .. } => Some(hint.clone()),
            _ => None,
        }
    }

    /// What goes to stderr: two lines for people, or one JSON object.
    #[must_use]
    pub fn report(&self, as_json: bool) -> String {
        if as_json {
            let mut error =
                json!({ "message": self.to_string(), "hint": self.hint(), "exitCode": self.code() });
            if let Self::Client(Error::Refused(refused)) = self {
                error["code"] = refused.code.into();
                error["name"] = refused.name.clone().into();
                error["details"] = refused.details.clone();
            }
            return json!({ "error": error }).to_string();
        }
        match self.hint() {
            Some(hint) => format!("error: {self}\n hint: {hint}"),
            None => format!("error: {self}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_has_its_exit_code() {
        let refused = |code| Failure::Client(Error::Refused(RpcError::new(code, "", ""))).code();
        assert_eq!(refused(code::NOT_FOUND), 65);
        assert_eq!(refused(code::INSUFFICIENT_FUNDS), 65);
        assert_eq!(refused(4350), 65);
        assert_eq!(refused(code::FORBIDDEN), 77);
        assert_eq!(refused(code::BUSY), 75);
        assert_eq!(refused(code::TIMED_OUT), 75);
        assert_eq!(refused(code::INTERNAL), 70);
        assert_eq!(refused(code::STORAGE), 74);
        assert_eq!(refused(code::NETWORK), 69);
    }

    #[test]
    fn an_error_names_its_cause_its_numbers_and_a_hint() {
        let error = RpcError::new(code::INSUFFICIENT_FUNDS, "InsufficientFunds", "needs 120, can send 80")
            .with_details(json!({ "canSend": "80" }))
            .with_hint("ask the hub for more credit");
        let failure = Failure::Client(Error::Refused(error));
        assert_eq!(
            failure.report(false),
            "error: needs 120, can send 80\n hint: ask the hub for more credit"
        );
        let value: serde_json::Value = serde_json::from_str(&failure.report(true)).unwrap();
        assert_eq!(value["error"]["code"], 4200);
        assert_eq!(value["error"]["details"]["canSend"], "80");
        assert_eq!(value["error"]["exitCode"], 65);
    }
}
