//! What keeps one defect, one loss or one change from becoming everybody's.

use std::{cell::Cell, rc::Rc, sync::Arc};

use xln_consensus::{
    BoardMessage, Body, Content, Effect, Engine, EngineError, Entry, Event, Halt, Host, Input, Malachite,
    Output, Settings, Setup, Sign, Timing, VoteHistory,
};
use xln_keystore::KeySigner;
use xln_primitives::{EntityId, FrameHash, Profile, Round, SecretKey};

use crate::net::{CALM, NETWORK, Net, board, entity, secret};

fn host<E: Engine>(member: usize) -> Host<E> {
    let signer = Arc::new(KeySigner::new(SecretKey::Bls(secret(member).into())).unwrap());
    Host::new(Settings { network: NETWORK, timing: Timing::default(), signer }).unwrap()
}

fn follow(entity: EntityId, height: u64) -> Event {
    // A board of one decides by itself, so that one host shows everything.
    let board = board(&[1], Profile::Byzantine);
    Event::Follow { entity, height, board, rows: Vec::new(), history: VoteHistory::Whole }
}

fn built(entity: EntityId, height: u64) -> Event {
    let (frame, body) = (FrameHash::new([5; 32]), Body::new(vec![1]));
    Event::Built { entity, height, round: 0, frame, body }
}

#[test]
fn rows_of_all_entities_of_a_turn_are_one_batch() {
    let mut host: Host = host(0);
    let entities = [1, 2, 3].map(EntityId::registered);
    host.step(entities.map(|entity| follow(entity, 1)), [0; 32]);
    host.step(entities.map(|entity| Event::Work { entity }), [1; 32]);
    let effects = host.step(entities.map(|entity| built(entity, 1)), [2; 32]);
    let batches: Vec<_> = effects
        .iter()
        .filter_map(|e| if let Effect::Append { rows, .. } = e { Some(rows) } else { None })
        .collect();
    assert_eq!(batches.len(), 1);
    // The value, its proposal, a prevote and a precommit of each.
    assert_eq!(batches[0].len(), 3 * 4);
    assert!(matches!(effects[0], Effect::Append { .. }), "before anything that follows from it");
    assert_eq!(effects.iter().filter(|e| matches!(e, Effect::Decided { .. })).count(), 3);
}

#[test]
fn a_second_answer_for_a_round_is_not_proposed() {
    let mut host: Host = host(0);
    let entity = entity();
    let board = board(&[1, 1, 1, 1], Profile::Byzantine);
    let electorate = xln_consensus::Electorate::new(&board).unwrap();
    let height = (1..).find(|height| electorate.proposer(*height, 0).0 == 0).unwrap();
    host.step(
        [Event::Follow { entity, height, board, rows: Vec::new(), history: VoteHistory::Whole }],
        [0; 32],
    );
    host.step([Event::Work { entity }], [1; 32]);
    let rows = |effects: Vec<Effect>| effects.iter().filter(|e| matches!(e, Effect::Append { .. })).count();
    assert_eq!(rows(host.step([built(entity, height)], [2; 32])), 1);
    let (frame, body) = (FrameHash::new([6; 32]), Body::new(vec![2]));
    let other = Event::Built { entity, height, round: 0, frame, body };
    assert_eq!(host.step([other], [3; 32]), []);
}

/// Fails an assertion at height 13.
struct Fragile(Malachite, u64);

impl Engine for Fragile {
    fn new(setup: &Setup) -> Self {
        Self(Malachite::new(setup), setup.height)
    }

    fn start(&mut self, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        self.0.start(sign)
    }

    fn step(&mut self, input: Input, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        let outputs = self.0.step(input, sign)?;
        assert_ne!(self.1, 13, "an unlucky height");
        Ok(outputs)
    }

    fn begin_replay(&mut self, entries: &[Entry]) {
        self.0.begin_replay(entries);
    }

    fn end_replay(&mut self) {
        self.0.end_replay();
    }

    fn round(&self) -> Round {
        self.0.round()
    }
}

#[test]
fn a_panic_of_the_engine_halts_its_entity_and_leaves_nothing_of_it_in_the_turn() {
    let mut host: Host<Fragile> = host(0);
    let [well, ill] = [1, 2].map(EntityId::registered);
    host.step([follow(well, 12), follow(ill, 13)], [0; 32]);
    host.step([well, ill].map(|entity| Event::Work { entity }), [1; 32]);
    let effects = host.step([built(ill, 13), built(well, 12)], [2; 32]);
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Halt { entity, reason: Halt::Panic(text), .. } if *entity == ill && text.contains("unlucky")
    )));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Decided { entity, .. } if *entity == well)));
    assert!(effects.iter().all(|effect| match effect {
        Effect::Append { rows, .. } => rows.iter().all(|row| row.entity == well),
        _ => true,
    }));
    assert_eq!(host.step([Event::Work { entity: ill }], [3; 32]), [], "it stays halted");
}

#[test]
fn a_lost_proposal_is_pulled_from_whoever_voted_for_it() {
    let mut net: Net<Malachite> = Net::new(1, board(&[1; 4], Profile::Byzantine), CALM);
    let electorate = xln_consensus::Electorate::new(&net.board).unwrap();
    let deprived = usize::from((electorate.proposer(1, 0).0 + 1) % 4);
    let asked = Rc::new(Cell::new(0));
    let asks = asked.clone();
    let mut lost = false;
    net.filter = Box::new(move |from, to, message: &BoardMessage| match &message.content {
        Content::Proposal { .. } if to == deprived && !lost => {
            lost = true;
            false
        }
        Content::Request { .. } => {
            assert_eq!(from, deprived);
            asks.set(asks.get() + 1);
            true
        }
        _ => true,
    });
    net.run(10);
    net.work_until(1);
    assert!(net.run_until(1, 200), "before any timer");
    // Answered with the proposal, or with frame and certificate by a member that decided meanwhile.
    assert_eq!(asked.get(), 1);
}

#[test]
fn a_certified_frame_that_our_runtime_finds_invalid_halts_us() {
    let mut net: Net<Malachite> = Net::new(2, board(&[1; 4], Profile::Byzantine), CALM);
    net.servers[2].disagrees = true;
    net.run(10);
    net.work_until(3);
    net.run(10_000);
    assert!(
        matches!(net.servers[2].halted, Some(Halt::CertifiedInvalid { .. })),
        "{:?}",
        net.servers[2].halted
    );
    assert_eq!(net.servers[0].frames.len(), 3, "the others go on");
    assert_eq!(net.oracle.violations, Vec::<String>::new());
}

#[test]
fn a_change_of_the_board_counts_from_the_next_height_on() {
    let mut net: Net<Malachite> = Net::new(3, board(&[1; 4], Profile::Byzantine), CALM);
    // From height 4 on without the last member, who then has no seat.
    net.change_board(4, board(&[1; 3], Profile::Byzantine));
    net.run(10);
    net.work_until(6);
    net.run(10_000);
    let heights: Vec<_> = net.servers.iter().map(|server| server.frames.len()).collect();
    assert_eq!(heights, [6, 6, 6, 3]);
    assert_eq!(net.servers[3].host.as_ref().unwrap().heights().count(), 0);
    assert_eq!(net.oracle.violations, Vec::<String>::new());
}
