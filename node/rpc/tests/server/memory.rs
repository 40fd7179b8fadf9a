//! A backend that remembers what it is told and knows little else.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::json;
use xln_primitives::{Amount, CallHash, EntityId, Network, Timestamp};
use xln_rpc::{Backend, EntityRef, Feed, RpcError, U64, error::code, params::*, view::*};

/// How many events a subscriber of the test may be behind.
pub(crate) const QUEUE: usize = 4;
/// How many events are kept for those who resume.
pub(crate) const KEPT: usize = 200;

pub(crate) struct Memory {
    feed: Arc<Feed>,
    pub(crate) ready: AtomicBool,
}

impl Memory {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { feed: Feed::new(1, KEPT, QUEUE), ready: AtomicBool::new(true) })
    }
}

fn alice() -> PartyView {
    PartyView { id: EntityId::new([1; 32]), name: Some("alice".into()) }
}

/// Methods of which these tests need only that they exist.
macro_rules! elsewhere {
    ($(read $function:ident($params:ty) -> $answer:ty;)* $(write $later:ident($asked:ty) -> $given:ty;)*) => {
        $(fn $function(&self, _: $params) -> Result<$answer, RpcError> {
            Err(RpcError::not_found("answer to", stringify!($function)))
        })*
        $(async fn $later(&self, _: $asked) -> Result<$given, RpcError> {
            Err(RpcError::not_found("answer to", stringify!($later)))
        })*
    };
}

impl Backend for Memory {
    fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    fn server_get_info(&self, _: NoParams) -> Result<ServerInfo, RpcError> {
        Ok(ServerInfo {
            name: "test".into(),
            version: "1.2.3".into(),
            role: ServerRole::Validator,
            network: Network::new([9; 32]),
            chain_name: "Test".into(),
            chain_id: "test".into(),
            chain_type: "Development".into(),
            depositary: EntityId::new([7; 32]),
            default_entity: Some(alice().id),
            block: U64(u64::MAX),
            slice: U64(1),
            state_root: xln_primitives::Hash::ZERO,
            time: Timestamp::from_millis(1_000),
            uptime_ms: 5,
            unsafe_methods: true,
        })
    }

    fn system_health(&self, _: NoParams) -> Result<HealthView, RpcError> {
        let ready = self.ready.load(Ordering::Relaxed);
        Ok(HealthView {
            ready,
            reason: (!ready).then(|| "the disk is full".into()),
            block: U64(7),
            block_age_ms: 1,
            pending_calls: 0,
            peers: 0,
        })
    }

    fn entity_list(&self, params: EntityList) -> Result<Vec<EntityView>, RpcError> {
        // Larger than any limit on answers that a test sets.
        let large = "x".repeat(page_size(params.limit));
        Err(RpcError::internal(large))
    }

    fn state_get(&self, params: StateKey) -> Result<StateView, RpcError> {
        let entity = match params.entity {
            EntityRef::Id(id) => id,
            EntityRef::Name(name) => return Err(RpcError::not_found("entity", name)),
        };
        Ok(StateView { entity, key: params.key, value: None, height: U64(3) })
    }

    async fn depositary_deposit(&self, params: Deposit) -> Result<Submitted, RpcError> {
        if params.amount > Amount::new(1_000) {
            return Err(RpcError::new(code::INSUFFICIENT_FUNDS, "FaucetLimit", "at most 1000 at once")
                .with_details(json!({ "limit": "1000", "asked": params.amount }))
                .with_hint("deposit in parts"));
        }
        let receipt = ReceiptView {
            hash: CallHash::new([5; 32]),
            entity: alice(),
            height: U64(1),
            block: None,
            status: CallStatus::Succeeded,
            error: None,
            events: vec![json!({ "name": "Deposited", "amount": params.amount })],
            changes: Vec::new(),
        };
        Ok(Submitted { hash: receipt.hash, receipt: params.wait.then_some(receipt) })
    }

    elsewhere! {
        read server_get_stats(NoParams) -> ServerStats;
        read system_version(NoParams) -> VersionView;
        read system_refusals(NoParams) -> RefusalsView;
        read consensus_status(NoParams) -> Vec<BoardStatusView>;
        read consensus_evidence(ConsensusEvidence) -> Vec<EvidenceView>;
        read signer_list(NoParams) -> Vec<SignerView>;
        read signer_get_entities(SignerEntities) -> Vec<EntityView>;
        read entity_get_proposal(EntityGetProposal) -> ProposalView;
        read entity_proposals(EntityProposals) -> Vec<ProposalView>;
        read entity_boards(EntityBoards) -> Vec<TermView>;
        read entity_get_board_proof(EntityGetBoardProof) -> BoardProofView;
        read entity_get_state(EntityGet) -> EntityView;
        read channel_get(ChannelGet) -> ChannelView;
        read channel_list(ChannelList) -> Vec<ChannelView>;
        read channel_list_htlcs(ChannelListHtlcs) -> Vec<HtlcView>;
        read depositary_list_reserves(ListReserves) -> Vec<ReserveView>;
        read depositary_list_assets(NoParams) -> Vec<AssetView>;
        read invoice_get(InvoiceGet) -> InvoiceView;
        read invoice_list(InvoiceList) -> Vec<InvoiceView>;
        read invoice_decode(InvoiceDecode) -> DecodedInvoice;
        read payment_get(PaymentGet) -> PaymentView;
        read payment_list(PaymentList) -> Vec<PaymentView>;
        read forward_list(ForwardList) -> Vec<ForwardView>;
        read route_query(RouteQuery) -> RouteView;
        read state_get_proof(StateKey) -> ProofView;
        read state_tree(StateTree) -> TreeView;
        read chain_get_block(GetBlock) -> BlockView;
        read chain_get_frame(GetFrame) -> FrameView;
        read chain_get_header(GetFrame) -> FrameHeaderView;
        read chain_get_certificate(GetFrame) -> CertificateView;
        read chain_get_receipt(GetReceipt) -> ReceiptView;
        read author_pending(AuthorPending) -> Vec<PendingView>;
        read author_nonce(AuthorNonce) -> NonceView;
        write system_peers(NoParams) -> Vec<PeerView>;
        write system_allow_peer(PeerName) -> PeerChanged;
        write system_disallow_peer(PeerName) -> PeerChanged;
        write system_add_peer(PeerAt) -> PeerChanged;
        write system_remove_peer(PeerName) -> PeerChanged;
        write signer_create(SignerCreate) -> SignerView;
        write entity_create(EntityCreate) -> EntityView;
        write entity_register(EntityRegister) -> RegisteredView;
        write entity_propose(EntityPropose) -> DecisionView;
        write entity_vote(EntityVote) -> DecisionView;
        write entity_withdraw(EntityWithdraw) -> DecisionView;
        write entity_delegate(EntityDelegate) -> DecisionView;
        write entity_set_policy(EntitySetPolicy) -> DecisionView;
        write entity_set_listing(EntitySetListing) -> DecisionView;
        write channel_open(ChannelOpen) -> Submitted;
        write channel_pay(ChannelPay) -> PaymentView;
        write channel_close(ChannelClose) -> Submitted;
        write channel_set_credit(ChannelSetCredit) -> Submitted;
        write channel_set_policy(ChannelSetPolicy) -> Submitted;
        write channel_request_collateral(ChannelRequestCollateral) -> Submitted;
        write depositary_withdraw(Withdraw) -> Submitted;
        write depositary_transfer(Transfer) -> Submitted;
        write depositary_allocate(Allocate) -> Submitted;
        write invoice_create(InvoiceCreate) -> InvoiceView;
        write invoice_cancel(InvoiceCancel) -> InvoiceView;
        write payment_send(PaymentSend) -> PaymentView;
        write author_submit(AuthorSubmit) -> Submitted;
    }
}
