//! Boards of any bytes and of any shape, against rules that are written down here a second time, as plainly as they can be.
//!
//! `XLN_FUZZ_SECONDS=600 XLN_SEED=7 cargo test -p pallet-entities --test behaviour fuzz` goes on for longer, from another seed.

mod changing;
mod decoding;
mod making;
mod nesting;
mod rules;
