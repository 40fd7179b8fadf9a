//! What servers hand each other, and how it is made ready for a slice.

use rayon::prelude::*;
use xln_primitives::{CertifiedMessage, FrameHash, Network, Timestamp};
use xln_runtime::{
    Authentic, Executed, RuntimeMessage, SignedCall, SliceInputs, authenticate_calls, authenticate_message,
};

use super::{BenchmarkError, Party, recording::Arrival};

/// Signatures that are checked in one batch equation.
pub(super) const BATCH: usize = 1_024;

/// Everything that goes into a slice, with all certificates and signatures checked on all cores.
pub(super) fn authentic(
    arrivals: Vec<Arrival>,
    calls: Vec<SignedCall>,
    network: Network,
    now: Timestamp,
    blinding: [u8; 32],
) -> Result<SliceInputs, BenchmarkError> {
    let messages: Vec<Authentic<_>> = arrivals
        .into_par_iter()
        .map(|(message, board)| authenticate_message(message, network, &board))
        .collect::<Result<_, _>>()?;
    let mut portions = Vec::new();
    let mut calls = calls.into_iter();
    loop {
        let portion: Vec<_> = calls.by_ref().take(BATCH).collect();
        if portion.is_empty() {
            break;
        }
        portions.push(portion);
    }
    let calls: Vec<_> = portions
        .into_par_iter()
        .flat_map(|portion| authenticate_calls(portion, network, now, blinding))
        .collect::<Result<_, _>>()?;
    Ok(SliceInputs { server: Vec::new(), messages, calls })
}

/// What a slice says to entities that live elsewhere.
pub(super) fn said(executed: &mut Executed) -> Vec<CertifiedMessage<RuntimeMessage>> {
    core::mem::take(&mut executed.outbox)
}

/// The frame that `party` made in a slice, if it made one.
pub(super) fn frame_of(executed: &Executed, party: &Party) -> Option<FrameHash> {
    executed.heads().find(|header| header.entity == party.id()).map(xln_primitives::FrameHeader::hash)
}
