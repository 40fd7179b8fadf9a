//! The configurable, canonical Merkle tree of XLN and its proofs.
