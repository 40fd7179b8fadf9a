//! Taking over a state that another board certified than the one that is known: the changes of the board prove it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod consortium;
mod network;

use codec::Encode;
use consortium::{Consortium, Validators, transfer};
use pallet_entities::{Term, Whose, term_at};
use proptest::prelude::*;
use xln_primitives::{Board, Certificate, Hash, Height};
use xln_runtime::{
    AdoptError, Adoption, Assembly, AssemblyError, BoardProof, BoardProofError, EntitySnapshot, Executed,
    HANDOVERS_MAX, ReplayError, RowsError, Server, Slice, SliceInputs, StateManifest,
};

/// Servers whose board of four became one of five, and that one of four others; frames before, between and after.
struct Changed {
    net: Consortium,
    /// Before everything, and after the first change.
    early: [Server; 2],
    /// The boards, in their order.
    boards: [Board; 3],
    /// What a frame between the changes proves: that the board after it is the one before it.
    idle: BoardProof,
}

impl Changed {
    fn new() -> Self {
        let mut net = Consortium::new();
        let (bob, first) = (net.keys.id("bob"), net.validators.board.clone());
        let fresh = net.servers[0].clone();
        let call = |net: &mut Consortium, nonce| {
            net.call(1, "alice", nonce, transfer(bob, 10));
            net.settle();
        };
        call(&mut net, 0);
        net.becomes(1, Validators::of(1..=5));
        let (second, between) = (net.validators.board.clone(), net.servers[0].clone());
        call(&mut net, 1);
        let idle = present(&net.servers[0]);
        net.becomes(2, Validators::of(2..=5));
        call(&mut net, 2);
        let boards = [first, second, net.validators.board.clone()];
        Self { net, early: [fresh, between], boards, idle }
    }

    fn snapshot(&self, handovers: Vec<BoardProof>) -> EntitySnapshot {
        let depositary = self.net.servers[0].depositary().unwrap();
        EntitySnapshot::of(depositary).unwrap().with_handovers(handovers)
    }

    /// The changes as the first server kept them.
    fn handovers(&self) -> Vec<BoardProof> {
        self.net.handovers.clone()
    }

    fn begin(&self, manifest: StateManifest, known: &Server) -> Result<Assembly, AssemblyError> {
        Assembly::begin(manifest, self.net.genesis.network, known.depositary().unwrap())
    }

    fn refusal(&self, handovers: Vec<BoardProof>) -> AssemblyError {
        let manifest = self.snapshot(handovers).manifest().clone();
        self.begin(manifest, &self.early[0]).unwrap_err()
    }

    fn assemble(&self, known: &Server) -> Adoption {
        let snapshot = self.snapshot(self.handovers());
        let manifest = StateManifest::decode(&snapshot.manifest().encode()).unwrap();
        let mut assembly = self.begin(manifest, known).unwrap();
        while let Some(index) = assembly.next() {
            assembly.push(index, &snapshot.chunk(index).unwrap()).unwrap();
        }
        assembly.finish().unwrap()
    }

    fn adopt(&self, server: &Server, adoption: Adoption) -> Executed {
        let inputs = SliceInputs { adopted: vec![adoption], ..SliceInputs::default() };
        server.execute(self.net.now, Hash::ZERO, inputs, self.net.keys.certifier()).unwrap()
    }

    fn other_board(&self, known: usize) -> AssemblyError {
        AssemblyError::OtherBoard { known: self.boards[known].hash(), named: self.boards[2].hash() }
    }
}

/// The board of now in the depositary's own state.
fn present(server: &Server) -> BoardProof {
    let depositary = server.depositary().unwrap();
    let head = depositary.head().unwrap();
    let term = Term { board: depositary.board().clone(), first: head.header.height + 1, last: None };
    let certified = (&head.header, head.certificate.as_ref().unwrap());
    BoardProof::new((depositary, Whose::Own), certified, (depositary.id(), &term))
}

fn heights(handovers: &[BoardProof]) -> Vec<Height> {
    handovers.iter().map(|handover| handover.header.height).collect()
}

#[test]
fn who_knows_an_earlier_board_takes_the_state_over_and_keeps_the_changes_that_it_learned() {
    let mut changed = Changed::new();
    assert_eq!(heights(&changed.net.handovers), [2, 4], "the last frames of two boards");
    let [mut fresh, mut between] = changed.early.clone();
    for (early, learned) in [(&mut fresh, vec![2, 4]), (&mut between, vec![4])] {
        let executed = changed.adopt(early, changed.assemble(early));
        assert_eq!((executed.unadopted.as_slice(), executed.frames), (&[][..], 1));
        assert_eq!(heights(&executed.handovers), learned);
        early.commit(&executed);
        let (here, there) = (early.depositary().unwrap(), changed.net.servers[0].depositary().unwrap());
        assert_eq!((here.head(), here.board()), (there.head(), &changed.boards[2]));
    }
    // What comes after it is followed.
    changed.net.call(1, "alice", 3, transfer(changed.net.keys.id("bob"), 10));
    let inputs = SliceInputs { frames: changed.net.settle(), ..SliceInputs::default() };
    let executed = fresh.execute(changed.net.now, Hash::ZERO, inputs, changed.net.keys.certifier()).unwrap();
    assert_eq!((executed.unfit, executed.frames), (vec![], 1));
}

#[test]
fn what_a_slice_logs_of_the_changes_is_checked_when_it_is_replayed() {
    let changed = Changed::new();
    let adoption = changed.assemble(&changed.early[0]);
    let executed = changed.adopt(&changed.early[0], adoption);
    let snapshot = changed.snapshot(Vec::new());
    let kept = || (0..1).map(|index| Ok::<_, RowsError>(snapshot.chunk(index).unwrap()));
    let replay = |slice: &Slice| {
        let restored = Adoption::from_log(&slice.adopted[0], kept()).unwrap();
        changed.early[0].clone().replay_adopting(slice, vec![restored], true)
    };
    assert_eq!(heights(&replay(&executed.slice).unwrap().handovers), [2, 4]);

    let mut forged = executed.slice.clone();
    let Certificate::Aggregate { signature, .. } = &mut forged.adopted[0].handovers[1].certificate else {
        unreachable!("a board of four votes")
    };
    signature[90] ^= 1;
    assert!(matches!(replay(&forged), Err(ReplayError::Frame { slice: 1, .. })));
    let mut without = executed.slice.clone();
    without.adopted[0].handovers.clear();
    assert!(matches!(replay(&without), Err(ReplayError::Slice { slice: 1, made: 0, .. })));
    let restored = Adoption::from_log(&without.adopted[0], kept()).unwrap();
    let refused = changed.adopt(&changed.early[0], restored).unadopted;
    let other = AdoptError::OtherBoard { known: changed.boards[0].hash(), named: changed.boards[2].hash() };
    assert_eq!(refused, [(changed.net.genesis.depositary, other)]);
}

#[test]
fn a_change_that_is_missing_or_false_leads_nowhere() {
    let changed = Changed::new();
    let [first, second]: [BoardProof; 2] = changed.handovers().try_into().unwrap();
    assert_eq!(changed.refusal(vec![]), changed.other_board(0));
    assert_eq!(changed.refusal(vec![second.clone()]), changed.other_board(0));
    assert_eq!(changed.refusal(vec![first.clone()]), changed.other_board(1));
    assert_eq!(changed.refusal(vec![second.clone(), first.clone()]), changed.other_board(1), "out of order");

    let forge = |change: &dyn Fn(&mut BoardProof)| {
        let mut forged = second.clone();
        change(&mut forged);
        changed.refusal(vec![first.clone(), forged])
    };
    let other_row = forge(&|proof| proof.path = first.path.clone());
    assert_eq!(other_row, AssemblyError::Handover(BoardProofError::Path));
    let signed = forge(&|proof| {
        let Certificate::Aggregate { signers, .. } = &mut proof.certificate else { unreachable!() };
        *signers = vec![0b0_0111].try_into().unwrap();
    });
    assert!(matches!(signed, AssemblyError::Certificate { height: 4, .. }), "{signed}");
    // A row of the same state, and none that names the next board.
    let depositary = changed.net.servers[0].depositary().unwrap();
    let former = term_at(&depositary.state(), Whose::Own, 1).unwrap().unwrap();
    let head = depositary.head().unwrap();
    let certified = (&head.header, head.certificate.as_ref().unwrap());
    let mut row = BoardProof::new((depositary, Whose::Own), certified, (depositary.id(), &former));
    (row.header.board_hash, row.header.height) = (changed.boards[1].hash(), 4);
    let refusal = forge(&|proof| *proof = row.clone());
    assert!(matches!(refusal, AssemblyError::Handover(BoardProofError::Row { .. })), "{refusal}");
}

#[test]
fn changes_that_are_known_and_those_of_others_are_passed_over() {
    let changed = Changed::new();
    let [first, second]: [BoardProof; 2] = changed.handovers().try_into().unwrap();
    let mut of_others = second.clone();
    of_others.header.entity = changed.net.keys.id("hub");
    let handovers = vec![of_others, first.clone(), first, second.clone(), second];
    let manifest = changed.snapshot(handovers).manifest().clone();
    for early in &changed.early {
        changed.begin(manifest.clone(), early).unwrap();
    }
}

#[test]
fn a_state_comes_with_the_changes_before_it_and_of_too_many_with_the_newest() {
    let changed = Changed::new();
    let [first, second]: [BoardProof; 2] = changed.handovers().try_into().unwrap();
    let mut later = second.clone();
    later.header.height = 5;
    let manifest = changed.snapshot(vec![first.clone(), second.clone(), later]).manifest().clone();
    assert_eq!(heights(&manifest.handovers), [2, 4], "the state is that of frame 5");
    let mut many = vec![first; usize::try_from(HANDOVERS_MAX).unwrap()];
    many.push(second);
    let snapshot = changed.snapshot(many);
    let manifest = StateManifest::decode(&snapshot.manifest().encode()).unwrap();
    assert!((100..1_024).contains(&manifest.handovers.len()), "{} fit", manifest.handovers.len());
    changed.begin(manifest, &changed.early[1]).unwrap();
}

#[test]
fn a_frame_that_changes_no_board_is_no_change() {
    let changed = Changed::new();
    let [first, second]: [BoardProof; 2] = changed.handovers().try_into().unwrap();
    assert_eq!(changed.idle.header.height, 3);
    let manifest = changed.snapshot(vec![first, changed.idle.clone(), second]).manifest().clone();
    let assembly = changed.begin(manifest, &changed.early[0]).unwrap();
    assert_eq!(heights(&assembly.manifest().handovers), [2, 4]);
}

#[test]
fn what_was_not_checked_does_not_come_back_when_the_entity_here_has_gone_on_meanwhile() {
    let changed = Changed::new();
    let [first, second]: [BoardProof; 2] = changed.handovers().try_into().unwrap();
    let mut damaged = second.clone();
    let Certificate::Aggregate { signature, .. } = &mut damaged.certificate else { unreachable!() };
    signature[90] ^= 1;
    let snapshot = changed.snapshot(vec![damaged, first, second.clone()]);
    // From the first board the damaged one joins on to nothing.
    let mut assembly = changed.begin(snapshot.manifest().clone(), &changed.early[0]).unwrap();
    assembly.push(0, &snapshot.chunk(0).unwrap()).unwrap();
    // From the second it would.
    let executed = changed.adopt(&changed.early[1], assembly.finish().unwrap());
    assert_eq!(executed.handovers, [second]);
    let restored =
        Adoption::from_log(&executed.slice.adopted[0], [Ok::<_, RowsError>(snapshot.chunk(0).unwrap())])
            .unwrap();
    changed.early[1].clone().replay_adopting(&executed.slice, vec![restored], true).unwrap();
}

#[test]
fn who_takes_over_the_state_after_a_change_itself_has_the_proof_of_it() {
    let changed = Changed::new();
    let snapshot = EntitySnapshot::of(changed.early[1].depositary().unwrap()).unwrap();
    let mut assembly = changed.begin(snapshot.manifest().clone(), &changed.early[0]).unwrap();
    assembly.push(0, &snapshot.chunk(0).unwrap()).unwrap();
    let executed = changed.adopt(&changed.early[0], assembly.finish().unwrap());
    assert_eq!(executed.handovers, changed.handovers()[..1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_of_the_changes_is_refused(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        thread_local!(static CHANGED: Changed = Changed::new());
        CHANGED.with(|changed| {
            let snapshot = changed.snapshot(changed.handovers());
            let mut bytes = snapshot.manifest().encode();
            // They come last.
            let changes = snapshot.manifest().handovers.encoded_size();
            let place = bytes.len() - 1 - place.index(changes);
            bytes[place] ^= 1 << bit;
            let begun = StateManifest::decode(&bytes).map_err(|error| error.to_string()).and_then(|manifest| {
                changed.begin(manifest, &changed.early[0]).map_err(|error| error.to_string())
            });
            prop_assert!(begun.is_err());
            Ok(())
        })?;
    }
}
