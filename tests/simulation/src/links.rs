//! Which servers are connected, and between which nothing passes.

use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(crate) struct Links {
    /// As the first one sees it.
    connected: BTreeSet<(usize, usize)>,
    blocked: BTreeSet<(usize, usize)>,
}

impl Links {
    pub(crate) fn is_connected(&self, server: usize, other: usize) -> bool {
        self.connected.contains(&(server, other))
    }

    /// A server sees another as connected. False if it did before.
    pub(crate) fn connect(&mut self, server: usize, other: usize) -> bool {
        self.connected.insert((server, other))
    }

    /// A server sees another no more. False if it did not before.
    pub(crate) fn disconnect(&mut self, server: usize, other: usize) -> bool {
        self.connected.remove(&(server, other))
    }

    /// A server that crashes sees nobody.
    pub(crate) fn forget(&mut self, server: usize) {
        self.connected.retain(|(of, _)| *of != server);
    }

    pub(crate) fn passes(&self, from: usize, to: usize) -> bool {
        !self.blocked.contains(&(from, to))
    }

    /// Nothing leaves `part`; if it is not one way, nothing enters it either.
    pub(crate) fn partition(&mut self, part: &[usize], servers: usize, one_way: bool) {
        for inside in part {
            for outside in (0..servers).filter(|server| !part.contains(server)) {
                self.blocked.insert((*inside, outside));
                if !one_way {
                    self.blocked.insert((outside, *inside));
                }
            }
        }
    }

    pub(crate) fn heal(&mut self) {
        self.blocked.clear();
    }
}
