//! The methods: one table from which follow the [`Backend`] that a node implements, the server's registration,
//! the typed client [`Calls`] and the OpenRPC document, so that none can differ from the others.
//!
//! A line reads: *safe* or *unsafe* (whether it uses keys that the node holds, or operates the node), *read* (answered at
//! once from what is known) or *write* (may wait, for inclusion or for another part of the node), the method's name, the function's name, the request and
//! the answer.

use core::future::Future;

use jsonrpsee::{
    core::{ClientError, JsonRawValue, client::ClientT, to_json_raw_value, traits::ToRpcParams},
    server::RpcModule,
    types::{ErrorObjectOwned, Params},
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

use crate::{Described, Feed, Member, RpcError, params::*, view::*};

/// The method that describes all methods.
pub(crate) const DISCOVER: &str = "rpc.discover";
/// The method that begins a subscription.
pub const SUBSCRIBE: &str = "subscribe";
/// The method that ends one.
pub const UNSUBSCRIBE: &str = "unsubscribe";

/// A method of the API.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// Its name, `area.verb`.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Whether it uses keys that the node holds, or operates the node.
    pub uses_keys: bool,
    /// The members of its request.
    pub members: &'static [Member],
    /// The type of its answer.
    pub answer: &'static str,
}

/// A request by name.
struct ByName<'a, P>(&'a P);

impl<P: Serialize> ToRpcParams for ByName<'_, P> {
    fn to_rpc_params(self) -> Result<Option<Box<JsonRawValue>>, serde_json::Error> {
        to_json_raw_value(self.0).map(Some)
    }
}

/// Reads a request; none, `null` and `[]` stand for one without members.
pub(crate) fn parse<P: DeserializeOwned>(params: &Params<'_>) -> Result<P, RpcError> {
    let text = params.as_str().map_or("", str::trim);
    let text = if matches!(text, "" | "null" | "[]") { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| {
        RpcError::invalid_params(error.to_string())
            .with_hint("parameters go by name, as one JSON object; rpc.discover lists them")
    })
}

/// The error of an unsafe method on a server that answers safe ones only.
fn refused(name: &str) -> RpcError {
    if name.starts_with("system.") {
        return RpcError::forbidden(format!("{name} is for the operator and is not answered here")).with_hint(
            "ask on the node's own machine, or start the node with --rpc-methods unsafe if everybody who reaches this \
             port may operate it",
        );
    }
    RpcError::forbidden(format!("{name} uses keys of the node and is not answered here")).with_hint(
        "start the node with --rpc-methods unsafe if everybody who reaches this port may use its keys, or sign \
         calls yourself and hand them in with author.submit",
    )
}

macro_rules! backend_method {
    (read $(#[$doc:meta])* $function:ident($params:ty) -> $answer:ty) => {
        $(#[$doc])*
        fn $function(&self, params: $params) -> Result<$answer, RpcError>;
    };
    (write $(#[$doc:meta])* $function:ident($params:ty) -> $answer:ty) => {
        $(#[$doc])*
        fn $function(&self, params: $params) -> impl Future<Output = Result<$answer, RpcError>> + Send;
    };
}

macro_rules! register_method {
    (read $module:ident $name:literal $function:ident) => {
        $module.register_method($name, |params, backend, _| {
            parse(&params).and_then(|params| backend.$function(params)).map_err(ErrorObjectOwned::from)
        })
    };
    (write $module:ident $name:literal $function:ident) => {
        $module.register_async_method($name, |params, backend, _| async move {
            match parse(&params) {
                Ok(params) => backend.$function(params).await.map_err(ErrorObjectOwned::from),
                Err(error) => Err(error.into()),
            }
        })
    };
}

macro_rules! uses_keys {
    (safe) => {
        false
    };
    (unsafe) => {
        true
    };
}

macro_rules! methods {
    ($(
        $(#[doc = $doc:literal])*
        $access:ident $mode:ident $name:literal $function:ident($params:ty) -> $answer:ty;
    )*) => {
        /// Every method that a [`Backend`] answers, in the order of the table.
        pub const METHODS: &[Method] = &[$(Method {
            name: $name,
            summary: concat!($($doc),*),
            uses_keys: uses_keys!($access),
            members: <$params as Described>::MEMBERS,
            answer: stringify!($answer),
        },)*];

        /// What a node does for its API, one function per method.
        ///
        /// A call of a hosted entity that fails on inclusion is answered as the error of its receipt, with the
        /// call's hash in `details.call`; one whose outcome does not come in time as
        /// [`TIMED_OUT`](crate::error::code::TIMED_OUT) with the same.
        pub trait Backend: Send + Sync + 'static {
            /// Where subscriptions read.
            fn feed(&self) -> &Arc<Feed>;
            $(backend_method! { $mode $(#[doc = $doc])* $function($params) -> $answer })*
        }

        /// Registers every method; the unsafe ones refuse unless `allow_unsafe`.
        pub(crate) fn register<B: Backend>(
            module: &mut RpcModule<B>,
            allow_unsafe: bool,
        ) -> Result<(), jsonrpsee::core::RegisterMethodError> {
            $(
                if uses_keys!($access) && !allow_unsafe {
                    module.register_method($name, |_, _, _| Err::<(), _>(ErrorObjectOwned::from(refused($name))))?;
                } else {
                    register_method!($mode module $name $function)?;
                }
            )*
            Ok(())
        }

        /// The methods as functions of a client.
        pub trait Calls: ClientT + Sync {
            $(
                $(#[doc = $doc])*
                fn $function(
                    &self,
                    params: &$params,
                ) -> impl Future<Output = Result<$answer, ClientError>> + Send {
                    let params = ByName(params);
                    async move { self.request($name, params).await }
                }
            )*
        }

        impl<C: ClientT + Sync> Calls for C {}
    };
}

methods! {
    /// What this server is and where it stands.
    safe read "server.getInfo" server_get_info(NoParams) -> ServerInfo;
    /// Counts since the start, and sizes now.
    safe read "server.getStats" server_get_stats(NoParams) -> ServerStats;
    /// Whether the server does its work, and why not.
    safe read "system.health" system_health(NoParams) -> HealthView;
    /// The program and its version.
    safe read "system.version" system_version(NoParams) -> VersionView;
    /// The other servers of the network, and how they are connected.
    safe write "system.peers" system_peers(NoParams) -> Vec<PeerView>;
    /// Admits a server from now on, also after a restart.
    unsafe write "system.allowPeer" system_allow_peer(PeerName) -> PeerChanged;
    /// Does not admit a server any more and ends its connections; also after a restart.
    unsafe write "system.disallowPeer" system_disallow_peer(PeerName) -> PeerChanged;
    /// Seeks a server at a further address and stays connected to it.
    unsafe write "system.addPeer" system_add_peer(PeerAt) -> PeerChanged;
    /// Does not seek a server any more and forgets its addresses.
    unsafe write "system.removePeer" system_remove_peer(PeerName) -> PeerChanged;
    /// What of other servers was refused: counts by reason, and who was refused last.
    unsafe read "system.refusals" system_refusals(NoParams) -> RefusalsView;

    /// Where the entities stand whose boards vote on their frames.
    safe read "consensus.status" consensus_status(NoParams) -> Vec<BoardStatusView>;
    /// Proof of members of boards who signed two things for one place.
    safe read "consensus.evidence" consensus_evidence(ConsensusEvidence) -> Vec<EvidenceView>;

    /// Makes a key in the node's keystore.
    unsafe write "signer.create" signer_create(SignerCreate) -> SignerView;
    /// The keys that the node holds (their public halves).
    safe read "signer.list" signer_list(NoParams) -> Vec<SignerView>;
    /// The entities that a signer may speak for.
    safe read "signer.getEntities" signer_get_entities(SignerEntities) -> Vec<EntityView>;

    /// Hosts a new entity with a board of one.
    unsafe write "entity.create" entity_create(EntityCreate) -> EntityView;
    /// Registers a board with the depositary.
    unsafe write "entity.register" entity_register(EntityRegister) -> RegisteredView;
    /// Puts something before the board of an entity.
    unsafe write "entity.propose" entity_propose(EntityPropose) -> DecisionView;
    /// Votes on a proposal, or changes a vote.
    unsafe write "entity.vote" entity_vote(EntityVote) -> DecisionView;
    /// Takes an own proposal back.
    unsafe write "entity.withdraw" entity_withdraw(EntityWithdraw) -> DecisionView;
    /// Lets another member's votes count for one's own weight, or ends that.
    unsafe write "entity.delegate" entity_delegate(EntityDelegate) -> DecisionView;
    /// Replaces what members may do alone; where that needs a vote, proposes it.
    unsafe write "entity.setPolicy" entity_set_policy(EntitySetPolicy) -> DecisionView;
    /// Puts an entity on the list of those that are not dealt with, or reported; where that needs a vote, proposes it.
    unsafe write "entity.setListing" entity_set_listing(EntitySetListing) -> DecisionView;
    /// A proposal, who voted and what is missing.
    safe read "entity.getProposal" entity_get_proposal(EntityGetProposal) -> ProposalView;
    /// Proposals of an entity.
    safe read "entity.proposals" entity_proposals(EntityProposals) -> Vec<ProposalView>;
    /// An entity, its board and where it stands.
    safe read "entity.getState" entity_get_state(EntityGet) -> EntityView;
    /// The boards of an entity and the heights that each certified.
    safe read "entity.boards" entity_boards(EntityBoards) -> Vec<TermView>;
    /// The board of an entity at a height, with a proof from a certified state.
    safe read "entity.getBoardProof" entity_get_board_proof(EntityGetBoardProof) -> BoardProofView;
    /// Entities known here.
    safe read "entity.list" entity_list(EntityList) -> Vec<EntityView>;

    /// Opens a channel, or adds an asset to one, and says what the peer may owe.
    unsafe write "channel.open" channel_open(ChannelOpen) -> Submitted;
    /// Pays the peer of a channel without a condition.
    unsafe write "channel.pay" channel_pay(ChannelPay) -> PaymentView;
    /// Closes a channel in agreement with the peer.
    unsafe write "channel.close" channel_close(ChannelClose) -> Submitted;
    /// Sets what the peer may owe.
    unsafe write "channel.setCredit" channel_set_credit(ChannelSetCredit) -> Submitted;
    /// Changes what the entity asks of those whose payments it carries.
    unsafe write "channel.setPolicy" channel_set_policy(ChannelSetPolicy) -> Submitted;
    /// Asks the peer to put collateral behind what it owes.
    unsafe write "channel.requestCollateral" channel_request_collateral(ChannelRequestCollateral) -> Submitted;
    /// A channel as one of its entities sees it.
    safe read "channel.get" channel_get(ChannelGet) -> ChannelView;
    /// Channels of an entity, or of all hosted entities.
    safe read "channel.list" channel_list(ChannelList) -> Vec<ChannelView>;
    /// Conditional payments in flight over a channel.
    safe read "channel.listHtlcs" channel_list_htlcs(ChannelListHtlcs) -> Vec<HtlcView>;

    /// Adds to a reserve what arrived outside.
    unsafe write "depositary.deposit" depositary_deposit(Deposit) -> Submitted;
    /// Takes out of a reserve what shall leave the network.
    unsafe write "depositary.withdraw" depositary_withdraw(Withdraw) -> Submitted;
    /// Moves from one reserve to another.
    unsafe write "depositary.transfer" depositary_transfer(Transfer) -> Submitted;
    /// Locks part of a reserve as collateral of a channel.
    unsafe write "depositary.allocate" depositary_allocate(Allocate) -> Submitted;
    /// Holdings at the depositary.
    safe read "depositary.listReserves" depositary_list_reserves(ListReserves) -> Vec<ReserveView>;
    /// Assets of the network; the first is the default of every request.
    safe read "depositary.listAssets" depositary_list_assets(NoParams) -> Vec<AssetView>;

    /// Makes an invoice.
    unsafe write "invoice.create" invoice_create(InvoiceCreate) -> InvoiceView;
    /// An invoice of a hosted entity.
    safe read "invoice.get" invoice_get(InvoiceGet) -> InvoiceView;
    /// Invoices of hosted entities.
    safe read "invoice.list" invoice_list(InvoiceList) -> Vec<InvoiceView>;
    /// Withdraws an open invoice.
    unsafe write "invoice.cancel" invoice_cancel(InvoiceCancel) -> InvoiceView;
    /// Reads the text of an invoice and checks its signature.
    safe read "invoice.decode" invoice_decode(InvoiceDecode) -> DecodedInvoice;

    /// Pays an entity or an invoice over one or more channels.
    unsafe write "payment.send" payment_send(PaymentSend) -> PaymentView;
    /// A payment of a hosted entity.
    safe read "payment.get" payment_get(PaymentGet) -> PaymentView;
    /// Payments of hosted entities.
    safe read "payment.list" payment_list(PaymentList) -> Vec<PaymentView>;
    /// Payments that hosted entities passed on.
    safe read "forward.list" forward_list(ForwardList) -> Vec<ForwardView>;
    /// Finds a way for a payment without sending it.
    safe read "route.query" route_query(RouteQuery) -> RouteView;

    /// What stands under a key of an entity.
    safe read "state.get" state_get(StateKey) -> StateView;
    /// The same with a proof from a certified frame.
    safe read "state.getProof" state_get_proof(StateKey) -> ProofView;
    /// The state tree: signers and entities of the server, storage and keys of an entity, with counts and hashes.
    safe read "state.tree" state_tree(StateTree) -> TreeView;
    /// A sealed block.
    safe read "chain.getBlock" chain_get_block(GetBlock) -> BlockView;
    /// A frame of an entity and what is in it.
    safe read "chain.getFrame" chain_get_frame(GetFrame) -> FrameView;
    /// The header of a frame.
    safe read "chain.getHeader" chain_get_header(GetFrame) -> FrameHeaderView;
    /// The certificate of a frame with all that is needed to check it.
    safe read "chain.getCertificate" chain_get_certificate(GetFrame) -> CertificateView;
    /// What became of a call.
    safe read "chain.getReceipt" chain_get_receipt(GetReceipt) -> ReceiptView;

    /// Hands in a call that was signed elsewhere.
    safe write "author.submit" author_submit(AuthorSubmit) -> Submitted;
    /// Calls that wait for inclusion.
    safe read "author.pending" author_pending(AuthorPending) -> Vec<PendingView>;
    /// The nonce that a signer's next call to an entity must carry.
    safe read "author.nonce" author_nonce(AuthorNonce) -> NonceView;
}
