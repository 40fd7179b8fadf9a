//! One batch of messages, checked.

use xln_primitives::{AuthenticationError, Network};
use xln_runtime::{Authentic, Inbound, authenticate_message, authenticate_messages};

use super::Arrival;

/// Most messages in one batch: beyond it a batch equation gets no cheaper per signature.
pub(super) const BATCH: usize = 512;

/// Where more messages wait than this, they are spread over all cores: below it, a batch equation gets dearer per
/// signature.
pub(super) const BATCH_MIN: usize = 64;

/// What became of a batch.
pub(super) struct Checked {
    /// How many messages it had.
    pub(super) messages: usize,
    /// Those that are what they claim to be, in order.
    pub(super) authentic: Vec<Authentic<Inbound>>,
    /// How many are not.
    pub(super) rejected: u64,
    /// Why the last of these is not.
    pub(super) last_rejection: Option<AuthenticationError>,
}

/// Whether each message is what it claims to be, in order.
fn verdicts(batch: Vec<Arrival>, network: Network) -> Vec<Result<Authentic<Inbound>, AuthenticationError>> {
    let mut blinding = [0; 32];
    match getrandom::fill(&mut blinding) {
        Ok(()) => {
            let pairs = batch.into_iter().map(|arrival| (arrival.message, arrival.board)).collect();
            authenticate_messages(pairs, network, blinding)
        }
        // A batch equation without randomness proves nothing; a single signature needs none.
        Err(_) => {
            let alone = |Arrival { message, board }| authenticate_message(message, network, board);
            batch.into_iter().map(alone).collect()
        }
    }
}

impl Checked {
    pub(super) fn of(batch: Vec<Arrival>, network: Network) -> Self {
        let messages = batch.len();
        let verdicts = verdicts(batch, network);
        let mut checked =
            Self { messages, authentic: Vec::with_capacity(messages), rejected: 0, last_rejection: None };
        for verdict in verdicts {
            match verdict {
                Ok(inbound) => checked.authentic.push(inbound),
                Err(error) => {
                    checked.rejected = checked.rejected.saturating_add(1);
                    checked.last_rejection = Some(error);
                }
            }
        }
        checked
    }
}
