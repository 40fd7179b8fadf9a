//! Proof of members who signed two things for one place: on disk, once for each place.
//!
//! ```text
//!   machine ─► keep ─► known already? ─► enough of this member? ─► column evidence, synced ─► RPC, metrics
//! ```
//!
//! A place is entity, height, member, kind of statement and round. A second pair of statements for a place says no more than the
//! first, so that a member that signs a thousand frames for one round is kept once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use codec::Encode;
use xln_consensus::{Evidence, Step};
use xln_primitives::{EntityId, Height, decode_exact};
use xln_store::{Batch, Store, StoreError};

/// Most pieces that are kept of one member of a board. One convicts; the rest tells how it went on.
const OF_MEMBER_MAX: usize = 100;

/// Where two statements exclude each other.
type Place = (EntityId, Height, u64);

/// What is kept.
#[derive(Default)]
pub struct EvidenceLog {
    /// None in a simulation.
    store: Option<Store>,
    kept: Mutex<BTreeMap<Place, Evidence>>,
}

impl core::fmt::Debug for EvidenceLog {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EvidenceLog").field("kept", &self.len()).finish()
    }
}

impl EvidenceLog {
    /// With what is on disk.
    pub fn open(store: Store) -> Result<Self, StoreError> {
        let mut kept = BTreeMap::new();
        for row in store.evidence() {
            let bytes = row?;
            match decode_exact::<Evidence>(&bytes, bytes.len()) {
                Ok(evidence) => {
                    kept.insert(place(&evidence), evidence);
                }
                // The row is as it was written: another version of this program wrote it.
                Err(error) => tracing::error!(%error, "a piece of evidence cannot be read"),
            }
        }
        if !kept.is_empty() {
            tracing::error!(
                pieces = kept.len(),
                "there is evidence against members of boards; see consensus.evidence"
            );
        }
        Ok(Self { store: Some(store), kept: Mutex::new(kept) })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Evidence>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a piece; it is durable when this returns. False if its place is known, or enough of the member is.
    pub fn keep(&self, evidence: Evidence) -> Result<bool, StoreError> {
        let mut kept = self.lock();
        let (place, entity, member) = (place(&evidence), evidence.entity(), evidence.member());
        let of_member = kept.values().filter(|known| known.entity() == entity && known.member() == member);
        if kept.contains_key(&place) || of_member.count() >= OF_MEMBER_MAX {
            return Ok(false);
        }
        if let Some(store) = &self.store {
            let mut batch = Batch::new();
            let (entity, height, slot) = place;
            batch.put_evidence(&entity, height, slot, &evidence.encode());
            store.commit(batch)?;
        }
        kept.insert(place, evidence);
        Ok(true)
    }

    /// Everything, by entity, height, member and round.
    pub fn all(&self) -> Vec<Evidence> {
        self.lock().values().cloned().collect()
    }

    /// How many pieces there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

/// The kind of statement, as messages number them.
fn kind(evidence: &Evidence) -> u16 {
    match evidence {
        Evidence::Offers { .. } => 0x10,
        Evidence::Ballots { first, .. } => match first.statement.step {
            Step::Prevote => 0x11,
            Step::Precommit => 0x12,
        },
    }
}

/// Entity, height, and member ‖ kind ‖ round.
fn place(evidence: &Evidence) -> Place {
    let slot =
        u64::from(evidence.member().0) << 48 | u64::from(kind(evidence)) << 32 | u64::from(evidence.round());
    (evidence.entity(), evidence.height(), slot)
}

#[cfg(test)]
mod tests {
    use xln_consensus::{Ballot, MemberIndex, Signed};
    use xln_primitives::{FrameHash, Hash, Network};
    use xln_store::Options;

    use super::*;

    fn double_vote(member: u16, height: Height, round: u32, second: u8) -> Evidence {
        let vote = |frame: u8| Signed {
            statement: Ballot {
                member: MemberIndex(member),
                step: Step::Precommit,
                round,
                frame: Some(FrameHash::new([frame; 32])),
            },
            signature: [frame; 96],
        };
        let (entity, board) = (EntityId::new([1; 32]), Hash::new([2; 32]));
        Evidence::Ballots { entity, height, board, first: vote(1), second: vote(second) }
    }

    #[test]
    fn a_double_vote_is_kept_once_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap();
        let store = open();
        let log = EvidenceLog::open(store.clone()).unwrap();
        assert!(log.keep(double_vote(3, 7, 0, 2)).unwrap());
        assert!(!log.keep(double_vote(3, 7, 0, 2)).unwrap(), "the same");
        assert!(!log.keep(double_vote(3, 7, 0, 9)).unwrap(), "a third frame in the same place");
        assert!(log.keep(double_vote(3, 7, 1, 2)).unwrap(), "another round");
        let before = log.all();
        drop((log, store));
        let log = EvidenceLog::open(open()).unwrap();
        assert_eq!((log.all(), log.len()), (before, 2));
        assert!(!log.keep(double_vote(3, 7, 0, 2)).unwrap(), "known from before the restart");
    }

    #[test]
    fn one_member_does_not_fill_the_log() {
        let log = EvidenceLog::default();
        for height in 1..=1_000 {
            log.keep(double_vote(3, height, 0, 2)).unwrap();
        }
        assert_eq!(log.len(), OF_MEMBER_MAX);
        assert!(log.keep(double_vote(4, 1, 0, 2)).unwrap(), "of another member it is kept");
    }
}
