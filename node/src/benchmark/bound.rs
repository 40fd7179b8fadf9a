//! The bound: how fast this machine checks the very same signatures, and nothing else.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use xln_primitives::{
    Certificate, Network, Vote,
    crypto::{SignatureCheck, verify_batch},
};

use super::{
    BenchmarkError, progress,
    recording::{Reader, RecordedSlice},
    wire::BATCH,
};

/// Most signatures that are held in memory for it.
const SIGNATURES_MAX: usize = 1 << 17;
/// How long it is measured, if there are enough of them.
const LENGTH: Duration = Duration::from_secs(2);
/// How often all of them are checked at most.
const PASSES_MAX: u8 = 16;

/// Signatures per second that all cores check together, in batches of [`BATCH`], of those that the recording holds.
pub(super) fn signatures_per_second(file: &Path, network: Network) -> Result<f64, BenchmarkError> {
    let mut checks: Vec<SignatureCheck<Vec<u8>>> = Vec::new();
    for slice in Reader::open(file)? {
        let RecordedSlice { arrivals, calls, .. } = slice?;
        for (message, board) in arrivals {
            if let (Some(key), Certificate::Single(signature)) = (board.sole_signer(), &message.certificate) {
                let vote = Vote::precommit(network, &message.header, 0).sign_bytes().to_vec();
                checks.push(SignatureCheck { key: *key, message: vote, signature: *signature });
            }
        }
        checks.extend(calls.into_iter().map(|call| SignatureCheck {
            key: call.body.signer,
            message: AsRef::<[u8]>::as_ref(&call.body.sign_bytes()).to_vec(),
            signature: call.signature,
        }));
        if checks.len() >= SIGNATURES_MAX {
            break;
        }
    }
    let bar = progress::bar("signatures alone", 0);
    let (start, mut checked) = (Instant::now(), 0_usize);
    for pass in 0..PASSES_MAX {
        let valid = checks
            .par_chunks(BATCH)
            .map(|checks| verify_batch(checks, [pass; 32]).into_iter().collect::<Result<(), _>>());
        valid.collect::<Result<(), _>>()?;
        checked = checked.saturating_add(checks.len());
        if start.elapsed() >= LENGTH {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(checked as f64 / start.elapsed().as_secs_f64())
}
