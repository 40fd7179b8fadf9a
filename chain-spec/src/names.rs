//! Who is who: the names and identifiers that a spec declares, and references to them.

use std::collections::{BTreeMap, BTreeSet};

use xln_primitives::{AssetId, EntityId};

use crate::{AssetRef, EntityRef, GenesisSpec, SpecError, text};

/// Declared names with their identifiers.
pub(crate) struct Names<'a> {
    entities: BTreeMap<&'a str, EntityId>,
    entity_ids: BTreeSet<EntityId>,
    assets: BTreeMap<&'a str, AssetId>,
}

impl<'a> Names<'a> {
    /// Collects what is declared; nothing may be declared twice.
    pub(crate) fn of(genesis: &'a GenesisSpec) -> Result<Self, SpecError> {
        let mut names =
            Self { entities: BTreeMap::new(), entity_ids: BTreeSet::new(), assets: BTreeMap::new() };
        for (position, asset) in genesis.assets.iter().enumerate() {
            let path = format!("genesis.assets[{position}]");
            text::symbol(&format!("{path}.symbol"), &asset.symbol)?;
            let id = AssetId::named(&asset.symbol);
            agrees(&path, asset.id, id)?;
            if names.assets.insert(&asset.symbol, id).is_some() {
                return Err(twice(format!("{path}.symbol"), &asset.symbol));
            }
        }
        let mut numbers = 1_u64..;
        for (position, entity) in genesis.entities.iter().enumerate() {
            let path = format!("genesis.entities[{position}]");
            text::name(&format!("{path}.name"), &entity.name)?;
            let board = entity.board.to_board(&format!("{path}.board"))?;
            let number = if entity.registered { numbers.next() } else { None };
            let id = number.map_or_else(|| board.entity(), EntityId::registered);
            agrees(&path, entity.id, id)?;
            if !names.entity_ids.insert(id) {
                return Err(twice(format!("{path}.board"), &id.to_string()));
            }
            if names.entities.insert(&entity.name, id).is_some() {
                return Err(twice(format!("{path}.name"), &entity.name));
            }
        }
        Ok(names)
    }

    /// The identifier of a declared entity.
    pub(crate) fn own(&self, path: &str, name: &str) -> Result<EntityId, SpecError> {
        self.entities.get(name).copied().ok_or_else(|| unknown(path, "entity", name, &self.entities))
    }

    /// The entity that is referred to.
    pub(crate) fn entity(&self, path: &str, reference: &EntityRef) -> Result<EntityId, SpecError> {
        match reference.id() {
            Some(id) if self.entity_ids.contains(&id) => Ok(id),
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
