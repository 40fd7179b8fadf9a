//! The bytes of everything that leaves an entity or is stored about its channels, pinned: a change here is a change of the
//! protocol, or of what is on the disks of those who run it.
//!
//! Encodings of up to 80 bytes are spelled out; longer ones are pinned by their length and keccak-256. Each list of an
//! enum's variants is complete: a variant that is not in it fails its test.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its values fails")]

mod errors;
mod events;
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../../../../runtime/primitives/tests/golden/pin.rs"]
mod pin;
mod rows;
mod values;
mod wire;

use codec::{Decode, Encode};
use pin::{pin, written};

/// Pins each variant of an enum. The list must be complete: followed by zeros, no other first byte decodes.
#[track_caller]
fn pin_all<T: Encode + Decode + PartialEq + core::fmt::Debug>(variants: &[(T, &str)]) {
    for (value, expected) in variants {
        pin(value, expected);
    }
    let known: Vec<u8> = variants.iter().map(|(value, _)| value.encode()[0]).collect();
    for first in (0..=u8::MAX).filter(|byte| !known.contains(byte)) {
        let mut bytes = vec![0; 1_024];
        bytes[0] = first;
        assert!(T::decode(&mut bytes.as_slice()).is_err(), "variant 0x{first:02x} is not pinned");
    }
}
