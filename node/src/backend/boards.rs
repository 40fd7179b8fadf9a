//! `entity.boards` and `entity.getBoardProof`: who spoke for an entity when, and how to show it to others.

use codec::Encode;
use pallet_entities::{Term, Whose, term_at, terms};
use xln_primitives::{EntityId, Height};
use xln_rpc::{
    Bytes, RpcError, U64,
    params::{EntityBoards, EntityGetBoardProof, page_size},
    view::{BoardProofView, TermView},
};
use xln_runtime::{BoardProof, Entity};

use super::{NodeBackend, codes::Refused, entities::board_view, state::proof_view};

fn term_view(term: &Term) -> TermView {
    TermView { board: board_view(&term.board), first: U64(term.first), last: term.last.map(U64) }
}

impl NodeBackend {
    /// Who has the boards of an entity in its state: the entity itself, if it is followed here, or the depositary.
    fn keepers(&self, id: EntityId) -> Vec<(Entity, Whose)> {
        let server = self.read();
        let registered = id.registry_number().map(Whose::Registered);
        let in_registry = registered.and_then(|whose| Some((server.depositary()?.clone(), whose)));
        let own = server.entity(&id).cloned().map(|entity| (entity, Whose::Own));
        own.into_iter().chain(in_registry).collect()
    }

    pub(super) fn entity_boards(&self, params: EntityBoards) -> Result<Vec<TermView>, RpcError> {
        let EntityBoards { entity, after, limit } = params;
        let id = self.directory.entity(&entity)?;
        let after = after.map_or(0, |after| after.0);
        let Some((keeper, whose)) = self.keepers(id).into_iter().next() else {
            return Err(self.nobodys_board(id));
        };
        let found = terms(&keeper.state(), whose, after, page_size(limit)).refused()?;
        if found.is_empty() && after == 0 {
            return Err(self.nobodys_board(id));
        }
        Ok(found.iter().map(term_view).collect())
    }

    pub(super) fn entity_get_board_proof(
        &self,
        params: EntityGetBoardProof,
    ) -> Result<BoardProofView, RpcError> {
        let id = self.directory.entity(&params.entity)?;
        let height = params.height.map_or(Height::MAX, |height| height.0);
        let mut found: Vec<(Entity, Whose, Term)> = Vec::new();
        for (keeper, whose) in self.keepers(id) {
            let term = term_at(&keeper.state(), whose, height).refused()?;
            if let Some(term) = term {
                found.push((keeper, whose, term));
            }
        }
        let Some((_, _, term)) = found.first().cloned() else { return Err(self.nobodys_board(id)) };
        let is_lazy = self.read().is_lazy(&id);
        // The registry proves it to everybody, if it has heard of it already.
        let keeper = found.into_iter().rev().find(|(_, _, kept)| kept.board == term.board);
        let proven = keeper.filter(|_| !is_lazy);
        let (term, proof, encoded) = match proven {
            Some((keeper, whose, term)) => {
                let certified = self.certified(&keeper)?;
                let proof = BoardProof::new((&keeper, whose), certified, (id, &term));
                let encoded = proof.encode();
                (term, Some(proof_view(self, &keeper, Bytes(proof.key))?), Some(Bytes(encoded)))
            }
            None => (term, None, None),
        };
        Ok(BoardProofView {
            entity: self.directory.party(id),
            term: term_view(&term),
            board: Bytes(term.board.encode()),
            proof,
            encoded,
        })
    }

    fn nobodys_board(&self, id: EntityId) -> RpcError {
        RpcError::not_found("board of", self.directory.party(id).label()).with_hint(
            "a lazy entity shows its board to those whom it deals with, a registered one stands in the registry from its \
             registration on; of very long histories the oldest boards are forgotten",
        )
    }
}
