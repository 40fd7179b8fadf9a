//! Registered entities that stand on each other's boards in any way.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use pallet_entities::{
    Call, Error, Event, dispatch,
    quorum::{NestingFault, evaluate},
    register, registered_board, try_state,
};
use xln_primitives::{Board, EntityId, FrameHash, Member, MemberId, Origin};

use crate::{
    mock::{self, DEPOSITARY, Machine, key, signer},
    random::{Random, campaign, within},
};

const LEVELS_MAX: usize = 8;
const MEMBERS_MAX: usize = 4_096;
/// Registrations and updates of one registry.
const STEPS: usize = 30;
const SLOWEST: Duration = Duration::from_secs(1);

/// Whom each entity's board names, of those that may be registered.
type Graph = BTreeMap<u64, BTreeSet<u64>>;

fn named(graph: &Graph, number: u64) -> impl Iterator<Item = u64> {
    graph.get(&number).into_iter().flatten().copied()
}

/// How many boards the shortest way from `from` back to it leads over.
fn shortest_way_back(graph: &Graph, from: u64) -> Option<usize> {
    let (mut seen, mut level) = (BTreeSet::new(), BTreeSet::from([from]));
    for boards in 1.. {
        level =
            level.iter().flat_map(|number| named(graph, *number)).filter(|next| seen.insert(*next)).collect();
        if level.contains(&from) {
            return Some(boards);
        }
        if level.is_empty() {
            break;
        }
    }
    None
}

/// Boards on the longest way down from `from`; none if some way never ends.
fn levels(graph: &Graph, from: u64, way: &mut Vec<u64>, known: &mut BTreeMap<u64, usize>) -> Option<usize> {
    if !graph.contains_key(&from) {
        return Some(0);
    }
    if let Some(levels) = known.get(&from) {
        return Some(*levels);
    }
    if way.contains(&from) {
        return None;
    }
    way.push(from);
    let below: Option<Vec<usize>> = named(graph, from).map(|next| levels(graph, next, way, known)).collect();
    way.pop();
    let levels = 1 + below?.into_iter().max().unwrap_or(0);
    known.insert(from, levels);
    Some(levels)
}

/// Whether what was found of the nesting of `number` is so.
fn check(graph: &Graph, boards: &BTreeMap<EntityId, Board>, number: u64, found: Option<&Error>) {
    let back = shortest_way_back(graph, number);
    let levels = levels(graph, number, &mut Vec::new(), &mut BTreeMap::new());
    let is_deep = levels.is_none_or(|levels| levels > LEVELS_MAX);
    match found {
        None => assert!(back.is_none() && !is_deep, "{number}: back over {back:?}, {levels:?} levels"),
        Some(Error::Cycle { entity }) => {
            assert_eq!(*entity, EntityId::registered(number));
            assert!(back.is_some_and(|boards| boards <= LEVELS_MAX), "{number}: back over {back:?}");
        }
        Some(Error::TooDeep { .. }) => {
            assert!(is_deep && back.is_none_or(|boards| boards > LEVELS_MAX), "{number}: {levels:?} levels");
        }
        Some(Error::TooWide { .. }) => {
            let members: usize = boards.values().map(|board| board.members.len()).sum();
            assert!(members * LEVELS_MAX > MEMBERS_MAX, "{members} members");
        }
        Some(error) => panic!("{number}: {error:?}"),
    }
}

/// A board that names a few of the first `most` numbers and sometimes one of no registry; mostly those before `number`.
fn board(number: u64, most: u64, is_crowded: bool, random: &mut Random) -> Board {
    let mut entities = BTreeSet::new();
    for _ in 0..random.below(4) {
        let below = if random.once_in(4) { most } else { number };
        let one = u64::try_from(random.below(usize::try_from(below).unwrap())).unwrap();
        entities.insert(EntityId::registered(one));
    }
    if !random.once_in(3) {
        entities.insert(EntityId::registered(number.saturating_sub(1)));
    }
    if random.once_in(8) {
        entities.insert(EntityId::new([random.byte().max(1); 32]));
    }
    let crowd = if is_crowded { 200 } else { 0 };
    let crowd = (0..crowd).map(|n: u8| {
        let mut bytes = [0xee; 32];
        bytes[0] = n;
        EntityId::new(bytes)
    });
    let nested = |entity| Member { weight: 1, ..mock::member(MemberId::Entity { entity, delegate: None }) };
    mock::board([signer(1)].into_iter().chain(entities.into_iter().chain(crowd).map(nested)).collect())
}

fn edges(board: &Board) -> BTreeSet<u64> {
    let number = |member: &Member| match &member.id {
        MemberId::Entity { entity, .. } => entity.registry_number(),
        MemberId::Signer { .. } | MemberId::Delegating { .. } => None,
    };
    board.members.iter().filter_map(number).collect()
}

#[test]
fn a_registry_says_of_every_cycle_and_tower_that_it_is_one_and_of_nothing_else() {
    let (mut good, mut cyclic, mut deep, mut wide) = (0_u64, 0_u64, 0_u64, 0_u64);
    let cases = campaign("registries", |random, _| {
        let mut machine = Machine::of(DEPOSITARY);
        let (mut graph, mut boards) = (Graph::new(), BTreeMap::new());
        let mut heights: BTreeMap<u64, u64> = BTreeMap::new();
        let most = 3 + u64::try_from(random.below(20)).unwrap();
        let is_crowded = random.once_in(10);
        for _ in 0..STEPS {
            let next = u64::try_from(boards.len()).unwrap() + 1;
            let is_new = next <= most && (next == 1 || random.once_in(2));
            let old = 1 + u64::try_from(random.below(boards.len())).unwrap();
            let number = if is_new { next } else { old };
            let (entity, board) = (EntityId::registered(number), board(number, most, is_crowded, random));
            let (mut with, mut all) = (graph.clone(), boards.clone());
            with.insert(number, edges(&board));
            all.insert(entity, board.clone());
            let found = if is_new {
                let before = machine.clone();
                let result = within(SLOWEST, || register(&mut machine, &board));
                if result.is_err() {
                    assert_eq!(machine.state, before.state, "a refusal changed something");
                }
                result.map(|given| assert_eq!(given, entity)).err()
            } else {
                machine.events.clear();
                let height = heights.entry(number).or_default();
                *height += 1;
                machine.carrier = Some((*height, FrameHash::ZERO));
                let call = Call::Update { board: board.clone() };
                let result = within(SLOWEST, || dispatch(&mut machine, Origin::Entity(entity), call));
                assert_eq!(result, Ok(()));
                machine.events.iter().find_map(|event| match event {
                    Event::NestingFault { entity: of, fault } if *of == entity => Some(fault.clone()),
                    _ => None,
                })
            };
            check(&with, &all, number, found.as_ref());
            match &found {
                None => good += 1,
                Some(Error::Cycle { .. }) => cyclic += 1,
                Some(Error::TooDeep { .. }) => deep += 1,
                Some(_) => wide += 1,
            }
            // An entity that exists has its board, whatever is wrong with it.
            if found.is_none() || !is_new {
                (graph, boards) = (with, all);
                assert_eq!(registered_board(&machine, number), Ok(Some(board)));
            } else {
                assert_eq!(registered_board(&machine, number), Ok(None));
            }
            if found.is_none() {
                let outcome = evaluate(&entity, &boards, &BTreeSet::from([key(1)])).unwrap();
                assert_eq!(outcome.faults, [], "the registry found nothing wrong");
            }
        }
        for entity in boards.keys() {
            let outcome = evaluate(entity, &boards, &BTreeSet::from([key(1)])).unwrap();
            let number = entity.registry_number().unwrap();
            let is_cyclic = shortest_way_back(&graph, number).is_some();
            assert_eq!(outcome.faults.contains(&NestingFault::Cycle { entity: *entity }), is_cyclic);
        }
        assert_eq!(try_state(&machine), Ok(()));
    });
    println!("{good} nestings without fault, {cyclic} cycles, {deep} too deep, {wide} too wide");
    assert!(cases == 1 || good.min(cyclic).min(deep).min(wide) > 0);
}
