//! The thread that drives the machine: events in, time from the clock.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender},
    time::Duration,
};

use xln_network::{Event, Network, Question};
use xln_primitives::BlockHeader;
use xln_runtime::Executed;

use super::{
    environment::Environment,
    here::{Here, HereError},
    machine::{Input, Machine, Notice},
};
use crate::author::Observer;

/// Inputs that are taken in one turn.
const TURN_MAX: usize = 1_024;

/// What the driver is told.
pub(super) enum Told {
    /// By the network.
    Network(Event),
    /// By the author, or by the network's answer.
    Input(Input),
    /// The node stops.
    Stop,
}

/// Tells the driver of durable slices, and then whoever else observes.
pub struct Slices<O> {
    pub(super) driver: SyncSender<Told>,
    pub(super) next: O,
}

impl<O: Observer> Observer for Slices<O> {
    fn slice(&self, executed: &Executed) {
        // The driver ends before the author only when it has failed, which it has said.
        let _ = self.driver.send(Told::Input(Input::Slice(Notice::from(executed))));
        // Only frames that did not fit: nothing has changed.
        if executed.frames > 0 {
            self.next.slice(executed);
        }
    }

    fn block(&self, header: &BlockHeader) {
        self.next.block(header);
    }

    fn given_back(&self, executed: &Executed) {
        let _ = self.driver.send(Told::Input(Input::GivenBack(Notice::from(executed))));
        self.next.given_back(executed);
    }
}

/// Runs until it is told to stop.
pub(super) fn run(
    mut machine: Machine<Here>,
    network: &Network,
    told: &Receiver<Told>,
) -> Result<(), HereError> {
    loop {
        machine.turn()?;
        let wait: Duration = machine.wake().saturating_sub(machine.environment().now());
        let first = match told.recv_timeout(wait) {
            Ok(told) => Some(told),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        for told in first.into_iter().chain(told.try_iter().take(TURN_MAX)) {
            match told {
                Told::Stop => return Ok(()),
                Told::Input(input) => machine.take(input)?,
                Told::Network(event) => heard(&mut machine, network, event)?,
            }
        }
    }
}

/// The network says something.
fn heard(machine: &mut Machine<Here>, network: &Network, event: Event) -> Result<(), HereError> {
    match event {
        Event::Connected(server) => machine.take(Input::Connected(server)),
        Event::Disconnected(server) => machine.take(Input::Disconnected(server)),
        Event::Consensus { from, code, body } => {
            machine.take(Input::Consensus { from, code, bytes: body.into_inner() })
        }
        Event::Delivery { from, packet } => machine.take(Input::Packet { from, packet: packet.into_inner() }),
        Event::Question { from, question, responder } => {
            match question.into_inner() {
                question @ (Question::Snapshot { .. } | Question::Chunk { .. }) => {
                    machine.environment().serve(from, question, responder);
                }
                question => responder.answer(&machine.answer(from, &question)?),
            }
            Ok(())
        }
        Event::Gossip { topic, body, from, id, .. } => {
            let verdict = machine.gossip(topic, &body, from);
            // Without a verdict nobody else is told by us.
            let _ = network.judge(id, verdict);
            Ok(())
        }
    }
}
