//! All servers of a network at one moment.

use xln_primitives::EntityId;
use xln_runtime::{Entity, Server};

/// The durable states of all servers.
#[derive(Debug)]
pub struct Whole<'a>(Vec<&'a Server>);

impl<'a> Whole<'a> {
    /// Of these servers. Of an entity that several have, the first one's is taken.
    pub fn new(servers: impl IntoIterator<Item = &'a Server>) -> Self {
        Self(servers.into_iter().collect())
    }

    /// The servers.
    pub fn servers(&self) -> impl Iterator<Item = &'a Server> + '_ {
        self.0.iter().copied()
    }

    /// An entity, wherever it lives.
    #[must_use]
    pub fn entity(&self, entity: &EntityId) -> Option<&'a Entity> {
        self.0.iter().find_map(|server| server.entity(entity))
    }

    /// The depositary, which every server follows.
    #[must_use]
    pub fn depositary(&self) -> &'a Entity {
        self.0.iter().find_map(|server| server.depositary()).expect("the depositary is followed somewhere")
    }
}

impl<'a> From<&'a Server> for Whole<'a> {
    fn from(server: &'a Server) -> Self {
        Self::new([server])
    }
}
