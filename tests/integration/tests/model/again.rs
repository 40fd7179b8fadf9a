//! The same log again: from genesis, and from a snapshot.

use std::collections::BTreeMap;

use xln_integration::{Logged, World};
use xln_primitives::{BlockHeader, EntityId, Hash};
use xln_runtime::{Genesis, Server, SliceNumber, StateRow, invariants};

/// The state on disk: all rows as of the last snapshot.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    values: BTreeMap<(EntityId, Vec<u8>), StateRow<'static>>,
    heads: BTreeMap<EntityId, StateRow<'static>>,
}

impl Disk {
    /// Writes the rows that changed.
    pub(crate) fn write(&mut self, rows: impl Iterator<Item = StateRow<'static>>) {
        for row in rows {
            match &row {
                StateRow::Value { entity, key, value: Some(_), .. } => {
                    self.values.insert((*entity, key.to_vec()), row);
                }
                StateRow::Value { entity, key, value: None, .. } => {
                    self.values.remove(&(*entity, key.to_vec()));
                }
                StateRow::Head { entity, .. } => {
                    self.heads.insert(*entity, row);
                }
            }
        }
    }

    fn rows(self) -> impl Iterator<Item = StateRow<'static>> {
        self.values.into_values().chain(self.heads.into_values())
    }
}

/// What to start from instead of genesis.
pub(crate) struct Snapshot {
    pub(crate) disk: Disk,
    pub(crate) head: BlockHeader,
    pub(crate) slice: SliceNumber,
    /// How much of the log it contains.
    pub(crate) logged: usize,
}

/// From genesis, every certificate checked.
pub(crate) fn replay(world: &World) {
    let server = world.genesis.build().unwrap();
    compare(run(server, &world.log, true), world);
}

/// From a snapshot.
pub(crate) fn restore(world: &World, snapshot: Snapshot) {
    let Snapshot { disk, head, slice, logged } = snapshot;
    let server = restored(&world.genesis, disk, head, slice);
    compare(run(server, &world.log[logged..], false), world);
}

fn restored(genesis: &Genesis, disk: Disk, head: BlockHeader, slice: SliceNumber) -> Server {
    let server = Server::restore(genesis, disk.rows(), head, slice).unwrap();
    invariants::check(&server).unwrap();
    server
}

fn run(mut server: Server, log: &[Logged], verify: bool) -> Server {
    for entry in log {
        match entry {
            Logged::Slice(slice) => drop(server.replay(slice, verify).unwrap()),
            Logged::Block(header) => server.replay_block(header).unwrap(),
        }
    }
    server
}

fn compare(again: Server, world: &World) {
    let state = |server: &Server| -> (Hash, BlockHeader, SliceNumber, usize) {
        (server.state_root(), server.head().clone(), server.slice(), server.keys())
    };
    assert_eq!(state(&again), state(&world.server), "the log leads elsewhere");
}
