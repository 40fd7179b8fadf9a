//! Calls of hosted entities: made, signed with the key of their board, queued, and waited for.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::sync::oneshot;
use xln_primitives::{
    Amount, Board, BoundedVec, CALL_VERSION, CallHash, EntityId, Member, Permissions, PublicKey,
};
use xln_rpc::{RpcError, view::Submitted};
use xln_runtime::{CallBody, Entity, Receipt, RuntimeCall, SignedCall};

use super::{NodeBackend, codes::error_of, receipts::stored_receipt};
use crate::{
    author::system_time,
    pool::{Outcome, PoolError},
};

/// How long a call of the node itself may wait in the pool.
const VALID_MS: u64 = 60_000;
/// How long a request waits for what it asked for.
pub(super) const WAIT: Duration = Duration::from_secs(30);

/// A call that was queued.
pub(super) struct Sent {
    pub(super) hash: CallHash,
    /// Whether the depositary, another entity, has to answer.
    asks_depositary: bool,
    outcome: oneshot::Receiver<Outcome>,
}

/// A call that was executed and succeeded.
pub(super) struct Included {
    pub(super) hash: CallHash,
    pub(super) receipt: Arc<Receipt>,
    /// What the depositary answered to what the call asked of it.
    pub(super) answers: Vec<Arc<Receipt>>,
}

impl NodeBackend {
    /// The key that speaks for an entity: its only one, or that of a member who lives here and may act.
    pub(super) fn board_key(&self, entity: &Entity) -> Result<PublicKey, RpcError> {
        let board = entity.board();
        board.sole_signer().copied().or_else(|| self.member_key(board)).ok_or_else(|| {
            let label = self.directory.party(entity.id()).label();
            RpcError::forbidden(format!(
                "the board of {label} has {} members, and the node holds no key of one that may act",
                board.members.len()
            ))
            .with_hint("ask the server of a member")
        })
    }

    /// A key in the keystore with which a member of a board may act.
    pub(super) fn member_key(&self, board: &Board) -> Option<PublicKey> {
        let able = board.members.iter().filter(|member| member.permissions.allows(Permissions::EXECUTE));
        able.filter_map(Member::signer).find(|key| self.keystore.has(&key.signer_id())).copied()
    }

    /// Signs calls for an entity and queues them.
    pub(super) fn send(
        &self,
        entity: EntityId,
        key: PublicKey,
        calls: Vec<RuntimeCall>,
    ) -> Result<Sent, RpcError> {
        let signer = self.keystore.signer(&key.signer_id()).ok_or_else(|| {
            RpcError::forbidden(format!("the node holds no key of signer {}", key.signer_id())).with_hint(
                "insert the key with xln-node key insert, or sign the call yourself and use author.submit",
            )
        })?;
        let calls = BoundedVec::try_from(calls).map_err(|calls| {
            RpcError::invalid_request(format!("{} calls are too many for one", calls.len()))
        })?;
        let (network, depositary) = {
            let server = self.read();
            (server.facts().network, server.facts().depositary)
        };
        let is_request = |call: &RuntimeCall| match call {
            RuntimeCall::Reserves(_) => true,
            RuntimeCall::Entities(pallet_entities::Call::Create { board }) => board.entity() != entity,
            _ => false,
        };
        let asks_depositary = entity != depositary && calls.iter().any(is_request);
        let now = system_time();
        let make = |nonce| {
            let valid_until = now.saturating_add(VALID_MS);
            let tip = Amount::ZERO;
            let body = CallBody {
                version: CALL_VERSION,
                network,
                signer: key,
                entity,
                nonce,
                valid_until,
                calls,
                tip,
            };
            let signature =
                signer.sign(&body.sign_bytes()).map_err(|error| RpcError::internal(error.to_string()))?;
            Ok::<_, RpcError>(SignedCall { body, signature })
        };
        let (hash, outcome) = self.pool.submit_next(key.signer_id(), entity, now, make)?;
        Ok(Sent { hash, asks_depositary, outcome })
    }

    /// Waits for the outcome of a call and of what it asked of the depositary.
    pub(super) async fn included(&self, sent: Sent) -> Result<Included, RpcError> {
        let Sent { hash, asks_depositary, outcome } = sent;
        match self.outcome(hash, outcome).await? {
            Outcome::Included { receipt, mut answers, awaited } => {
                for answer in awaited {
                    answers.extend(self.answer(answer).await?);
                }
                let results = answers.iter().map(|answer| &answer.result);
                let failed =
                    std::iter::once(&receipt.result).chain(results).find_map(|result| result.as_ref().err());
                match failed {
                    Some(error) => Err(of_call(error_of(error), hash)),
                    None if asks_depositary && answers.is_empty() => {
                        let error = RpcError::timed_out("the depositary was asked and has not answered yet")
                            .with_hint("look at the reserves in a moment");
                        Err(of_call(error, hash))
                    }
                    None => Ok(Included { hash, receipt, answers }),
                }
            }
            Outcome::Refused(refusal) => Err(of_call(error_of(&refusal), hash)),
        }
    }

    /// The depositary's answer to a request, as soon as its board has decided; none if that takes too long.
    pub(super) async fn answer(&self, hash: CallHash) -> Result<Option<Arc<Receipt>>, RpcError> {
        let mut slices = self.recent.slices();
        let end = tokio::time::Instant::now() + WAIT;
        loop {
            if let Some(receipt) = stored_receipt(&self.store, &hash)? {
                return Ok(Some(Arc::new(receipt)));
            }
            match tokio::time::timeout_at(end, slices.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Ok(None),
            }
        }
    }

    /// What became of a call, or that it takes too long.
    pub(super) async fn outcome(
        &self,
        hash: CallHash,
        outcome: oneshot::Receiver<Outcome>,
    ) -> Result<Outcome, RpcError> {
        match tokio::time::timeout(WAIT, outcome).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) => Err(of_call(PoolError::Stopped.into(), hash)),
            Err(_) => {
                let message =
                    format!("call {hash} is accepted but was not executed within {} s", WAIT.as_secs());
                let error =
                    RpcError::timed_out(message).with_hint("ask for its receipt with chain.getReceipt");
                Err(of_call(error, hash))
            }
        }
    }

    /// Lets a hosted entity make a call.
    pub(super) async fn act(
        &self,
        entity: &Entity,
        call: impl Into<RuntimeCall>,
        wait: bool,
    ) -> Result<Submitted, RpcError> {
        let sent = self.send(entity.id(), self.board_key(entity)?, vec![call.into()])?;
        if !wait {
            return Ok(Submitted { hash: sent.hash, receipt: None });
        }
        let Included { hash, receipt, .. } = self.included(sent).await?;
        Ok(Submitted { hash, receipt: Some(self.receipt_view(&receipt)) })
    }
}

/// The same error, saying which call it concerns.
pub(super) fn of_call(mut error: RpcError, hash: CallHash) -> RpcError {
    match &mut error.details {
        serde_json::Value::Object(details) => {
            details.insert("call".into(), json!(hash));
        }
        details => *details = json!({ "call": hash }),
    }
    error
}

/// An error that a move met after the call that asked for it had succeeded.
pub(super) fn dropped(error: &pallet_channels::TransitionError, hash: CallHash) -> RpcError {
    of_call(error_of(error), hash)
}
