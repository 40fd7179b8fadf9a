//! Boards of the registry that stand on each other: none leads back to itself, and none is too deep.
//!
//! Only what the registry knows is followed. The board of a lazy entity is not in it, so such a member is a leaf here; whoever
//! evaluates a nested board with all boards at hand finds the rest.

use std::collections::BTreeSet;

use xln_primitives::{Board, EntityId, MemberId, Storage};

use crate::{Error, registry};

/// Most levels of boards, the first one included.
pub(crate) const LEVELS_MAX: usize = 8;
/// Most members of all boards together that are looked at.
const MEMBERS_MAX: usize = 4_096;

/// Checks that the boards of registered members, and of theirs, do not lead back to `entity`, whose board is `board`, and end
/// within [`LEVELS_MAX`] levels.
///
/// Errors: [`Error::Cycle`], [`Error::TooDeep`], [`Error::TooWide`].
pub(crate) fn check(storage: &(impl Storage + ?Sized), entity: EntityId, board: &Board) -> Result<(), Error> {
    let mut seen = board.members.len();
    let mut level = registered(board);
    for levels in 2..=LEVELS_MAX.saturating_add(1) {
        if level.contains(&entity) {
            return Err(Error::Cycle { entity });
        }
        let mut next = BTreeSet::new();
        let mut boards = 0_usize;
        for number in level.iter().filter_map(EntityId::registry_number) {
            let Some(board) = registry::registered_board(storage, number)? else { continue };
            boards = boards.saturating_add(1);
            seen = seen.saturating_add(board.members.len());
            if seen > MEMBERS_MAX {
                return Err(Error::TooWide { max: MEMBERS_MAX.try_into().unwrap_or(u32::MAX) });
            }
            next.extend(registered(&board));
        }
        if boards == 0 {
            return Ok(());
        }
        if levels > LEVELS_MAX {
            break;
        }
        level = next;
    }
    Err(Error::TooDeep { max: LEVELS_MAX.try_into().unwrap_or(u32::MAX) })
}

/// Members that may be in the registry.
fn registered(board: &Board) -> BTreeSet<EntityId> {
    let entity = |id: &MemberId| match id {
        MemberId::Entity { entity, .. } => Some(*entity),
        MemberId::Signer { .. } | MemberId::Delegating { .. } => None,
    };
    let members = board.members.iter().filter_map(|member| entity(&member.id));
    members.filter(|entity| entity.registry_number().is_some()).collect()
}
