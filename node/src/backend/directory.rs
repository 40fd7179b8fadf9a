//! Names for people: of entities and of assets. What a request calls `alice` or `usd` is looked up here, and every
//! view takes its names from here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use serde_json::json;
use xln_primitives::{Amount, AssetId, EntityId};
use xln_rpc::{
    AssetRef, EntityRef, RpcError,
    view::{AssetView, PartyView},
};
use xln_runtime::{Entity, EntityEvents, Server};

use super::{codes::Refused, events::renamed, json::text, known::Known};

/// Most assets that are known by symbol; a network has a handful.
const ASSETS_MAX: usize = 10_000;

/// Names of entities and assets.
pub(super) struct Directory {
    names: RwLock<Names>,
    /// The network's default asset first.
    assets: Vec<AssetView>,
}

#[derive(Default)]
struct Names {
    by_id: BTreeMap<EntityId, String>,
    by_name: BTreeMap<String, BTreeSet<EntityId>>,
}

impl Names {
    fn set(&mut self, id: EntityId, name: String) {
        if let Some(before) = self.by_id.remove(&id)
            && let Some(bearers) = self.by_name.get_mut(&before)
        {
            bearers.remove(&id);
            if bearers.is_empty() {
                self.by_name.remove(&before);
            }
        }
        if !name.is_empty() {
            self.by_name.entry(name.clone()).or_default().insert(id);
            self.by_id.insert(id, name);
        }
    }
}

/// What an entity calls itself; nothing if it says nothing.
fn name_of(entity: &Entity) -> String {
    pallet_entities::metadata(&entity.state()).map(|metadata| text(&metadata.name)).unwrap_or_default()
}

impl Directory {
    /// The names that `server` knows, and those of entities elsewhere. Requests that name no asset mean the one with the symbol `default_asset`.
    pub(super) fn new(server: &Server, known: &Known, default_asset: Option<&str>) -> Result<Self, RpcError> {
        let mut names = Names::default();
        for (entity, name) in known.names() {
            names.set(entity, name.to_owned());
        }
        for entity in server.entities() {
            names.set(entity.id(), name_of(entity));
        }
        let mut assets = Vec::new();
        if let Some(depositary) = server.depositary() {
            let state = depositary.state();
            for (id, info) in pallet_reserves::assets(&state, None, ASSETS_MAX).refused()? {
                assets.push(AssetView {
                    id,
                    symbol: text(&info.symbol),
                    name: text(&info.name),
                    decimals: info.decimals,
                    supply: Amount::ZERO,
                    faucet: info.faucet_max.is_some(),
                });
            }
        }
        let is_default =
            |asset: &AssetView| default_asset.is_some_and(|symbol| same_symbol(&asset.symbol, symbol));
        assets.sort_by_key(|asset| (!is_default(asset), asset.symbol.clone()));
        Ok(Self { names: RwLock::new(names), assets })
    }

    fn names(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over new names.
    pub(super) fn learn(&self, events: &[EntityEvents]) {
        for frame in events {
            for (id, name) in frame.events.iter().filter_map(|event| renamed(frame.entity, event)) {
                self.names.write().unwrap_or_else(PoisonError::into_inner).set(id, name);
            }
        }
    }

    /// Whether somebody bears a name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.names().by_name.contains_key(name)
    }

    /// The name of an entity, if it has one.
    pub(super) fn name(&self, id: &EntityId) -> Option<String> {
        self.names().by_id.get(id).cloned()
    }

    /// An entity as views name it.
    pub(super) fn party(&self, id: EntityId) -> PartyView {
        PartyView { id, name: self.name(&id) }
    }

    /// The entity that a request means.
    pub(super) fn entity(&self, reference: &EntityRef) -> Result<EntityId, RpcError> {
        let name = match reference {
            EntityRef::Id(id) => return Ok(*id),
            EntityRef::Name(name) => name,
        };
        let names = self.names();
        let bearers: Vec<EntityId> =
            names.by_name.get(name).into_iter().flat_map(|bearers| bearers.iter().copied()).collect();
        match bearers.as_slice() {
            [id] => Ok(*id),
            [] => {
                Err(RpcError::not_found("entity", name)
                    .with_hint("entity.list names those that are known here"))
            }
            several => Err(RpcError::new(
                4207,
                "AmbiguousName",
                format!("{} entities are called {name}", several.len()),
            )
            .with_details(json!({ "name": name, "ids": several }))
            .with_hint("use the identifier of the one you mean")),
        }
    }

    /// Assets of the network, the default first.
    pub(super) fn assets(&self) -> &[AssetView] {
        &self.assets
    }

    /// The asset that a request means.
    pub(super) fn asset(&self, reference: Option<&AssetRef>) -> Result<AssetId, RpcError> {
        match reference {
            Some(AssetRef::Id(id)) => Ok(*id),
            Some(AssetRef::Name(symbol)) => self
                .assets
                .iter()
                .find(|asset| same_symbol(&asset.symbol, symbol))
                .map(|asset| asset.id)
                .ok_or_else(|| {
                    RpcError::not_found("asset", symbol)
                        .with_hint("depositary.listAssets names those that there are")
                }),
            None => self.assets.first().map(|asset| asset.id).ok_or_else(|| {
                RpcError::invalid_params("the network has no default asset")
                    .with_hint("name an asset by identifier")
            }),
        }
    }

    /// Symbol and decimal places of an asset; of one that is not known here, its identifier shortened and none.
    pub(super) fn unit(&self, id: &AssetId) -> (String, u8) {
        self.known(id).map_or_else(
            || {
                let text = id.to_string();
                (format!("{}…", text.get(..10).unwrap_or(&text)), 0)
            },
            |asset| (asset.symbol.clone(), asset.decimals),
        )
    }

    /// An asset of the network.
    pub(super) fn known(&self, id: &AssetId) -> Option<&AssetView> {
        self.assets.iter().find(|asset| asset.id == *id)
    }
}

fn same_symbol(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A directory with the asset usd, of two decimals.
    pub(in crate::backend) fn directory_with_usd(id: AssetId, names: &[(u8, &str)]) -> Directory {
        let (symbol, name) = ("usd".to_owned(), "US dollar".to_owned());
        let usd = AssetView { id, symbol, name, decimals: 2, supply: Amount::ZERO, faucet: true };
        Directory { assets: vec![usd], ..directory(names) }
    }

    fn directory(names: &[(u8, &str)]) -> Directory {
        let mut index = Names::default();
        for (id, name) in names {
            index.set(EntityId::new([*id; 32]), (*name).to_owned());
        }
        Directory { names: RwLock::new(index), assets: Vec::new() }
    }

    #[test]
    fn a_name_leads_to_its_entity_and_back() {
        let directory = directory(&[(1, "alice"), (2, "bob")]);
        let bob = EntityId::new([2; 32]);
        assert_eq!(directory.entity(&EntityRef::Name("bob".into())), Ok(bob));
        assert_eq!(directory.party(bob).name.as_deref(), Some("bob"));
        assert_eq!(directory.entity(&EntityRef::Name("eve".into())).unwrap_err().name, "NotFound");
    }

    #[test]
    fn a_name_that_two_bear_is_refused_with_both_identifiers() {
        let error = directory(&[(1, "bob"), (2, "bob")]).entity(&EntityRef::Name("bob".into())).unwrap_err();
        assert_eq!((error.code, error.name.as_str()), (4207, "AmbiguousName"));
        assert_eq!(error.details["ids"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn an_entity_that_changes_its_name_frees_the_old_one() {
        let directory = directory(&[(1, "bob")]);
        directory.names.write().unwrap().set(EntityId::new([1; 32]), "robert".into());
        assert!(!directory.is_taken("bob"));
        assert!(directory.is_taken("robert"));
    }
}
