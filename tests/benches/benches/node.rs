//! A whole node: RPC, pool, author, database with fsync, both hops of a payment in one process.
//!
//! Measured: the time from `payment.send` to its answer on an idle node, which comes after the payee has been paid and
//! everything is durable; then, with many payers at once, payments per second, their latency and the interval between
//! blocks. `cargo bench -p xln-benches --bench node`; `XLN_BENCH_SECONDS` (default 10) and `XLN_BENCH_PAYERS` (default
//! 32) change the load. Prints a table and a line of JSON.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use xln_client::Client;
use xln_node::{
    Node,
    cli::PasswordSource,
    config::{BasePath, Config},
    logging::LogFormat,
};
use xln_primitives::Amount;
use xln_rpc::{
    Calls, EntityRef, ServerConfig,
    params::{PaymentSend, Subscribe},
    view::{Body, PaymentStatus},
};

/// Who pays whom over the hub: both ways, so that nobody runs dry.
const PAYERS: [(&str, &str); 4] =
    [("alice", "carol"), ("carol", "alice"), ("dave", "alice"), ("alice", "dave")];
/// Payments one after the other on an idle node.
const IDLE_PAYMENTS: u32 = 300;

fn main() {
    // Under `cargo test --benches` everything is run once, briefly.
    let brief = std::env::args().any(|argument| argument == "--test");
    let seconds = if brief { 1 } else { setting("XLN_BENCH_SECONDS", 10) };
    let payers = usize::try_from(setting("XLN_BENCH_PAYERS", 32)).unwrap_or(32);
    let idle_payments = if brief { 5 } else { IDLE_PAYMENTS };
    let sizes = format!("{idle_payments} payments one by one, then {payers} payers for {seconds} s");
    xln_benches::describe("node", "none", &sizes);
    let threads = tokio::runtime::Runtime::new().expect("threads");
    threads.block_on(async {
        let node = Node::start(config()).await.expect("the node starts");
        let url = format!("ws://{}", node.rpc_address());
        let idle = idle(&url, idle_payments).await;
        print("idle: pay over two hops, ms", &idle, 1_000.0);
        let (load, blocks, per_second) = load(&url, payers, Duration::from_secs(seconds)).await;
        println!("load: {payers} payers, {seconds} s, {per_second:.0} payments/s");
        print("load: pay over two hops, ms", &load, 1_000.0);
        print("load: block interval, ms", &blocks, 1.0);
        let percentile = |histogram: &Histogram<u64>, q| histogram.value_at_quantile(q);
        println!(
            "{{\"idle_us\":{{\"p50\":{},\"p99\":{}}},\"load_us\":{{\"p50\":{},\"p99\":{}}},\"block_ms\":{{\"p50\":{},\"p99\":{}}},\"payments_per_second\":{per_second:.0}}}",
            percentile(&idle, 0.5),
            percentile(&idle, 0.99),
            percentile(&load, 0.5),
            percentile(&load, 0.99),
            percentile(&blocks, 0.5),
            percentile(&blocks, 0.99),
        );
        node.stop().await.expect("the node stops");
    });
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn config() -> Config {
    Config {
        chain: "dev".into(),
        dev: true,
        dev_keys: Vec::new(),
        name: "bench".into(),
        base_path: BasePath::Temporary,
        keystore_path: None,
        password: PasswordSource::None,
        min_free_space: 0,
        snapshot_interval: xln_node::author::SNAPSHOT_INTERVAL,
        pruning: xln_store::Pruning::ARCHIVE,
        peers: xln_node::config::PeersConfig::default(),
        rpc: ServerConfig::at(([127, 0, 0, 1], 0).into()),
        prometheus: None,
        log: "warn".into(),
        log_format: LogFormat::Text,
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("valid bounds")
}

async fn connect(url: &str) -> Client {
    Client::connect(url, Duration::from_secs(30)).await.expect("the node answers")
}

/// Pays 1 and checks that it arrived.
async fn pay(client: &Client, payer: &str, payee: &str) -> bool {
    let request = PaymentSend {
        entity: Some(EntityRef::Name(payer.into())),
        to: Some(EntityRef::Name(payee.into())),
        asset: Some("usd".parse().expect("a symbol")),
        amount: Some(Amount::new(1)),
        wait: true,
        ..PaymentSend::default()
    };
    matches!(client.payment_send(&request).await, Ok(payment) if payment.status == PaymentStatus::Succeeded)
}

/// Payments one after the other: microseconds each.
async fn idle(url: &str, payments: u32) -> Histogram<u64> {
    let client = connect(url).await;
    let mut latency = histogram();
    for turn in 0..payments {
        let (payer, payee) = PAYERS[usize::try_from(turn).unwrap_or(0) % 2];
        let start = Instant::now();
        assert!(pay(&client, payer, payee).await, "a payment failed");
        latency.saturating_record(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    latency
}

/// Payments of many payers at once: microseconds each, milliseconds between blocks, payments per second.
async fn load(url: &str, payers: usize, length: Duration) -> (Histogram<u64>, Histogram<u64>, f64) {
    let stop = Arc::new(AtomicBool::new(false));
    let failed = Arc::new(AtomicU64::new(0));
    let watcher = tokio::spawn(block_intervals(url.to_owned(), Arc::clone(&stop)));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..payers {
        let (url, stop, failed) = (url.to_owned(), Arc::clone(&stop), Arc::clone(&failed));
        tasks.push(tokio::spawn(async move {
            let client = connect(&url).await;
            let (payer, payee) = PAYERS[number % PAYERS.len()];
            let mut latency = histogram();
            while !stop.load(Ordering::Acquire) {
                let start = Instant::now();
                if pay(&client, payer, payee).await {
                    latency.saturating_record(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
                } else {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
            latency
        }));
    }
    tokio::time::sleep(length).await;
    stop.store(true, Ordering::Release);
    let mut all = histogram();
    for task in tasks {
        all.add(task.await.expect("a payer")).expect("equal bounds");
    }
    let per_second = f64::from(u32::try_from(all.len()).unwrap_or(u32::MAX)) / start.elapsed().as_secs_f64();
    println!("load: {} payments succeeded, {} failed", all.len(), failed.load(Ordering::Relaxed));
    (all, watcher.await.expect("the watcher"), per_second)
}

/// Milliseconds between the timestamps of blocks.
async fn block_intervals(url: String, stop: Arc<AtomicBool>) -> Histogram<u64> {
    let client = connect(&url).await;
    let request = Subscribe { channels: vec!["blocks".parse().expect("a topic")], from: None };
    let mut blocks = client.notifications(&request).await.expect("a subscription");
    let mut intervals = histogram();
    let mut last = None;
    while !stop.load(Ordering::Acquire) {
        let next = tokio::time::timeout(Duration::from_millis(500), blocks.next()).await;
        let Ok(Some(Ok(notification))) = next else { continue };
        let Body::Block(block) = notification.body else { continue };
        let time = block.timestamp.as_millis();
        if let Some(last) = last {
            intervals.saturating_record(time - last);
        }
        last = Some(time);
    }
    intervals
}

fn print(what: &str, histogram: &Histogram<u64>, unit: f64) {
    let at = |q| f64::from(u32::try_from(histogram.value_at_quantile(q)).unwrap_or(u32::MAX)) / unit;
    println!(
        "{what}: n {}, p50 {:.2}, p95 {:.2}, p99 {:.2}, max {:.2}",
        histogram.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
}
