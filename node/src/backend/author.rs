//! `author.*`: calls that were signed elsewhere, and those that wait.

use xln_primitives::decode_exact;
use xln_rpc::{
    RpcError, U64,
    params::{AuthorNonce, AuthorPending, AuthorSubmit, page_size},
    view::{NonceView, PendingView, Submitted},
};
use xln_runtime::{Receipt, SignedCall};

use super::{
    NodeBackend,
    act::of_call,
    codes::{error_of, undecodable},
    receipts::stored_receipt,
};
use crate::{
    author::system_time,
    pool::{Outcome, Pending},
};

/// Most bytes of a signed call.
const CALL_SIZE_MAX: usize = 256 * 1024;

impl NodeBackend {
    pub(super) async fn author_submit(&self, params: AuthorSubmit) -> Result<Submitted, RpcError> {
        let call: SignedCall = decode_exact(&params.call.0, CALL_SIZE_MAX)
            .map_err(|error| undecodable("the signed call", &error))?;
        let hash = call.hash();
        if let Some(receipt) = stored_receipt(&self.store, &hash)? {
            return self.first_receipt(&receipt);
        }
        let outcome = match self.pool.watch(hash) {
            Some(outcome) => outcome,
            None => {
                let mut blinding = [0; 32];
                getrandom::fill(&mut blinding)
                    .map_err(|error| RpcError::internal(format!("the system has no randomness: {error}")))?;
                match self.pool.submit(vec![call], system_time(), blinding).pop() {
                    Some(Ok(outcome)) => outcome,
                    // It may have been executed since we looked.
                    Some(Err(error)) => match stored_receipt(&self.store, &hash)? {
                        Some(receipt) => return self.first_receipt(&receipt),
                        None => return Err(of_call(error.into(), hash)),
                    },
                    None => return Err(RpcError::internal("the pool did not answer")),
                }
            }
        };
        if !params.wait {
            return Ok(Submitted { hash, receipt: None });
        }
        match self.outcome(hash, outcome).await? {
            Outcome::Included { receipt, mut answers, awaited } => {
                for answer in awaited {
                    answers.extend(self.answer(answer).await?);
                }
                let answers = answers.iter().map(|answer| &answer.result);
                match answers.filter_map(|result| result.as_ref().err()).next() {
                    Some(error) => Err(of_call(error_of(error), hash)),
                    None => self.first_receipt(&receipt),
                }
            }
            Outcome::Refused(refusal) => Err(of_call(error_of(&refusal), hash)),
        }
    }

    /// The answer to a call that has been executed.
    fn first_receipt(&self, receipt: &Receipt) -> Result<Submitted, RpcError> {
        match &receipt.result {
            Ok(()) => Ok(Submitted { hash: receipt.call, receipt: Some(self.receipt_view(receipt)) }),
            Err(error) => Err(of_call(error_of(error), receipt.call)),
        }
    }

    pub(super) fn author_pending(&self, params: AuthorPending) -> Result<Vec<PendingView>, RpcError> {
        let view = |pending: Pending| {
            let body = &pending.call.body;
            PendingView {
                hash: pending.hash,
                signer: body.signer.signer_id(),
                entity: self.directory.party(body.entity),
                nonce: U64(body.nonce),
                tip: body.tip,
                valid_until: body.valid_until,
                size: u32::try_from(pending.size).unwrap_or(u32::MAX),
            }
        };
        Ok(self.pool.pending(page_size(params.limit)).into_iter().map(view).collect())
    }

    pub(super) fn author_nonce(&self, params: AuthorNonce) -> Result<NonceView, RpcError> {
        let next = self.pool.next_nonce(params.signer, params.entity)?;
        Ok(NonceView { signer: params.signer, next: U64(next) })
    }
}
