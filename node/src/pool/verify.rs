//! Signatures of the calls that arrived, in batches and on all cores.

use codec::Encode;
use rayon::prelude::*;
use xln_primitives::{CallError, Network, Timestamp};
use xln_runtime::{HashedCall, SignedCall, authenticate_hashed};

use super::{QueueKey, queue::Waiting};

/// Signatures in one batch equation. A larger one is not faster, and a wrong signature costs its whole batch a second look.
const BATCH: usize = 1_024;

/// A call that may be queued if its signature is good.
pub(super) struct Candidate {
    pub(super) key: QueueKey,
    pub(super) call: SignedCall,
}

/// Checks signatures; one result for each, in order.
pub(super) fn verify(
    candidates: Vec<Candidate>,
    network: Network,
    now: Timestamp,
    blinding: [u8; 32],
) -> Vec<Result<Waiting, CallError>> {
    if candidates.len() <= BATCH {
        return verify_one_batch(candidates, network, now, blinding);
    }
    let mut rest = candidates.into_iter();
    let batches = std::iter::from_fn(|| {
        let batch: Vec<Candidate> = rest.by_ref().take(BATCH).collect();
        (!batch.is_empty()).then_some(batch)
    });
    let batches: Vec<Vec<Candidate>> = batches.collect();
    batches.into_par_iter().flat_map(|batch| verify_one_batch(batch, network, now, blinding)).collect()
}

fn verify_one_batch(
    candidates: Vec<Candidate>,
    network: Network,
    now: Timestamp,
    blinding: [u8; 32],
) -> Vec<Result<Waiting, CallError>> {
    let keys: Vec<QueueKey> = candidates.iter().map(|candidate| candidate.key).collect();
    let calls: Vec<HashedCall> =
        candidates.into_iter().map(|candidate| HashedCall::new(candidate.call)).collect();
    let hashes: Vec<_> = calls.iter().map(HashedCall::hash).collect();
    let checked = authenticate_hashed(calls, network, now, blinding);
    let waiting = |((call, hash), key): ((Result<_, CallError>, _), _)| {
        let call: xln_runtime::Authentic<SignedCall> = call?;
        Ok(Waiting { hash, key, size: call.get().encoded_size(), call, arrival: 0 })
    };
    checked.into_iter().zip(hashes).zip(keys).map(waiting).collect()
}
