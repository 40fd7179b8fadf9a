//! Delivery over a network that loses, repeats and reorders, between servers that crash: everything arrives, in order.
//!
//! Three servers send to each other. What is durable survives a crash: the queue of what was not acknowledged, and what a
//! server has taken over from others. The rest is gone: the machine itself, and what it had handed on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use xln_network::{
    ServerId,
    delivery::{
        Acknowledgement, Batch, Delivery, DeliveryLimits, Effect, Item, MemoryQueue, Packet, PacketError,
        Position, Queue, Stream,
    },
};

const SERVERS: usize = 3;

/// Small, so that every limit is met.
const LIMITS: DeliveryLimits = DeliveryLimits {
    window: 20,
    window_bytes: 300,
    batch_bytes: 60,
    patience: Duration::from_millis(100),
    patience_max: Duration::from_millis(2_000),
    senders: 8,
};

fn id(server: usize) -> ServerId {
    ServerId::new([u8::try_from(server).unwrap(); 32])
}

fn number(server: ServerId) -> usize {
    server.as_bytes()[0].into()
}

struct Server {
    delivery: Delivery,
    /// Durable: what waits for others.
    queue: MemoryQueue,
    /// Durable: where the last message for each other server stands.
    last: [Position; SERVERS],
    /// Durable: what was taken over from each other server.
    taken: Vec<Vec<Item>>,
    /// Handed on and not durable yet.
    handed: Vec<(ServerId, Stream, Vec<Item>)>,
}

impl Server {
    fn new() -> Self {
        let mut server = Self {
            delivery: Delivery::default(),
            queue: MemoryQueue::default(),
            last: [Position::START; SERVERS],
            taken: vec![Vec::new(); SERVERS],
            handed: Vec::new(),
        };
        server.restart();
        server
    }

    fn restart(&mut self) {
        self.handed.clear();
        self.delivery = Delivery::new(LIMITS);
        for other in 0..SERVERS {
            let acknowledged = match self.queue.ends(id(other)) {
                Some((first, _)) => Position(first.0 - 1),
                None => self.last[other],
            };
            self.delivery.resume(id(other), Stream(1), acknowledged, self.last[other]);
            self.delivery.connected(id(other));
        }
    }

    /// Where the last message stands that was taken over from another server.
    fn durable(&self, from: usize) -> Position {
        self.taken[from].last().map_or(Position::START, |item| item.position)
    }

    /// The slice with everything that was handed on is durable.
    fn fsync(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (from, stream, items) in core::mem::take(&mut self.handed) {
            let upto = items.last().unwrap().position;
            let taken = &mut self.taken[number(from)];
            let known = taken.last().map_or(Position::START, |item| item.position);
            // As the runtime refuses by its sequence numbers what it knows.
            taken.extend(items.into_iter().filter(|item| item.position > known));
            effects.extend(self.delivery.durable(from, stream, upto));
        }
        effects
    }
}

struct World {
    servers: Vec<Server>,
    now: Duration,
    wire: Vec<(ServerId, ServerId, Packet)>,
    /// Everything that was ever sent, by sender and receiver.
    sent: BTreeMap<(usize, usize), Vec<Item>>,
    /// Where the last message stands that was handed on in this life of the receiver.
    handed_on: BTreeMap<(usize, usize), Position>,
}

impl World {
    fn new() -> Self {
        Self {
            servers: (0..SERVERS).map(|_| Server::new()).collect(),
            now: Duration::ZERO,
            wire: Vec::new(),
            sent: BTreeMap::new(),
            handed_on: BTreeMap::new(),
        }
    }

    fn perform(&mut self, server: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { to, packet } => self.wire.push((id(server), to, packet)),
                Effect::HandOn { from, stream, items } => {
                    let last = self.handed_on.entry((number(from), server)).or_default();
                    let durable = self.servers[server].durable(number(from));
                    let sent = &self.sent[&(number(from), server)];
                    for item in &items {
                        assert!(item.position > *last, "nothing is handed on twice in one life");
                        // Only what is durable may be left out, after a crash.
                        let missing = sent.iter().find(|sent| sent.position > (*last).max(durable));
                        if item.position > durable {
                            assert_eq!(Some(item), missing, "what is handed on is what comes next");
                        }
                        *last = item.position;
                    }
                    self.servers[server].handed.push((from, stream, items));
                }
                Effect::Forget { to, upto } => self.servers[server].queue.forget(to, upto),
            }
        }
    }

    fn append(&mut self, from: usize, to: usize, gap: u8, size: u8) {
        let server = &mut self.servers[from];
        let position = Position(server.last[to].0 + 1 + u64::from(gap % 4));
        let item = Item { position, bytes: vec![size; usize::from(size)] };
        assert!(server.queue.append(id(to), position, item.bytes.clone()));
        server.last[to] = position;
        assert!(server.delivery.appended(id(to), position));
        self.sent.entry((from, to)).or_default().push(item);
    }

    fn poll(&mut self, server: usize) {
        let Server { delivery, queue, .. } = &mut self.servers[server];
        let effects = delivery.poll(self.now, queue);
        self.perform(server, effects);
    }

    /// One packet arrives, once or twice, or not at all.
    fn arrive(&mut self, which: usize, times: usize) {
        if self.wire.is_empty() {
            return;
        }
        let place = which % self.wire.len();
        let (from, to, packet) = self.wire.swap_remove(place);
        for _ in 0..times {
            let effects = self.servers[number(to)].delivery.receive(self.now, from, packet.clone()).unwrap();
            self.perform(number(to), effects);
        }
    }

    fn fsync(&mut self, server: usize) {
        let effects = self.servers[server].fsync();
        self.perform(server, effects);
    }

    fn crash(&mut self, server: usize) {
        self.servers[server].restart();
        // What was handed on and is not durable is gone, so it comes again.
        for from in 0..SERVERS {
            let durable = self.servers[server].durable(from);
            let acknowledged = self.servers[from].delivery.acknowledged(id(server)).unwrap();
            let sent = self.sent.get(&(from, server)).into_iter().flatten();
            let mut forgotten = sent.filter(|item| durable < item.position && item.position <= acknowledged);
            assert_eq!(forgotten.next(), None, "nothing was acknowledged that was not durable");
            self.handed_on.remove(&(from, server));
        }
        // Its connections are gone, and what was on its way to it.
        self.wire.retain(|(_, to, _)| *to != id(server));
    }

    fn step(&mut self, (kind, one, other): (u8, u8, u8)) {
        let server = usize::from(one) % SERVERS;
        match kind {
            0..=2 => {
                self.append(server, (server + 1 + usize::from(other) % (SERVERS - 1)) % SERVERS, one, other);
            }
            3..=4 => self.poll(server),
            5..=7 => self.arrive(usize::from(other), 1),
            8 => self.arrive(usize::from(other), 2),
            9 => self.arrive(usize::from(other), 0),
            10 => self.fsync(server),
            11 => self.now += Duration::from_millis(u64::from(other)),
            12 => self.servers[server].delivery.disconnected(id(usize::from(other) % SERVERS)),
            13 => self.servers[server].delivery.connected(id(usize::from(other) % SERVERS)),
            _ => self.crash(server),
        }
    }

    /// Without further faults everything is delivered, in bounded time.
    fn calm(&mut self) {
        for server in 0..SERVERS {
            for other in 0..SERVERS {
                self.servers[server].delivery.connected(id(other));
            }
        }
        for _ in 0..10_000 {
            (0..SERVERS).for_each(|server| self.poll(server));
            while !self.wire.is_empty() {
                self.arrive(0, 1);
            }
            (0..SERVERS).for_each(|server| self.fsync(server));
            while !self.wire.is_empty() {
                self.arrive(0, 1);
            }
            if self.servers.iter().all(|server| server.delivery.is_idle()) {
                break;
            }
            let wake = self.servers.iter().filter_map(|server| server.delivery.wake()).min();
            self.now = self.now.max(wake.expect("somebody has something to send"));
        }
        for ((from, to), sent) in &self.sent {
            assert_eq!(self.servers[*to].taken[*from], *sent, "everything from {from} to {to}");
        }
        for server in &self.servers {
            assert_eq!(server.queue.servers().count(), 0, "everything was forgotten");
            assert_eq!(server.delivery.wake(), None, "and nothing wakes anybody any more");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

    #[test]
    fn everything_arrives_in_order_whatever_is_lost_repeated_overtaken_or_crashes(
        steps in prop::collection::vec((0_u8..15, any::<u8>(), any::<u8>()), 1..400),
    ) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.calm();
    }
}

fn batch(after: u64, positions: &[u64]) -> Batch {
    let items: Vec<Item> =
        positions.iter().map(|position| Item { position: Position(*position), bytes: vec![1] }).collect();
    Batch {
        stream: Stream(1),
        acknowledged: Position::START,
        after: Position(after),
        items: items.try_into().unwrap(),
    }
}

fn received(delivery: &mut Delivery, batch: Batch) -> Vec<u64> {
    let effects = delivery.receive(Duration::ZERO, id(1), Packet::Batch(batch)).unwrap();
    let items = effects.into_iter().flat_map(|effect| match effect {
        Effect::HandOn { items, .. } => items,
        _ => Vec::new(),
    });
    items.map(|item| item.position.0).collect()
}

#[test]
fn a_batch_that_comes_early_waits_for_the_one_before_it() {
    let mut delivery = Delivery::new(LIMITS);
    assert_eq!(received(&mut delivery, batch(3, &[5, 6])), [0_u64; 0]);
    assert_eq!(received(&mut delivery, batch(6, &[9])), [0_u64; 0]);
    assert_eq!(received(&mut delivery, batch(0, &[1, 3])), [1, 3, 5, 6, 9]);
    assert_eq!(received(&mut delivery, batch(0, &[1, 3])), [0_u64; 0], "once");
}

#[test]
fn what_comes_too_early_is_bounded() {
    let mut delivery = Delivery::new(LIMITS);
    for first in 0..1_000_u64 {
        let places: Vec<u64> = (1..=10).map(|place| 10 + first * 10 + place).collect();
        assert_eq!(received(&mut delivery, batch(10 + first * 10, &places)), [0_u64; 0]);
    }
    let first: Vec<u64> = (1..=10).collect();
    assert_eq!(received(&mut delivery, batch(0, &first)).len(), 30, "the batch, and two that were kept");
}

#[test]
fn positions_that_are_out_of_order_are_refused() {
    let mut delivery = Delivery::new(LIMITS);
    let backwards = Batch { acknowledged: Position(9), ..batch(3, &[10]) };
    for wrong in [batch(0, &[]), batch(3, &[3]), batch(0, &[2, 1]), batch(0, &[1, 1]), backwards] {
        let refusal = delivery.receive(Duration::ZERO, id(1), Packet::Batch(wrong));
        assert_eq!(refusal, Err(PacketError::Disordered));
    }
}

#[test]
fn an_acknowledgement_of_what_was_never_there_is_refused_and_forgets_nothing() {
    let mut delivery = Delivery::new(LIMITS);
    let said = |upto| Packet::Acknowledgement(Acknowledgement { stream: Stream(1), upto: Position(upto) });
    assert_eq!(delivery.receive(Duration::ZERO, id(1), said(5)), Ok(vec![]), "nothing goes there");
    delivery.resume(id(1), Stream(1), Position::START, Position(4));
    let refusal = PacketError::NeverSent { upto: Position(5), last: Position(4) };
    assert_eq!(delivery.receive(Duration::ZERO, id(1), said(5)), Err(refusal));
    assert_eq!(delivery.acknowledged(id(1)), Some(Position::START));
    let forget = vec![Effect::Forget { to: id(1), upto: Position(4) }];
    assert_eq!(delivery.receive(Duration::ZERO, id(1), said(4)), Ok(forget));
    assert_eq!(delivery.receive(Duration::ZERO, id(1), said(3)), Ok(vec![]), "it is known");
}

#[test]
fn a_sender_that_counts_anew_is_followed_and_its_old_counting_ignored() {
    let mut delivery = Delivery::new(LIMITS);
    assert_eq!(received(&mut delivery, batch(0, &[1, 2, 3])), [1, 2, 3]);
    let anew = Batch { stream: Stream(2), ..batch(0, &[1]) };
    assert_eq!(received(&mut delivery, anew), [1]);
    assert_eq!(received(&mut delivery, batch(3, &[4])), [0_u64; 0]);
    assert_eq!(delivery.durable(id(1), Stream(1), Position(3)), None, "of the old counting");
    assert!(delivery.durable(id(1), Stream(2), Position(1)).is_some());
}

#[test]
fn a_server_that_is_away_costs_one_batch_less_and_less_often() {
    let mut delivery = Delivery::new(LIMITS);
    let mut queue = MemoryQueue::default();
    for position in 1..=100 {
        assert!(queue.append(id(1), Position(position), vec![0; 10]));
    }
    delivery.resume(id(1), Stream(1), Position::START, Position(100));
    assert_eq!(delivery.wake(), None, "nothing is sent to a server that is not connected");
    delivery.connected(id(1));
    let under_way: usize = delivery.poll(Duration::ZERO, &queue).len();
    assert_eq!(under_way, 4, "twenty messages in batches of six, six, six and two");
    let mut times = Vec::new();
    while times.len() < 8 {
        let now = delivery.wake().unwrap();
        times.push(now);
        assert_eq!(delivery.poll(now, &queue).len(), 1);
    }
    let waits: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    assert_eq!(waits, [200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
    let said = Packet::Acknowledgement(Acknowledgement { stream: Stream(1), upto: Position(6) });
    delivery.receive(Duration::from_secs(60), id(1), said).unwrap();
    assert_eq!(
        delivery.poll(Duration::from_secs(60), &queue).len(),
        4,
        "and is served at once when it is back"
    );
}

#[test]
fn only_what_was_handed_on_is_acknowledged() {
    let mut delivery = Delivery::new(LIMITS);
    assert_eq!(delivery.durable(id(1), Stream(1), Position(9)), None, "nothing ever came");
    assert_eq!(received(&mut delivery, batch(0, &[1, 2])), [1, 2]);
    let acknowledgement = Acknowledgement { stream: Stream(1), upto: Position(2) };
    let send = Effect::Send { to: id(1), packet: Packet::Acknowledgement(acknowledgement) };
    assert_eq!(delivery.durable(id(1), Stream(1), Position(9)), Some(send));
    assert_eq!(delivery.durable(id(1), Stream(1), Position(9)), None, "once");
}

#[test]
fn senders_are_bounded() {
    let mut delivery = Delivery::new(LIMITS);
    for sender in 0..LIMITS.senders {
        assert!(delivery.receive(Duration::ZERO, id(sender), Packet::Batch(batch(0, &[1]))).is_ok());
    }
    let refusal = delivery.receive(Duration::ZERO, id(100), Packet::Batch(batch(0, &[1])));
    assert_eq!(refusal, Err(PacketError::TooManySenders { limit: LIMITS.senders }));
    delivery.remove(id(0));
    assert!(delivery.receive(Duration::ZERO, id(100), Packet::Batch(batch(0, &[1]))).is_ok());
}

#[test]
fn a_queue_gives_what_fits_and_at_least_one() {
    let mut queue = MemoryQueue::default();
    for position in [2, 3, 7] {
        assert!(queue.append(id(1), Position(position), vec![0; 10]));
    }
    assert!(!queue.append(id(1), Position(7), vec![]), "positions grow");
    let after = |position, count, bytes| -> Vec<u64> {
        queue.after(id(1), Position(position), count, bytes).iter().map(|item| item.position.0).collect()
    };
    assert_eq!(after(0, 9, 1), [2]);
    assert_eq!(after(0, 9, 11), [2, 3]);
    assert_eq!(after(2, 1, 99), [3]);
    assert_eq!(after(3, 9, 99), [7]);
    assert_eq!(after(7, 9, 99), [0_u64; 0]);
    assert_eq!(queue.ends(id(1)), Some((Position(2), Position(7))));
    queue.forget(id(1), Position(3));
    assert_eq!((queue.len(id(1)), queue.len(id(2))), (1, 0));
}
