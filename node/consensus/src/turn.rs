//! What one turn gathers, over all entities, before it is handed out in order.

use crate::{Effect, Row, outbox::Letter};

/// Rows to be written, letters that wait for them, and everything else.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub(crate) rows: Vec<Row>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) effects: Vec<Effect>,
}

/// How much a turn had gathered at some moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    rows: usize,
    letters: usize,
    effects: usize,
}

impl Turn {
    pub(crate) fn mark(&self) -> Mark {
        Mark { rows: self.rows.len(), letters: self.letters.len(), effects: self.effects.len() }
    }

    /// Drops everything gathered since: what a failed input put out has not happened.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.rows.truncate(mark.rows);
        self.letters.truncate(mark.letters);
        self.effects.truncate(mark.effects);
    }
}
