//! Members of boards: who they are, what they may do, and with which key frames are ordered for them.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};

use crate::{EntityId, PublicKey, SignerId, crypto::bls};

/// Voting weight. A board's total stays below 2³².
pub type Weight = u32;

/// What a member may do, as a set of bits.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Permissions(u32);

impl Permissions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Make proposals.
    pub const PROPOSE: Self = Self(1);
    /// Vote on proposals.
    pub const VOTE: Self = Self(1 << 1);
    /// Act alone where the entity's policy asks for an executive.
    pub const EXECUTE: Self = Self(1 << 2);
    /// Propose a new member.
    pub const ADD_VALIDATOR: Self = Self(1 << 3);
    /// Propose the removal of a member.
    pub const REMOVE_VALIDATOR: Self = Self(1 << 4);
    /// Keep the list of entities that the entity does not deal with, or reports.
    pub const COMPLIANCE: Self = Self(1 << 5);
    /// Everything, custom permissions included.
    pub const ALL: Self = Self(u32::MAX);
    /// Permissions without a meaning of their own: an entity's policy gives them one.
    pub const CUSTOM: [Self; 16] = {
        let mut custom = [Self::NONE; 16];
        let mut place = 0;
        while place < custom.len() {
            custom[place] = Self(1 << (16 + place));
            place += 1;
        }
        custom
    };

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every permission of `other` is held.
    #[must_use]
    pub const fn allows(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set as bits, the lowest for [`Permissions::PROPOSE`].
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set of these bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

/// The BLS key of a server that orders frames for a member which cannot: a person whose key is of another scheme, or an
/// entity. It decides nothing else: it neither votes on proposals nor signs calls in the member's name.
///
/// One key may order for several members. It then votes once, with the sum of their weights.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Delegate {
    /// The key.
    pub key: [u8; 48],
    /// Proof that somebody has its secret.
    pub possession: [u8; 96],
}

/// Who a member is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum MemberId {
    /// A person, a device or a server, by key. A BLS key carries its proof of possession, so that a board that
    /// proves itself by its hash alone is safe to aggregate.
    #[codec(index = 0)]
    Signer {
        /// The key that certifies frames and signs calls.
        key: PublicKey,
        /// Proof of possession; present if and only if `key` is a BLS key.
        possession: Option<[u8; 96]>,
    },
    /// Another entity. It proposes and votes by what it says itself, and counts in a quorum proof when its own board's
    /// quorum signed.
    #[codec(index = 1)]
    Entity {
        /// Which.
        entity: EntityId,
        /// Who orders frames for it; nobody does if none.
        delegate: Option<Delegate>,
    },
    /// A person or device whose own key is no BLS key, for whom a server orders frames.
    #[codec(index = 2)]
    Delegating {
        /// The key that signs calls.
        key: PublicKey,
        /// Who orders frames.
        delegate: Delegate,
    },
}

/// A member by identity alone, however it takes part in ordering.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Principal {
    /// A person or device, by key.
    #[codec(index = 0)]
    Signer(SignerId),
    /// An entity.
    #[codec(index = 1)]
    Entity(EntityId),
}

impl core::fmt::Display for Principal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Signer(signer) => write!(f, "signer {signer}"),
            Self::Entity(entity) => write!(f, "entity {entity}"),
        }
    }
}

/// A member of a board.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// With what weight, at least 1.
    pub weight: Weight,
    /// What the member may do.
    pub permissions: Permissions,
}

impl Member {
    /// The BLS key with which frames are ordered for it: its own, or its delegate's.
    #[must_use]
    pub const fn bls_key(&self) -> Option<&[u8; 48]> {
        match &self.id {
            MemberId::Signer { key: PublicKey::Bls(key), .. } => Some(key),
            MemberId::Entity { delegate: Some(delegate), .. } | MemberId::Delegating { delegate, .. } => {
                Some(&delegate.key)
            }
            MemberId::Signer { .. } | MemberId::Entity { delegate: None, .. } => None,
        }
    }

    /// The key with which it signs calls; none for an entity, which says what it wants itself.
    #[must_use]
    pub const fn signer(&self) -> Option<&PublicKey> {
        match &self.id {
            MemberId::Signer { key, .. } | MemberId::Delegating { key, .. } => Some(key),
            MemberId::Entity { .. } => None,
        }
    }

    /// The server that orders frames for it instead of itself, if there is one.
    #[must_use]
    pub const fn delegate(&self) -> Option<&Delegate> {
        match &self.id {
            MemberId::Delegating { delegate, .. } => Some(delegate),
            MemberId::Entity { delegate, .. } => delegate.as_ref(),
            MemberId::Signer { .. } => None,
        }
    }

    /// Who it is.
    #[must_use]
    pub fn principal(&self) -> Principal {
        match &self.id {
            MemberId::Signer { key, .. } | MemberId::Delegating { key, .. } => {
                Principal::Signer(key.signer_id())
            }
            MemberId::Entity { entity, .. } => Principal::Entity(*entity),
        }
    }

    /// Whether both are the same member, whatever else is said of them.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (MemberId::Entity { entity: a, .. }, MemberId::Entity { entity: b, .. }) => a == b,
            _ => self.signer().is_some() && self.signer() == other.signer(),
        }
    }

    /// Its BLS key, or its delegate's, with what shall prove that somebody has the secret; none if there is no such key or no proof
    /// beside it.
    #[must_use]
    pub const fn possession(&self) -> Option<(&[u8; 48], &[u8; 96])> {
        match &self.id {
            MemberId::Signer { key: PublicKey::Bls(key), possession: Some(proof) } => Some((key, proof)),
            MemberId::Entity { delegate: Some(delegate), .. } | MemberId::Delegating { delegate, .. } => {
                Some((&delegate.key, &delegate.possession))
            }
            MemberId::Signer { .. } | MemberId::Entity { delegate: None, .. } => None,
        }
    }

    /// Whether its BLS key, if it has one, comes with a proof of possession, and no other key does.
    pub(crate) fn has_possession(&self) -> bool {
        match &self.id {
            MemberId::Signer { key: PublicKey::Bls(key), possession: Some(proof) } => {
                bls::verify_possession(key, proof).is_ok()
            }
            MemberId::Signer { key: PublicKey::Bls(_), possession: None }
            | MemberId::Signer { possession: Some(_), .. } => false,
            MemberId::Signer { .. } | MemberId::Entity { delegate: None, .. } => true,
            MemberId::Entity { delegate: Some(delegate), .. } | MemberId::Delegating { delegate, .. } => {
                bls::verify_possession(&delegate.key, &delegate.possession).is_ok()
            }
        }
    }
}
