//! What servers hand each other, and how it is made ready for a slice.

use std::sync::Arc;

use rayon::prelude::*;
use xln_primitives::{CertifiedMessage, FrameHash, Network, Timestamp};
use xln_runtime::{
    Delivery, Executed, RuntimeMessage, SignedCall, SliceInputs, authenticate_calls, authenticate_messages,
};

use super::{BenchmarkError, Party, recording::Arrival};

/// Signatures that are checked in one batch equation.
pub(super) const BATCH: usize = 1_024;

/// A message that proves itself.
pub(super) type Certified = Arc<CertifiedMessage<RuntimeMessage>>;

/// Everything that goes into a slice, with all certificates and signatures checked on all cores.
pub(super) fn authentic(
    arrivals: Vec<Arrival>,
    calls: Vec<SignedCall>,
    network: Network,
    now: Timestamp,
    blinding: [u8; 32],
) -> Result<SliceInputs, BenchmarkError> {
    let messages = portions(arrivals).into_par_iter();
    let messages = messages.flat_map_iter(|portion| authenticate_messages(portion, network, blinding));
    let calls = portions(calls).into_par_iter();
    let calls = calls.flat_map_iter(|portion| authenticate_calls(portion, network, now, blinding));
    Ok(SliceInputs {
        frames: Vec::new(),
        server: Vec::new(),
        messages: messages.collect::<Result<_, _>>()?,
        calls: calls.collect::<Result<_, _>>()?,
        adopted: Vec::new(),
    })
}

fn portions<T>(items: Vec<T>) -> Vec<Vec<T>> {
    let mut items = items.into_iter().peekable();
    let mut portions = Vec::new();
    while items.peek().is_some() {
        portions.push(items.by_ref().take(BATCH).collect());
    }
    portions
}

/// What a slice says to entities that live elsewhere.
pub(super) fn said(executed: &Executed) -> Vec<Certified> {
    executed.outbox.par_iter().filter_map(Delivery::certified).collect()
}

/// The frame that `party` made in a slice, if it made one.
pub(super) fn frame_of(executed: &Executed, party: &Party) -> Option<FrameHash> {
    executed.heads().find(|header| header.entity == party.id()).map(xln_primitives::FrameHeader::hash)
}
