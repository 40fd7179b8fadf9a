//! What an instance works with: what it decides about, its key, and the turn that it adds to.

use std::sync::Arc;

use xln_keystore::Signer;
use xln_primitives::{Board, Signature};

use crate::{
    Ballot, BlsSignature, Electorate, EngineError, MemberIndex, Offer, Sign, Subject, Timing, turn::Turn,
};

/// What a call on an instance works with: the turn to add to, and what never changes.
pub(crate) struct Desk<'a> {
    pub(crate) turn: &'a mut Turn,
    pub(crate) signer: &'a dyn Signer,
    pub(crate) timing: &'a Timing,
}

/// The height's statements, signed with our key.
pub(crate) struct OwnKey<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) signer: &'a dyn Signer,
}

impl OwnKey<'_> {
    fn sign(&self, bytes: &[u8]) -> Result<BlsSignature, EngineError> {
        match self.signer.sign(bytes) {
            Ok(Signature::Bls(signature)) => Ok(signature),
            Ok(_) => Err(EngineError::Signer("it is of another scheme than BLS".into())),
            Err(error) => Err(EngineError::Signer(error.to_string())),
        }
    }
}

impl Sign for OwnKey<'_> {
    fn ballot(&self, ballot: &Ballot) -> Result<BlsSignature, EngineError> {
        self.sign(&self.subject.ballot_bytes(ballot))
    }

    fn offer(&self, offer: &Offer) -> Result<BlsSignature, EngineError> {
        self.sign(&self.subject.offer_bytes(offer))
    }
}

/// What an instance is made of.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    pub(crate) subject: Subject,
    pub(crate) board: Arc<Board>,
    pub(crate) electorate: Arc<Electorate>,
    pub(crate) own: MemberIndex,
}
