//! Delivery over real connections, while the receiver is restarted.

use std::time::Duration;

use tokio::time::Instant;
use xln_network::{
    Config, Event, Network, ServerId,
    delivery::{Delivery, DeliveryLimits, Effect, Item, MemoryQueue, Position, Stream},
};

use crate::harness::{Node, config, id, pair, within};

/// What a node does for delivery: carries packets between the machine and the network, and tells the machine the time.
struct Driver {
    delivery: Delivery,
    queue: MemoryQueue,
    taken: Vec<Item>,
    began: Instant,
}

impl Driver {
    fn new() -> Self {
        let limits = DeliveryLimits { patience: Duration::from_millis(100), ..DeliveryLimits::default() };
        let (queue, taken) = Default::default();
        Self { delivery: Delivery::new(limits), queue, taken, began: Instant::now() }
    }

    fn append(&mut self, to: ServerId, position: u64) {
        let position = Position(position);
        assert!(self.queue.append(to, position, position.0.to_be_bytes().into()));
        assert!(self.delivery.appended(to, position));
    }

    fn perform(&mut self, network: &Network, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                // What is lost is sent again.
                Effect::Send { to, packet } => drop(network.deliver(to, &packet)),
                Effect::HandOn { from, stream, items } => {
                    let upto = items.last().unwrap().position;
                    let known = self.taken.last().map_or(Position::START, |item| item.position);
                    self.taken.extend(items.into_iter().filter(|item| item.position > known));
                    let durable = self.delivery.durable(from, stream, upto);
                    self.perform(network, durable.into_iter().collect());
                }
                Effect::Forget { to, upto } => self.queue.forget(to, upto),
            }
        }
    }

    /// Works until the next event has been seen to, or the machine wants to be woken.
    async fn turn(&mut self, node: &mut Node) {
        let network = node.network.clone();
        let effects = self.delivery.poll(self.began.elapsed(), &self.queue);
        self.perform(&network, effects);
        let wake = self.delivery.wake().unwrap_or(Duration::MAX).saturating_sub(self.began.elapsed());
        tokio::select! {
            event = node.next() => match event {
                Event::Connected(server) => self.delivery.connected(server),
                Event::Disconnected(server) => self.delivery.disconnected(server),
                Event::Delivery { from, packet } => {
                    let effects = self.delivery.receive(self.began.elapsed(), from, packet.into_inner());
                    self.perform(&network, effects.unwrap());
                }
                _ => {}
            },
            () = tokio::time::sleep(wake) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_once_and_in_order_although_the_receiver_is_restarted() {
    let (mut one, mut two) = pair(config(1), config(2)).await;
    let address = two.address().await.address;
    let mut sender = Driver::new();
    sender.delivery.resume(id(2), Stream(1), Position::START, Position::START);
    sender.delivery.connected(id(2));
    let mut receiver = Driver::new();
    let mut appended = 0;
    for life in 1..=3 {
        for _ in 0..3_000 {
            appended += 1;
            sender.append(id(2), appended);
        }
        let wanted = if life == 3 { 9_000 } else { 3_000 * life - 1_000 };
        within("messages", async {
            while receiver.taken.len() < wanted {
                tokio::select! {
                    () = sender.turn(&mut one) => {}
                    () = receiver.turn(&mut two) => {}
                }
            }
        })
        .await;
        if life < 3 {
            // The machine is gone; what it has taken over is durable.
            two.stop().await;
            two = Node::start(Config { listen: vec![address.clone()], ..config(2) }).await;
            receiver.delivery = Driver::new().delivery;
        }
    }
    let positions: Vec<u64> = receiver.taken.iter().map(|item| item.position.0).collect();
    assert_eq!(positions, (1..=9_000).collect::<Vec<_>>());
    within("the acknowledgements", async {
        while !sender.delivery.is_idle() {
            tokio::select! {
                () = sender.turn(&mut one) => {}
                () = receiver.turn(&mut two) => {}
            }
        }
    })
    .await;
    assert_eq!(sender.queue.len(id(2)), 0);
}
