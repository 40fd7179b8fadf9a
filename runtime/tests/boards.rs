//! Boards that change: who certifies which frame, and who speaks for an entity after it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod consortium;
mod network;

use consortium::{Consortium, Validators, transfer};
use network::Network;
use pallet_entities::{BoardChange, Call, Term, Whose, board_at, terms};
use xln_primitives::{Amount, Board, EntityId, FrameHeader, Hash, Member, MemberId, Permissions};
use xln_runtime::{
    BoardProof, BoardProofError, BodyError, DecidedFrame, Entity, Known, Refusal, RuntimeCall,
    RuntimeMessage, SliceInputs, StateRow,
};

fn single(board: &Board) -> Member {
    let key = *board.sole_signer().unwrap();
    Member { id: MemberId::Signer { key, possession: None }, weight: 1, permissions: Permissions::ALL }
}

fn rotate(from: &Board, to: &Board) -> RuntimeCall {
    let who = single(from).principal();
    Call::ChangeBoard(BoardChange::Replace { who, with: single(to) }).into()
}

/// A network in which the hub has registered an entity for carol.
fn with_carol() -> (Network, EntityId) {
    let mut network = Network::new();
    let board = network.board("carol");
    let create = network.call("hub", 0, [Call::Create { board }.into()]);
    assert_eq!(network.run(vec![create]).refused, []);
    (network, EntityId::registered(1))
}

fn entity(network: &Network, id: EntityId) -> &Entity {
    network.server.entity(&id).unwrap()
}

fn head(entity: &Entity) -> &FrameHeader {
    &entity.head().unwrap().header
}

fn named(name: &str) -> RuntimeCall {
    let name = name.as_bytes().to_vec().try_into().unwrap();
    Call::SetMetadata(pallet_entities::Metadata { name, ..Default::default() }).into()
}

#[test]
fn a_registered_entity_comes_into_being_where_its_key_is_with_its_first_call() {
    let (mut network, carol) = with_carol();
    let first = network.call_to("carol", carol, 0, [named("carol")]);
    let hash = first.hash();
    let refused = network.run(vec![first.clone()]).refused;
    assert_eq!(refused, [(hash, Refusal::NoKey { entity: carol })]);
    network.hold_key("carol");
    let executed = network.run(vec![first]);
    assert_eq!((executed.refused, executed.founded), (vec![], vec![carol]));
    assert_eq!(head(entity(&network, carol)).height, 1);
    let nobody = network.call_to("carol", EntityId::registered(2), 0, [named("nobody")]);
    let executed = network.run(vec![nobody.clone()]);
    let unknown = Refusal::UnknownEntity { entity: EntityId::registered(2) };
    assert_eq!(executed.refused, [(nobody.hash(), unknown)]);
}

#[test]
fn a_single_signer_rotates_its_key_and_the_registry_knows_from_which_frame() {
    let (mut network, carol) = with_carol();
    network.hold_key("carol");
    let (old, new) = (network.board("carol"), network.board("carol's new phone"));
    let bob = network.id("bob");
    let calls = vec![
        network.call_to("carol", carol, 0, [named("carol")]),
        network.call_to("carol", carol, 1, [rotate(&old, &new)]),
        // In the same frame, but not hers any more.
        network.call_to("carol", carol, 2, [named("thief")]),
        network.call_to("carol's new phone", carol, 0, [named("caroline")]),
    ];
    let thief = calls[2].hash();
    let executed = network.run(calls);
    assert_eq!(executed.refused.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), [thief]);
    let changed = head(entity(&network, carol)).clone();
    assert_eq!((changed.height, changed.board_hash), (1, old.hash()));
    assert_eq!(entity(&network, carol).board(), &new);
    let depositary = network.server.depositary().unwrap();
    let registration = pallet_entities::registration(&depositary.state(), 1).unwrap().unwrap();
    assert_eq!(
        (registration.board, registration.last_height, registration.last_header),
        (new.clone(), 1, changed.hash())
    );

    // Without the new key nothing more happens, and what others say waits.
    let greeting = network.call_to("carol's new phone", carol, 1, [transfer(bob, 1)]);
    let refused = network.run(vec![greeting.clone()]).refused;
    assert_eq!(refused, [(greeting.hash(), Refusal::NoKey { entity: carol })]);
    network.lose_key("carol");
    network.hold_key("carol's new phone");
    assert_eq!(network.run(vec![greeting]).refused, []);
    assert_eq!(
        (head(entity(&network, carol)).height, head(entity(&network, carol)).board_hash),
        (2, new.hash())
    );
    let state = entity(&network, carol).state();
    assert_eq!([1, 2].map(|height| board_at(&state, height)), [Ok(Some(old)), Ok(Some(new))]);
}

#[test]
fn what_is_said_in_the_slice_of_a_change_is_heard_in_the_next_and_all_of_it_replays_and_restores() {
    let (mut network, carol) = with_carol();
    network.hold_key("carol");
    let fresh = network.genesis.build().unwrap();
    let (old, new) = (network.board("carol"), network.board("carol's new phone"));
    let bob = network.id("bob");
    network.run(vec![network.call_to("carol", carol, 0, [named("carol")])]);
    network.run(vec![network.call("bob", 0, [transfer(carol, 30)])]);
    network.seal();
    network.rows();
    // She is told of the transfer in the round after that of the change, whose key is not here yet.
    let asked = network.call_to("carol", carol, 1, [transfer(bob, 5), rotate(&old, &new)]);
    let executed = network.run(vec![asked, network.call("bob", 1, [transfer(carol, 1)])]);
    assert_eq!(executed.refused, []);
    assert!(network.server.has_carried());
    assert_eq!(executed.slice.absent, []);
    network.hold_key("carol's new phone");
    network.run(vec![]);
    assert_eq!(network.reserve(carol), Amount::new(26));
    assert_eq!(head(entity(&network, carol)).board_hash, new.hash());
    network.seal();

    let mut again = fresh;
    let mut slices = network.slices.iter();
    for block in &network.blocks {
        for slice in slices.by_ref().take(usize::try_from(block.slices).unwrap()) {
            again.replay(slice, true).unwrap();
        }
        again.replay_block(block).unwrap();
    }
    assert_eq!(again.entity(&carol).unwrap().head(), entity(&network, carol).head());

    let rows: Vec<StateRow<'static>> = {
        let mut whole = again.clone();
        whole.take_changes().rows().map(StateRow::into_owned).collect()
    };
    let block = network.blocks.last().unwrap().clone();
    let restored =
        xln_runtime::Server::restore(&network.genesis, rows, block, network.server.slice()).unwrap();
    let (found, expected) = (restored.entity(&carol).unwrap(), entity(&network, carol));
    assert_eq!(
        (found.board(), found.signer(), found.head()),
        (expected.board(), expected.signer(), expected.head())
    );
    xln_runtime::invariants::check(&restored).unwrap();
}

#[test]
fn a_board_is_proven_to_whoever_trusts_the_depositary_and_nothing_else_is() {
    let (mut network, carol) = with_carol();
    network.hold_key("carol");
    let (old, new) = (network.board("carol"), network.board("carol's new phone"));
    network.run(vec![network.call_to("carol", carol, 0, [rotate(&old, &new)])]);
    let id = network.genesis.network;
    let depositary = network.server.depositary().unwrap().clone();
    let trusted = depositary.board().clone();
    let prove = |entity: EntityId, term: &Term, whose| {
        let key = term.key(whose).as_ref().to_vec();
        let head = depositary.head().unwrap();
        let certificate = head.certificate.clone().unwrap();
        let path = depositary.tree().prove(&key);
        BoardProof { entity, key, path, header: head.header.clone(), certificate }
    };
    let whose = Whose::Registered(1);
    let known = terms(&depositary.state(), whose, 0, 9).unwrap();
    let last = Term { board: new.clone(), first: 2, last: None };
    assert_eq!(known, [Term { board: old, first: 1, last: Some(1) }, last.clone()]);
    for term in &known {
        assert_eq!(prove(carol, term, whose).verify(id, &trusted).as_ref(), Ok(term));
    }

    let good = prove(carol, &last, whose);
    let (keeper, height) = (depositary.id(), good.header.height);
    let distrusted = Err(BoardProofError::Certificate { keeper, height });
    assert_eq!(good.verify(id, &new), distrusted);
    let mut other = good.clone();
    other.header.state_root = Hash::new([1; 32]);
    assert_eq!(other.verify(id, &trusted), distrusted);
    let path = prove(carol, &known[0], whose).path;
    assert_eq!(BoardProof { path, ..good.clone() }.verify(id, &trusted), Err(BoardProofError::Path));
    // Rows that are there, and say nothing of her; and rows that are not.
    let not_hers = prove(carol, &known[0], Whose::Own);
    for entity in [EntityId::registered(2), network.id("bob")] {
        let error = Err(BoardProofError::Row { keeper, entity });
        assert_eq!(BoardProof { entity, ..good.clone() }.verify(id, &trusted), error);
    }
    assert_eq!(not_hers.verify(id, &trusted), Err(BoardProofError::Row { keeper, entity: carol }));
    // Of its own boards the depositary says the same: the one of now speaks from the next frame on.
    let own = prove(keeper, &Term { board: trusted.clone(), first: 1, last: None }, Whose::Own);
    let expected = Term { board: trusted.clone(), first: height + 1, last: None };
    assert_eq!(own.verify(id, &trusted), Ok(expected));
}

#[test]
fn a_board_of_four_becomes_five_and_three_and_every_frame_has_the_certificate_of_its_height() {
    let mut net = Consortium::new();
    let fresh = net.servers[0].clone();
    let (network, bob) = (net.genesis.network, net.keys.id("bob"));
    net.call(1, "alice", 0, transfer(bob, 30));
    let before = net.settle();
    let mut boards = vec![net.validators.board.clone(); 2];
    let mut frames = before;
    for (nonce, validators) in
        [Validators::of(1..=5), Validators::of(1..=4), Validators::of(1..=3)].into_iter().enumerate()
    {
        frames.push(net.becomes(u64::try_from(nonce).unwrap() + 1, validators));
        net.call(1, "alice", u64::try_from(nonce).unwrap() + 1, transfer(bob, 1));
        boards.extend([net.validators.board.clone(), net.validators.board.clone()]);
        frames.extend(net.settle());
    }
    // Each change is certified by the board before.
    for (frame, board) in frames.iter().zip(&boards) {
        assert_eq!(frame.verify(network, board), Ok(()), "frame {}", frame.body.height);
    }
    assert_eq!(net.reserve(0, "bob"), Amount::new(1033));
    let depositary = net.servers[0].depositary().unwrap();
    for (frame, board) in frames.iter().zip(&boards) {
        assert_eq!(board_at(&depositary.state(), frame.body.height), Ok(Some(board.clone())));
    }

    // One who was away follows all of it in one slice, and what it logs replays.
    let mut late = fresh.clone();
    let inputs = SliceInputs { frames: frames.clone(), ..SliceInputs::default() };
    let executed = late.execute(net.now, Hash::ZERO, inputs, net.keys.certifier()).unwrap();
    assert_eq!((executed.unfit.as_slice(), executed.frames), (&[][..], 7));
    late.commit(&executed);
    assert_eq!(late.depositary().unwrap().board(), &net.validators.board);
    let mut again = fresh;
    again.replay(&executed.slice, true).unwrap();
    assert_eq!(again.depositary().unwrap().head(), late.depositary().unwrap().head());
}

#[test]
fn a_frame_of_the_old_board_above_its_last_height_is_refused_without_blame_for_the_new_one() {
    let mut net = Consortium::new();
    let bob = net.keys.id("bob");
    net.call(1, "alice", 0, transfer(bob, 1));
    let old = net.servers[1].clone();
    net.becomes(1, Validators::of(2..=5));
    let (body, mut header) = net.propose().unwrap();
    let expected = header.board_hash;
    assert_eq!(expected, Validators::of(2..=5).board.hash());
    let four = Validators::new();
    header.board_hash = four.board.hash();
    let certificate = four.certify(&net.genesis, &header);
    let forged = DecidedFrame { body, header: header.clone(), certificate };
    // By its own board it is a good one.
    assert_eq!(forged.verify(net.genesis.network, &four.board), Ok(()));
    let executed = net.run(1, SliceInputs { frames: vec![forged], ..SliceInputs::default() });
    let other = BodyError::OtherBoard { height: 2, expected, found: four.board.hash() };
    assert_eq!(executed.unfit, [(net.genesis.depositary, other)]);
    assert_eq!(executed.frames, 0);
    net.settle();
    assert_eq!(
        (net.reserve(0, "bob"), old.depositary().unwrap().head().unwrap().header.height),
        (Amount::new(1001), 0)
    );
}

#[test]
fn too_few_do_not_change_the_board() {
    let mut net = Consortium::new();
    let validators = Validators::new();
    let board = Board { threshold: 3, ..validators.board };
    net.becomes(1, Validators { board, ..validators });
    let lower = || BoardChange::SetThreshold(1);
    let alone = net.by_validator(0, Call::ChangeBoard(lower()));
    for calls in [vec![alone], net.voted(2, lower()).into_iter().take(2).collect()] {
        let frame = net.decide_calls(calls);
        net.follow(&frame);
        assert_eq!(net.servers[0].depositary().unwrap().board().threshold, 3);
    }
}

#[test]
fn nobody_else_enters_a_board_in_the_registry() {
    let (mut network, carol) = with_carol();
    network.hold_key("carol");
    let board = network.board("mallory");
    let update = |board| RuntimeCall::from(Call::Update { board });
    let call = network.call("hub", 1, [update(board.clone())]);
    let hash = call.hash();
    let executed = network.run(vec![call, network.call_to("carol", carol, 0, [update(board)])]);
    assert_eq!(executed.refused, []);
    let failed = |receipt: &xln_runtime::Receipt| receipt.result.is_err();
    assert_eq!(executed.receipts.iter().filter(|receipt| failed(receipt)).count(), 2, "{hash}");
    let depositary = network.server.depositary().unwrap();
    let registered = pallet_entities::registered_board(&depositary.state(), 1).unwrap().unwrap();
    assert_eq!(registered, network.board("carol"));
    let said =
        executed.outbox.iter().filter(|said| matches!(said.message().call, RuntimeMessage::Request(_)));
    assert_eq!(said.count(), 0);
}

#[test]
fn a_certificate_counts_by_the_board_of_its_height_and_a_later_board_is_not_known_yet() {
    let (mut network, carol) = with_carol();
    network.hold_key("carol");
    let (old, new) = (network.board("carol"), network.board("carol's new phone"));
    network.run(vec![network.call_to("carol", carol, 0, [named("carol")])]);
    network.run(vec![network.call_to("carol", carol, 1, [rotate(&old, &new)])]);
    let of = |entity, height, board: &Board| {
        let header = head(self::entity(&network, carol)).clone();
        network.server.board_of(&FrameHeader { entity, height, board_hash: board.hash(), ..header })
    };
    let board = |board: &Board| Known::Board(board.clone().into());
    let other = network.board("mallory");
    assert_eq!([1, 2].map(|height| of(carol, height, &old)), [board(&old), board(&old)]);
    assert_eq!([3, 9].map(|height| of(carol, height, &new)), [board(&new), board(&new)]);
    assert_eq!([1, 2].map(|height| of(carol, height, &new)), [Known::Never, Known::Never]);
    // The board of the next frame is known; whose the one after that is, it says itself.
    assert_eq!([3, 4].map(|height| of(carol, height, &other)), [Known::Never, Known::NotYet]);
    assert_eq!(of(carol, 3, &old), Known::Never, "above its last height");
    assert_eq!(of(EntityId::registered(2), 1, &other), Known::NotYet);
    let depositary = network.genesis.depositary;
    let last = network.server.depositary().unwrap().head().unwrap().header.height;
    assert_eq!(of(depositary, last + 9, &network.board("depositary")), board(&network.board("depositary")));
    assert_eq!([last, last + 2].map(|height| of(depositary, height, &other)), [Known::Never, Known::NotYet]);
}
