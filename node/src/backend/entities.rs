//! `entity.*`: who is hosted here and who is known.

use std::collections::{BTreeMap, BTreeSet};

use pallet_entities::{Metadata, Registration};
use serde::Deserialize;
use xln_chain_spec::{BoardSpec, SpecError};
use xln_keystore::Scheme;
use xln_primitives::{Board, BoundedVec, EntityId, FrameHash, Hash, Member, Principal, PublicKey};
use xln_rpc::{
    Bytes, RpcError, U64,
    params::{EntityCreate, EntityGet, EntityList, page_size},
    view::{BoardView, EntityView, MemberView, NonceView},
};
use xln_runtime::{Entity, RuntimeCall};

use super::{
    NodeBackend, channels::policy_view, codes::Refused, json::text, server::channel_count,
    signers::scheme_name,
};

fn member_view(member: &Member) -> MemberView {
    let key = member.signer();
    let (signer, entity) = match member.principal() {
        Principal::Signer(signer) => (Some(signer), None),
        Principal::Entity(entity) => (None, Some(entity)),
    };
    MemberView {
        signer,
        entity,
        scheme: key.map(|key| scheme_name(key).to_owned()),
        public_key: key.map(|key| Bytes(key.as_bytes().to_vec())),
        delegate: member.delegate().map(|delegate| Bytes(delegate.key.to_vec())),
        weight: member.weight,
        permissions: member.permissions,
    }
}

pub(super) fn board_view(board: &Board) -> BoardView {
    BoardView {
        hash: board.hash(),
        members: board.members.iter().map(member_view).collect(),
        threshold: board.threshold,
        profile: board.profile,
    }
}

impl NodeBackend {
    /// A hosted entity.
    pub(super) fn entity_view(&self, entity: &Entity) -> Result<EntityView, RpcError> {
        let (id, state) = (entity.id(), entity.state());
        let said = pallet_entities::metadata(&state).refused()?;
        let mut nonces = Vec::new();
        for key in entity.board().members.iter().filter_map(Member::signer) {
            let signer = key.signer_id();
            match pallet_entities::nonce(&state, &signer).refused()? {
                0 => {}
                next => nonces.push(NonceView { signer, next: U64(next) }),
            }
        }
        let parts = [("name", text(&said.name)), ("description", text(&said.description))];
        let metadata = parts.into_iter().filter(|(_, value)| !value.is_empty());
        let header = entity.head().map(|head| &head.header);
        Ok(EntityView {
            id,
            name: self.directory.name(&id),
            registry_number: id.registry_number().map(U64),
            board: Some(board_view(entity.board())),
            height: U64(header.map_or(0, |header| header.height)),
            frame: header.map_or(FrameHash::ZERO, xln_primitives::FrameHeader::hash),
            state_root: header.map_or(Hash::ZERO, |header| header.state_root),
            hosted: true,
            depositary: id == self.read().facts().depositary,
            policy: Some(policy_view(&pallet_channels::Policy::load(&state).refused()?)),
            governance: Some(self.governance_view(entity)?),
            channels: channel_count(entity),
            nonces,
            metadata: metadata.map(|(key, value)| (key.to_owned(), value)).collect(),
        })
    }

    /// An entity that is known from the registry only.
    fn registered_view(&self, id: EntityId, registration: &Registration) -> EntityView {
        EntityView {
            id,
            name: self.directory.name(&id),
            registry_number: id.registry_number().map(U64),
            board: Some(board_view(&registration.board)),
            height: U64(registration.last_height),
            frame: registration.last_header,
            state_root: Hash::ZERO,
            hosted: false,
            depositary: false,
            policy: None,
            governance: None,
            channels: 0,
            nonces: Vec::new(),
            metadata: BTreeMap::new(),
        }
    }

    /// What the registry says of an identifier.
    pub(super) fn registration(&self, id: &EntityId) -> Result<Option<Registration>, RpcError> {
        let depositary = self.read().depositary().cloned();
        match (id.registry_number(), depositary) {
            (Some(number), Some(depositary)) => {
                pallet_entities::registration(&depositary.state(), number).refused()
            }
            _ => Ok(None),
        }
    }

    pub(super) fn entity_get_state(&self, params: EntityGet) -> Result<EntityView, RpcError> {
        let id = self.directory.entity(&params.entity)?;
        if self.hosted(&id).is_none()
            && let Some(registration) = self.registration(&id)?
        {
            return Ok(self.registered_view(id, &registration));
        }
        self.entity_view(&self.entity(&id)?)
    }

    pub(super) fn entity_list(&self, params: EntityList) -> Result<Vec<EntityView>, RpcError> {
        let EntityList { hosted, after, limit } = params;
        let limit = page_size(limit);
        let (mut ids, depositary) = {
            let server = self.read();
            let here = server.entities_after(after).take(if hosted == Some(false) { 0 } else { limit });
            (here.map(Entity::id).collect::<BTreeSet<EntityId>>(), server.depositary().cloned())
        };
        if let Some(depositary) = depositary.filter(|_| hosted != Some(true)) {
            // Registered identifiers come before lazy ones, so a lazy `after` leaves none of them.
            let after = after.map(|id| id.registry_number().unwrap_or(u64::MAX));
            let entries = pallet_entities::registrations(&depositary.state(), after, limit).refused()?;
            let elsewhere = entries.into_iter().map(|(number, _)| EntityId::registered(number));
            ids.extend(elsewhere.filter(|id| hosted.is_none() || self.hosted(id).is_none()));
        }
        let get = |id| self.entity_get_state(EntityGet { entity: id });
        ids.into_iter().take(limit).map(|id| get(id.into())).collect()
    }

    pub(super) async fn entity_create(&self, params: EntityCreate) -> Result<EntityView, RpcError> {
        if let Some(name) = params.name.as_ref().filter(|name| self.directory.is_taken(name)) {
            return Err(RpcError::invalid_params(format!("an entity is called {name:?} already")));
        }
        let (key, board) = self.founder(&params)?;
        let id = board.entity();
        let mut calls = vec![RuntimeCall::Entities(pallet_entities::Call::Create { board })];
        if let Some(name) = params.name {
            let name = BoundedVec::try_from(name.into_bytes()).map_err(|name| {
                RpcError::invalid_params(format!("a name has at most 64 bytes, not {}", name.len()))
            })?;
            let metadata = Metadata { name, description: BoundedVec::new() };
            calls.push(RuntimeCall::Entities(pallet_entities::Call::SetMetadata(metadata)));
        }
        let sent = self.send(id, key, calls)?;
        self.included(sent).await?;
        self.entity_view(&self.entity(&id)?)
    }

    /// The board that a caller describes, whose members may be entities that are known here by name.
    pub(super) fn board(&self, spec: &BoardSpec) -> Result<Board, RpcError> {
        let board = spec.to_board("board", &|path, reference| self.entity_at(path, reference));
        board.map_err(|error| RpcError::invalid_params(error.to_string()))
    }

    /// The entity that a reference in a described board or member means; `path` is where it stands.
    pub(super) fn entity_at(
        &self,
        path: &str,
        reference: &xln_chain_spec::EntityRef,
    ) -> Result<EntityId, SpecError> {
        let found = reference.as_str().parse().ok().and_then(|known| self.directory.entity(&known).ok());
        found.ok_or_else(|| SpecError::Unknown {
            path: path.to_owned(),
            kind: "entity",
            value: reference.to_string(),
            known: "what entity.list names".to_owned(),
        })
    }

    /// Who founds an entity, and its board.
    fn founder(&self, params: &EntityCreate) -> Result<(PublicKey, Board), RpcError> {
        let board = match &params.board {
            None => None,
            Some(json) => {
                let spec = BoardSpec::deserialize(json)
                    .map_err(|error| RpcError::invalid_params(format!("board: {error}")))?;
                Some(self.board(&spec)?)
            }
        };
        let key = match &params.signer {
            Some(signer) => {
                let id = self.labels.resolve(signer)?;
                let signer = self.keystore.signer(&id);
                signer
                    .map(|signer| signer.public())
                    .ok_or_else(|| RpcError::not_found("key of signer", id))?
            }
            None => match &board {
                Some(board) => self.member_key(board).ok_or_else(|| {
                    RpcError::forbidden("the node holds no key of a member of this board".to_owned())
                        .with_hint("create the entity on the server of a member")
                })?,
                None => self.new_key(Scheme::Ed25519)?,
            },
        };
        Ok((key, board.unwrap_or_else(|| Board::single(key))))
    }
}
