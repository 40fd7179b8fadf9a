//! Who is who: the names and identifiers that a spec declares, and references to them.

use std::collections::{BTreeMap, BTreeSet};

use xln_primitives::{AssetId, Board, EntityId};

use crate::{AssetRef, EntityRef, EntitySpec, GenesisSpec, MemberSpec, SpecError, text};

/// Declared names with their identifiers.
pub(crate) struct Names<'a> {
    entities: BTreeMap<&'a str, EntityId>,
    boards: BTreeMap<EntityId, Board>,
    assets: BTreeMap<&'a str, AssetId>,
}

impl<'a> Names<'a> {
    /// Collects what is declared; nothing may be declared twice.
    pub(crate) fn of(genesis: &'a GenesisSpec) -> Result<Self, SpecError> {
        let mut assets = BTreeMap::new();
        for (position, asset) in genesis.assets.iter().enumerate() {
            let path = format!("genesis.assets[{position}]");
            text::symbol(&format!("{path}.symbol"), &asset.symbol)?;
            let id = AssetId::named(&asset.symbol);
            agrees(&path, asset.id, id)?;
            if assets.insert(asset.symbol.as_str(), id).is_some() {
                return Err(twice(format!("{path}.symbol"), &asset.symbol));
            }
        }
        let mut names = Self { entities: BTreeMap::new(), boards: BTreeMap::new(), assets };
        names.declare(&genesis.entities)?;
        Ok(names)
    }

    /// Gives every entity its identifier. That of a registered one is a number; that of a lazy one the hash of its board, so
    /// it comes after the entities that are members of it.
    fn declare(&mut self, entities: &'a [EntitySpec]) -> Result<(), SpecError> {
        let mut declared: BTreeSet<&str> = BTreeSet::new();
        let mut numbers = 1_u64..;
        for (position, entity) in entities.iter().enumerate() {
            let path = format!("genesis.entities[{position}].name");
            text::name(&path, &entity.name)?;
            if !declared.insert(&entity.name) {
                return Err(twice(path, &entity.name));
            }
            if entity.registered {
                self.entities.extend(
                    numbers.next().map(|number| (entity.name.as_str(), EntityId::registered(number))),
                );
            }
        }
        let mut waiting: Vec<(usize, &EntitySpec)> = entities.iter().enumerate().collect();
        while !waiting.is_empty() {
            let known = |reference: &EntityRef| {
                let name = reference.as_str();
                reference.id().is_some() || self.entities.contains_key(name) || !declared.contains(name)
            };
            let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, entity)| {
                entity.board.members.iter().filter_map(MemberSpec::entity).all(known)
            });
            if let ([], [(position, entity), ..]) = (ready.as_slice(), later.as_slice()) {
                let path = format!("genesis.entities[{position}].board");
                return Err(SpecError::Circular { path, entity: entity.name.clone() });
            }
            for (position, entity) in ready {
                self.add(&format!("genesis.entities[{position}]"), entity)?;
            }
            waiting = later;
        }
        Ok(())
    }

    /// Takes over an entity whose members have identifiers.
    fn add(&mut self, path: &str, entity: &'a EntitySpec) -> Result<(), SpecError> {
        let member = |path: &str, reference: &EntityRef| match reference.id() {
            // It may come into being later.
            Some(id) => Ok(id),
            None => self.own(path, reference.as_str()),
        };
        let board = entity.board.to_board(&format!("{path}.board"), &member)?;
        let id = *self.entities.entry(&entity.name).or_insert_with(|| board.entity());
        agrees(path, entity.id, id)?;
        match self.boards.insert(id, board) {
            None => Ok(()),
            Some(_) => Err(twice(format!("{path}.board"), &id.to_string())),
        }
    }

    /// The board of a declared entity.
    pub(crate) fn board(&self, id: &EntityId) -> Option<&Board> {
        self.boards.get(id)
    }

    /// The identifier of a declared entity.
    pub(crate) fn own(&self, path: &str, name: &str) -> Result<EntityId, SpecError> {
        self.entities.get(name).copied().ok_or_else(|| unknown(path, "entity", name, &self.entities))
    }

    /// The entity that is referred to.
    pub(crate) fn entity(&self, path: &str, reference: &EntityRef) -> Result<EntityId, SpecError> {
        match reference.id() {
            Some(id) if self.boards.contains_key(&id) => Ok(id),
            _ => self.own(path, reference.as_str()),
        }
    }

    /// The asset that is referred to.
    pub(crate) fn asset(&self, path: &str, reference: &AssetRef) -> Result<AssetId, SpecError> {
        match reference.id() {
            Some(id) if self.assets.values().any(|known| *known == id) => Ok(id),
            _ => {
                let name = reference.as_str();
                self.assets.get(name).copied().ok_or_else(|| unknown(path, "asset", name, &self.assets))
            }
        }
    }
}

fn agrees<T: PartialEq + ToString>(path: &str, stated: Option<T>, found: T) -> Result<(), SpecError> {
    match stated {
        Some(stated) if stated != found => Err(SpecError::Identifier {
            path: format!("{path}.id"),
            stated: stated.to_string(),
            found: found.to_string(),
        }),
        _ => Ok(()),
    }
}

fn twice(path: String, value: &str) -> SpecError {
    SpecError::Duplicate { path, value: value.to_owned() }
}

fn unknown<T>(path: &str, kind: &'static str, value: &str, known: &BTreeMap<&str, T>) -> SpecError {
    let mut names: Vec<_> = known.keys().copied().take(20).collect();
    if names.len() < known.len() {
        names.push("…");
    }
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    SpecError::Unknown { path: path.to_owned(), kind, value: value.to_owned(), known }
}
