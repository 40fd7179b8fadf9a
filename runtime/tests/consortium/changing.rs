//! Validators who change their own board.

use codec::Encode;
use pallet_entities::{BoardChange, Call};
use xln_primitives::{Amount, CALL_VERSION, Hash, Timestamp};
use xln_runtime::{CallBody, DecidedFrame, RuntimeCall, SignedCall, SliceInputs, authenticate_calls};

use super::{Consortium, Validators};

impl Consortium {
    /// A call of a validator to the depositary.
    pub(crate) fn by_validator(&self, validator: usize, call: impl Into<RuntimeCall>) -> SignedCall {
        let secret = &self.validators.secrets[validator];
        let signer = secret.public().unwrap();
        let state = self.servers[0].depositary().unwrap().state();
        let body = CallBody {
            version: CALL_VERSION,
            network: self.genesis.network,
            signer,
            entity: self.genesis.depositary,
            nonce: pallet_entities::nonce(&state, &signer.signer_id()).unwrap(),
            valid_until: Timestamp::MAX,
            calls: vec![call.into()].try_into().unwrap(),
            tip: Amount::ZERO,
        };
        body.sign(secret).unwrap()
    }

    /// The depositary's next frame with these calls, certified by the validators of now.
    pub(crate) fn decide_calls(&self, calls: Vec<SignedCall>) -> DecidedFrame {
        let calls = authenticate_calls(calls, self.genesis.network, self.now, [1; 32]);
        let calls = calls.into_iter().map(Result::unwrap).collect();
        let inputs = SliceInputs { calls, ..SliceInputs::default() };
        let depositary = self.genesis.depositary;
        let made = self.servers[0].propose(depositary, self.now, Hash::new([3; 32]), inputs, &self.boards);
        self.decide(made.unwrap().unwrap())
    }

    /// The first validator's proposal number `number`, and the votes of as many others as it takes.
    pub(crate) fn voted(&self, number: u64, change: BoardChange) -> Vec<SignedCall> {
        let change = RuntimeCall::from(Call::ChangeBoard(change)).encode();
        let calls = vec![change.try_into().unwrap()].try_into().unwrap();
        let propose = pallet_governance::Call::Propose { calls, lifetime_ms: None };
        let vote = pallet_governance::Call::Vote { proposal: number, approve: true };
        let votes = (1..self.validators.secrets.len() - 1).map(|n| self.by_validator(n, vote.clone()));
        [self.by_validator(0, propose)].into_iter().chain(votes).collect()
    }

    /// Both servers take a frame over.
    pub(crate) fn follow(&mut self, frame: &DecidedFrame) {
        for server in 0..2 {
            let frames = vec![frame.clone()];
            let executed = self.run(server, SliceInputs { frames, ..SliceInputs::default() });
            assert_eq!(executed.unfit, []);
        }
    }

    /// The validators put others in their place, as their proposal number `proposal`. Returns the frame in which they do.
    pub(crate) fn becomes(&mut self, proposal: u64, validators: Validators) -> DecidedFrame {
        let calls = self.voted(proposal, BoardChange::SetBoard(validators.board.clone()));
        let frame = self.decide_calls(calls);
        self.follow(&frame);
        assert_eq!(self.servers[0].depositary().unwrap().board(), &validators.board);
        self.validators = validators;
        frame
    }
}
