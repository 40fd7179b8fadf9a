//! The tree with a million keys: changing, proving, reading.
//!
//! `cargo bench -p xln-benches --bench tree`; takes about 1 GiB of memory.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xln_tree::{Config, Hasher, Tree};

/// Entries before anything is measured.
const ENTRIES: u64 = 1_000_000;

/// The `index`th of an endless sequence of keys that look like hashes (splitmix64).
fn key(index: u64) -> [u8; 32] {
    let mut key = [0; 32];
    for (place, word) in (0u64..).zip(key.chunks_exact_mut(8)) {
        let mut mixed = (index * 4 + place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word.copy_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
    }
    key
}

/// Another value for `count` of the entries, spread over all of them.
fn changes(count: u64, round: u64) -> Vec<([u8; 32], Option<[u8; 48]>)> {
    let mut value = [0; 48];
    value[..8].copy_from_slice(&round.to_be_bytes());
    let stride = 611_953; // A prime, so that no entry comes twice in a batch.
    (0..count).map(|index| (key((round + index * stride) % ENTRIES), Some(value))).collect()
}

fn million(config: Config) -> Tree {
    let mut tree = Tree::new(config);
    tree.apply((0..ENTRIES).map(|index| (key(index), Some([0; 48])))).expect("within the limits");
    tree
}

fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tree/apply");
    group.sample_size(20);
    for hasher in [Hasher::Blake3, Hasher::Keccak256] {
        let mut tree = million(Config::default_for(hasher));
        let mut round = 0;
        for count in [1, 1_000, 100_000] {
            group.throughput(Throughput::Elements(count));
            group.bench_function(BenchmarkId::new(format!("{hasher:?}"), count), |bencher| {
                let setup = || {
                    round += 1;
                    changes(count, round)
                };
                bencher.iter_batched(
                    setup,
                    |changes| black_box(tree.apply(changes).expect("within the limits")),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

fn layouts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tree/layout");
    group.sample_size(10);
    group.throughput(Throughput::Elements(100_000));
    for (width, threshold) in [(1, 1), (2, 8), (4, 1), (4, 16), (4, 64), (8, 16), (16, 16)] {
        let config = Config::new(width, threshold, Hasher::Blake3).expect("within the limits");
        let mut tree = million(config);
        let mut round = 0;
        group.bench_function(format!("width {width}, leaves of {threshold}"), |bencher| {
            let setup = || {
                round += 1;
                changes(100_000, round)
            };
            bencher.iter_batched(
                setup,
                |changes| black_box(tree.apply(changes).expect("within the limits")),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn reads(criterion: &mut Criterion) {
    let tree = million(Config::default());
    let root = tree.root();
    let mut round = 0;
    let mut next = || {
        round += 611_953;
        key(round % ENTRIES)
    };
    let mut group = criterion.benchmark_group("tree/read");
    group.bench_function("get", |bencher| bencher.iter(|| tree.get(&next()).map(<[u8]>::len)));
    group.bench_function("prove", |bencher| bencher.iter(|| tree.prove(&next())));
    group.bench_function("verify", |bencher| {
        let proven = key(7);
        let proof = tree.prove(&proven);
        bencher.iter(|| proof.verify(&root, &proven, Hasher::Blake3));
    });
    group.bench_function("start a range", |bencher| {
        bencher.iter(|| tree.range(&[], Some(&next())).next().is_some());
    });
    group.throughput(Throughput::Elements(ENTRIES));
    group.sample_size(10);
    group.bench_function("iterate", |bencher| bencher.iter(|| tree.iter().count()));
    group.finish();
}

criterion_group!(benches, updates, layouts, reads);
criterion_main!(benches);
