//! What the API answers, as JSON: amounts, deltas and 64-bit numbers as decimal strings, bytes and hashes as `0x…`,
//! times as Unix milliseconds, keys in camelCase.

mod board;
mod chain;
mod channel;
mod consensus;
mod entity;
mod governance;
mod invoice;
mod notification;
mod payment;
mod peer;
mod receipt;
mod reserve;
mod route;
mod server;
mod state;

pub use board::{BoardProofView, TermView};
pub use chain::{BlockView, CertificateView, FrameHeaderView, FrameView};
pub use channel::{ChannelStatus, ChannelView, HtlcView, PolicyView, SubchannelView};
pub use consensus::{BoardStatusView, EvidenceView, StatementKind, StatementView};
pub use entity::{BoardView, EntityView, MemberView, NonceView, PartyView, SignerView};
pub use governance::{
    ActionView, Choice, DecisionView, DelegationView, GovernanceView, LimitView, ListingKind, PrincipalView,
    ProposalStatus, ProposalView, RegisteredView, RuleView, VoteView,
};
pub use invoice::{DecodedInvoice, InvoiceStatus, InvoiceView};
pub use notification::{Body, Notification};
pub use payment::{Direction, FailureView, ForwardView, PaymentStatus, PaymentView};
pub use peer::{PeerChanged, PeerDirection, PeerView, RefusalsView, RefusedView};
pub use receipt::{CallStatus, ChangeView, PendingView, ReceiptView, Submitted};
pub use reserve::{AssetView, ReserveView};
pub use route::{HopView, RouteView};
pub use server::{HealthView, ServerInfo, ServerRole, ServerStats, VersionView};
pub use state::{ProofView, StateView, TreeNodeKind, TreeNodeView, TreeView};

/// Declares view structs and enums with what all of them derive.
macro_rules! views {
    ($($(#[$meta:meta])* pub $kind:ident $name:ident { $($body:tt)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            #[serde(rename_all = "camelCase")]
            pub $kind $name { $($body)* }
        )*
    };
}
use views;
