//! Random entities that pay, lend, lock, close and wait, over wires that deliver in any order between directions.
//!
//! After every step: both copies of a channel agree at every height that both reached (C6), no move but a lowered
//! limit or an event of the depositary breaks the capacity table (C2), no HTLC has two ends (C4), nobody freezes.
//! At the end, when everything was delivered: every entity has exactly what its events say that it has.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod harness;

use std::collections::BTreeMap;

use codec::Encode;
use harness::{World, entity, expiry_proof, grant, hold_invoice, pay, pay_direct, usd};
use pallet_channels::{
    Call, Due, Event, PaymentHash, Preimage, Settled, SettledRow, Settlement, Status, Subchannel, due,
    expire, on_settled, preimage_published, reveal, view,
};
use proptest::prelude::*;
use xln_primitives::{Amount, ChannelId, Delta, EntityId, Hash, Side, Timestamp};

const NODES: [u8; 4] = [1, 2, 3, 4];
const CHANNELS: [(u8, u8); 4] = [(1, 2), (2, 3), (3, 4), (1, 3)];
const ROUTES: [&[u8]; 8] =
    [&[1, 2], &[1, 2, 3], &[1, 2, 3, 4], &[4, 3, 2], &[4, 3, 1], &[3, 1, 2], &[2, 1, 3, 4], &[3, 4]];

#[derive(Debug, Clone)]
enum Step {
    Direct { channel: usize, right: bool, amount: u128 },
    Pay { route: usize, amount: u128, fee: u128, hold: bool },
    Decide { which: usize, fulfil: bool },
    Credit { channel: usize, right: bool, limit: u128 },
    Fund { channel: usize, amount: u128, left: bool },
    Close { channel: usize, right: bool },
    Advance { millis: u64 },
    Expire { node: usize },
    Deliver { choice: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let channel = 0..CHANNELS.len();
    prop_oneof![
        2 => (channel.clone(), any::<bool>(), 1..300_u128)
            .prop_map(|(channel, right, amount)| Step::Direct { channel, right, amount }),
        4 => (0..ROUTES.len(), 1..200_u128, 0..3_u128, any::<bool>())
            .prop_map(|(route, amount, fee, hold)| Step::Pay { route, amount, fee, hold }),
        2 => (0..9_usize, any::<bool>()).prop_map(|(which, fulfil)| Step::Decide { which, fulfil }),
        1 => (channel.clone(), any::<bool>(), 0..800_u128)
            .prop_map(|(channel, right, limit)| Step::Credit { channel, right, limit }),
        1 => (channel.clone(), 1..300_u128, any::<bool>())
            .prop_map(|(channel, amount, left)| Step::Fund { channel, amount, left }),
        1 => (channel, any::<bool>()).prop_map(|(channel, right)| Step::Close { channel, right }),
        1 => (1_000..90_000_u64).prop_map(|millis| Step::Advance { millis }),
        1 => (0..NODES.len()).prop_map(|node| Step::Expire { node }),
        20 => (0..20_usize).prop_map(|choice| Step::Deliver { choice }),
    ]
}

/// The depositary of the model: its rows, its nonces, and what was published there.
#[derive(Default)]
struct Depositary {
    rows: BTreeMap<ChannelId, (u32, u64, u128, i128)>,
    published: BTreeMap<PaymentHash, Preimage>,
}

struct Model {
    world: World,
    depositary: Depositary,
    /// State by channel, epoch and height, as whoever was first committed it.
    states: BTreeMap<(ChannelId, u32, u64), Hash>,
    /// `added − removed` by node, channel and lock.
    htlcs: BTreeMap<(u8, ChannelId, PaymentHash), i64>,
    /// What each entity should have, from its events.
    wealth: BTreeMap<u8, i128>,
    held: Vec<(u8, Preimage)>,
    secrets: u64,
    seen: BTreeMap<u8, usize>,
}

fn node_of(entity: EntityId) -> u8 {
    entity.as_bytes()[0]
}

impl Model {
    fn new() -> Self {
        let mut world = World::new(&NODES);
        for (one, other) in CHANNELS {
            world.open(one, other, 500, 500);
        }
        let mut model = Self {
            world,
            depositary: Depositary::default(),
            states: BTreeMap::new(),
            htlcs: BTreeMap::new(),
            wealth: BTreeMap::new(),
            held: Vec::new(),
            secrets: 0,
            seen: BTreeMap::new(),
        };
        model.observe();
        model
    }

    fn run(&mut self, step: &Step) {
        let before = self.within_limits();
        // Calls may be refused; then they change nothing.
        match step {
            Step::Direct { channel, right, amount } => {
                let (one, other) = sides(*channel, *right);
                let _ = self.world.call(one, pay_direct(other, *amount));
            }
            Step::Pay { route, amount, fee, hold } => self.pay(ROUTES[*route], *amount, *fee, *hold),
            Step::Decide { which, fulfil } => {
                if !self.held.is_empty() {
                    let (payee, preimage) = self.held[which % self.held.len()];
                    let hash = preimage.hash();
                    let call = if *fulfil { Call::Fulfil { preimage } } else { Call::Cancel { hash } };
                    let _ = self.world.call(payee, call);
                }
            }
            Step::Credit { channel, right, limit } => {
                let (one, other) = sides(*channel, *right);
                let _ = self.world.call(one, grant(other, *limit));
            }
            Step::Fund { channel, amount, left } => self.fund(*channel, *amount, *left),
            Step::Close { channel, right } => {
                let (one, other) = sides(*channel, *right);
                let _ = self.world.call(one, Call::Close { peer: entity(other) });
            }
            Step::Advance { millis } => self.advance(*millis),
            Step::Expire { node } => self.expire(NODES[*node]),
            Step::Deliver { choice } => {
                if let Some((from, to)) = self.world.next_wire(*choice) {
                    self.world.deliver_between(from, to).expect("honest entities understand each other");
                }
            }
        }
        let excused = self.observe();
        self.execute_settlements();
        for (key, was) in before {
            let now = self.within_limits().remove(&key);
            assert!(!was || now != Some(false) || excused, "C2 broken by {step:?} in {key:?}");
        }
    }

    fn pay(&mut self, route: &[u8], amount: u128, fee: u128, hold: bool) {
        let (payer, payee) = (route[0], route[route.len() - 1]);
        let via = &route[1..route.len() - 1];
        let hash = hold.then(|| {
            self.secrets += 1;
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&self.secrets.to_be_bytes());
            let preimage = Preimage::new(bytes);
            let _ = self.world.call(payee, hold_invoice(preimage.hash()));
            self.held.push((payee, preimage));
            preimage.hash()
        });
        let _ = self.world.call(payer, pay(payee, amount, via, fee, hash));
    }

    fn settled(&mut self, channel: usize, change: impl FnOnce(&mut (u32, u64, u128, i128)), closed: bool) {
        let (one, other) = CHANNELS[channel];
        let id = ChannelId::between(&entity(one), &entity(other));
        let row = self.depositary.rows.entry(id).or_default();
        let epoch = row.0;
        row.1 += 1;
        change(row);
        let rows =
            vec![SettledRow { asset: usd(), collateral: Amount::new(row.2), ondelta: Delta::new(row.3) }];
        let settled = Settled {
            channel: id,
            left: entity(one),
            right: entity(other),
            epoch,
            nonce: row.1,
            closed,
            rows: rows.try_into().unwrap(),
        };
        for n in [one, other] {
            self.world.frame(n, |node| on_settled(node, settled.clone(), settled.encode())).unwrap();
        }
    }

    fn fund(&mut self, channel: usize, amount: u128, left: bool) {
        let gift = if left { i128::try_from(amount).unwrap() } else { 0 };
        self.settled(
            channel,
            |row| {
                row.2 += amount;
                row.3 += gift;
            },
            false,
        );
    }

    /// Executes what both sides of a channel agreed to, if it is still the next event.
    fn execute_settlements(&mut self) {
        for (index, (one, other)) in CHANNELS.into_iter().enumerate() {
            let id = ChannelId::between(&entity(one), &entity(other));
            let halves = |world: &mut World, n: u8| -> Vec<Settlement> {
                world.node(n).settlements.iter().filter(|s| s.channel == id).cloned().collect()
            };
            let left = halves(&mut self.world, one);
            let agreed = halves(&mut self.world, other).into_iter().find(|half| left.contains(half));
            let Some(settlement) = agreed else { continue };
            for n in [one, other] {
                self.world.node(n).settlements.retain(|half| *half != settlement);
            }
            let (_, nonce, collateral, _) = self.depositary.rows.get(&id).copied().unwrap_or_default();
            if settlement.nonce != nonce + 1 {
                continue;
            }
            // What each side takes home it no longer has in the channel.
            let row = settlement.rows.first();
            assert_eq!(row.map_or(0, |row| row.collateral_diff.get()), -i128::try_from(collateral).unwrap());
            self.settled(index, |row| *row = (row.0 + 1, row.1, 0, 0), true);
            self.observe();
        }
    }

    /// Time passes; whoever knows a preimage publishes it before its deadline.
    fn advance(&mut self, millis: u64) {
        let target = self.world.node(1).now.saturating_add(millis);
        for n in NODES {
            for due in due(&self.world.node(n).storage, target, usize::MAX) {
                if let Due::Reveal { channel, slot, .. } = due {
                    self.world.frame(n, |node| reveal(node, channel, slot)).unwrap();
                }
            }
            for preimage in std::mem::take(&mut self.world.node(n).published) {
                self.depositary.published.insert(preimage.hash(), preimage);
            }
        }
        self.world.advance(millis);
    }

    /// The server of a node asks the depositary about everything that is past its deadline.
    fn expire(&mut self, n: u8) {
        let now = self.world.node(n).now;
        for due in due(&self.world.node(n).storage, now, usize::MAX) {
            let Due::Expire { channel, slot, hash, deadline } = due else { continue };
            match self.depositary.published.get(&hash).copied() {
                Some(preimage) => {
                    self.world.frame(n, |node| preimage_published(node, channel, slot, preimage)).unwrap();
                }
                None => {
                    let proof = expiry_proof(hash, deadline);
                    self.world.frame(n, |node| expire(node, channel, slot, proof)).unwrap();
                }
            }
        }
    }

    fn within_limits(&mut self) -> BTreeMap<(u8, ChannelId), bool> {
        let mut all = BTreeMap::new();
        for n in NODES {
            for view in view::channels(&self.world.node(n).storage, None, 99).unwrap() {
                let within = view.channel.subchannels.iter().all(Subchannel::is_within_limits);
                all.insert((n, view.id), within);
            }
        }
        all
    }

    /// Reads the new events; returns whether limits or collateral changed.
    fn observe(&mut self) -> bool {
        let mut excused = false;
        for n in NODES {
            let from = self.seen.get(&n).copied().unwrap_or(0);
            let node = self.world.node(n);
            let events: Vec<_> = node.events[from..].to_vec();
            self.seen.insert(n, from + events.len());
            let mut epochs: BTreeMap<ChannelId, u32> = view::channels(&node.storage, None, 99)
                .unwrap()
                .into_iter()
                .map(|view| {
                    assert!(!matches!(view.channel.status, Status::Frozen { .. }), "nobody is dishonest");
                    (view.id, view.channel.epoch)
                })
                .collect();
            for event in events.iter().rev() {
                // Read backwards, a close leads into the life before.
                if let Event::ChannelClosed { channel, epoch } = event {
                    epochs.insert(*channel, *epoch);
                }
                if let Event::FrameCommitted { channel, height, state_hash, .. } = event {
                    let key = (*channel, epochs[channel], *height);
                    let first = self.states.entry(key).or_insert(*state_hash);
                    assert_eq!(first, state_hash, "C6 at {key:?}");
                }
            }
            for event in events {
                excused |= matches!(event, Event::CreditLimitSet { .. } | Event::SettlementApplied { .. });
                self.count(n, event);
            }
        }
        excused
    }

    fn count(&mut self, n: u8, event: Event) {
        let signed = |amount: Amount| i128::try_from(amount.get()).unwrap();
        let mut earn = |sum: i128| *self.wealth.entry(n).or_default() += sum;
        match event {
            Event::PaidDirect { from, amount, .. } => {
                earn(if node_of(from) == n { -signed(amount) } else { signed(amount) });
            }
            Event::PaymentSent { amount, fee, .. } => earn(-signed(amount) - signed(fee)),
            Event::PaymentReceived { amount, .. } => earn(signed(amount)),
            Event::PaymentForwarded { fee, .. } => earn(signed(fee)),
            Event::HtlcAdded { channel, hash, .. } => {
                *self.htlcs.entry((n, channel, hash)).or_default() += 1;
            }
            Event::HtlcFulfilled { channel, hash, .. }
            | Event::HtlcFailed { channel, hash, .. }
            | Event::HtlcExpired { channel, hash, .. } => {
                let open = self.htlcs.entry((n, channel, hash)).or_default();
                *open -= 1;
                assert!(*open >= 0, "C4: an HTLC has one end");
            }
            _ => {}
        }
    }

    /// Everything arrives, every deadline passes.
    fn finish(&mut self) {
        for _ in 0..6 {
            self.deliver_all();
            self.advance(200_000);
            for n in NODES {
                self.expire(n);
            }
        }
        self.deliver_all();
        for (key, open) in &self.htlcs {
            assert_eq!(*open, 0, "{key:?} has an end");
        }
        for (one, other) in CHANNELS {
            self.world.assert_agreement(one, other);
        }
        for n in NODES {
            assert!(
                due(&self.world.node(n).storage, Timestamp::MAX, 9)
                    .iter()
                    .all(|due| matches!(due, Due::Settlement { .. }))
            );
        }
    }

    fn deliver_all(&mut self) {
        while let Some((from, to)) = self.world.next_wire(0) {
            self.world.deliver_between(from, to).expect("honest entities understand each other");
            self.observe();
            self.execute_settlements();
        }
    }

    /// What payments moved to or from an entity, in all channels of their present life.
    fn moved(&mut self, n: u8) -> i128 {
        let node = self.world.node(n);
        view::channels(&node.storage, None, 99)
            .unwrap()
            .into_iter()
            .flat_map(|view| {
                let side = view.channel.side_of(&entity(n));
                view.channel.subchannels.into_iter().map(move |row| match side {
                    Side::Left => row.offdelta.get(),
                    Side::Right => -row.offdelta.get(),
                })
            })
            .sum()
    }
}

fn sides(channel: usize, right: bool) -> (u8, u8) {
    let (one, other) = CHANNELS[channel];
    if right { (other, one) } else { (one, other) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_made_whatever_happens_in_whatever_order(
        steps in proptest::collection::vec(step(), 1..160)
    ) {
        let mut model = Model::new();
        let mut closed = false;
        for step in &steps {
            model.run(step);
        }
        model.finish();
        for n in NODES {
            closed |= model.world.node(n).events.iter().any(|e| matches!(e, Event::ChannelClosed { .. }));
        }
        // A close takes what was moved to the reserves, outside of this model.
        if !closed {
            for n in NODES {
                let expected = model.wealth.get(&n).copied().unwrap_or(0);
                prop_assert_eq!(model.moved(n), expected, "entity {}", n);
            }
        }
    }
}
