//! The board of an entity in a chain spec.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xln_primitives::{Board, Member, MemberId, Permissions, Profile, PublicKey, Weight};

use crate::SpecError;

/// Who speaks for an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BoardSpec {
    /// The members, in the order that bitmaps of certificates refer to.
    pub members: Vec<MemberSpec>,
    /// Weight that authorises an action; 1 if left out.
    #[serde(default = "one")]
    pub threshold: Weight,
    /// Which faults the board's agreement survives; crashes only, if left out.
    #[serde(default = "crash_fault")]
    pub profile: Profile,
}

/// A member of a board, by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemberSpec {
    /// The key with its scheme, such as `ed25519:0x…`.
    pub key: PublicKey,
    /// For a BLS key, and only for one: its proof of possession, 96 bytes as `0x…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_of_possession: Option<String>,
    /// Voting weight; 1 if left out.
    #[serde(default = "one")]
    pub weight: Weight,
    /// What the member may do; everything, if left out.
    #[serde(default = "everything")]
    pub permissions: BTreeSet<Permission>,
}

/// A thing that a member of a board may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Permission {
    /// Everything, custom permissions included.
    All,
    /// Make proposals.
    Propose,
    /// Vote on proposals.
    Vote,
    /// Act alone where the entity's policy asks for an executive.
    Execute,
    /// Propose a new member.
    AddValidator,
    /// Propose the removal of a member.
    RemoveValidator,
}

impl BoardSpec {
    /// The board of one signer that may do everything.
    #[must_use]
    pub fn single(key: PublicKey) -> Self {
        let member = MemberSpec { key, proof_of_possession: None, weight: 1, permissions: everything() };
        Self { members: vec![member], threshold: 1, profile: Profile::CrashFault }
    }

    /// The board that is meant, checked.
    ///
    /// Errors: a malformed proof of possession, or a board that cannot exist; they name the place as `path`.
    pub fn to_board(&self, path: &str) -> Result<Board, SpecError> {
        let mut members = Vec::with_capacity(self.members.len());
        for (position, spec) in self.members.iter().enumerate() {
            let possession = spec
                .proof_of_possession
                .as_deref()
                .map(|proof| possession(&format!("{path}.members[{position}].proofOfPossession"), proof))
                .transpose()?;
            members.push(Member {
                id: MemberId::Signer { key: spec.key, possession },
                weight: spec.weight,
                permissions: spec
                    .permissions
                    .iter()
                    .fold(Permissions::NONE, |set, permission| set.with(permission.bits())),
            });
        }
        let members = members.try_into().map_err(|_| SpecError::Range {
            path: format!("{path}.members"),
            value: format!("{} members", self.members.len()),
            rule: "a board has at most 256",
        })?;
        let board = Board { members, threshold: self.threshold, profile: self.profile };
        board.validate().map_err(|source| SpecError::Board { path: path.to_owned(), source })?;
        Ok(board)
    }

    /// The same board in the one way that the raw form writes it.
    pub(crate) fn normalised(&self) -> Self {
        let mut board = self.clone();
        for member in &mut board.members {
            if member.permissions.contains(&Permission::All) {
                member.permissions = everything();
            }
            if let Some(proof) = &mut member.proof_of_possession {
                proof.make_ascii_lowercase();
            }
        }
        board
    }
}

impl Permission {
    const fn bits(self) -> Permissions {
        match self {
            Self::All => Permissions::ALL,
            Self::Propose => Permissions::PROPOSE,
            Self::Vote => Permissions::VOTE,
            Self::Execute => Permissions::EXECUTE,
            Self::AddValidator => Permissions::ADD_VALIDATOR,
            Self::RemoveValidator => Permissions::REMOVE_VALIDATOR,
        }
    }
}

fn possession(path: &str, text: &str) -> Result<[u8; 96], SpecError> {
    let mut bytes = [0; 96];
    let decoded = text.strip_prefix("0x").is_some_and(|hex| hex::decode_to_slice(hex, &mut bytes).is_ok());
    crate::text::check(path, text, decoded, "a proof of possession is 0x and 192 hexadecimal digits")?;
    Ok(bytes)
}

const fn one() -> Weight {
    1
}

const fn crash_fault() -> Profile {
    Profile::CrashFault
}

fn everything() -> BTreeSet<Permission> {
    BTreeSet::from([Permission::All])
}
