//! Boards that stand on each other in any way, sound or not, evaluated for anybody who signs.
//!
//! `XLN_FUZZ_SECONDS=600 XLN_SEED=7 cargo test -p pallet-entities --test quorum wild` goes on for longer, from another seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use pallet_entities::quorum::{MAX_LEVELS, NestingFault, evaluate};
use xln_primitives::{Board, EntityId, Permissions, Profile, PublicKey, Weight};

use crate::{
    model::Model,
    people::{PEOPLE, delegating, member, nested, person},
    random::{Random, campaign, within},
};

const SLOWEST: Duration = Duration::from_secs(1);
/// How boards stand on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A few boards that name each other and people at will.
    Knot,
    /// Boards one on another, with few people and few ways beside.
    Tower,
    /// Many large boards: more ways than can be walked.
    Thicket,
}

fn id(number: usize) -> EntityId {
    EntityId::registered(u64::try_from(number).unwrap())
}

fn weight(random: &mut Random) -> Weight {
    match random.below(12) {
        0 => Weight::MAX,
        1 => 1 << 31,
        2 => 0,
        _ => Weight::try_from(random.below(5)).unwrap() + 1,
    }
}

/// A board of people and of any of `boards` entities, itself included; mostly also of the next one.
fn board(number: usize, boards: usize, kind: Kind, random: &mut Random) -> Board {
    let others = match kind {
        Kind::Knot => random.below(4),
        Kind::Tower => usize::from(random.once_in(6)),
        Kind::Thicket => random.below(12),
    };
    let mut members = Vec::new();
    for _ in 0..others {
        let (who, weight) = (random.below(PEOPLE), weight(random));
        let mut new = match random.below(4) {
            0 if !who.is_multiple_of(3) => delegating(who, weight),
            0 | 1 => member(who, weight),
            _ => nested(id(random.below(boards)), weight),
        };
        if random.once_in(8) {
            new.permissions = Permissions::PROPOSE;
        }
        members.push(new);
    }
    if number + 1 == boards && kind == Kind::Tower {
        members.push(member(random.below(PEOPLE), weight(random)));
    } else if kind == Kind::Tower || !random.once_in(3) {
        members.push(nested(id(number + 1), weight(random)));
    }
    let total = members.iter().fold(0, |sum: Weight, member| sum.saturating_add(member.weight));
    let threshold = match random.below(if kind == Kind::Tower { 60 } else { 10 }) {
        0 => 0,
        1 => Weight::MAX,
        2 => total,
        _ if kind == Kind::Tower => 1,
        _ => Weight::try_from(random.below(6)).unwrap() + 1,
    };
    Board { members: members.try_into().unwrap(), threshold, profile: Profile::CrashFault }
}

/// Weight of everybody who may vote on a board.
fn voting(board: &Board) -> u128 {
    let members = board.members.iter().filter(|member| member.permissions.allows(Permissions::VOTE));
    members.map(|member| u128::from(member.weight)).sum()
}

#[test]
fn no_cycle_depth_or_weight_overflows_hangs_or_lies() {
    let (mut reached, mut cyclic, mut deep, mut cut) = (0_u64, 0_u64, 0_u64, 0_u64);
    let cases = campaign("evaluations of wild boards", |random, _| {
        let (kind, most) = [(Kind::Knot, 5), (Kind::Tower, 12), (Kind::Thicket, 64)][random.below(3)];
        let count = 1 + random.below(most);
        let boards: BTreeMap<EntityId, Board> =
            (0..count).map(|number| (id(number), board(number, count, kind, random))).collect();
        let signed: BTreeSet<PublicKey> =
            (0..PEOPLE).filter(|_| random.once_in(2)).map(|number| person(number).key()).collect();
        let root = id(0);
        let found = within(SLOWEST, || evaluate(&root, &boards, &signed)).unwrap();

        assert_eq!(found.threshold, boards[&root].threshold);
        assert!(u128::from(found.weight) <= voting(&boards[&root]), "{found:?}");
        assert_eq!(found.reached(), found.threshold > 0 && found.weight >= found.threshold);
        assert!(found.faults.len() <= 2 * count);
        let model = |levels| Model { boards: &boards, signed: &signed, levels };
        let mut cycles = BTreeSet::new();
        let mut depths = 0;
        for fault in &found.faults {
            match fault {
                NestingFault::Cycle { entity } => drop(cycles.insert(*entity)),
                NestingFault::TooDeep { levels, .. } => {
                    assert!(*levels > MAX_LEVELS, "{fault:?}");
                    depths += 1;
                }
            }
        }
        assert_eq!(cycles, model(MAX_LEVELS).cycles(root), "the entities that lead back to themselves");
        if kind != Kind::Thicket {
            let weight = model(MAX_LEVELS).weight(&mut vec![root]);
            assert_eq!(found.weight, weight, "{boards:?}");
            let is_less = model(count).weight(&mut vec![root]) > weight;
            assert!(depths > 0 || !is_less, "depth took weight away and nobody is told: {boards:?}");
            cut += u64::from(is_less);
        }
        // Nobody speaks for nothing, and one more never takes weight away.
        assert_eq!(evaluate(&root, &boards, &BTreeSet::new()).unwrap().weight, 0);
        let mut more = signed.clone();
        more.insert(person(random.below(PEOPLE)).key());
        assert!(evaluate(&root, &boards, &more).unwrap().weight >= found.weight);

        reached += u64::from(found.reached());
        cyclic += u64::from(!cycles.is_empty());
        deep += u64::from(depths > 0);
    });
    println!(
        "{reached} reached their threshold, {cyclic} had cycles, {deep} were too deep, {cut} lost weight by it"
    );
    assert!(cases == 1 || reached.min(cyclic).min(deep).min(cut) > 0);
}
