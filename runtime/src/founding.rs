//! The first state of a server, put together piece by piece.
//!
//! A server hosts a part of a network: some of its entities. Each entity keeps its own copy of its channels, and the
//! depositary their collateral, so a network's genesis falls apart by entity, and what does not live here need not be in
//! memory here:
//!
//! ```text
//!   host(hub), host(depositary)
//!   copies(channels 0 .. 9,999)     the hub's copies; those of users who live elsewhere are skipped
//!   accounts(channels 0 .. 9,999)   the depositary's rows
//!   copies(channels 10,000 .. )     …  as many portions as there are
//!   finish()  ─►  Server            roots are computed here, once
//! ```
//!
//! A portion costs memory while it is written down, the state costs memory as long as the server lives, and nothing else
//! does: a hub with ten million channels is founded from a stream.

use std::collections::BTreeMap;

use xln_primitives::{
    BlockHeader, BoundedVec, ConstU32, EntityId, FrameHash, FrameHeader, Hash, outputs::merkle_root,
};
use xln_tree::Tree;

use crate::{
    Facts, Server,
    block::bind,
    entity::{Entity, Head, tree_config},
    genesis::{GenesisAsset, GenesisChannel, GenesisChannelRow, GenesisEntity, GenesisError},
    newcomer::founded,
    overlay::Overlay,
};

/// A server before its first slice, to which entities, channels and accounts can still be added.
#[derive(Debug)]
pub struct Founding {
    facts: Facts,
    entities: BTreeMap<EntityId, Entity>,
}

impl Founding {
    /// A server of this network that hosts nobody yet.
    #[must_use]
    pub const fn new(facts: Facts) -> Self {
        Self { facts, entities: BTreeMap::new() }
    }

    /// Hosts an entity: its board, its name, its terms. What it owns at the depositary is [`Founding::reserves`].
    ///
    /// Errors: it is hosted already; its name is too long; its board is of several.
    pub fn host(&mut self, genesis: &GenesisEntity) -> Result<(), GenesisError> {
        let id = genesis.id;
        if self.entities.contains_key(&id) {
            return Err(GenesisError::DuplicateEntity { entity: id });
        }
        self.entities.insert(id, founded(id, genesis.board.clone())?);
        let metadata =
            pallet_entities::Metadata { name: text("name", &genesis.name)?, description: BoundedVec::new() };
        self.write(id, |state| {
            pallet_entities::set_metadata(state, &metadata)?;
            if let Some(policy) = &genesis.policy {
                policy.resolve().store(state)?;
            }
            if let Some(policy) = &genesis.governance {
                pallet_governance::set_policy(state, policy)?;
            }
            Ok(())
        })
    }

    /// Whether an entity is hosted here.
    #[must_use]
    pub fn hosts(&self, entity: &EntityId) -> bool {
        self.entities.contains_key(entity)
    }

    /// Enters those of these entities that have a number in the registry, if the depositary is hosted here.
    ///
    /// Errors: numbers that do not follow each other from 1; a board that leads back to itself.
    pub fn register(&mut self, entities: &[GenesisEntity]) -> Result<(), GenesisError> {
        let mut registered: Vec<_> =
            entities.iter().filter(|entity| entity.id.registry_number().is_some()).collect();
        registered.sort_unstable_by_key(|entity| entity.id);
        self.write(self.facts.depositary, |state| {
            for entity in registered {
                let expected = pallet_entities::register(state, &entity.board)?;
                if expected != entity.id {
                    return Err(GenesisError::RegistryNumber { entity: entity.id, expected });
                }
            }
            Ok(())
        })
    }

    /// Defines assets, if the depositary is hosted here.
    ///
    /// Errors: an asset that exists, a text that is too long or none.
    pub fn assets(&mut self, assets: &[GenesisAsset]) -> Result<(), GenesisError> {
        self.write(self.facts.depositary, |state| {
            for asset in assets {
                let info = pallet_reserves::AssetInfo {
                    symbol: text("symbol", &asset.symbol)?,
                    name: text("name of an asset", &asset.name)?,
                    decimals: asset.decimals,
                    kind: pallet_reserves::AssetKind::Fungible,
                    bridge: asset.bridge,
                    faucet_max: asset.faucet_max,
                };
                pallet_reserves::genesis_asset(state, asset.id, &info)?;
            }
            Ok(())
        })
    }

    /// Gives an entity what it owns from the start, if the depositary is hosted here. It may itself live elsewhere.
    ///
    /// Errors: an unknown asset, a supply that is too large.
    pub fn reserves(&mut self, entity: &GenesisEntity) -> Result<(), GenesisError> {
        self.write(self.facts.depositary, |state| {
            for (asset, amount) in &entity.reserves {
                pallet_reserves::genesis_reserve(state, &entity.id, asset, *amount)?;
            }
            Ok(())
        })
    }

    /// Writes the copies that the sides which are hosted here keep of these channels.
    ///
    /// Errors: two sides that are one entity, an asset twice in a channel, too many assets.
    pub fn copies(&mut self, channels: &[GenesisChannel]) -> Result<(), GenesisError> {
        let mut of_entity: BTreeMap<EntityId, Vec<(EntityId, &[GenesisChannelRow])>> = BTreeMap::new();
        for channel in channels {
            for (own, peer) in [(channel.left, channel.right), (channel.right, channel.left)] {
                if self.hosts(&own) {
                    of_entity.entry(own).or_default().push((peer, &channel.rows));
                }
            }
        }
        for (own, copies) in of_entity {
            self.write(own, |state| {
                for (peer, rows) in copies {
                    let rows = rows.iter().map(GenesisChannelRow::resolve).collect::<Result<Vec<_>, _>>()?;
                    pallet_channels::genesis_channel(state, own, peer, &rows)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Locks the collateral of these channels, if the depositary is hosted here. A channel without collateral may be
    /// left out: the absence of its account says the same.
    ///
    /// Errors: an unknown asset, an account that exists, a supply that is too large.
    pub fn accounts(&mut self, channels: &[GenesisChannel]) -> Result<(), GenesisError> {
        self.write(self.facts.depositary, |state| {
            for channel in channels {
                for row in &channel.rows {
                    let ondelta = row.ondelta.to_delta()?;
                    let account = pallet_reserves::Account { collateral: row.collateral, ondelta };
                    let (left, right) = (&channel.left, &channel.right);
                    pallet_reserves::genesis_account(state, left, right, &row.asset, account)?;
                }
            }
            Ok(())
        })
    }

    /// The server, with everybody's genesis frame and the root over them.
    ///
    /// Nothing is marked as changed since a snapshot: [`Server::take_changes`] gives what slices change from now on.
    #[must_use]
    pub fn finish(mut self) -> Server {
        let nothing = || merkle_root(Vec::new());
        for entity in self.entities.values_mut() {
            let header = FrameHeader {
                entity: entity.id,
                height: 0,
                parent: FrameHash::ZERO,
                timestamp: self.facts.genesis_time,
                board_hash: entity.board_hash,
                inputs_root: nothing(),
                state_root: Hash::new(entity.tree.commit()),
                outputs_root: nothing(),
            };
            entity.head = Some(Head { header, certificate: None });
        }
        let mut tree = Tree::new(tree_config());
        bind(&mut tree, self.entities.values());
        let head = BlockHeader {
            number: 0,
            parent: Hash::ZERO,
            timestamp: self.facts.genesis_time,
            first_slice: 1,
            slices: 0,
            inputs_root: nothing(),
            state_root: Hash::new(tree.root()),
            receipts_root: nothing(),
        };
        Server::new(self.facts, self.entities, tree, head, 0)
    }

    /// Changes the state of an entity, if it is hosted here.
    fn write(
        &mut self,
        id: EntityId,
        change: impl FnOnce(&mut Overlay<'_>) -> Result<(), GenesisError>,
    ) -> Result<(), GenesisError> {
        let Some(entity) = self.entities.get_mut(&id) else { return Ok(()) };
        let base = entity.tree.clone();
        let mut state = Overlay::new(&base);
        change(&mut state)?;
        let changes = state.into_changes();
        // From here on the tree is the only owner of its nodes, and changes them in place.
        drop(base);
        for (key, value) in changes {
            if let Some(value) = value {
                // Keys and values of pallets are far below the tree's limits.
                let _ = entity.tree.insert(key, value);
            }
        }
        Ok(())
    }
}

fn text<const MAX: u32>(
    what: &'static str,
    text: &str,
) -> Result<BoundedVec<u8, ConstU32<MAX>>, GenesisError> {
    text.as_bytes().to_vec().try_into().map_err(|_| GenesisError::TooLong {
        what,
        text: text.to_owned(),
        size_max: MAX,
    })
}
