//! The state transition alone: the recorded slices with every signature checked beforehand, no signature made, nothing
//! written.

use std::time::{Duration, Instant};

use xln_primitives::{Board, Certificate, EntityId, FrameHeader, Signature};
use xln_runtime::{Certifier, CertifyError, Server};

use super::{
    BenchmarkError, Parties, Plan, progress,
    recording::{Reader, RecordedSlice},
    wire,
};

/// Certifies without signing, for measurements of everything else. A frame's hash does not depend on its certificate.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned;

impl Certifier for Unsigned {
    fn can_certify(&self, _entity: EntityId, _board: &Board) -> bool {
        true
    }

    fn certify(
        &self,
        _ordinal: usize,
        _board: &Board,
        _header: &FrameHeader,
    ) -> Result<Certificate, CertifyError> {
        Ok(Certificate::Single(Signature::Ed25519([0; 64])))
    }
}

/// How long the hub takes to execute a recording and to swap every outcome in.
pub(super) fn time(
    plan: Plan,
    parties: &Parties,
    file: &std::path::Path,
    server: &mut Server,
) -> Result<Duration, BenchmarkError> {
    let bar = progress::bar("state transition", plan.payments);
    let mut total = Duration::ZERO;
    for slice in Reader::open(file)? {
        let RecordedSlice { step, timestamp, entropy, arrivals, calls, frame: expected, done, .. } = slice?;
        let inputs = wire::authentic(arrivals, calls, parties.network(), timestamp, *entropy.as_bytes())?;
        let start = Instant::now();
        let executed = server.execute(timestamp, entropy, inputs, &Unsigned)?;
        let found = wire::frame_of(&executed, parties.hub());
        drop(server.commit(&executed));
        total += start.elapsed();
        if found != Some(expected) {
            return Err(BenchmarkError::OtherFrame { step, expected, found });
        }
        // As often as a block would be sealed; not a part of the transition.
        if let Some(sealed) = server.seal(timestamp) {
            server.commit_block(sealed);
        }
        bar.inc(done.into());
    }
    bar.finish_and_clear();
    Ok(total)
}
