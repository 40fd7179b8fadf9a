//! Of promises: A1, what a server acknowledged stays; A2, what was asked twice happens once.

use std::collections::BTreeMap;

use xln_primitives::{CallHash, EntityId, Nonce};

use crate::Whole;

/// Calls of which somebody was told that they are included.
#[derive(Debug, Default)]
pub struct Promises {
    included: BTreeMap<(EntityId, Nonce), CallHash>,
}

impl Promises {
    /// Somebody was told that a call is included.
    ///
    /// # Errors
    /// In words, if another call was included in its place.
    pub fn included(&mut self, entity: EntityId, nonce: Nonce, call: CallHash) -> Result<(), String> {
        let first = *self.included.entry((entity, nonce)).or_insert(call);
        if first == call {
            return Ok(());
        }
        Err(format!("A2: call {nonce} of {entity} was {first} first and is {call} now"))
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.included.len()
    }

    /// Whether all of them are still there.
    ///
    /// # Errors
    /// In words, which one is not.
    pub fn kept(&self, whole: &Whole<'_>) -> Result<(), String> {
        let mut last: BTreeMap<EntityId, Nonce> = BTreeMap::new();
        for (entity, nonce) in self.included.keys() {
            last.insert(*entity, *nonce);
        }
        for (entity, nonce) in last {
            let Some(known) = whole.entity(&entity) else { continue };
            let signer = known.board().sole_signer().map(|key| key.signer_id());
            let next =
                signer.map_or(0, |signer| pallet_entities::nonce(&known.state(), &signer).unwrap_or(0));
            if next <= nonce {
                return Err(format!("A1: call {nonce} of {entity} was acknowledged, its next one is {next}"));
            }
        }
        Ok(())
    }
}
