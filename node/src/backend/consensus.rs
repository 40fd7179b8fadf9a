//! `consensus.*`: where boards stand, and who broke their rules.

use codec::Encode;
use xln_consensus::{Ballot, Evidence, Offer, Signed, Step};
use xln_primitives::{Member, PublicKey};
use xln_rpc::{
    Bytes, RpcError, U64,
    params::{ConsensusEvidence, NoParams, page_size},
    view::{BoardStatusView, EvidenceView, StatementKind, StatementView},
};

use super::{NodeBackend, server::number};
use crate::consortium::BoardStatus;

fn ballot(signed: &Signed<Ballot>) -> StatementView {
    StatementView {
        frame: signed.statement.frame,
        valid_round: None,
        signature: Bytes(signed.signature.to_vec()),
    }
}

fn offer(signed: &Signed<Offer>) -> StatementView {
    StatementView {
        frame: Some(signed.statement.frame),
        valid_round: signed.statement.valid_round,
        signature: Bytes(signed.signature.to_vec()),
    }
}

impl NodeBackend {
    pub(super) fn consensus_status(&self, _: NoParams) -> Result<Vec<BoardStatusView>, RpcError> {
        let view = |board: BoardStatus| BoardStatusView {
            entity: self.directory.party(board.entity),
            height: U64(board.height),
            round: board.round,
            behind: U64(board.behind),
            waiting: number(board.waiting),
            votes: board.votes,
            halted: board.halted,
        };
        Ok(self.others.status().boards.into_iter().map(view).collect())
    }

    pub(super) fn consensus_evidence(
        &self,
        params: ConsensusEvidence,
    ) -> Result<Vec<EvidenceView>, RpcError> {
        let entity = params.entity.as_ref().map(|entity| self.directory.entity(entity)).transpose()?;
        let from = params.from.map_or(0, |from| from.0);
        let wanted = |evidence: &Evidence| {
            entity.is_none_or(|entity| evidence.entity() == entity) && evidence.height() >= from
        };
        let kept = self.others.evidence().all().into_iter().filter(wanted);
        Ok(kept.take(page_size(params.limit)).map(|evidence| self.evidence_view(&evidence)).collect())
    }

    fn evidence_view(&self, evidence: &Evidence) -> EvidenceView {
        let (kind, first, second) = match evidence {
            Evidence::Ballots { first, second, .. } => {
                let kind = match first.statement.step {
                    Step::Prevote => StatementKind::Prevote,
                    Step::Precommit => StatementKind::Precommit,
                };
                (kind, ballot(first), ballot(second))
            }
            Evidence::Offers { first, second, .. } => (StatementKind::Proposal, offer(first), offer(second)),
        };
        let board = self.hosted(&evidence.entity()).map(|entity| entity.board().clone());
        let board = board.filter(|board| board.hash() == evidence.board());
        let member = board.as_ref().and_then(|board| board.members.get(usize::from(evidence.member().0)));
        let key = member.and_then(Member::bls_key);
        let server = key.and_then(|key| {
            let peers = self.others.peers()?;
            let directory = peers.directory();
            directory.name(&directory.voter(key)?).map(str::to_owned)
        });
        EvidenceView {
            entity: self.directory.party(evidence.entity()),
            height: U64(evidence.height()),
            round: evidence.round(),
            kind,
            member: u32::from(evidence.member().0),
            key: key.map(|key| PublicKey::Bls(*key).to_string()),
            server,
            board: evidence.board(),
            first,
            second,
            evidence: Bytes(evidence.encode()),
        }
    }
}
