//! The board of an entity in a chain spec.

use serde::{Deserialize, Serialize};
use xln_primitives::{Board, EntityId, Profile, PublicKey, Weight};

use crate::{EntityRef, MemberSpec, SpecError};

/// Who speaks for an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BoardSpec {
    /// The members, in the order that bitmaps of certificates refer to.
    pub members: Vec<MemberSpec>,
    /// Weight that decides a proposal; as much as orders frames if left out: more than two thirds, or more than half for
    /// the crash-fault profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Weight>,
    /// Which faults the board's agreement survives; crashes only, if left out.
    #[serde(default = "crash_fault")]
    pub profile: Profile,
}

impl BoardSpec {
    /// The board of one signer that may do everything.
    #[must_use]
    pub fn single(key: PublicKey) -> Self {
        let member = MemberSpec::of_key(key, None);
        Self { members: vec![member], threshold: None, profile: Profile::CrashFault }
    }

    /// The board that is meant, checked. `entity` says which entity a reference means; its first argument is the place of the
    /// reference.
    ///
    /// Errors: a member that is malformed, or a board that cannot exist, with the place as `path`, and those of `entity`.
    pub fn to_board(
        &self,
        path: &str,
        entity: &impl Fn(&str, &EntityRef) -> Result<EntityId, SpecError>,
    ) -> Result<Board, SpecError> {
        let member = |(position, spec): (usize, &MemberSpec)| {
            spec.to_member(&format!("{path}.members[{position}]"), entity)
        };
        let members = self.members.iter().enumerate().map(member).collect::<Result<Vec<_>, SpecError>>()?;
        let members = members.try_into().map_err(|_| SpecError::Range {
            path: format!("{path}.members"),
            value: format!("{} members", self.members.len()),
            rule: "a board has at most 256",
        })?;
        let mut board = Board { members, threshold: 1, profile: self.profile };
        board.threshold = self.threshold.unwrap_or_else(|| board.quorum());
        board.validate().map_err(|source| SpecError::Board { path: path.to_owned(), source })?;
        Ok(board)
    }
}

/// The one way in which the raw form writes a board.
impl From<&Board> for BoardSpec {
    fn from(board: &Board) -> Self {
        let members = board.members.iter().map(MemberSpec::from).collect();
        Self { members, threshold: Some(board.threshold), profile: board.profile }
    }
}

pub(crate) const fn one() -> Weight {
    1
}

const fn crash_fault() -> Profile {
    Profile::CrashFault
}
