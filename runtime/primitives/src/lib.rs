//! The vocabulary of XLN: what is sent, signed, hashed and stored, and how it is encoded.
//!
//! Everything above this crate (pallets, runtime, node, clients) speaks in these types, and everything that
//! crosses a process boundary is one of them. The crate is pure: no clock, no I/O, no randomness.
//!
//! ```text
//!  identity      SignerId ─ Board ─ EntityId ─ ChannelId        AssetId, Network, Address
//!  quantity      Amount (u128, unsigned)   Delta (i128, signed)   Timestamp (Unix ms)
//!  saying        SignedCall ──► Message ──► Outputs (Merkle root) ──► FrameHeader ──► Certificate
//!  keeping       Slice ──► BlockHeader, Receipt                      Storage{Value,Map}
//! ```
//!
//! **One signature per frame.** An entity's frame header commits to all of its outgoing messages by a Merkle
//! root ([`outputs`]); the header's hash is certified once ([`Certificate`]). A message is then authenticated by
//! its payload, its path to that root, the header and the certificate ([`CertifiedMessage`]), whoever carried it.
//!
//! **Encoding.** SCALE inside the system, canonical: decoding accepts only the bytes that encoding produces
//! ([`decode_exact`]), and every length is bounded before memory is taken. What a contract must recompute (frame
//! headers, output leaves) is hashed with keccak-256 over 32-byte ABI words.
//!
//! **Arithmetic** is checked: [`Amount`] and [`Delta`] have no operator that wraps or panics.

mod address;
mod amount;
mod block;
mod board;
mod certificate;
mod codec_limits;
pub mod crypto;
mod environment;
mod frame;
mod hash;
mod id;
mod member;
mod message;
pub mod outputs;
mod receipt;
mod signed_call;
pub mod storage;
mod time;
mod voters;

pub use address::Address;
pub use amount::{Amount, ArithmeticError, Delta};
pub use block::BlockHeader;
pub use board::{Board, BoardError, MAX_MEMBERS, Profile};
pub use certificate::{Certificate, CertificateError, Round, VOTE_BYTES, Vote, VoteKind};
pub use codec_limits::{DecodeError, MAX_DEPTH, decode_exact};
pub use crypto::{PublicKey, SecretKey, Signature, SignatureError};
pub use environment::{Environment, Origin};
pub use frame::{FrameHash, FrameHeader, Height};
pub use hash::{Hash, commitment, keccak256};
pub use id::{AssetId, ChannelId, EntityId, Network, ParseIdError, Side, SignerId};
pub use member::{Delegate, Member, MemberId, Permissions, Principal, Weight};
pub use message::{AuthenticationError, CertifiedMessage, Kind, Message, Sequence};
pub use receipt::{Receipt, StateChange};
pub use signed_call::{CALL_VERSION, CallBody, CallError, CallHash, MAX_CALLS, Nonce, SignedCall};
pub use sp_core::{ConstU32, bounded::BoundedVec};
pub use storage::{Corrupt, Storage, StorageKey, StorageMap, StorageType, StorageValue};
pub use time::Timestamp;
pub use voters::Voter;
