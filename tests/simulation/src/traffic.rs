//! What goes between servers: connections that open and break, messages that are lost, late, doubled, or twisted by a liar.

use std::time::Duration;

use xln_node::consortium::Input;

use crate::{
    happening::Happening,
    liar::Liar,
    simulation::Simulation,
    site::Crash,
    wire::{Sent, Wire},
};

impl Simulation {
    pub(crate) fn link_all(&mut self, server: usize) {
        for other in (0..self.nodes.len()).filter(|other| *other != server) {
            let after = Duration::from_millis(self.random.between(1, 300));
            self.schedule.at(self.now + after, Happening::Link { one: server, other });
        }
    }

    pub(crate) fn link(&mut self, one: usize, other: usize) {
        let open = self.links.passes(one, other) && self.links.passes(other, one);
        if !open || [one, other].iter().any(|server| self.nodes[*server].running.is_none()) {
            return;
        }
        for (server, other) in [(one, other), (other, one)] {
            if self.links.connect(server, other) {
                let id = self.nodes[other].id;
                self.take(server, Input::Connected(id));
            }
        }
    }

    pub(crate) fn unlink(&mut self, server: usize, other: usize) {
        let open = self.links.passes(server, other) && self.links.passes(other, server);
        // It may have come back before anybody noticed.
        let again = open && self.nodes[other].running.is_some() && self.links.is_connected(other, server);
        if !again && self.links.disconnect(server, other) {
            let id = self.nodes[other].id;
            self.take(server, Input::Disconnected(id));
            self.schedule.at(self.now + Duration::from_millis(100), Happening::Link { one: server, other });
        }
    }

    pub(crate) fn partition(&mut self, part: &[usize], one_way: bool) {
        self.links.partition(part, self.nodes.len(), one_way);
        if one_way {
            // Nobody notices for a while, and in the simulation for ever: worse than any real connection.
            return;
        }
        for server in 0..self.nodes.len() {
            for other in 0..self.nodes.len() {
                if !self.links.passes(server, other) {
                    let after = Duration::from_millis(self.random.between(100, 1_000));
                    self.schedule.at(self.now + after, Happening::Unlink { server, other });
                }
            }
        }
    }

    /// Puts on the wire what a server sent.
    pub(crate) fn flush(&mut self, server: usize) {
        let Some(running) = &mut self.nodes[server].running else { return };
        let site = running.machine.environment();
        let (sent, evidence) = (core::mem::take(&mut site.sent), core::mem::take(&mut site.evidence));
        for evidence in evidence {
            self.found(server, &evidence);
        }
        for sent in sent {
            match sent {
                Sent::To(to, wire) => {
                    if let Some(to) = self.ids.get(&to).copied() {
                        self.send(server, to, wire);
                    }
                }
                Sent::Everybody(wire) => {
                    for to in (0..self.nodes.len()).filter(|to| *to != server) {
                        self.send(server, to, wire.clone());
                    }
                }
            }
        }
    }

    pub(crate) fn send(&mut self, from: usize, to: usize, wire: Wire) {
        let liar = self.liar.as_mut().filter(|liar| liar.index == from && self.options.faulty_ms > 0);
        let wires = match (liar, self.nodes[from].state()) {
            (Some(liar), Some(state)) => {
                let mut wires = liar.twist(wire, &state.clone(), &mut self.random);
                if self.random.chance(2) {
                    wires.push(Liar::gossip(&mut self.random));
                }
                wires
            }
            _ => vec![wire],
        };
        for wire in wires {
            if let Wire::Consensus { bytes, .. } = &wire {
                self.agreement.sent(from, bytes);
            }
            self.carry(from, to, &wire);
        }
    }

    pub(crate) fn carry(&mut self, from: usize, to: usize, wire: &Wire) {
        self.messages += 1;
        if !self.links.passes(from, to) || !self.links.is_connected(from, to) {
            return;
        }
        let copies = 1 + u64::from(self.random.chance(self.options.duplicate_percent));
        for _ in 0..copies {
            if !self.random.chance(self.options.loss_percent) {
                let after = Duration::from_millis(self.random.between(1, self.options.delay_ms_max.max(1)));
                self.schedule.at(self.now + after, Happening::Arrive { from, to, wire: wire.clone() });
            }
        }
    }

    pub(crate) fn arrive(&mut self, from: usize, to: usize, wire: Wire) {
        let node = &mut self.nodes[to];
        if node.running.is_none() || !self.links.is_connected(to, from) {
            return;
        }
        if !node.is_awake(self.now) {
            let at = node.paused_until;
            self.schedule.at(at, Happening::Arrive { from, to, wire });
            return;
        }
        let id = self.nodes[from].id;
        match wire {
            Wire::Consensus { code, bytes } => {
                self.heard(to, &bytes);
                self.take(to, Input::Consensus { from: id, code, bytes });
            }
            Wire::Packet(packet) => self.take(to, Input::Packet { from: id, packet }),
            Wire::Answer { question, answer } => {
                self.take(to, Input::Answer { from: id, question, answer });
            }
            Wire::Question(question) => {
                let Some(running) = &mut self.nodes[to].running else { return };
                running.machine.environment().now = self.now;
                match running.answer(id, &question) {
                    Ok(answer) => {
                        self.send(to, from, Wire::Answer { question, answer });
                        self.turn(to);
                    }
                    Err(Crash) => self.crash(to),
                }
            }
            Wire::Gossip { topic, bytes } => {
                let Some(running) = &mut self.nodes[to].running else { return };
                running.machine.environment().now = self.now;
                running.machine.gossip(topic, &bytes, id);
                self.turn(to);
            }
        }
    }
}
