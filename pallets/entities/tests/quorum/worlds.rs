//! Random worlds: entities whose boards name people and each other.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*};
use xln_primitives::{Board, EntityId, Member, Permissions, PublicKey, Weight};

use crate::people::{PEOPLE, board, delegating, member, nested, person};

/// Boards by entity, the entity that is asked, and the numbers of the people who sign.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) root: EntityId,
    pub(crate) boards: BTreeMap<EntityId, Board>,
    pub(crate) signing: BTreeSet<usize>,
}

impl World {
    pub(crate) fn signed(&self) -> BTreeSet<PublicKey> {
        self.signing.iter().map(|number| person(*number).key()).collect()
    }
}

/// A member before it is known what identifier an entity has.
#[derive(Debug, Clone)]
enum Shape {
    Person { number: usize, delegating: bool },
    Entity { number: usize },
}

/// A board before it is known which of its members there are, its threshold as a share of 256ths of the weight.
#[derive(Debug, Clone)]
struct Draft {
    is_lazy: bool,
    members: Vec<(Shape, Weight, bool)>,
    threshold: u8,
}

impl Draft {
    /// The board, of members that exist and stand in it once.
    fn board(self, entities: &[Option<EntityId>]) -> Board {
        let mut members: Vec<Member> = Vec::new();
        for (shape, weight, may_vote) in self.members {
            let mut new = match shape {
                Shape::Person { number, delegating: true } if !number.is_multiple_of(3) => {
                    delegating(number, weight)
                }
                Shape::Person { number, .. } => member(number, weight),
                Shape::Entity { number } => match entities.get(number).copied().flatten() {
                    Some(entity) => nested(entity, weight),
                    None => continue,
                },
            };
            if !may_vote {
                new.permissions = Permissions::PROPOSE;
            }
            if members.iter().all(|other| other.principal() != new.principal()) {
                members.push(new);
            }
        }
        if members.is_empty() {
            members.push(member(0, 1));
        }
        let total: Weight = members.iter().map(|member| member.weight).sum();
        let threshold = (u64::from(total) * u64::from(self.threshold) / 256 + 1).try_into().unwrap();
        board(members, threshold)
    }
}

/// Worlds of up to `entities` boards with up to `members` members, of which this many in a hundred are entities.
pub(crate) fn worlds(entities: usize, members: usize, nesting: u32) -> impl Strategy<Value = World> {
    let shape = prop_oneof![
        100 - nesting => (0..PEOPLE, any::<bool>())
            .prop_map(|(number, delegating)| Shape::Person { number, delegating }),
        nesting => (0..entities).prop_map(|number| Shape::Entity { number }),
    ];
    let weight = prop_oneof![9 => 1_u32..5, 1 => 1_000_000_u32..500_000_000];
    let may_vote = prop::bool::weighted(0.9);
    let draft = (prop::bool::weighted(0.4), vec((shape, weight, may_vote), 1..=members), any::<u8>())
        .prop_map(|(is_lazy, members, threshold)| Draft { is_lazy, members, threshold });
    let signing = prop::collection::btree_set(0..PEOPLE, 0..=PEOPLE);
    (vec(draft, 1..=entities), signing).prop_map(|(drafts, signing)| {
        // A lazy entity can only name entities that are there before it: registered ones, and lazy ones of higher number.
        let registered = |(number, draft): (usize, &Draft)| {
            (!draft.is_lazy).then(|| EntityId::registered(u64::try_from(number).unwrap() + 1))
        };
        let mut ids: Vec<Option<EntityId>> = drafts.iter().enumerate().map(registered).collect();
        let mut boards = BTreeMap::new();
        let (lazy, registered): (Vec<_>, Vec<_>) =
            drafts.into_iter().enumerate().rev().partition(|(_, draft)| draft.is_lazy);
        for (number, draft) in lazy.into_iter().chain(registered) {
            let board = draft.board(&ids);
            let entity = *ids[number].get_or_insert_with(|| board.entity());
            boards.insert(entity, board);
        }
        World { root: ids[0].unwrap(), boards, signing }
    })
}
