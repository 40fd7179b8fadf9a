//! Durable storage of blocks, state, receipts and proofs in RocksDB.
