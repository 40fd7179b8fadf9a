//! How the tree behaves, seen from outside.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

mod keys;
mod limits;
mod map;
mod proofs;
mod reference;
mod roots;
