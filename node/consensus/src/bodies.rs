//! The frames of an active height, and what the runtime said about them.

use std::collections::BTreeMap;

use xln_primitives::{FrameHash, Round};

use crate::{BODIES_MAX, BlsKey, Body};

/// What is known about a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The runtime executes it; this peer brought it.
    Asked(BlsKey),
    /// It may come next.
    Valid,
    /// It may not.
    Invalid,
}

#[derive(Debug, Clone)]
struct Held {
    body: Body,
    standing: Standing,
    round: Round,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Bodies(BTreeMap<FrameHash, Held>);

impl Bodies {
    pub(crate) fn standing(&self, frame: FrameHash) -> Option<Standing> {
        self.0.get(&frame).map(|held| held.standing)
    }

    pub(crate) fn has(&self, frame: FrameHash) -> bool {
        self.0.contains_key(&frame)
    }

    pub(crate) fn body(&self, frame: FrameHash) -> Option<&Body> {
        self.0.get(&frame).map(|held| &held.body)
    }

    /// Keeps a body; makes room by dropping the one of the oldest round that `keeps` does not protect.
    pub(crate) fn insert(
        &mut self,
        frame: FrameHash,
        round: Round,
        body: Body,
        standing: Standing,
        keeps: impl Fn(FrameHash) -> bool,
    ) {
        if self.0.len() >= BODIES_MAX {
            let oldest =
                self.0.iter().filter(|(frame, _)| !keeps(**frame)).min_by_key(|(_, held)| held.round);
            if let Some(frame) = oldest.map(|(frame, _)| *frame) {
                self.0.remove(&frame);
            }
        }
        self.0.insert(frame, Held { body, standing, round });
    }

    pub(crate) fn judge(&mut self, frame: FrameHash, standing: Standing) {
        if let Some(held) = self.0.get_mut(&frame) {
            held.standing = standing;
        }
    }

    pub(crate) fn remove(&mut self, frame: FrameHash) {
        self.0.remove(&frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_body_that_nobody_needs_makes_room() {
        let mut bodies = Bodies::default();
        let frame = |byte: usize| FrameHash::new([u8::try_from(byte).unwrap(); 32]);
        for n in 0..=BODIES_MAX {
            let round = u32::try_from(n).unwrap();
            bodies.insert(frame(n), round, Body::default(), Standing::Valid, |kept| kept == frame(0));
        }
        assert!(bodies.has(frame(0)) && !bodies.has(frame(1)) && bodies.has(frame(2)));
        assert_eq!(bodies.0.len(), BODIES_MAX);
    }
}
