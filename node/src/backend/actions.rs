//! What people ask an entity to do, as calls.

use codec::Encode;
use pallet_entities::{BoardChange, Metadata};
use pallet_governance::{Actions, Call, EncodedCall, Listing, MemberAct};
use serde::Deserialize;
use serde_json::Value;
use xln_chain_spec::{BoardSpec, MemberSpec};
use xln_primitives::{Board, BoundedVec, ConstU32, EntityId, Member, Principal, decode_exact};
use xln_rpc::{
    MemberRef, RpcError,
    params::Action,
    view::{Choice, ListingKind},
};
use xln_runtime::{Entity, RuntimeCall};

use super::{NodeBackend, codes::undecodable};

impl NodeBackend {
    /// The calls that a proposal of these actions holds.
    pub(super) fn proposed(&self, entity: EntityId, actions: &[Action]) -> Result<Actions, RpcError> {
        let calls = actions.iter().map(|action| Ok(encoded(&self.call_of(entity, action)?)));
        let calls = calls.collect::<Result<Vec<EncodedCall>, RpcError>>()?;
        BoundedVec::try_from(calls).map_err(|calls| {
            RpcError::invalid_params(format!("a proposal has at most 64 actions, not {}", calls.len()))
        })
    }

    /// The call of `own` that does what is asked.
    fn call_of(&self, own: EntityId, action: &Action) -> Result<RuntimeCall, RpcError> {
        Ok(match action {
            Action::Transfer { to, asset, amount } => {
                let (to, asset) = (self.directory.entity(to)?, self.directory.asset(asset.as_ref())?);
                pallet_reserves::Call::Transfer { to, asset, amount: *amount }.into()
            }
            Action::AddMember { member } => change(BoardChange::Add(self.described_member(member)?)),
            Action::RemoveMember { member } => {
                change(BoardChange::Remove(self.member_of(&self.board_of(own)?, member)?))
            }
            Action::ReplaceMember { member, with } => {
                let who = self.member_of(&self.board_of(own)?, member)?;
                change(BoardChange::Replace { who, with: self.described_member(with)? })
            }
            Action::SetThreshold { threshold } => change(BoardChange::SetThreshold(*threshold)),
            Action::SetBoard { board } => change(BoardChange::SetBoard(self.described_board(board)?)),
            Action::SetPolicy { policy } => {
                let present = self.policy_of(&self.entity(&own)?)?.0;
                Call::SetPolicy(self.policy_from(present, policy)?).into()
            }
            Action::SetListing { party, listing } => {
                self.listing_call(self.directory.entity(party)?, *listing)
            }
            Action::Rename { name, description } => {
                let (name, description) = (short("a name", name)?, short("a description", description)?);
                pallet_entities::Call::SetMetadata(Metadata { name, description }).into()
            }
            Action::Vote { entity, proposal, choice } => {
                let act = MemberAct::Vote { proposal: proposal.0, approve: *choice == Choice::Approve };
                Call::Instruct { entity: self.directory.entity(entity)?, act }.into()
            }
            Action::Propose { entity, actions, lifetime_ms } => {
                let entity = self.directory.entity(entity)?;
                let calls = self.proposed(entity, actions)?;
                Call::Instruct { entity, act: MemberAct::Propose { calls, lifetime_ms: *lifetime_ms } }.into()
            }
            Action::Call(bytes) => {
                decode_exact(&bytes.0, bytes.0.len()).map_err(|error| undecodable("the call", &error))?
            }
        })
    }

    /// The call that lists an entity.
    pub(super) fn listing_call(&self, entity: EntityId, listing: Option<ListingKind>) -> RuntimeCall {
        let listing = listing.map(|kind| match kind {
            ListingKind::Blocked => Listing::Blocked,
            ListingKind::Watched => Listing::Watched,
        });
        Call::SetListing { entity, listing }.into()
    }

    /// The member of a board that a request means.
    pub(super) fn member_of(&self, board: &Board, wanted: &MemberRef) -> Result<Principal, RpcError> {
        let is_meant = |who: &Principal| match (wanted, who) {
            (MemberRef::Id(id), Principal::Signer(signer)) => id.as_bytes() == signer.as_bytes(),
            (MemberRef::Id(id), Principal::Entity(entity)) => id.as_bytes() == entity.as_bytes(),
            (MemberRef::Name(name), Principal::Signer(signer)) => {
                self.labels.get(signer).as_ref() == Some(name)
            }
            (MemberRef::Name(name), Principal::Entity(entity)) => {
                self.directory.name(entity).as_ref() == Some(name)
            }
        };
        let mut meant = board.members.iter().map(Member::principal).filter(is_meant);
        match (meant.next(), meant.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(RpcError::not_found("member of the board", wanted).with_hint(
                "entity.getState names its members; a key is named by its identifier or its label",
            )),
            (Some(_), Some(_)) => Err(RpcError::invalid_params(format!(
                "several members of the board are called {wanted}: name the one that is meant by identifier"
            ))),
        }
    }

    /// The board of an entity that lives here, or is in the registry.
    fn board_of(&self, id: EntityId) -> Result<Board, RpcError> {
        if let Some(entity) = self.hosted(&id) {
            return Ok(entity.board().clone());
        }
        match self.registration(&id)? {
            Some(registration) => Ok(registration.board),
            None => self.entity(&id).map(|entity| entity.board().clone()),
        }
    }

    /// A member that a caller describes, as in a chain spec.
    fn described_member(&self, json: &Value) -> Result<Member, RpcError> {
        let spec = MemberSpec::deserialize(json)
            .map_err(|error| RpcError::invalid_params(format!("member: {error}")))?;
        let member = spec.to_member("member", &|path, reference| self.entity_at(path, reference));
        member.map_err(|error| RpcError::invalid_params(error.to_string()))
    }

    /// The board that a caller describes.
    pub(super) fn described_board(&self, json: &Value) -> Result<Board, RpcError> {
        let spec = BoardSpec::deserialize(json)
            .map_err(|error| RpcError::invalid_params(format!("board: {error}")))?;
        self.board(&spec)
    }

    /// The member entity in whose name a request acts.
    pub(super) fn member_entity(&self, member: &xln_rpc::EntityRef) -> Result<Entity, RpcError> {
        self.entity(&self.directory.entity(member)?)
    }
}

fn change(change: BoardChange) -> RuntimeCall {
    pallet_entities::Call::ChangeBoard(change).into()
}

/// A call as a proposal holds it. A call is shorter than a proposal may be.
pub(super) fn encoded(call: &RuntimeCall) -> EncodedCall {
    BoundedVec::truncate_from(call.encode())
}

fn short<const MAX: u32>(what: &str, text: &str) -> Result<BoundedVec<u8, ConstU32<MAX>>, RpcError> {
    BoundedVec::try_from(text.as_bytes().to_vec()).map_err(|bytes| {
        RpcError::invalid_params(format!("{what} has at most {MAX} bytes, not {}", bytes.len()))
    })
}
