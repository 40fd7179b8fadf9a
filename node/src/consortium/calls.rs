//! Calls of members to an entity whose board votes: every member hears of them, whoever proposes puts them into a frame.
//!
//! ```text
//!   member ─ RPC ─► its server ─► Plea::Call ─► all servers of the board ─► the next proposer's frame
//! ```
//!
//! The first call may found the entity: then its servers begin to follow an entity that nobody has decided anything of yet.

use codec::Encode;
use xln_consensus::Event;
use xln_network::Code;
use xln_primitives::{Board, CallError, EntityId};
use xln_runtime::{Authentic, DecidedFrame, Refusal, SignedCall, authenticate_calls, created_board};

use super::{
    environment::Environment,
    letter::Plea,
    machine::{Followed, Machine},
    waiting::{Adding, Overtaken, Waiting},
};

/// Entities that may be waiting for their first frame.
const FOUNDING_MAX: usize = 1_024;
/// Calls of one entity that are told again at once.
const AGAIN_MAX: usize = 500;

impl<E: Environment> Machine<E> {
    /// A server of the board tells what a member asks for.
    pub(super) fn told_call(&mut self, call: SignedCall) -> Result<(), E::Error> {
        if self.waiting.get(&call.body.entity).is_some_and(|waiting| waiting.knows_call(&call)) {
            return Ok(());
        }
        let (network, now) = (self.env.server().facts().network, self.env.time());
        let blinding = self.env.entropy()?;
        for verdict in authenticate_calls(vec![call], network, now, blinding) {
            match verdict {
                Ok(call) => self.take_call(call, false)?,
                Err(error) => tracing::warn!(%error, "a call to a board proves nothing"),
            }
        }
        Ok(())
    }

    /// Puts a call before the board that decides for its entity, if its signer may ask for anything.
    pub(super) fn take_call(&mut self, call: Authentic<SignedCall>, ours: bool) -> Result<(), E::Error> {
        let (entity, hash) = (call.get().body.entity, call.get().hash());
        match self.put_call(call, ours)? {
            Err(refusal) if ours => self.env.refuse(hash, refusal),
            Err(refusal) => tracing::debug!(%entity, %hash, %refusal, "a call to a board is refused"),
            Ok(()) => {}
        }
        Ok(())
    }

    fn put_call(&mut self, call: Authentic<SignedCall>, ours: bool) -> Result<Result<(), Refusal>, E::Error> {
        let (entity, signer, found) = (call.get().body.entity, call.get().signer(), call.get().body.nonce);
        if !self.waiting.contains_key(&entity) {
            let created = created_board(call.get()).cloned();
            let board = created.or_else(|| self.env.server().registered_newcomer(&entity));
            let Some(board) = board.filter(|board| self.may_found(board)) else {
                return Ok(Err(Refusal::NoKey { entity }));
            };
            // There is room for few, so it must not be taken by who is none of them.
            if board.signer(&call.get().body.signer).is_none() {
                return Ok(Err(Refusal::Unauthorised(pallet_entities::Error::NotAMember { signer })));
            }
            self.found(entity, board)?;
        }
        if let Err(refusal) = self.may_ask(&entity, call.get()) {
            return Ok(Err(refusal));
        }
        let told = ours.then(|| call.get().clone());
        let Some(waiting) = self.waiting.get_mut(&entity) else { return Ok(Ok(())) };
        let server = self.env.server();
        let known = server.entity(&entity);
        let expected = Waiting::expected_nonce(known, &signer).unwrap_or_default();
        let refused = match waiting.add_call(known, call, ours) {
            Adding::New => {
                if waiting.is_ready(known) {
                    self.events.push_back(Event::Work { entity });
                }
                None
            }
            Adding::Known => None,
            Adding::Taken => {
                Some(pallet_entities::Error::NonceTooLow { expected: found.saturating_add(1), found })
            }
            Adding::NoRoom => Some(pallet_entities::Error::NonceGap { expected, found }),
        };
        drop(server);
        if let Some(error) = refused {
            return Ok(Err(Refusal::Unauthorised(error)));
        }
        if let Some(call) = told {
            self.tell_call(&entity, &call);
        }
        Ok(Ok(()))
    }

    /// Whether the signer is a member and the call is not an old one.
    fn may_ask(&self, entity: &EntityId, call: &SignedCall) -> Result<(), Refusal> {
        let body = &call.body;
        let server = self.env.server();
        let verdict = match server.entity(entity) {
            Some(known) => known.authorise(&body.signer, body.nonce),
            None => match self.founding.get(entity).and_then(|board| board.signer(&body.signer)) {
                Some(_) => Ok(()),
                None => Err(pallet_entities::Error::NotAMember { signer: call.signer() }),
            },
        };
        match verdict {
            // Those before it are on their way.
            Ok(()) | Err(pallet_entities::Error::NonceGap { .. }) => Ok(()),
            Err(error) => Err(Refusal::Unauthorised(error)),
        }
    }

    /// Whether this server votes on the board of a new entity, and there is room for one.
    pub(super) fn may_found(&self, board: &Board) -> bool {
        self.is_on(board) && self.has_room_to_found(board)
    }

    /// Whether frames of a new entity with this board can be followed here.
    pub(super) fn has_room_to_found(&self, board: &Board) -> bool {
        board.votes() && self.founding.len() < FOUNDING_MAX && board.validate().is_ok()
    }

    /// Whether this server's key orders frames on a board.
    pub(super) fn is_on(&self, board: &Board) -> bool {
        self.own_key.is_some_and(|own| board.members.iter().any(|member| member.bls_key() == Some(&own)))
    }

    /// Begins to follow an entity of which nothing is decided.
    pub(super) fn found(&mut self, entity: EntityId, board: Board) -> Result<(), E::Error> {
        self.founding.insert(entity, board.clone());
        self.waiting.insert(entity, Waiting::default());
        self.followed.insert(entity, Followed::new(1));
        // A vote may have been cast before a restart.
        self.take_seat(entity, 1, board, true)
    }

    fn tell_call(&mut self, entity: &EntityId, call: &SignedCall) {
        let to = self.voters(entity);
        if !to.is_empty() {
            self.env.send(to, Code::EntityTransaction, Plea::Call(Box::new(call.clone())).encode());
        }
    }

    /// A frame is durable: who submitted another call here, with a nonce that is used now, is told.
    pub(super) fn conclude_calls(&mut self, frame: &DecidedFrame) {
        let Some(waiting) = self.waiting.get_mut(&frame.body.entity) else { return };
        for decided in &frame.body.calls {
            if let Some(call) = waiting.decided(decided) {
                let found = decided.body.nonce;
                let error = pallet_entities::Error::NonceTooLow { expected: found.saturating_add(1), found };
                self.env.refuse(call, Refusal::Unauthorised(error));
            }
        }
    }

    /// Tells calls that were submitted here again as long as they wait, and gives up those whose time is over or whose nonce is
    /// used.
    pub(super) fn tell_calls_again(&mut self) {
        let (now, state) = (self.env.time(), self.state());
        let (mut again, mut refused) = (Vec::new(), Vec::new());
        for (entity, waiting) in &mut self.waiting {
            for (call, valid_until) in waiting.expire(now) {
                refused.push((call, Refusal::Form(CallError::Expired { valid_until, now })));
            }
            let overtaken =
                state.entity(entity).map(|known| waiting.overtaken(known, state.slice(), self.seen));
            for Overtaken { call, expected, found } in overtaken.into_iter().flatten() {
                let error = pallet_entities::Error::NonceTooLow { expected, found };
                refused.push((call, Refusal::Unauthorised(error)));
            }
            again.extend(waiting.our_calls().take(AGAIN_MAX).map(|call| (*entity, call.clone())));
        }
        for (call, refusal) in refused {
            self.env.refuse(call, refusal);
        }
        for (entity, call) in again {
            self.tell_call(&entity, &call);
        }
    }
}
