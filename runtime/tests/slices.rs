//! A server executes slices: what signed calls may do, what stays without effect, and what replay restores.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod network;

use std::sync::Arc;

use network::{Network, USD};
use pallet_entities::Error as EntitiesError;
use pallet_reserves::Call as Reserves;
use xln_primitives::{Amount, AssetId, BoundedVec, EntityId, Storage, Timestamp};
use xln_runtime::{
    Delivery, Refusal, ReplayError, RestoreError, RuntimeError, Server, SliceInputs, StateRow,
};

fn transfer(to: EntityId, amount: u128) -> Reserves {
    Reserves::Transfer { to, asset: AssetId::named(USD), amount: Amount::new(amount) }
}

#[test]
fn a_transfer_reaches_the_depositary_and_its_answer_is_in_the_same_slice() {
    let mut network = Network::new();
    let (alice, bob) = (network.id("alice"), network.id("bob"));
    let call = network.call("alice", 0, [transfer(bob, 30).into()]);
    let executed = network.run(vec![call.clone()]);
    let [(asked, answer)] = executed.requests[..] else { panic!("one request") };
    assert_eq!(asked, call.hash());
    let receipt = executed.receipts.iter().find(|receipt| receipt.call == answer).unwrap();
    assert_eq!((receipt.entity, &receipt.result), (network.id("depositary"), &Ok(())));
    assert_eq!(network.reserve(alice), Amount::new(970));
    assert_eq!(network.reserve(bob), Amount::new(1030));
}

#[test]
fn a_request_that_the_depositary_refuses_leaves_an_error_receipt_and_moves_nothing() {
    let mut network = Network::new();
    let call = network.call("alice", 0, [transfer(network.id("bob"), 1001).into()]);
    let executed = network.run(vec![call]);
    let (_, answer) = executed.requests[0];
    let receipt = executed.receipts.iter().find(|receipt| receipt.call == answer).unwrap();
    assert!(matches!(receipt.result, Err(RuntimeError::Reserves(_))), "{:?}", receipt.result);
    assert_eq!(network.reserve(network.id("alice")), Amount::new(1000));
    // The inbox went on: the next request is executed.
    network.run(vec![network.call("alice", 1, [transfer(network.id("bob"), 1).into()])]);
    assert_eq!(network.reserve(network.id("alice")), Amount::new(999));
}

#[test]
fn a_replayed_or_gapped_nonce_leaves_no_trace() {
    let mut network = Network::new();
    let call = network.call("alice", 0, [transfer(network.id("bob"), 1).into()]);
    network.run(vec![call.clone()]);
    let root = network.server.state_root();
    let replayed = network.run(vec![call.clone()]);
    assert_eq!(
        replayed.refused,
        [(call.hash(), Refusal::Unauthorised(EntitiesError::NonceTooLow { expected: 1, found: 0 }))]
    );
    let gapped = network.call("alice", 2, [transfer(network.id("bob"), 1).into()]);
    let executed = network.run(vec![gapped.clone()]);
    assert_eq!(
        executed.refused,
        [(gapped.hash(), Refusal::Unauthorised(EntitiesError::NonceGap { expected: 1, found: 2 }))]
    );
    assert_eq!(executed.frames, 0);
    assert!(executed.slice.calls.is_empty(), "what was refused is not logged");
    assert_eq!(network.server.state_root(), root);
}

#[test]
fn a_stranger_cannot_make_an_entity_act() {
    let mut network = Network::new();
    let forged = network.call_as("bob", "alice", 0, [transfer(network.id("bob"), 1).into()]);
    let executed = network.run(vec![forged]);
    assert!(matches!(executed.refused[0].1, Refusal::Unauthorised(EntitiesError::NotAMember { .. })));
}

#[test]
fn several_calls_take_effect_together_or_not_at_all() {
    let mut network = Network::new();
    let good = pallet_entities::Call::SetMetadata(pallet_entities::Metadata {
        name: BoundedVec::truncate_from(b"new name".to_vec()),
        ..Default::default()
    });
    let bad = pallet_entities::Call::SetMetadata(pallet_entities::Metadata {
        name: BoundedVec::truncate_from(vec![0xff]),
        ..Default::default()
    });
    let executed = network.run(vec![network.call("alice", 0, [good.into(), bad.into()])]);
    assert!(matches!(executed.receipts[0].result, Err(RuntimeError::Entities(EntitiesError::NotText))));
    assert!(executed.receipts[0].events.is_empty());
    assert_eq!(executed.receipts[0].changes.len(), 1, "only the nonce changed");
    let alice = network.server.entity(&network.id("alice")).unwrap();
    assert_eq!(pallet_entities::metadata(&alice.state()).unwrap().name.as_slice(), b"alice");
}

#[test]
fn a_receipt_names_old_and_new_value_of_what_changed() {
    let mut network = Network::new();
    let executed = network.run(vec![network.call("alice", 0, [transfer(network.id("bob"), 1).into()])]);
    let alice = network.server.entity(&network.id("alice")).unwrap();
    for change in &executed.receipts[0].changes {
        assert_ne!(change.old, change.new);
        assert_eq!(alice.state().get(&change.key).map(<[u8]>::to_vec), change.new);
    }
}

#[test]
fn the_first_call_brings_a_lazy_entity_into_being() {
    let mut network = Network::new();
    network.hold_key("newcomer");
    let board = network.board("newcomer");
    let create = pallet_entities::Call::Create { board: board.clone() };
    let executed = network.run(vec![network.call("newcomer", 0, [create.into()])]);
    assert_eq!(executed.founded, [board.entity()]);
    assert_eq!(executed.receipts[0].result, Ok(()));
    assert_eq!(network.server.entity(&board.entity()).unwrap().board(), &board);
    network.check();
}

#[test]
fn an_entity_that_is_not_here_or_has_no_key_here_is_refused_by_name() {
    let mut network = Network::new();
    let board = network.board("newcomer");
    let executed = network.run(vec![network.call("newcomer", 0, [transfer(network.id("bob"), 1).into()])]);
    assert!(matches!(executed.refused[0].1, Refusal::UnknownEntity { .. }));
    let create = pallet_entities::Call::Create { board };
    let executed = network.run(vec![network.call("newcomer", 0, [create.into()])]);
    assert!(matches!(executed.refused[0].1, Refusal::NoKey { .. }), "{:?}", executed.refused);
}

#[test]
fn a_message_to_somebody_elsewhere_waits_in_the_outbox_and_is_executed_once() {
    let mut network = Network::new();
    let board = network.board("newcomer");
    let executed = network.run(vec![network.call("alice", 0, [transfer(board.entity(), 5).into()])]);
    assert_eq!(executed.outbox.len(), 1, "the depositary's notice");
    let message = executed.outbox[0].certified().unwrap();
    network.hold_key("newcomer");
    let create = pallet_entities::Call::Create { board };
    network.run(vec![network.call("newcomer", 0, [create.into()])]);

    let depositary = network.board("depositary");
    let authentic =
        xln_runtime::authenticate_message(message, network.id_of_network(), depositary.clone()).unwrap();
    let inputs = SliceInputs { messages: vec![authentic.clone()], ..Default::default() };
    assert_eq!(network.run_inputs(inputs.clone()).frames, 1);
    assert_eq!(network.run_inputs(inputs).frames, 0, "the second time it is nothing new");
}

#[test]
fn a_message_that_was_changed_or_is_said_by_another_board_is_not_authentic() {
    let mut network = Network::new();
    let executed = network.run(vec![network.call("alice", 0, [transfer(EntityId::new([7; 32]), 5).into()])]);
    let message = executed.outbox[0].certified().unwrap();
    let (id, board) = (network.id_of_network(), network.board("depositary"));
    assert!(xln_runtime::authenticate_message(message.clone(), id, board.clone()).is_ok());
    assert!(xln_runtime::authenticate_message(message.clone(), id, network.board("alice")).is_err());
    let mut forged = (*message).clone();
    Arc::make_mut(&mut forged.message).sequence += 1;
    assert!(xln_runtime::authenticate_message(Arc::new(forged), id, board.clone()).is_err());
    assert!(xln_runtime::authenticate_message(message, xln_primitives::Network::ZERO, board).is_err());
}

#[test]
fn replay_from_genesis_gives_the_same_root_and_needs_no_key() {
    let mut network = Network::new();
    for nonce in 0..5 {
        network.run(vec![
            network.call("alice", nonce, [transfer(network.id("bob"), 7).into()]),
            network.call("bob", nonce, [transfer(network.id("alice"), 3).into()]),
        ]);
        network.seal();
    }
    let mut again = network.genesis.build().unwrap();
    let mut blocks = network.blocks.iter();
    for slice in &network.slices {
        again.replay(slice, true).unwrap();
        again.replay_block(blocks.next().unwrap()).unwrap();
    }
    assert_eq!(again.state_root(), network.server.state_root());
    assert_eq!(again.head(), network.server.head());
}

#[test]
fn a_log_that_was_tampered_with_does_not_replay() {
    let mut network = Network::new();
    network.run(vec![network.call("alice", 0, [transfer(network.id("bob"), 7).into()])]);
    network.seal();
    let replay = |change: fn(&mut xln_runtime::Slice), verify| {
        let mut slice = network.slices[0].clone();
        change(&mut slice);
        let mut again = network.genesis.build().unwrap();
        again.replay(&slice, verify).map(drop).and_then(|()| again.replay_block(&network.blocks[0]))
    };
    assert_eq!(replay(|_| {}, true), Ok(()));
    assert!(replay(|slice| slice.timestamp = slice.timestamp.saturating_add(1), true).is_err());
    assert!(replay(|slice| slice.timestamp = slice.timestamp.saturating_add(1), false).is_err());
    assert!(replay(|slice| slice.calls.clear(), false).is_err());
    assert!(replay(|slice| drop(slice.certificates.pop()), false).is_err());
    assert!(matches!(replay(|slice| slice.number = 2, true), Err(ReplayError::Gap { last: 0, found: 2 })));
}

#[test]
fn a_snapshot_restores_the_state_and_a_flipped_byte_in_it_is_named() {
    let mut network = Network::new();
    network.run(vec![network.call("alice", 0, [transfer(network.id("bob"), 7).into()])]);
    network.seal();
    let rows = network.rows();
    let restore = |rows: Vec<StateRow<'static>>| {
        Server::restore(&network.genesis, rows, network.server.head().clone(), network.server.slice())
    };
    assert_eq!(restore(rows.clone()).unwrap().state_root(), network.server.state_root());
    for position in 0..rows.len() {
        let mut damaged = rows.clone();
        match &mut damaged[position] {
            StateRow::Value { value: Some(value), .. } => value.to_mut()[0] ^= 1,
            StateRow::Head { head: Some(head), .. } => head.to_mut()[40] ^= 1,
            StateRow::Value { .. } | StateRow::Head { .. } => continue,
        }
        let error = restore(damaged).expect_err("a damaged row is refused");
        assert!(
            matches!(
                error,
                RestoreError::EntityRoot { .. } | RestoreError::Incomplete { .. } | RestoreError::Root { .. }
            ),
            "{error}"
        );
    }
}

#[test]
fn time_in_frames_only_moves_forward_whatever_the_clock_says() {
    let mut network = Network::new();
    network.now = Timestamp::from_millis(5_000);
    network.run(vec![network.call("alice", 0, [transfer(network.id("bob"), 1).into()])]);
    network.now = Timestamp::from_millis(1_000);
    network.run(vec![network.call("alice", 1, [transfer(network.id("bob"), 1).into()])]);
    let head = network.server.entity(&network.id("alice")).unwrap().head().unwrap();
    assert!(head.header.timestamp > Timestamp::from_millis(5_000));
}

#[test]
fn an_entity_without_its_key_does_not_advance_and_nobody_waits_for_it() {
    let mut network = Network::new();
    network.lose_key("bob");
    let executed = network.run(vec![network.call("alice", 0, [transfer(network.id("bob"), 5).into()])]);
    assert_eq!(network.reserve(network.id("bob")), Amount::new(1005), "the depositary has executed it");
    assert_eq!(executed.outbox.len(), 1, "its notice to bob waits");
    assert_eq!(executed.slice.absent, [network.id("bob")]);
    network.seal();
    let mut again = network.genesis.build().unwrap();
    again.replay(&network.slices[0], true).unwrap();
    again.replay_block(&network.blocks[0]).unwrap();
}

#[test]
fn a_message_that_overtakes_others_waits_behind_them_in_the_outbox() {
    let mut network = Network::new();
    network.lose_key("bob");
    let first = network.run(vec![network.call("alice", 0, [transfer(network.id("bob"), 1).into()])]);
    network.hold_key("bob");
    let second = network.run(vec![network.call("alice", 1, [transfer(network.id("bob"), 2).into()])]);
    let waiting: Vec<_> = first.outbox.iter().chain(&second.outbox).cloned().collect();
    assert_eq!(waiting.iter().map(|waiting| waiting.message().sequence).collect::<Vec<_>>(), [1, 2]);

    let depositary = network.board("depositary");
    let authentic = |waiting: Delivery| {
        let message = waiting.certified().unwrap();
        xln_runtime::authenticate_message(message, network.id_of_network(), depositary.clone()).unwrap()
    };
    let messages: Vec<_> = waiting.into_iter().map(authentic).collect();
    network.run_inputs(SliceInputs { messages, ..Default::default() });
    let bob = network.server.entity(&network.id("bob")).unwrap();
    assert_eq!(pallet_entities::inbox(&bob.state(), &network.id("depositary")), Ok(2));
}
