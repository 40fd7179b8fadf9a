//! The tree with 100,000, a million and ten million keys: building, changing, proving, reading, comparing.
//!
//! `cargo bench -p xln-benches --bench tree`; takes about 4 GiB of memory. `-- '/1000000'` measures one size.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xln_benches::resident_bytes;
use xln_tree::{Config, Hasher, Tree};

/// Entries before anything is measured.
const SIZES: [u64; 3] = [100_000, 1_000_000, 10_000_000];

/// Entries where one size is enough.
const MILLION: u64 = 1_000_000;

/// Changes in the batch that the targets speak of.
const BATCH: u64 = 10_000;

type Key = [u8; 32];
type Value = [u8; 100];

fn mixed(index: u64) -> u64 {
    let mut mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The `index`th of an endless sequence of keys that look like hashes (splitmix64).
fn key(index: u64) -> Key {
    let mut key = [0; 32];
    for (place, word) in (0u64..).zip(key.chunks_exact_mut(8)) {
        word.copy_from_slice(&mixed(index * 4 + place).to_be_bytes());
    }
    key
}

/// Another value for entries chosen at random, sorted as a frame's changes are.
fn changes(entries: u64, count: u64, round: u64) -> Vec<(Key, Option<Value>)> {
    let mut value = [7; 100];
    value[..8].copy_from_slice(&round.to_be_bytes());
    let random = |place: u64| mixed((round << 32) + place) % entries;
    let mut changes: Vec<_> = (0..count).map(|place| (key(random(place)), Some(value))).collect();
    changes.sort_unstable();
    changes
}

/// Changes of a frame that opens and closes: every fourth a new key, every fourth one that goes, values of many lengths.
fn turnover(entries: u64, count: u64, round: u64) -> Vec<(Key, Option<Vec<u8>>)> {
    let random = |place: u64| mixed((round << 32) + place);
    let length = |place: u64| usize::try_from(20 + random(place) % 380).unwrap_or(20);
    let change = |place: u64| match place % 4 {
        0 => (key(entries + random(place) % entries), Some(vec![7; length(place)])),
        1 => (key(random(place) % entries), None),
        _ => (key(random(place) % entries), Some(vec![8; length(place)])),
    };
    let mut changes: Vec<_> = (0..count).map(change).collect();
    changes.sort_unstable();
    changes
}

fn sorted_keys(entries: u64) -> Vec<Key> {
    let mut keys: Vec<Key> = (0..entries).map(key).collect();
    keys.sort_unstable();
    keys
}

fn tree_of(entries: u64, config: Config) -> Tree {
    let keys = sorted_keys(entries);
    Tree::from_sorted(config, keys.iter().map(|key| (key, [7; 100]))).expect("sorted, within the limits")
}

/// What a batch costs with one tree held, and with the version before held beside it, as a node does for readers.
fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tree/update");
    group.sample_size(20);
    for entries in SIZES {
        let before = resident_bytes();
        let mut tree = tree_of(entries, Config::default());
        if let (Some(before), Some(after)) = (before, resident_bytes()) {
            let each = after.saturating_sub(before) as f64 / entries as f64;
            println!("{entries} entries of 32 + 100 bytes: {each:.0} resident bytes each");
        }
        let mut round = 0;
        group.throughput(Throughput::Elements(BATCH));
        for kept in [false, true] {
            let name = if kept { "10000, version before kept" } else { "10000" };
            group.bench_function(BenchmarkId::new(name, entries), |bencher| {
                let setup = || {
                    round += 1;
                    changes(entries, BATCH, round)
                };
                let mut version_before = None;
                let apply = |changes| {
                    version_before = kept.then(|| tree.clone());
                    black_box(tree.apply(changes).expect("within the limits"))
                };
                bencher.iter_batched(setup, apply, BatchSize::PerIteration);
                drop(version_before);
            });
        }
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("prove", entries), |bencher| {
            bencher.iter(|| {
                round += 1;
                tree.prove(&key(mixed(round) % entries))
            });
        });
        group.bench_function(BenchmarkId::new("get", entries), |bencher| {
            bencher.iter(|| {
                round += 1;
                tree.get(&key(mixed(round) % entries)).map(<[u8]>::len)
            });
        });
        let older = tree.clone();
        tree.apply(changes(entries, BATCH, round)).expect("within the limits");
        group.throughput(Throughput::Elements(BATCH));
        group.bench_function(BenchmarkId::new("diff of 10000", entries), |bencher| {
            bencher.iter(|| tree.diff(&older).count());
        });
        group.bench_function(BenchmarkId::new("turnover of 10000", entries), |bencher| {
            let setup = || {
                round += 1;
                (older.clone(), turnover(entries, BATCH, round))
            };
            let apply = |(mut tree, changes): (Tree, Vec<_>)| {
                black_box(tree.apply(changes).expect("within the limits"));
                tree
            };
            bencher.iter_batched(setup, apply, BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// Other numbers of changes, and the other hash function.
fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tree/batch");
    group.sample_size(20);
    for hasher in [Hasher::Blake3, Hasher::Keccak256] {
        let mut tree = tree_of(MILLION, Config::default_for(hasher));
        let mut round = 0;
        for count in [1, 100, 1_000, 100_000] {
            group.throughput(Throughput::Elements(count));
            group.bench_function(BenchmarkId::new(format!("{hasher:?}"), count), |bencher| {
                let setup = || {
                    round += 1;
                    changes(MILLION, count, round)
                };
                let apply = |changes| black_box(tree.apply(changes).expect("within the limits"));
                bencher.iter_batched(setup, apply, BatchSize::PerIteration);
            });
        }
    }
    group.finish();
}

fn layouts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tree/layout");
    group.sample_size(10);
    group.throughput(Throughput::Elements(BATCH));
    for (width, threshold) in [(1, 1), (2, 8), (3, 8), (4, 4), (4, 8), (4, 16), (4, 64), (8, 8), (8, 16)] {
        let config = Config::new(width, threshold, Hasher::Blake3).expect("within the limits");
        let tree = tree_of(MILLION, config);
        let mut round = 0;
        group.bench_function(format!("width {width}, leaves of {threshold}"), |bencher| {
            let setup = || {
                round += 1;
                (tree.clone(), changes(MILLION, BATCH, round))
            };
            // Each batch works on the same tree, which stays shared, as a frame does.
            let apply = |(mut tree, changes): (Tree, Vec<_>)| {
                black_box(tree.apply(changes).expect("within the limits"));
                tree
            };
            bencher.iter_batched(setup, apply, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn builds(criterion: &mut Criterion) {
    let keys = sorted_keys(MILLION);
    let mut group = criterion.benchmark_group("tree/build");
    group.sample_size(10);
    group.throughput(Throughput::Elements(MILLION));
    let entries = || keys.iter().map(|key| (key, [7; 100]));
    group.bench_function("from sorted", |bencher| {
        bencher.iter_with_large_drop(|| Tree::from_sorted(Config::default(), entries()).expect("sorted"));
    });
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    group.bench_function("from sorted, one thread", |bencher| {
        one_thread.install(|| {
            bencher.iter_with_large_drop(|| Tree::from_sorted(Config::default(), entries()).expect("sorted"));
        });
    });
    group.finish();
}

fn reads(criterion: &mut Criterion) {
    let tree = tree_of(MILLION, Config::default());
    let root = tree.root();
    let mut round = 0;
    let mut group = criterion.benchmark_group("tree/read");
    group.bench_function("verify", |bencher| {
        let proven = key(7);
        let proof = tree.prove(&proven);
        bencher.iter(|| proof.verify(&root, &proven, Hasher::Blake3));
    });
    group.bench_function("start a range", |bencher| {
        bencher.iter(|| {
            round += 1;
            tree.range(&[], Some(&key(mixed(round) % MILLION))).next().is_some()
        });
    });
    group.throughput(Throughput::Elements(MILLION));
    group.sample_size(10);
    group.bench_function("iterate", |bencher| bencher.iter(|| tree.iter().count()));
    group.finish();
}

criterion_group!(benches, updates, batches, layouts, builds, reads);
criterion_main!(benches);
