//! A small network in one process: what the API answers, from opening a channel to being paid.

mod governance;

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use codec::Encode;
use xln_keystore::{Keystore, dev_key};
use xln_primitives::{Amount, AssetId, Board, BoundedVec, Hash, Network, SecretKey, Timestamp, decode_exact};
use xln_rpc::{
    AssetRef, Bytes, ChannelRef, EntityRef, Feed, Topic,
    params::*,
    view::{Body, Direction, PaymentStatus, PaymentView, ServerRole, TreeNodeKind, TreeNodeView},
};
use xln_runtime::{
    CallBody, Genesis, RuntimeCall,
    genesis::{GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity, GenesisPolicy},
};
use xln_store::{Options, Store};
use xln_tree::{Hasher, Proof};

use super::{EntityId, Health, Identity, NodeBackend, Parts, cursor_after};
use crate::{
    author::{Author, KeystoreCertifier, Live, SNAPSHOT_INTERVAL},
    inbox::Inbox,
    metrics::Metrics,
    pool::{Limits, Pool},
    retained::Retained,
};

const USD: AssetId = AssetId::new([3; 32]);

fn entity(name: &str, reserve: u128) -> GenesisEntity {
    let board = Board::single(dev_key(name).public().unwrap());
    let policy = GenesisPolicy {
        base_fee: Amount::new(1),
        fee_ppm: 0,
        timelock_delta_ms: 40_000,
        htlc_min: Amount::new(1),
        htlc_max: Amount::MAX,
        pending_max: 100,
    };
    GenesisEntity {
        id: board.entity(),
        name: name.into(),
        board,
        reserves: vec![(USD, Amount::new(reserve))],
        policy: Some(policy).filter(|_| name == "hub"),
        governance: None,
    }
}

/// A depositary, a hub with much, alice with a channel to it and 1000 of collateral in her favour.
fn genesis() -> Genesis {
    let (alice, hub) = (entity("alice", 5_000), entity("hub", 100_000));
    let depositary = entity("depositary", 0);
    let (left, right) = (alice.id.min(hub.id), alice.id.max(hub.id));
    let ondelta = Amount::new(if left == alice.id { 1_000 } else { 0 });
    let row = GenesisChannelRow {
        asset: USD,
        collateral: Amount::new(1_000),
        ondelta,
        left_credit: Amount::ZERO,
        right_credit: Amount::ZERO,
    };
    Genesis {
        network: Network::new([9; 32]),
        timestamp: Timestamp::from_millis(1),
        depositary: depositary.id,
        dispute_window_ms: 10_000,
        hosted: None,
        assets: vec![GenesisAsset {
            id: USD,
            symbol: "usd".into(),
            name: "US dollar".into(),
            decimals: 2,
            bridge: depositary.id,
            faucet_max: Some(Amount::new(10_000)),
        }],
        entities: vec![depositary, hub, alice],
        channels: vec![GenesisChannel { left, right, rows: vec![row] }],
    }
}

/// A node without sockets. Its author stops when it is dropped.
struct Node {
    backend: NodeBackend,
    feed: Arc<Feed>,
    pool: Arc<Pool>,
    stop: Arc<AtomicBool>,
    author: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Node {
    fn start() -> Self {
        let genesis = genesis();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), genesis.network, &Options::default()).unwrap();
        let server = Arc::new(RwLock::new(genesis.build().unwrap()));
        let keystore = Arc::new(Keystore::in_memory());
        for name in ["depositary", "hub", "alice"] {
            keystore.insert(dev_key(name)).unwrap();
        }
        let pool = Arc::new(Pool::new(Arc::clone(&server), Limits::default()));
        let feed = Feed::new(cursor_after(0), 1_000, 100);
        let identity = Identity {
            name: "test".into(),
            version: "0".into(),
            role: ServerRole::Validator,
            chain_name: "Test".into(),
            chain_id: "test".into(),
            chain_type: "Development".into(),
            default_asset: Some("USD".into()),
            default_entity: Some(entity("alice", 0).id),
            unsafe_methods: true,
        };
        let backend = NodeBackend::new(Parts {
            server: Arc::clone(&server),
            pool: Arc::clone(&pool),
            store: store.clone(),
            keystore: Arc::clone(&keystore),
            feed: Arc::clone(&feed),
            known: super::Known::new(&genesis),
            others: Arc::default(),
            identity,
            health: Health::starting(),
            labels: None,
        })
        .unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let woken = Arc::clone(&pool);
        let inbox = Inbox::new(genesis.network, 1_000, move || woken.wake()).unwrap();
        let author = Author {
            server,
            source: Box::new(Live {
                pool: Arc::clone(&pool),
                inbox: Arc::clone(&inbox),
                decided: Arc::new(crate::consortium::DecidedFrames::new(Arc::clone(&pool))),
            }),
            pool: Arc::clone(&pool),
            inbox,
            retained: Arc::new(Retained::new(store.clone())),
            store,
            certifier: Arc::new(KeystoreCertifier::new(genesis.network, keystore)),
            observer: Box::new(backend.announcer()),
            metrics: Arc::new(Metrics::new(&genesis.assets)),
            stop: Arc::clone(&stop),
            free_space_min: 0,
            block_time: Duration::from_millis(10),
            snapshot_interval: SNAPSHOT_INTERVAL,
        };
        let author = std::thread::spawn(move || author.run().unwrap());
        Self { backend, feed, pool, stop, author: Some(author), _folder: folder }
    }

    /// Bob joins and lets the hub owe him up to 500.
    async fn welcome_bob(&self) {
        let name = Some("bob".to_owned());
        let bob = self.backend.entity_create(EntityCreate { name, signer: None, board: None }).await.unwrap();
        assert_eq!(bob.name.as_deref(), Some("bob"));
        let open = ChannelOpen {
            entity: Some(named("bob")),
            peer: named("hub"),
            asset: None,
            credit: Some(Amount::new(500)),
            wait: true,
        };
        self.backend.channel_open(open).await.unwrap();
    }

    async fn pay_bob(&self, amount: u128) -> Result<PaymentView, super::RpcError> {
        let amount = Some(Amount::new(amount));
        let send = PaymentSend { to: Some(named("bob")), amount, wait: true, ..PaymentSend::default() };
        self.backend.payment_send(send).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.pool.wake();
        if let Some(author) = self.author.take() {
            let ended = author.join();
            if !std::thread::panicking() {
                ended.unwrap();
            }
        }
    }
}

fn named(name: &str) -> EntityRef {
    EntityRef::Name(name.into())
}

fn reference(name: &str) -> ChannelRef {
    ChannelRef::Name(name.into())
}

#[tokio::test]
async fn a_newcomer_without_collateral_opens_a_channel_and_is_paid_over_a_hub() {
    let node = Node::start();
    node.welcome_bob().await;
    let paid = node.pay_bob(120).await.unwrap();
    assert_eq!(paid.status, PaymentStatus::Succeeded, "{:?}", paid.failure);
    assert_eq!((paid.amount, paid.fee), (Amount::new(120), Amount::new(1)));
    assert_eq!(
        paid.route.iter().filter_map(|party| party.name.as_deref()).collect::<Vec<_>>(),
        ["alice", "hub", "bob"]
    );
    assert!(paid.preimage.is_some());

    let get = |entity: &str| ChannelGet { entity: Some(named(entity)), channel: reference("hub") };
    let bobs = node.backend.channel_get(get("bob")).unwrap();
    let row = bobs.assets.first().unwrap();
    assert_eq!((row.out_capacity, row.in_capacity), (Amount::new(120), Amount::new(380)));
    assert_eq!(row.out_peer_credit, Amount::new(120), "the hub owes it");
    let alices = node.backend.channel_get(get("alice")).unwrap();
    assert_eq!(alices.assets.first().unwrap().out_capacity, Amount::new(879));
    assert_eq!(node.backend.channel_list(ChannelList::default()).unwrap().len(), 2, "each channel once");

    let list = |entity: &str| PaymentList { entity: Some(named(entity)), ..PaymentList::default() };
    let sent = node.backend.payment_list(list("alice")).unwrap();
    assert_eq!(
        sent.iter().map(|view| (view.direction, view.hash)).collect::<Vec<_>>(),
        [(Direction::Out, paid.hash)]
    );
    let received = node.backend.payment_list(list("bob")).unwrap();
    assert_eq!(
        received.iter().map(|view| (view.direction, view.hash)).collect::<Vec<_>>(),
        [(Direction::In, paid.hash)]
    );
    let forwards = node.backend.forward_list(ForwardList::default()).unwrap();
    assert_eq!(
        forwards.iter().map(|view| (view.fee, view.status)).collect::<Vec<_>>(),
        [(Amount::new(1), PaymentStatus::Succeeded)]
    );
    let stats = node.backend.server_get_stats(NoParams {}).unwrap();
    assert_eq!((stats.channels, stats.payments_succeeded, stats.entities), (2, 1, 4));
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused_with_the_numbers() {
    let node = Node::start();
    let error = node.pay_bob(1).await.unwrap_err();
    assert_eq!(error.name, "NotFound");
    node.welcome_bob().await;
    let error = node.pay_bob(1_200).await.unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (4200, "InsufficientCapacity"));
    let expected =
        "needs 12.00 usd, can send 10.00 usd: 10.00 usd collateral + 0.00 usd credit − 0.00 usd held";
    assert_eq!(error.message, expected);
    let error = node.pay_bob(600).await.unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (4202, "NoRoute"));
    assert_eq!(error.message, "bob can receive at most 5.00 usd over one channel, 6.00 usd is needed");
    let more = ChannelSetCredit {
        entity: Some(named("bob")),
        channel: reference("hub"),
        asset: None,
        limit: Amount::new(5_000),
        wait: true,
    };
    node.backend.channel_set_credit(more).await.unwrap();
    let error = node.pay_bob(1_000).await.unwrap_err();
    let expected = "alice can send 10.00 usd over one channel: enough for 10.00 usd, but not for the fee of 0.01 usd on top";
    assert_eq!(error.message, expected);
    assert_eq!((&error.details["fee"], &error.details["symbol"]), (&"1".into(), &"usd".into()));
    let transfer = Transfer {
        entity: None,
        to: named("hub"),
        asset: Some(AssetRef::Name("USD".into())),
        amount: Amount::new(9_000),
        wait: true,
    };
    let error = node.backend.depositary_transfer(transfer).await.unwrap_err();
    assert_eq!(
        (error.code, error.name.as_str()),
        (4200, "InsufficientReserve"),
        "as the depositary answered"
    );
    assert_eq!(error.details["has"], "5000");
    assert!(error.details["call"].is_string());
}

#[tokio::test]
async fn an_invoice_is_written_read_and_paid_once() {
    let node = Node::start();
    node.welcome_bob().await;
    let create = InvoiceCreate {
        entity: Some(named("bob")),
        amount: Some(Amount::new(50)),
        description: Some("a coffee".into()),
        ..InvoiceCreate::default()
    };
    let invoice = node.backend.invoice_create(create).await.unwrap();
    let decoded = node.backend.invoice_decode(InvoiceDecode { invoice: invoice.invoice.clone() }).unwrap();
    assert_eq!(
        (decoded.hash, decoded.amount, decoded.description.as_str()),
        (invoice.hash, invoice.amount, "a coffee")
    );
    let send = PaymentSend { invoice: Some(invoice.invoice), wait: true, ..PaymentSend::default() };
    let paid = node.backend.payment_send(send.clone()).await.unwrap();
    assert_eq!((paid.status, paid.hash), (PaymentStatus::Succeeded, Some(invoice.hash)));
    let settled = node.backend.invoice_get(InvoiceGet { hash: invoice.hash }).unwrap();
    assert_eq!((settled.received, settled.preimage), (Amount::new(50), paid.preimage));
    assert_eq!(node.backend.payment_send(send).await.unwrap_err().name, "DuplicatePayment");
}

#[tokio::test]
async fn a_direct_payment_is_reported_when_the_peer_has_acknowledged_it() {
    let node = Node::start();
    let pay = ChannelPay {
        entity: None,
        channel: reference("hub"),
        asset: None,
        amount: Amount::new(10),
        description: None,
        wait: true,
    };
    let paid = node.backend.channel_pay(pay).await.unwrap();
    assert_eq!((paid.status, paid.direct), (PaymentStatus::Succeeded, true));
    let hash = paid.hash.unwrap();
    let receipt = GetReceipt { hash: (*hash.as_bytes()).into() };
    assert_eq!(node.backend.chain_get_receipt(receipt).unwrap().error, None);
}

#[tokio::test]
async fn a_call_that_is_handed_in_twice_has_one_effect_and_one_receipt() {
    let node = Node::start();
    let key: SecretKey = dev_key("alice");
    let body = CallBody {
        version: xln_primitives::CALL_VERSION,
        network: Network::new([9; 32]),
        signer: key.public().unwrap(),
        entity: entity("alice", 0).id,
        nonce: 0,
        valid_until: Timestamp::MAX,
        calls: BoundedVec::truncate_from(vec![RuntimeCall::Channels(pallet_channels::Call::SetPolicy {
            policy: pallet_channels::Policy::default(),
        })]),
        tip: Amount::ZERO,
    };
    let call = Bytes(body.sign(&key).unwrap().encode());
    let submit = || node.backend.author_submit(AuthorSubmit { call: call.clone(), wait: true });
    let (first, second) = (submit().await.unwrap(), submit().await.unwrap());
    assert_eq!(first.hash, second.hash);
    assert_eq!(first.receipt.unwrap().height, second.receipt.unwrap().height);
    let nonce = AuthorNonce { entity: entity("alice", 0).id, signer: key.public().unwrap().signer_id() };
    assert_eq!(node.backend.author_nonce(nonce).unwrap().next.0, 1);
    let garbage = AuthorSubmit { call: Bytes(vec![1, 2, 3]), wait: true };
    assert_eq!(node.backend.author_submit(garbage).await.unwrap_err().name, "InvalidParams");
}

#[tokio::test]
async fn state_is_proven_against_a_certified_frame() {
    let node = Node::start();
    node.welcome_bob().await;
    let key = xln_primitives::StorageValue::<u8>::new(xln_primitives::StorageType::Metadata, 0);
    let state_key = || StateKey { entity: named("bob"), key: Bytes(key.key().as_ref().to_vec()) };
    let proven = node.backend.state_get_proof(state_key()).unwrap();
    let proof: Proof = decode_exact(&proven.proof.0, 16 * 1024).unwrap();
    let value = proof.verify(proven.header.state_root.as_bytes(), &proven.key.0, Hasher::Blake3).unwrap();
    assert_eq!(value.map(Bytes), proven.value);
    assert_eq!(node.backend.state_get(state_key()).unwrap().value, proven.value);
    let frame = GetFrame { entity: named("bob"), height: None };
    assert_eq!(node.backend.chain_get_certificate(frame.clone()).unwrap().header, proven.header);
    assert_eq!(node.backend.chain_get_frame(frame).unwrap().header, proven.header);
    let old = GetFrame { entity: named("bob"), height: Some(xln_rpc::U64(0)) };
    assert!(node.backend.chain_get_header(old).unwrap_err().hint.is_some());
    let genesis = GetFrame { entity: named("depositary"), height: None };
    assert_eq!(node.backend.chain_get_certificate(genesis).unwrap_err().name, "NotFound");
}

#[tokio::test]
async fn the_state_tree_leads_from_the_root_to_every_key() {
    let node = Node::start();
    node.welcome_bob().await;
    let ask = |entity: Option<&str>, prefix: &[u8], depth: Option<u32>| {
        let entity = entity.map(named);
        let prefix = Some(Bytes(prefix.to_vec()));
        node.backend.state_tree(StateTree { entity, prefix, depth, ..StateTree::default() }).unwrap()
    };
    let signers = ask(None, &[], None);
    let entities = ask(None, &[], Some(64));
    let sum = |nodes: &[TreeNodeView]| nodes.iter().map(|node| node.entries.0).sum::<u64>();
    assert!(signers.nodes.iter().all(|node| node.kind == TreeNodeKind::Signer));
    assert_eq!((sum(&signers.nodes), sum(&entities.nodes)), (signers.entries.0, entities.nodes.len() as u64));
    let bob = entities.nodes.iter().find(|node| node.name.as_deref() == Some("bob")).unwrap();
    let frame = GetFrame { entity: named("bob"), height: None };
    let header = node.backend.chain_get_header(frame).unwrap();
    assert_eq!((bob.kind, bob.hash), (TreeNodeKind::Entity, Some(Hash::new(*header.hash.as_bytes()))));

    let storage = ask(Some("bob"), &[], None);
    assert_eq!(storage.root, header.state_root);
    assert_eq!(sum(&storage.nodes), storage.entries.0);
    let names: Vec<&str> = storage.nodes.iter().filter_map(|node| node.name.as_deref()).collect();
    assert_eq!(names, ["channels", "board", "metadata", "inboxes"]);
    let channels = ask(Some("bob"), &[3, 0], Some(32));
    let [channel] = &channels.nodes[..] else { panic!("{channels:?}") };
    let rows = ask(Some("bob"), &channel.prefix.0, Some(1));
    assert_eq!((sum(&rows.nodes), rows.nodes.len() as u64), (channel.entries.0, channel.entries.0));
    let state = node.backend.entity_get_state(EntityGet { entity: named("bob") }).unwrap();
    assert_eq!(state.channels, 1, "rows of one channel count once");
    let stats = node.backend.server_get_stats(NoParams {}).unwrap();
    assert_eq!((stats.channels, stats.pending_htlcs), (2, 0));
    let channel = &rows.nodes[0];
    assert_eq!((channel.kind, channel.entries.0), (TreeNodeKind::Entry, 1));
    let key = StateKey { entity: named("bob"), key: channel.prefix.clone() };
    assert_eq!(node.backend.state_get(key).unwrap().value, channel.value);
    assert!(ask(Some("bob"), &[2], None).nodes.is_empty());
    let long = StateTree { prefix: Some(Bytes(vec![0; 200])), ..StateTree::default() };
    assert_eq!(node.backend.state_tree(long).unwrap_err().name, "InvalidParams");
}

#[tokio::test]
async fn a_subscriber_that_comes_back_misses_nothing() {
    let node = Node::start();
    node.welcome_bob().await;
    let mut first = node.feed.subscribe(vec![Topic::Payments], None).unwrap();
    let paid = node.pay_bob(5).await.unwrap();
    let started = first.next().await.unwrap();
    let mut seen = vec![started.body.clone()];
    drop(first);
    let again = node.pay_bob(6).await.unwrap();
    let mut second = node.feed.subscribe(vec![Topic::Payments], Some(started.cursor.0)).unwrap();
    loop {
        let notification = second.next().await.unwrap();
        assert!(notification.cursor > started.cursor);
        let is_last = matches!(&notification.body, Body::Payment(view) if view.hash == again.hash);
        seen.push(notification.body);
        if is_last {
            break;
        }
    }
    assert!(seen.iter().any(|body| matches!(body, Body::Forward(view) if view.hash == paid.hash.unwrap())));
    let is_alices = |body: &&Body| matches!(body, Body::Payment(view) if view.number == paid.number && view.status == PaymentStatus::Succeeded);
    assert_eq!(seen.iter().filter(is_alices).count(), 1, "a payment succeeds once: {seen:?}");
}

#[tokio::test]
async fn names_are_taken_once_and_unknown_ones_are_refused() {
    let node = Node::start();
    let again = EntityCreate { name: Some("alice".into()), signer: None, board: None };
    assert_eq!(node.backend.entity_create(again).await.unwrap_err().name, "InvalidParams");
    let created =
        node.backend.signer_create(SignerCreate { label: Some("till".into()), scheme: None }).await.unwrap();
    let shop = EntityCreate {
        name: Some("shop".into()),
        signer: Some(xln_rpc::SignerRef::Name("till".into())),
        board: None,
    };
    let shop = node.backend.entity_create(shop).await.unwrap();
    let entities = node.backend.signer_get_entities(SignerEntities { signer: created.id.into() }).unwrap();
    assert_eq!(entities.iter().map(|view| view.id).collect::<Vec<_>>(), [shop.id]);
    let page = EntityList { limit: Some(2), ..EntityList::default() };
    let first = node.backend.entity_list(page).unwrap();
    let rest = EntityList { after: first.last().map(|view| view.id), ..EntityList::default() };
    assert_eq!(first.len() + node.backend.entity_list(rest).unwrap().len(), 4);
    let ghost = node.backend.entity_get_state(EntityGet { entity: EntityRef::Id(EntityId::new([5; 32])) });
    assert!(ghost.unwrap_err().hint.is_some());
    assert!(node.backend.chain_get_block(GetBlock { hash: Some(Hash::ZERO), number: None }).is_err());
}
