//! States that were taken over from another server, kept as long as the log needs them.
//!
//! A slice that put a whole state in the place of an older one logs its frame and its number of chunks. The chunks themselves,
//! which no execution can make again, are here:
//!
//! ```text
//!   chunk 0, 1, 2, … as they come ─► slice + mark "adopted in slice n", one batch ─► … ─► slice n is pruned: chunks too
//!        │ the transfer fails, or the process ends before the slice
//!        └──────────► without a mark: removed at the next start
//! ```

use rocksdb::WriteBatch;
use xln_primitives::{EntityId, Height};

use crate::{Batch, Column, Store, StoreError, key};

/// In place of an index: the row that says in which slice a state was taken over.
const MARK: u32 = u32::MAX;

impl Batch {
    /// Stores chunk `index` of the state of `entity` after its frame `height`.
    pub fn put_chunk(&mut self, entity: &EntityId, height: Height, index: u32, chunk: &[u8]) {
        self.put(Column::Adopted, key::adopted(entity, height, index), chunk);
    }

    /// Says that slice `slice` takes that state over. It belongs into the batch that stores the slice.
    pub fn put_adopted(&mut self, entity: &EntityId, height: Height, slice: u64) {
        self.put(Column::Adopted, key::adopted(entity, height, MARK), &slice.to_be_bytes());
    }
}

impl Store {
    /// Chunk `index` of a state that was taken over.
    pub fn adopted_chunk(
        &self,
        entity: &EntityId,
        height: Height,
        index: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Column::Adopted, &key::adopted(entity, height, index))
    }

    /// Removes the chunks of a state that is not taken over after all.
    pub fn forget_adopted(&self, entity: &EntityId, height: Height) -> Result<(), StoreError> {
        let mut writes = WriteBatch::default();
        let (from, to) = (key::adopted(entity, height, 0), key::adopted(entity, height, MARK));
        writes.delete_range_cf(self.column(Column::Adopted), from.as_slice(), to.as_slice());
        writes.delete_cf(self.column(Column::Adopted), to);
        self.forget(writes)
    }

    /// Removes the chunks of states that no slice took over: their transfer was interrupted. To be called while none is under
    /// way. Returns how many states they are of.
    pub fn forget_unadopted(&self) -> Result<u64, StoreError> {
        self.forget_adopted_where(|slice| slice.is_none())
    }

    /// Removes the chunks of states that were taken over in slices before `first`, which are gone.
    pub(crate) fn prune_adopted(&self, first: u64) -> Result<u64, StoreError> {
        self.forget_adopted_where(|slice| slice.is_some_and(|slice| slice < first))
    }

    /// Removes the states for which `is_over`, given the slice that took them over, says so.
    fn forget_adopted_where(&self, is_over: impl Fn(Option<u64>) -> bool) -> Result<u64, StoreError> {
        let (mut count, mut next) = (0_u64, key::adopted(&EntityId::ZERO, 0, 0));
        // One look for each state, not one for each chunk.
        while let Some((key, _)) = self.sealed_rows(Column::Adopted, &next).next().transpose()? {
            let (entity, height, _) = key::parse_adopted(&key)?;
            let slice = self.get(Column::Adopted, &key::adopted(&entity, height, MARK))?;
            let slice = slice
                .map(|bytes| bytes.try_into().map(u64::from_be_bytes))
                .transpose()
                .map_err(|_| StoreError::corrupt(Column::Adopted, &key))?;
            if is_over(slice) {
                self.forget_adopted(&entity, height)?;
                count = count.saturating_add(1);
            }
            next = key::adopted(&entity, height, MARK);
            next.push(0);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use xln_primitives::Network;

    fn with(states: &[(u8, Height, u32, Option<u64>)]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Network::ZERO, &Options::default()).unwrap();
        for (entity, height, chunks, slice) in states {
            let (entity, mut batch) = (EntityId::new([*entity; 32]), Batch::new());
            for index in 0..*chunks {
                batch.put_chunk(&entity, *height, index, &[1; 10]);
            }
            if let Some(slice) = slice {
                batch.put_adopted(&entity, *height, *slice);
            }
            store.commit(batch).unwrap();
        }
        (folder, store)
    }

    fn there(store: &Store, entity: u8, height: Height) -> bool {
        store.adopted_chunk(&EntityId::new([entity; 32]), height, 0).unwrap().is_some()
    }

    #[test]
    fn what_no_slice_took_over_is_removed_and_the_rest_stays() {
        let (_folder, store) =
            with(&[(1, 5, 3, Some(9)), (1, 6, 2, None), (2, 5, 1, None), (3, 7, 1, Some(4))]);
        assert_eq!(store.forget_unadopted().unwrap(), 2);
        let left = [(1, 5), (1, 6), (2, 5), (3, 7)].map(|(entity, height)| there(&store, entity, height));
        assert_eq!(left, [true, false, false, true]);
        assert!(store.verify(&mut |_, _| {}).unwrap().is_sound());
    }

    #[test]
    fn chunks_go_with_the_slice_that_took_them_over() {
        let (_folder, store) = with(&[(1, 5, 3, Some(9)), (1, 8, 2, Some(12)), (2, 5, 1, None)]);
        assert_eq!(store.prune_adopted(9).unwrap(), 0);
        assert_eq!(store.prune_adopted(10).unwrap(), 1);
        assert_eq!((there(&store, 1, 5), there(&store, 1, 8), there(&store, 2, 5)), (false, true, true));
    }
}
