//! Boards and other servers, read when somebody asks.
//!
//! Labels are classes, protocols and reasons: as many series for a thousand entities as for one.

use std::{collections::BTreeMap, fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use xln_network::{Counters, Protocol, Refusal, Traffic};

use super::gauge as number;
use crate::consortium::{BoardStatus, Class, Shared};

/// What is known of boards and other servers.
#[derive(Debug)]
pub(super) struct Consortium(Arc<Shared>);

impl Consortium {
    /// Puts everything into a registry.
    pub(super) fn register(registry: &mut Registry, others: &Arc<Shared>) {
        let pace = others.pace();
        let xln = registry.sub_registry_with_prefix("xln_consensus");
        let help = "Time from work for a board to its durable frame";
        xln.register("commit_seconds", help, pace.commit.clone());
        xln.register("heights", "Frames of boards that became durable", pace.heights.clone());
        let help = "Rounds that ended without a decision, before the frames that became durable";
        xln.register("failed_rounds", help, pace.failed_rounds.clone());
        registry.register_collector(Box::new(Self(Arc::clone(others))));
    }
}

/// One metric whose samples differ in one label.
fn labelled(
    encoder: &mut DescriptorEncoder<'_>,
    kind: MetricType,
    (name, help): (&str, &str),
    label: &str,
    samples: impl IntoIterator<Item = (&'static str, u64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for (value, count) in samples {
        let labels = [(label, value)];
        let sample = metric.encode_family(&labels)?;
        match kind {
            MetricType::Counter => ConstCounter::new(count).encode(sample)?,
            _ => ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX)).encode(sample)?,
        }
    }
    Ok(())
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    let metric = ConstGauge::new(value);
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

/// The largest value of each class.
fn largest(boards: &[BoardStatus], value: impl Fn(&BoardStatus) -> u64) -> BTreeMap<&'static str, u64> {
    let mut largest = BTreeMap::from([Class::Depositary, Class::Entity].map(|class| (class.name(), 0)));
    for board in boards {
        let of_class = largest.entry(board.class.name()).or_default();
        *of_class = value(board).max(*of_class);
    }
    largest
}

/// What was counted for each protocol, gossip included.
fn traffic<'a>(
    counters: &'a Counters,
    of: impl Fn(&Counters, Protocol) -> Traffic + 'a,
    gossip: Traffic,
) -> impl Iterator<Item = (&'static str, Traffic)> + 'a {
    Protocol::ALL
        .into_iter()
        .map(move |protocol| (protocol.name(), of(counters, protocol)))
        .chain([("gossip", gossip)])
}

impl Collector for Consortium {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let status = self.0.status();
        let boards = &status.boards;
        gauge(encoder, "xln_peers", "Connected servers", number(status.connected))?;
        let help = "Messages for entities on other servers that are not acknowledged";
        gauge(encoder, "xln_outbox_messages", help, number(status.outbox))?;
        let waiting = boards.iter().map(|board| board.waiting).fold(0, usize::saturating_add);
        let help = "Messages that wait for a frame of a board";
        gauge(encoder, "xln_consensus_waiting_messages", help, number(waiting))?;
        let halted = boards.iter().filter(|board| board.halted.is_some()).count();
        let help = "Boards in which this server takes part no more";
        gauge(encoder, "xln_consensus_halted_boards", help, number(halted))?;
        let help = "Pieces of evidence against members of boards";
        gauge(encoder, "xln_consensus_evidence", help, number(self.0.evidence().len()))?;

        let name = ("xln_consensus_round", "Largest round in which something is being decided");
        let rounds = largest(boards, |board| u64::from(board.round.unwrap_or_default()));
        labelled(encoder, MetricType::Gauge, name, "class", rounds)?;
        let name = ("xln_consensus_frames_behind", "Most frames that are certified and not executed here");
        let behind = largest(boards, |board| board.behind);
        labelled(encoder, MetricType::Gauge, name, "class", behind)?;
        let name = ("xln_consensus_refusals", "Messages for boards that were refused");
        let refused = status.refused.iter().map(|(reason, count)| (reason.name(), *count));
        labelled(encoder, MetricType::Counter, name, "reason", refused)?;

        let Some(peers) = self.0.peers() else { return Ok(()) };
        let counters = peers.network().counters();
        let name = ("xln_network_refusals", "Connections and messages of other servers that were refused");
        let refused = Refusal::ALL.into_iter().map(|reason| (reason.name(), counters.refused(reason)));
        labelled(encoder, MetricType::Counter, name, "reason", refused)?;
        let sent = || traffic(counters, Counters::sent, counters.published());
        let received = || traffic(counters, Counters::received, counters.heard());
        let name = ("xln_network_sent_messages", "Messages to other servers");
        let messages = sent().map(|(name, traffic)| (name, traffic.messages));
        labelled(encoder, MetricType::Counter, name, "protocol", messages)?;
        let name = ("xln_network_sent_bytes", "Their bytes, as envelopes");
        let bytes = sent().map(|(name, traffic)| (name, traffic.bytes));
        labelled(encoder, MetricType::Counter, name, "protocol", bytes)?;
        let name = ("xln_network_received_messages", "Messages from other servers");
        let messages = received().map(|(name, traffic)| (name, traffic.messages));
        labelled(encoder, MetricType::Counter, name, "protocol", messages)?;
        let name = ("xln_network_received_bytes", "Their bytes, as envelopes");
        let bytes = received().map(|(name, traffic)| (name, traffic.bytes));
        labelled(encoder, MetricType::Counter, name, "protocol", bytes)?;
        let metric = ConstCounter::new(counters.dropped());
        let help = "Messages that were to be sent and were not";
        let name = "xln_network_dropped_messages";
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
    }
}
