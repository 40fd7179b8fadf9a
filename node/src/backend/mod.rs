//! What the node answers: [`xln_rpc::Backend`] over the committed state, the pool, the store and the keystore.
//!
//! ```text
//!            ┌─ reads ──► an entity's committed state ─► view        (a read takes the lock only to clone a handle)
//!  request ──┤
//!            └─ writes ─► call, signed with the entity's key ─► pool ─► receipt ─► answer
//!                                                                        │
//!  author ──► Announcer ─► names, recent outcomes, counters ─► Feed ◄────┘  subscriptions
//! ```
//!
//! One file per area of methods; beside them `codes` and `wording` (errors), `events` and `json` (what happened, as JSON),
//! `directory` (names), `act` (calls of hosted entities) and `route` (ways of payments).

mod act;
mod actions;
mod announcer;
mod author;
mod bech32m;
mod boards;
mod call_text;
mod chain;
mod channels;
mod codes;
mod consensus;
mod decisions;
mod depositary;
mod directory;
mod entities;
mod events;
mod identity;
mod invoice_text;
mod invoices;
mod json;
mod known;
mod labels;
mod pay;
mod payments;
mod peers;
mod policies;
mod proposals;
mod receipts;
mod recent;
mod route;
mod server;
mod signers;
mod state;
mod state_tree;
#[cfg(test)]
mod tests;
mod wording;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
    time::Instant,
};

use xln_keystore::Keystore;
use xln_primitives::EntityId;
use xln_rpc::{Backend, EntityRef, Feed, RpcError, params::*, view::*};
use xln_runtime::{Entity, Server};
use xln_store::Store;

use crate::{consortium::Shared, http::Health, pool::Pool};
use directory::Directory;
use labels::Labels;
use recent::Recent;

pub use announcer::{Announcer, cursor_after};
pub use identity::Identity;
pub use known::Known;

/// Most names that an error lists.
const NAMES_MAX: usize = 20;

/// What a backend works with.
pub struct Parts {
    /// The committed state.
    pub server: Arc<RwLock<Server>>,
    /// Calls that wait.
    pub pool: Arc<Pool>,
    /// What is durable.
    pub store: Store,
    /// The keys.
    pub keystore: Arc<Keystore>,
    /// Where subscriptions read.
    pub feed: Arc<Feed>,
    /// What is known of entities elsewhere.
    pub known: Known,
    /// What is known of other servers and of boards.
    pub others: Arc<Shared>,
    /// What this node is.
    pub identity: Identity,
    /// Whether it works.
    pub health: Health,
    /// Where labels of keys are kept; in memory only if absent.
    pub labels: Option<PathBuf>,
}

/// The node behind its API.
pub struct NodeBackend {
    server: Arc<RwLock<Server>>,
    pool: Arc<Pool>,
    store: Store,
    keystore: Arc<Keystore>,
    feed: Arc<Feed>,
    known: Known,
    others: Arc<Shared>,
    identity: Identity,
    health: Health,
    started: Instant,
    /// Sum of the heights of all entities at the start.
    frames_before: u64,
    slices_before: u64,
    directory: Arc<Directory>,
    recent: Arc<Recent>,
    labels: Arc<Labels>,
    census: Mutex<Option<server::Census>>,
}

impl NodeBackend {
    /// A backend over these parts. Reads the names of all entities.
    pub fn new(parts: Parts) -> Result<Self, RpcError> {
        let Parts { server, pool, store, keystore, feed, known, others, identity, health, labels } = parts;
        let (directory, frames_before, slices_before) = {
            let server = server.read().unwrap_or_else(PoisonError::into_inner);
            let directory = Directory::new(&server, &known, identity.default_asset.as_deref())?;
            (directory, server::heights(&server), server.slice())
        };
        Ok(Self {
            server,
            pool,
            store,
            keystore,
            feed,
            known,
            others,
            identity,
            health,
            started: Instant::now(),
            frames_before,
            slices_before,
            directory: Arc::new(directory),
            recent: Arc::new(Recent::new(slices_before)),
            labels: Arc::new(Labels::open(labels)?),
            census: Mutex::new(None),
        })
    }

    /// What the author tells of its work, for this backend and its subscribers.
    #[must_use]
    pub fn announcer(&self) -> Announcer {
        Announcer {
            server: Arc::clone(&self.server),
            store: self.store.clone(),
            keystore: Arc::clone(&self.keystore),
            feed: Arc::clone(&self.feed),
            directory: Arc::clone(&self.directory),
            labels: Arc::clone(&self.labels),
            recent: Arc::clone(&self.recent),
        }
    }

    /// The committed state. Not to be held for long: the author waits for it.
    fn read(&self) -> RwLockReadGuard<'_, Server> {
        self.server.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// An entity as it is now, if it is hosted here.
    fn hosted(&self, id: &EntityId) -> Option<Entity> {
        self.read().entity(id).cloned()
    }

    /// An entity as it is now.
    fn entity(&self, id: &EntityId) -> Result<Entity, RpcError> {
        self.hosted(id).ok_or_else(|| {
            RpcError::not_found("entity", self.directory.party(*id).label())
                .with_hint("it is not hosted here; entity.list names those that are")
        })
    }

    /// The entity that a request means: the one it names, or the node's default.
    fn acting(&self, reference: Option<&EntityRef>) -> Result<Entity, RpcError> {
        let id = match reference {
            Some(reference) => self.directory.entity(reference)?,
            None => match self.identity.default_entity {
                Some(id) => id,
                None => return Err(RpcError::no_entity(&self.names_to_choose_from())),
            },
        };
        self.entity(&id)
    }

    /// Names of hosted entities, for whoever did not say which one acts.
    fn names_to_choose_from(&self) -> Vec<String> {
        let server = self.read();
        let depositary = server.facts().depositary;
        let ids = server.entities().map(Entity::id).filter(|id| *id != depositary);
        let mut names: Vec<String> = ids.filter_map(|id| self.directory.name(&id)).take(NAMES_MAX).collect();
        names.sort();
        names
    }

    /// All hosted entities as they are now, or the one that a request names.
    fn selected(&self, reference: Option<&EntityRef>) -> Result<Vec<Entity>, RpcError> {
        match reference {
            Some(_) => Ok(vec![self.acting(reference)?]),
            None => Ok(self.read().entities().cloned().collect()),
        }
    }
}

/// Each method of the API is an inherent method of the same name, in the file of its area.
macro_rules! answer {
    (read $method:ident($params:ty) -> $answer:ty) => {
        fn $method(&self, params: $params) -> Result<$answer, RpcError> {
            NodeBackend::$method(self, params).map_err(|error| self.directory.worded(error, None))
        }
    };
    (write $method:ident($params:ty) -> $answer:ty) => {
        async fn $method(&self, params: $params) -> Result<$answer, RpcError> {
            let answer = NodeBackend::$method(self, params).await;
            answer.map_err(|error| self.directory.worded(error, None))
        }
    };
}

macro_rules! answers {
    ($($mode:ident $method:ident($params:ty) -> $answer:ty;)*) => {
        impl Backend for NodeBackend {
            fn feed(&self) -> &Arc<Feed> {
                &self.feed
            }

            $(answer! { $mode $method($params) -> $answer })*
        }
    };
}

answers! {
    read server_get_info(NoParams) -> ServerInfo;
    read server_get_stats(NoParams) -> ServerStats;
    read system_health(NoParams) -> HealthView;
    read system_version(NoParams) -> VersionView;
    write system_peers(NoParams) -> Vec<PeerView>;
    write system_allow_peer(PeerName) -> PeerChanged;
    write system_disallow_peer(PeerName) -> PeerChanged;
    write system_add_peer(PeerAt) -> PeerChanged;
    write system_remove_peer(PeerName) -> PeerChanged;
    read system_refusals(NoParams) -> RefusalsView;

    read consensus_status(NoParams) -> Vec<BoardStatusView>;
    read consensus_evidence(ConsensusEvidence) -> Vec<EvidenceView>;

    write signer_create(SignerCreate) -> SignerView;
    read signer_list(NoParams) -> Vec<SignerView>;
    read signer_get_entities(SignerEntities) -> Vec<EntityView>;

    write entity_create(EntityCreate) -> EntityView;
    write entity_register(EntityRegister) -> RegisteredView;
    write entity_propose(EntityPropose) -> DecisionView;
    write entity_vote(EntityVote) -> DecisionView;
    write entity_withdraw(EntityWithdraw) -> DecisionView;
    write entity_delegate(EntityDelegate) -> DecisionView;
    write entity_set_policy(EntitySetPolicy) -> DecisionView;
    write entity_set_listing(EntitySetListing) -> DecisionView;
    read entity_get_proposal(EntityGetProposal) -> ProposalView;
    read entity_proposals(EntityProposals) -> Vec<ProposalView>;
    read entity_get_state(EntityGet) -> EntityView;
    read entity_boards(EntityBoards) -> Vec<TermView>;
    read entity_get_board_proof(EntityGetBoardProof) -> BoardProofView;
    read entity_list(EntityList) -> Vec<EntityView>;

    write channel_open(ChannelOpen) -> Submitted;
    write channel_pay(ChannelPay) -> PaymentView;
    write channel_close(ChannelClose) -> Submitted;
    write channel_set_credit(ChannelSetCredit) -> Submitted;
    write channel_set_policy(ChannelSetPolicy) -> Submitted;
    write channel_request_collateral(ChannelRequestCollateral) -> Submitted;
    read channel_get(ChannelGet) -> ChannelView;
    read channel_list(ChannelList) -> Vec<ChannelView>;
    read channel_list_htlcs(ChannelListHtlcs) -> Vec<HtlcView>;

    write depositary_deposit(Deposit) -> Submitted;
    write depositary_withdraw(Withdraw) -> Submitted;
    write depositary_transfer(Transfer) -> Submitted;
    write depositary_allocate(Allocate) -> Submitted;
    read depositary_list_reserves(ListReserves) -> Vec<ReserveView>;
    read depositary_list_assets(NoParams) -> Vec<AssetView>;

    write invoice_create(InvoiceCreate) -> InvoiceView;
    read invoice_get(InvoiceGet) -> InvoiceView;
    read invoice_list(InvoiceList) -> Vec<InvoiceView>;
    write invoice_cancel(InvoiceCancel) -> InvoiceView;
    read invoice_decode(InvoiceDecode) -> DecodedInvoice;

    write payment_send(PaymentSend) -> PaymentView;
    read payment_get(PaymentGet) -> PaymentView;
    read payment_list(PaymentList) -> Vec<PaymentView>;
    read forward_list(ForwardList) -> Vec<ForwardView>;
    read route_query(RouteQuery) -> RouteView;

    read state_get(StateKey) -> StateView;
    read state_get_proof(StateKey) -> ProofView;
    read state_tree(StateTree) -> TreeView;
    read chain_get_block(GetBlock) -> BlockView;
    read chain_get_frame(GetFrame) -> FrameView;
    read chain_get_header(GetFrame) -> FrameHeaderView;
    read chain_get_certificate(GetFrame) -> CertificateView;
    read chain_get_receipt(GetReceipt) -> ReceiptView;

    write author_submit(AuthorSubmit) -> Submitted;
    read author_pending(AuthorPending) -> Vec<PendingView>;
    read author_nonce(AuthorNonce) -> NonceView;
}
