//! The members of a board in a chain spec: people and devices by key, and entities.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xln_primitives::{Delegate, EntityId, Member, MemberId, PublicKey, Weight};

use crate::{EntityRef, Permission, SpecError, board::one, permission, text::check};

/// A member of a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct MemberSpec {
    /// Who.
    pub who: WhoSpec,
    /// Voting weight; 1 if left out.
    pub weight: Weight,
    /// What the member may do; everything, if left out.
    pub permissions: BTreeSet<Permission>,
}

/// Who a member is, and who orders frames for it if it cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoSpec {
    /// A person, a device or a server.
    Key {
        /// The key with its scheme, such as `ed25519:0x…`.
        key: PublicKey,
        /// For a BLS key, and only for one: its proof of possession, 96 bytes as `0x…`.
        proof_of_possession: Option<String>,
        /// For a key of another scheme: the server that orders frames for it.
        delegate: Option<DelegateSpec>,
    },
    /// Another entity.
    Entity {
        /// Its name, if it is declared in the same place, or its identifier.
        entity: EntityRef,
        /// The server that orders frames for it.
        delegate: Option<DelegateSpec>,
    },
}

/// The BLS key of a server that orders frames for a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DelegateSpec {
    /// The key, `bls:0x…`.
    pub key: PublicKey,
    /// Its proof of possession, 96 bytes as `0x…`.
    pub proof_of_possession: String,
}

/// A member as it is written: with `key` or with `entity`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<PublicKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entity: Option<EntityRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof_of_possession: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delegate: Option<DelegateSpec>,
    #[serde(default = "one")]
    weight: Weight,
    #[serde(default = "permission::everything")]
    permissions: BTreeSet<Permission>,
}

impl TryFrom<Fields> for MemberSpec {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        let Fields { key, entity, proof_of_possession, delegate, weight, permissions } = fields;
        let who = match (key, entity) {
            (Some(key), None) => WhoSpec::Key { key, proof_of_possession, delegate },
            (None, Some(entity)) if proof_of_possession.is_none() => WhoSpec::Entity { entity, delegate },
            (None, Some(_)) => {
                return Err("an entity has no key and no `proofOfPossession`; its `delegate` has them");
            }
            _ => return Err("a member has either a `key` or is an `entity`"),
        };
        Ok(Self { who, weight, permissions })
    }
}

impl From<MemberSpec> for Fields {
    fn from(MemberSpec { who, weight, permissions }: MemberSpec) -> Self {
        let (key, entity, proof_of_possession, delegate) = match who {
            WhoSpec::Key { key, proof_of_possession, delegate } => {
                (Some(key), None, proof_of_possession, delegate)
            }
            WhoSpec::Entity { entity, delegate } => (None, Some(entity), None, delegate),
        };
        Self { key, entity, proof_of_possession, delegate, weight, permissions }
    }
}

impl MemberSpec {
    /// Somebody by key, with a weight of 1 and every permission.
    #[must_use]
    pub fn of_key(key: PublicKey, proof_of_possession: Option<String>) -> Self {
        let who = WhoSpec::Key { key, proof_of_possession, delegate: None };
        Self { who, weight: 1, permissions: permission::everything() }
    }

    /// The member that is meant. `entity` says which entity a reference means; its first argument is the place of the reference.
    ///
    /// Errors: what is malformed or contradicts itself, with its place, and those of `entity`.
    pub fn to_member(
        &self,
        path: &str,
        entity: &impl Fn(&str, &EntityRef) -> Result<EntityId, SpecError>,
    ) -> Result<Member, SpecError> {
        let permissions = permission::bits(&self.permissions);
        let delegate = |spec: &Option<DelegateSpec>| {
            spec.as_ref().map(|spec| spec.to_delegate(&format!("{path}.delegate"))).transpose()
        };
        let id = match &self.who {
            WhoSpec::Key { key, proof_of_possession, delegate: None } => {
                let proof = |text: &String| possession(&format!("{path}.proofOfPossession"), text);
                MemberId::Signer {
                    key: *key,
                    possession: proof_of_possession.as_ref().map(proof).transpose()?,
                }
            }
            WhoSpec::Key { key, proof_of_possession, delegate: Some(spec) } => {
                let rule = "only a BLS key has a proof of possession, and a BLS key needs no delegate";
                check(&format!("{path}.proofOfPossession"), "a proof", proof_of_possession.is_none(), rule)?;
                let is_bls = matches!(key, PublicKey::Bls(_));
                check(&format!("{path}.delegate"), spec.key, !is_bls, "a BLS key orders frames itself")?;
                let delegate = spec.to_delegate(&format!("{path}.delegate"))?;
                MemberId::Delegating { key: *key, delegate }
            }
            WhoSpec::Entity { entity: reference, delegate: spec } => MemberId::Entity {
                entity: entity(&format!("{path}.entity"), reference)?,
                delegate: delegate(spec)?,
            },
        };
        Ok(Member { id, weight: self.weight, permissions })
    }

    /// The entity that the member is.
    #[must_use]
    pub const fn entity(&self) -> Option<&EntityRef> {
        match &self.who {
            WhoSpec::Key { .. } => None,
            WhoSpec::Entity { entity, .. } => Some(entity),
        }
    }
}

impl From<&Member> for MemberSpec {
    fn from(member: &Member) -> Self {
        let text = |bytes: &[u8; 96]| format!("0x{}", hex::encode(bytes));
        let delegate = |delegate: &Delegate| DelegateSpec {
            key: PublicKey::Bls(delegate.key),
            proof_of_possession: text(&delegate.possession),
        };
        let who = match &member.id {
            MemberId::Signer { key, possession } => {
                WhoSpec::Key { key: *key, proof_of_possession: possession.as_ref().map(text), delegate: None }
            }
            MemberId::Delegating { key, delegate: server } => {
                WhoSpec::Key { key: *key, proof_of_possession: None, delegate: Some(delegate(server)) }
            }
            MemberId::Entity { entity, delegate: server } => {
                WhoSpec::Entity { entity: (*entity).into(), delegate: server.as_ref().map(delegate) }
            }
        };
        Self { who, weight: member.weight, permissions: Permission::all_of(member.permissions) }
    }
}

impl DelegateSpec {
    fn to_delegate(&self, path: &str) -> Result<Delegate, SpecError> {
        let PublicKey::Bls(key) = self.key else {
            let rule = "a delegate orders frames with a BLS key";
            return Err(SpecError::Range { path: format!("{path}.key"), value: self.key.to_string(), rule });
        };
        let possession = possession(&format!("{path}.proofOfPossession"), &self.proof_of_possession)?;
        Ok(Delegate { key, possession })
    }
}

fn possession(path: &str, text: &str) -> Result<[u8; 96], SpecError> {
    let mut bytes = [0; 96];
    let decoded = text.strip_prefix("0x").is_some_and(|hex| hex::decode_to_slice(hex, &mut bytes).is_ok());
    check(path, text, decoded, "a proof of possession is 0x and 192 hexadecimal digits")?;
    Ok(bytes)
}
