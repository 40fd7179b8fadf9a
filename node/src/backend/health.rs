//! Whether the node does its work.

use std::sync::OnceLock;

/// Set once by the part of the node that fails.
#[derive(Debug, Default)]
pub struct Health {
    failure: OnceLock<String>,
}

impl Health {
    /// Reports that the node has stopped doing its work. The first reason stays.
    pub fn fail(&self, reason: impl Into<String>) {
        let _ = self.failure.set(reason.into());
    }

    /// Why the node does not work, if it does not.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }
}
