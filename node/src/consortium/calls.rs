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
use xln_primitives::{Board, CallError, EntityId, PublicKey};
use xln_runtime::{Authentic, Refusal, SignedCall, authenticate_calls, created_board};

use super::{
    environment::Environment,
    letter::Plea,
    machine::{Followed, Machine},
    waiting::Waiting,
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
        if !self.waiting.contains_key(&entity) {
            match created_board(call.get()).filter(|board| self.may_found(board)).cloned() {
                Some(board) => self.found(entity, board)?,
                None => {
                    if ours {
                        self.env.refuse(hash, Refusal::NoKey { entity });
                    }
                    return Ok(());
                }
            }
        }
        if let Err(refusal) = self.may_ask(&entity, call.get()) {
            if ours {
                self.env.refuse(hash, refusal);
            }
            return Ok(());
        }
        if ours {
            self.tell_call(&entity, call.get());
        }
        let Some(waiting) = self.waiting.get_mut(&entity) else { return Ok(()) };
        let server = self.env.server();
        let known = server.entity(&entity);
        if waiting.add_call(known, call, ours) && waiting.is_ready(known) {
            self.events.push_back(Event::Work { entity });
        }
        Ok(())
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
        let own = self.own_key.map(PublicKey::Bls);
        board.votes()
            && self.founding.len() < FOUNDING_MAX
            && own.is_some_and(|own| board.signer(&own).is_some())
            && board.validate().is_ok()
    }

    /// Begins to follow an entity of which nothing is decided.
    pub(super) fn found(&mut self, entity: EntityId, board: Board) -> Result<(), E::Error> {
        // A vote may have been cast before a restart.
        let (rows, history) = self.rows(&entity, 1)?;
        self.founding.insert(entity, board.clone());
        self.waiting.insert(entity, Waiting::default());
        self.followed.insert(entity, Followed::new(1));
        self.events.push_back(Event::Follow { entity, height: 1, board, rows, history });
        Ok(())
    }

    fn tell_call(&mut self, entity: &EntityId, call: &SignedCall) {
        let to = self.voters(entity);
        if !to.is_empty() {
            self.env.send(to, Code::EntityTransaction, Plea::Call(Box::new(call.clone())).encode());
        }
    }

    /// Tells calls that were submitted here again as long as they wait, and gives up those whose time is over.
    pub(super) fn tell_calls_again(&mut self) {
        let now = self.env.time();
        let (mut again, mut expired) = (Vec::new(), Vec::new());
        for (entity, waiting) in &mut self.waiting {
            expired.extend(waiting.expire(now));
            again.extend(waiting.our_calls().take(AGAIN_MAX).map(|call| (*entity, call.clone())));
        }
        for (call, valid_until) in expired {
            self.env.refuse(call, Refusal::Form(CallError::Expired { valid_until, now }));
        }
        for (entity, call) in again {
            self.tell_call(&entity, &call);
        }
    }
}
