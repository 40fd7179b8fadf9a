//! Which entities have signed, given which people did.

use core::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use xln_primitives::{Board, EntityId, MemberId, Permissions, PublicKey, Weight};

use super::{MAX_BOARDS, MAX_LEVELS, NestingFault, QuorumError};

/// What the people who signed amount to in the root's board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Weight that counts in the root's board.
    pub weight: Weight,
    /// Weight that authorises an action of the root.
    pub threshold: Weight,
    /// What contributes nothing whoever signs: at most two for each board.
    pub faults: Vec<NestingFault>,
}

impl Outcome {
    /// Whether the root stands behind the statement.
    #[must_use]
    pub const fn reached(&self) -> bool {
        reaches(self.weight, self.threshold)
    }
}

/// A threshold of zero, which no sound board has, is never reached.
const fn reaches(weight: Weight, threshold: Weight) -> bool {
    threshold > 0 && weight >= threshold
}

/// Evaluates the board of `root`, whose members' boards are among `boards`, for the people in `signed`. An entity whose board is not
/// given counts for nothing.
///
/// The boards are sound ([`Board::validate`]); of others the weights saturate. Takes at most as many rounds over all members as
/// there are boards.
///
/// Errors: [`QuorumError::Root`], [`QuorumError::TooManyBoards`].
pub fn evaluate<B: Borrow<Board>>(
    root: &EntityId,
    boards: &BTreeMap<EntityId, B>,
    signed: &BTreeSet<PublicKey>,
) -> Result<Outcome, QuorumError> {
    let nesting = Nesting::new(root, boards)?;
    let heights = nesting.heights(signed);
    Ok(nesting.outcome(signed, &heights))
}

/// The boards below a root as a graph of positions, the root at position 0, in the order of their distance from it.
pub(super) struct Nesting<'a> {
    places: Vec<Place<'a>>,
}

/// One entity of a nesting.
pub(super) struct Place<'a> {
    pub(super) entity: EntityId,
    pub(super) board: &'a Board,
    /// Fewest boards from the root's to this one, both included.
    level: usize,
    /// Members that are entities with a board here, and their weight.
    nested: Vec<(usize, Weight)>,
}

/// How many levels of boards make an entity sign, its own included; `None` if nothing does.
pub(super) type Height = Option<usize>;

impl<'a> Nesting<'a> {
    pub(super) fn new<B: Borrow<Board>>(
        root: &EntityId,
        boards: &'a BTreeMap<EntityId, B>,
    ) -> Result<Self, QuorumError> {
        if boards.len() > usize::try_from(MAX_BOARDS).unwrap_or(usize::MAX) {
            return Err(QuorumError::TooManyBoards { boards: boards.len() });
        }
        let first = boards.get(root).ok_or(QuorumError::Root { root: *root })?;
        let mut places = Vec::with_capacity(boards.len());
        let mut positions = BTreeMap::from([(*root, 0_usize)]);
        let mut waiting = VecDeque::from([(*root, first.borrow(), 1_usize)]);
        while let Some((entity, board, level)) = waiting.pop_front() {
            let mut nested = Vec::new();
            for member in board.members.iter().filter(|member| member.permissions.allows(Permissions::VOTE)) {
                let MemberId::Entity { entity, .. } = &member.id else { continue };
                let Some(known) = boards.get(entity) else { continue };
                let next = positions.len();
                let position = *positions.entry(*entity).or_insert_with(|| {
                    waiting.push_back((*entity, known.borrow(), level.saturating_add(1)));
                    next
                });
                nested.push((position, member.weight));
            }
            places.push(Place { entity, board, level, nested });
        }
        Ok(Self { places })
    }

    pub(super) fn places(&self) -> &[Place<'a>] {
        &self.places
    }

    /// For each place the round in which it signs; none for the root, which is not counted below itself.
    pub(super) fn heights(&self, signed: &BTreeSet<PublicKey>) -> Vec<Height> {
        let people: Vec<Weight> = self.places.iter().map(|place| place.people(signed)).collect();
        let mut heights: Vec<Height> = vec![None; self.places.len()];
        for round in 1..=self.places.len() {
            let reached = |(position, (place, people)): (usize, (&Place<'_>, &Weight))| {
                let new = position > 0
                    && heights.get(position).is_some_and(Option::is_none)
                    && reaches(place.weight(*people, &heights, round), place.board.threshold);
                new.then_some(position)
            };
            let newly: Vec<usize> = self.places.iter().zip(&people).enumerate().filter_map(reached).collect();
            if newly.is_empty() {
                break;
            }
            for position in newly {
                if let Some(height) = heights.get_mut(position) {
                    *height = Some(round);
                }
            }
        }
        heights
    }

    pub(super) fn outcome(&self, signed: &BTreeSet<PublicKey>, heights: &[Height]) -> Outcome {
        let root = self.places.first();
        let weight = root.map_or(0, |root| root.weight(root.people(signed), heights, MAX_LEVELS));
        let threshold = root.map_or(0, |root| root.board.threshold);
        Outcome { weight, threshold, faults: self.faults(heights) }
    }

    fn faults(&self, heights: &[Height]) -> Vec<NestingFault> {
        let cycles = self.cyclic().map(|place| NestingFault::Cycle { entity: place.entity });
        let deep = self.places.iter().zip(heights).filter_map(|(place, height)| {
            // Its level counts its own board, and so does the height of what makes it sign.
            let levels = place.level.saturating_add(height.unwrap_or(1)).saturating_sub(1);
            (levels > MAX_LEVELS).then_some(NestingFault::TooDeep { entity: place.entity, levels })
        });
        cycles.chain(deep).collect()
    }

    /// Places from which a way leads back to them.
    fn cyclic(&self) -> impl Iterator<Item = &Place<'a>> {
        // One bit per place; 64 boards are 64 bits.
        let bit =
            |position: usize| u32::try_from(position).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0);
        let direct =
            |place: &Place<'_>| place.nested.iter().fold(0, |set, (position, _)| set | bit(*position));
        let mut below: Vec<u64> = self.places.iter().map(direct).collect();
        for middle in 0..below.len() {
            let through = below.get(middle).copied().unwrap_or(0);
            for set in below.iter_mut().filter(|set| **set & bit(middle) != 0) {
                *set |= through;
            }
        }
        let returning = move |(position, (place, below)): (usize, (_, u64))| {
            (below & bit(position) != 0).then_some(place)
        };
        self.places.iter().zip(below).enumerate().filter_map(returning)
    }
}

impl Place<'_> {
    /// Weight of the people who signed.
    fn people(&self, signed: &BTreeSet<PublicKey>) -> Weight {
        let members = self.board.members.iter().filter(|member| member.permissions.allows(Permissions::VOTE));
        members
            .filter(|member| member.signer().is_some_and(|key| signed.contains(key)))
            .fold(0, |sum: Weight, member| sum.saturating_add(member.weight))
    }

    /// Weight of `people` and of the entities that signed before `round`.
    fn weight(&self, people: Weight, heights: &[Height], round: usize) -> Weight {
        self.supporters(heights, round).fold(people, |sum: Weight, (_, weight)| sum.saturating_add(weight))
    }

    /// Positions and weights of the entities that signed before `round`.
    pub(super) fn supporters(
        &self,
        heights: &[Height],
        round: usize,
    ) -> impl Iterator<Item = (usize, Weight)> {
        let before = move |(position, _): &(usize, Weight)| {
            heights.get(*position).copied().flatten().is_some_and(|height| height < round)
        };
        self.nested.iter().copied().filter(before)
    }
}
