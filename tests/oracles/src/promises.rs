//! Of promises: A1, what a server acknowledged stays; A2, what was asked twice happens once.

use std::collections::BTreeMap;

use xln_primitives::{CallHash, EntityId, Nonce, SignerId};
use xln_runtime::SignedCall;

use crate::Whole;

/// Calls of which somebody was told that they are included.
#[derive(Debug, Default)]
pub struct Promises {
    included: BTreeMap<(EntityId, SignerId, Nonce), CallHash>,
}

impl Promises {
    /// Somebody was told that a call is included.
    ///
    /// # Errors
    /// In words, if another call was included in its place.
    pub fn included(&mut self, call: &SignedCall) -> Result<(), String> {
        let (entity, nonce) = (call.body.entity, call.body.nonce);
        let (signer, call) = (call.signer(), call.hash());
        let first = *self.included.entry((entity, signer, nonce)).or_insert(call);
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

    /// Whether all of them that these signers were told about these entities are still there. Only who told somebody must have
    /// it: others who execute the entity may be behind.
    ///
    /// # Errors
    /// In words, which one is not.
    pub fn kept(
        &self,
        whole: &Whole<'_>,
        whose: impl Fn(&EntityId, &SignerId) -> bool,
    ) -> Result<(), String> {
        let mut last: BTreeMap<(EntityId, SignerId), Nonce> = BTreeMap::new();
        for (entity, signer, nonce) in self.included.keys().filter(|promise| whose(&promise.0, &promise.1)) {
            last.insert((*entity, *signer), *nonce);
        }
        for ((entity, signer), nonce) in last {
            let Some(known) = whole.entity(&entity) else { continue };
            let next = pallet_entities::nonce(&known.state(), &signer).unwrap_or(0);
            if next <= nonce {
                return Err(format!("A1: call {nonce} of {entity} was acknowledged, its next one is {next}"));
            }
        }
        Ok(())
    }
}
