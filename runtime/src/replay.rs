//! Executing the log again.

use xln_primitives::BlockHeader;

use crate::{Adoption, CertifyError, Executed, Recorded, Slice, SliceNumber, server::Server};

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
    /// The rows of a state that the slice adopted are not at hand.
    #[error("slice {slice} adopted {logged} states, the rows of {found} are at hand")]
    Adopted {
        /// The slice.
        slice: SliceNumber,
        /// States that it adopted.
        logged: usize,
        /// States that were given.
        found: usize,
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
    ///
    /// Fails if the slice adopted a state: see [`Server::replay_adopting`].
    pub fn replay(&mut self, slice: &Slice, verify: bool) -> Result<Executed, ReplayError> {
        self.replay_adopting(slice, Vec::new(), verify)
    }

    /// As [`Server::replay`], with the states that the slice adopted, in the order of [`Slice::adopted`].
    pub fn replay_adopting(
        &mut self,
        slice: &Slice,
        adopted: Vec<Adoption>,
        verify: bool,
    ) -> Result<Executed, ReplayError> {
        if adopted.len() != slice.adopted.len() {
            let (logged, found) = (slice.adopted.len(), adopted.len());
            return Err(ReplayError::Adopted { slice: slice.number, logged, found });
        }
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
            self.verify_bodies(slice)?;
        }
        let executed = self
            .execute(slice.timestamp, slice.entropy, slice.inputs(&self.facts().network, adopted), &recorded)
            .map_err(|reason| ReplayError::Frame { slice: slice.number, reason })?;
        if executed.slice != *slice {
            let (made, logged) = (executed.frames, slice.certificates.len());
            return Err(ReplayError::Slice { slice: slice.number, made, logged });
        }
        self.commit(&executed);
        Ok(executed)
    }

    /// Checks that the bodies of decided frames are those that their headers commit to. Certificates are checked as the frames
    /// are executed, since each frame says who certifies the next.
    fn verify_bodies(&self, slice: &Slice) -> Result<(), ReplayError> {
        for frame in &slice.frames {
            frame.verify_body(self.facts().network).map_err(|error| {
                let (entity, height) = (frame.body.entity, frame.body.height);
                let reason = format!("the logged frame is another one: {error}");
                ReplayError::Frame { slice: slice.number, reason: CertifyError { entity, height, reason } }
            })?;
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
