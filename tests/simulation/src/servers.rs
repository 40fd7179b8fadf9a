//! What servers do: they take what arrives, wake, write, crash.

use std::time::Duration;

use xln_node::consortium::Input;

use crate::{happening::Happening, simulation::Simulation, site::Crash};

impl Simulation {
    /// Gives a server something, as soon as it is awake.
    pub(crate) fn take(&mut self, server: usize, input: Input) {
        let Some(running) = &mut self.nodes[server].running else { return };
        running.machine.environment().now = self.now;
        match running.machine.take(input) {
            Ok(()) => self.turn(server),
            Err(Crash) => self.crash(server),
        }
    }

    pub(crate) fn turn(&mut self, server: usize) {
        let node = &mut self.nodes[server];
        if !node.is_awake(self.now) {
            if node.running.is_some() {
                let (at, life) = (node.paused_until, node.life);
                node.wakes_at = Some(at);
                self.schedule.at(at, Happening::Wake { server, life });
            }
            return;
        }
        match node.turn(self.now) {
            Ok(false) => {}
            Ok(true) => {
                let after = Duration::from_millis(self.random.between(1, self.options.sync_ms_max.max(1)));
                let life = self.nodes[server].life;
                self.schedule.at(self.now + after, Happening::Synced { server, life });
            }
            // What left before is under way.
            Err(Crash) => {
                self.flush(server);
                self.crash(server);
                return;
            }
        }
        self.flush(server);
        self.wake_later(server);
    }

    pub(crate) fn wake_later(&mut self, server: usize) {
        let now = self.now;
        let node = &mut self.nodes[server];
        let Some(running) = &mut node.running else { return };
        let at = running.machine.wake().max(now + Duration::from_millis(1));
        if node.wakes_at.is_none_or(|before| at < before || before <= now) {
            node.wakes_at = Some(at);
            self.schedule.at(at, Happening::Wake { server, life: node.life });
        }
    }

    pub(crate) fn synced(&mut self, server: usize, life: u32) {
        let node = &mut self.nodes[server];
        if node.life != life || node.running.is_none() {
            return;
        }
        if let Some(running) = &mut node.running {
            running.machine.environment().now = self.now;
        }
        match node.synced() {
            Ok(slices) => {
                for executed in slices {
                    self.durable(server, &executed);
                }
                self.turn(server);
            }
            Err(Crash) => self.crash(server),
        }
    }

    pub(crate) fn crash(&mut self, server: usize) {
        self.nodes[server].crash();
        self.agreement.crashed(server);
        self.links.forget(server);
        for other in 0..self.nodes.len() {
            let after = Duration::from_millis(self.random.between(1, 200));
            self.schedule.at(self.now + after, Happening::Unlink { server: other, other: server });
        }
        // A process that ended by itself is started again.
        let after = Duration::from_millis(self.random.between(100, 1_500));
        self.schedule.at(self.now + after, Happening::Start { server });
    }
}
