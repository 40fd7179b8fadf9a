//! Executing the log again.

use std::collections::BTreeMap;

use xln_primitives::{BlockHeader, Board, EntityId};

use crate::{CertifyError, Executed, Recorded, Slice, SliceNumber, server::Server};

/// The log does not lead where it led the first time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A slice is missing.
    #[error("slice {found} follows slice {last}: slices in between are missing")]
    Gap {
        /// The last slice that was executed.
        last: SliceNumber,
        /// The one that the log has next.
        found: SliceNumber,
    },
    /// A frame came out differently.
    #[error("slice {slice} does not replay: {reason}")]
    Frame {
        /// The slice.
        slice: SliceNumber,
        /// What is different.
        reason: CertifyError,
    },
    /// A slice came out differently.
    #[error("slice {slice} does not replay: {made} frames were made, {logged} are logged")]
    Slice {
        /// The slice.
        slice: SliceNumber,
        /// Frames made now.
        made: usize,
        /// Certificates in the log.
        logged: usize,
    },
    /// A block came out differently.
    #[error("block {} does not replay: {what} is {found}, the header says {expected}", .number)]
    Block {
        /// The block.
        number: u64,
        /// Which field differs.
        what: &'static str,
        /// Its value now.
        found: String,
        /// Its value in the header.
        expected: String,
    },
}

impl Server {
    /// Executes and commits a logged slice. With `verify` every logged certificate is checked against the frame that is
    /// made now; without it a difference shows at the block's roots.
    pub fn replay(&mut self, slice: &Slice, verify: bool) -> Result<Executed, ReplayError> {
        if slice.number != self.slice.saturating_add(1) {
            return Err(ReplayError::Gap { last: self.slice, found: slice.number });
        }
        let recorded = Recorded {
            network: self.facts().network,
            certificates: &slice.certificates,
            absent: &slice.absent,
            verify,
        };
        if verify {
            self.verify_decided(slice)?;
        }
        let executed = self
            .execute(slice.timestamp, slice.entropy, slice.inputs(&self.facts().network), &recorded)
            .map_err(|reason| ReplayError::Frame { slice: slice.number, reason })?;
        if executed.slice != *slice {
            let (made, logged) = (executed.frames, slice.certificates.len());
            return Err(ReplayError::Slice { slice: slice.number, made, logged });
        }
        self.commit(&executed);
        Ok(executed)
    }

    /// Checks the certificates of frames that boards decided. Those of other frames are checked as the frames are made.
    fn verify_decided(&self, slice: &Slice) -> Result<(), ReplayError> {
        let mut founded: BTreeMap<EntityId, &Board> = BTreeMap::new();
        for frame in &slice.frames {
            let (entity, height) = (frame.body.entity, frame.body.height);
            let refused = |reason: String| {
                let reason = CertifyError { entity, height, reason };
                ReplayError::Frame { slice: slice.number, reason }
            };
            if self.entity(&entity).is_none() {
                founded.extend(frame.founding_board().map(|board| (entity, board)));
            }
            let board = self.entity(&entity).map(crate::Entity::board).or(founded.get(&entity).copied());
            let board = board.ok_or_else(|| refused("the entity is not followed here".into()))?;
            frame
                .verify(self.facts().network, board)
                .map_err(|error| refused(format!("the logged certificate is of another frame: {error}")))?;
        }
        Ok(())
    }

    /// Seals the replayed slices as `header` does, and compares everything in it.
    pub fn replay_block(&mut self, header: &BlockHeader) -> Result<(), ReplayError> {
        let differs = |what, found: &dyn ToString, expected: &dyn ToString| ReplayError::Block {
            number: header.number,
            what,
            found: found.to_string(),
            expected: expected.to_string(),
        };
        let Some(sealed) = self.seal(header.timestamp) else {
            return Err(differs("number of slices", &0, &header.slices));
        };
        let made = &sealed.header;
        let fields: [(&'static str, &dyn ToString, &dyn ToString); 7] = [
            ("number", &made.number, &header.number),
            ("parent", &made.parent, &header.parent),
            ("timestamp", &made.timestamp, &header.timestamp),
            ("number of slices", &made.slices, &header.slices),
            ("inputs root", &made.inputs_root, &header.inputs_root),
            ("state root", &made.state_root, &header.state_root),
            ("receipts root", &made.receipts_root, &header.receipts_root),
        ];
        for (what, found, expected) in fields {
            if found.to_string() != expected.to_string() {
                return Err(differs(what, found, expected));
            }
        }
        self.commit_block(sealed);
        Ok(())
    }
}
