//! Quorum proofs: what is accepted, against a model that follows the specification word by word, and against bytes that
//! want to deceive.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod evaluation;
mod forgery;
mod model;
mod people;
mod proofs;
mod random;
mod wild;
mod worlds;
