//! How fast boards decide: from the first word of something to decide up to the durable frame, and in how many rounds.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
};
use xln_primitives::{Certificate, EntityId};
use xln_runtime::DecidedFrame;

/// From five milliseconds, less than three messages on the way take, to a minute, in which many rounds have failed.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// What kind of entity: few, whatever the number of entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The depositary, which every server follows.
    Depositary,
    /// Any other with a board of several.
    Entity,
}

impl Class {
    /// The word for people and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Depositary => "depositary",
            Self::Entity => "entity",
        }
    }
}

impl EncodeLabelValue for Class {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.name().encode(encoder)
    }
}

/// The label of what is counted by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfClass {
    /// Which class.
    pub class: Class,
}

/// What is measured. Clones of the metrics are the same ones.
#[derive(Debug)]
pub struct Pace {
    /// Time from work to the durable frame.
    pub commit: Histogram,
    /// Frames of boards that became durable here.
    pub heights: Family<OfClass, Counter>,
    /// Rounds that ended without a decision before those frames.
    pub failed_rounds: Family<OfClass, Counter>,
    /// Since when something is to be decided, on the machine's clock.
    since: Mutex<BTreeMap<EntityId, Duration>>,
}

impl Default for Pace {
    fn default() -> Self {
        let (heights, failed_rounds): (Family<OfClass, Counter>, Family<OfClass, Counter>) =
            Default::default();
        // So that rates begin at zero and not at the first event.
        for class in [Class::Depositary, Class::Entity] {
            heights.get_or_create(&OfClass { class }).inc_by(0);
            failed_rounds.get_or_create(&OfClass { class }).inc_by(0);
        }
        Self { commit: Histogram::new(SECONDS), heights, failed_rounds, since: Mutex::default() }
    }
}

impl Pace {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<EntityId, Duration>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something to decide for an entity.
    pub(super) fn work(&self, entity: EntityId, now: Duration) {
        self.lock().entry(entity).or_insert(now);
    }

    /// A frame of a board is durable.
    pub(super) fn decided(&self, class: Class, frame: &DecidedFrame, now: Duration) {
        self.heights.get_or_create(&OfClass { class }).inc();
        if let Certificate::Aggregate { round, .. } = &frame.certificate {
            self.failed_rounds.get_or_create(&OfClass { class }).inc_by(u64::from(*round));
        }
        if let Some(since) = self.lock().remove(&frame.body.entity) {
            self.commit.observe(now.saturating_sub(since).as_secs_f64());
        }
    }
}
