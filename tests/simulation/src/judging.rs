//! What the judges are shown: what became durable, what is there after a start, what was heard and found.

use xln_consensus::{BoardMessage, Evidence};
use xln_primitives::{EntityId, Height, SignerId};
use xln_runtime::{BoardProof, BodyError, Entity, Executed, SignedCall, invariants};

use crate::{cast::User, simulation::Simulation};

impl Simulation {
    /// The judges look at what became durable.
    pub(crate) fn durable(&mut self, server: usize, executed: &Executed) {
        self.note_boards(server, executed);
        for adopted in &executed.slice.adopted {
            self.states += 1;
            let is_its = |handover: &BoardProof| handover.entity == adopted.header.entity;
            self.successions += u64::from(executed.handovers.iter().any(is_its));
        }
        for frame in &executed.slice.frames {
            let (entity, height) = (frame.body.entity, frame.body.height);
            self.agreement.decided(entity, height, frame.header.hash(), &frame.certificate);
        }
        let hosted = self.nodes[server].hosted(&self.cast);
        let noted = &self.noted;
        // Several servers execute what a board decided; the books take each frame once.
        let fresh = |entity: &EntityId, height: Height| {
            hosted.contains(entity) || height > noted.get(entity).copied().unwrap_or(0)
        };
        self.books.take_note(executed, fresh);
        for frame in &executed.slice.frames {
            let noted = self.noted.entry(frame.body.entity).or_default();
            *noted = frame.body.height.max(*noted);
        }
        for (entity, error) in &executed.unfit {
            if !matches!(
                error,
                BodyError::OtherHeight { .. } | BodyError::OtherBoard { .. } | BodyError::Behind { .. }
            ) {
                self.violations.push(format!("server {server}: a frame of {entity} does not fit: {error}"));
            }
        }
        self.tell_users(server, executed);
    }

    /// Users whose calls became part of the durable state hear of it from their servers. Who took a state over does not have the frame,
    /// and sees in the state that the call's number is used.
    fn tell_users(&mut self, server: usize, executed: &Executed) {
        let Some(state) = self.nodes[server].state() else { return };
        let is_used = |call: &SignedCall| {
            let entity = call.body.entity;
            let is_adopted = executed.slice.adopted.iter().any(|adopted| adopted.header.entity == entity);
            let nonce = |known: &Entity| pallet_entities::nonce(&known.state(), &call.signer());
            is_adopted
                && state
                    .entity(&entity)
                    .is_some_and(|known| nonce(known).is_ok_and(|next| next > call.body.nonce))
        };
        for (user, errand) in self.cast.users.iter().zip(&mut self.errands) {
            let Some(call) = errand.pending.as_ref().filter(|_| user.home == server) else { continue };
            let hash = call.hash();
            let decided = executed.slice.frames.iter().flat_map(|frame| &frame.body.calls);
            let mut included = executed.slice.calls.iter().chain(decided);
            if included.any(|included| included.hash() == hash) || is_used(call) {
                if let Err(violation) = self.promises.included(call) {
                    self.violations.push(violation);
                }
                errand.finish();
            }
        }
    }

    /// What a server has after a start: its invariants hold and nothing that was acknowledged is missing.
    pub(crate) fn check(&mut self, server: usize) {
        let Some(state) = self.nodes[server].state().cloned() else { return };
        if let Err(violation) = invariants::check(&state) {
            self.violations.push(format!("server {server}: {violation}"));
        }
        // What a board promised the others have too, where this disk went back.
        let is_old = self.nodes[server].set_back;
        let told = |entity: &EntityId, signer: &SignerId| {
            let mut users = self.cast.users.iter().filter(|user| !(is_old && user.is_board()));
            let is_its = |user: &User| user.actor.id == *entity && user.signer() == *signer;
            users.any(|user| user.home == server && is_its(user))
        };
        if let Err(violation) = self.promises.kept(&(&state).into(), told) {
            self.violations.push(format!("server {server}: {violation}"));
        }
    }

    /// A double vote that a server hears while it decides the height must become evidence.
    pub(crate) fn heard(&mut self, server: usize, bytes: &[u8]) {
        let is_liar = self.liar.as_ref().is_some_and(|liar| liar.index == server);
        let Ok(message) = BoardMessage::from_bytes(bytes) else { return };
        let Some(running) = &self.nodes[server].running else { return };
        if let Some(height) = running.machine.deciding(&message.entity).filter(|_| !is_liar) {
            self.agreement.delivered(server, height, bytes);
        }
    }

    /// A server found proof of a double vote.
    pub(crate) fn found(&mut self, server: usize, evidence: &Evidence) {
        let board = self.agreement.board_at(evidence.entity(), evidence.height());
        if board.is_none_or(|board| evidence.verify(self.cast.genesis.network, board).is_err()) {
            self.violations.push(format!("S4: evidence of server {server} proves nothing"));
        }
        self.agreement.evidence(server, evidence);
        self.evidence += 1;
    }
}
