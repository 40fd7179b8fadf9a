//! The names that dashboards and alert rules rely on.

use std::{
    collections::BTreeSet,
    sync::{Arc, RwLock},
    time::Duration,
};

use xln_chain_spec::ChainSpec;
use xln_node::metrics::Metrics;
use xln_primitives::{Amount, AssetId, CallHash, ChannelId, EntityId, StateChange, StorageType, Timestamp};
use xln_runtime::{EntityEvents, Receipt, RuntimeError, RuntimeEvent, genesis::GenesisAsset};

/// A payment of 120.50 usd.
fn paid(from: EntityId, to: EntityId) -> RuntimeEvent {
    RuntimeEvent::Channels(pallet_channels::Event::PaidDirect {
        channel: ChannelId::ZERO,
        asset: AssetId::named("usd"),
        amount: Amount::new(12_050),
        from,
        to,
    })
}

fn usd() -> GenesisAsset {
    GenesisAsset {
        id: AssetId::named("usd"),
        symbol: "usd".to_owned(),
        name: "US dollar".to_owned(),
        decimals: 2,
        bridge: EntityId::ZERO,
        faucet_max: None,
    }
}

fn receipt(result: Result<(), RuntimeError>, events: Vec<RuntimeEvent>) -> Arc<Receipt> {
    let (call, entity) = (CallHash::default(), EntityId::ZERO);
    Arc::new(Receipt { call, entity, height: 1, result, events, changes: Vec::new() })
}

#[test]
fn exactly_these_names_are_exported() {
    let genesis = ChainSpec::load("dev").unwrap().to_genesis().unwrap();
    let channels = genesis.channels.len();
    let of_genesis = genesis.channels.first().map(|channel| (channel.left, channel.right)).unwrap();
    let server = Arc::new(RwLock::new(genesis.build().unwrap()));
    let keys = server.read().unwrap().keys();
    let metrics = Metrics::new(&[usd()]).of_state(server).of_consortium(&Arc::default());
    let (payer, payee) = (EntityId::new([1; 32]), EntityId::new([2; 32]));
    let stranger = RuntimeError::ForgedNotice { from: payer };
    // A call that only queues a move of a channel has no event yet.
    let key = vec![StorageType::Channels as u8, 7];
    let queued = Receipt {
        changes: vec![StateChange { key, old: None, new: Some(vec![1]) }],
        ..Receipt::clone(&receipt(Ok(()), vec![]))
    };
    metrics.receipts(&[receipt(Ok(()), vec![paid(payer, payee)]), Arc::new(queued)]);
    metrics.receipts(&[receipt(Err(stranger), vec![])]);
    // Both sides report the payment; it counts once.
    for entity in [payer, payee] {
        let (height, timestamp) = (1, Timestamp::ZERO);
        metrics.events(&[EntityEvents { entity, height, timestamp, events: vec![paid(payer, payee)] }]);
    }
    metrics.written(Duration::from_millis(1), 100);
    metrics.slice_durable(Duration::from_millis(2), 3);
    metrics.block_sealed(Duration::from_millis(1));
    metrics.block_interval(Duration::from_millis(100));
    metrics.snapshot_written(Duration::from_millis(5));
    metrics.pool(4);
    // Each side reports that a channel opened; it counts once. One of genesis reports it with its first frame.
    for (left, right) in [(payer, payee), of_genesis] {
        for (entity, peer) in [(left, right), (right, left)] {
            let channel = ChannelId::between(&left, &right);
            let opened = pallet_channels::Event::ChannelOpened { channel, peer, epoch: 0 };
            let events = vec![RuntimeEvent::Channels(opened)];
            metrics.events(&[EntityEvents { entity, height: 2, timestamp: Timestamp::ZERO, events }]);
        }
    }
    let text = metrics.text().unwrap();
    let families: BTreeSet<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let expected = [
        ("process_cpu_seconds", "counter"),
        ("process_open_fds", "gauge"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_start_time_seconds", "gauge"),
        ("xln_block_interval_seconds", "histogram"),
        ("xln_block_time_seconds", "histogram"),
        ("xln_build", "info"),
        ("xln_channels", "gauge"),
        ("xln_consensus_commit_seconds", "histogram"),
        ("xln_consensus_evidence", "gauge"),
        ("xln_consensus_failed_rounds", "counter"),
        ("xln_consensus_frames_behind", "gauge"),
        ("xln_consensus_halted_boards", "gauge"),
        ("xln_consensus_heights", "counter"),
        ("xln_consensus_refusals", "counter"),
        ("xln_consensus_round", "gauge"),
        ("xln_consensus_waiting_messages", "gauge"),
        ("xln_frames", "counter"),
        ("xln_execution_seconds", "histogram"),
        ("xln_fsync_seconds", "histogram"),
        ("xln_mempool_calls", "gauge"),
        ("xln_outbox_messages", "gauge"),
        ("xln_payment_volume", "counter"),
        ("xln_peers", "gauge"),
        ("xln_slice_seconds", "histogram"),
        ("xln_snapshot_seconds", "histogram"),
        ("xln_state_keys", "gauge"),
        ("xln_transactions", "counter"),
        ("xln_written_bytes", "counter"),
    ];
    assert_eq!(families, BTreeSet::from(expected));
    assert!(keys > 0 && text.contains(&format!("xln_state_keys {keys}\n")), "{text}");
    assert!(text.contains(&format!("xln_channels {}\n", channels + 1)), "{text}");
    for sample in [
        "xln_build_info{version=",
        "xln_payment_volume_total{asset=\"usd\"} 120.5\n",
        "xln_transactions_total{type=\"channels\",status=\"ok\"} 2",
        "xln_transactions_total{type=\"other\",status=\"failed\"} 1",
        "xln_frames_total 3",
        "xln_written_bytes_total 100",
        "xln_mempool_calls 4",
        "xln_slice_seconds_count 1",
        "xln_block_interval_seconds_bucket{le=\"0.1\"} 1",
        "process_cpu_seconds_total ",
    ] {
        assert!(text.contains(sample), "{sample} is not in\n{text}");
    }
}
