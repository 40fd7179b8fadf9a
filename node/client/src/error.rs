//! Why a request failed, as far as the client can tell.

use jsonrpsee::core::ClientError;
use xln_rpc::RpcError;

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The node answered with an error, which carries its code, numbers and hint.
    #[error("{0}")]
    Refused(RpcError),
    /// The address is none.
    #[error("{url:?} is not an address of a node: expected ws://HOST:PORT or http://HOST:PORT")]
    Address {
        /// What was given.
        url: String,
    },
    /// Nothing answers there.
    #[error("no node answers at {url}: {cause}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        cause: String,
    },
    /// The connection failed, over HTTP perhaps before it began.
    #[error("the connection to the node failed: {0}")]
    Broken(String),
    /// No answer in time. Whether the request had an effect is not known.
    #[error("the node did not answer in time; the request may still take effect")]
    TimedOut,
    /// Notifications come over WebSocket only.
    #[error("subscriptions need a ws:// address, this is http://")]
    NoSubscriptions,
    /// An answer that this version does not understand.
    #[error("the node's answer is not understood: {0}; it may be of another version")]
    Answer(String),
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Call(object) => Self::Refused(RpcError::from(&object)),
            ClientError::RequestTimeout => Self::TimedOut,
            ClientError::Transport(cause) => Self::Broken(root_cause(cause.as_ref())),
            ClientError::RestartNeeded(cause) => Self::Broken(cause.to_string()),
            ClientError::ServiceDisconnect => Self::Broken("closed by the node".into()),
            ClientError::HttpNotImplemented => Self::NoSubscriptions,
            other => Self::Answer(other.to_string()),
        }
    }
}

/// The innermost message: the outer ones repeat that connecting failed.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
