//! What waits for a board, and entities that are founded.

use codec::Encode;
use xln_integration::{Actor, Keys, certify};
use xln_keystore::dev_key;
use xln_network::{Answer, Code, Question, Standing};
use xln_node::consortium::Input;
use xln_primitives::{Amount, AssetId, Board, EntityId, Hash, Profile, Timestamp};
use xln_runtime::{
    Authentic, Delivery, Genesis, Refusal, RuntimeCall, SignedCall, SliceInputs, authenticate_calls,
    authenticate_messages,
};

use crate::{
    SECONDS,
    net::{Net, is_snapshot},
    network,
};

/// A call with which a validator, the first one it makes, renames an entity.
fn renaming(net: &Net, validator: usize, entity: EntityId, name: &str) -> Authentic<SignedCall> {
    let name = name.as_bytes().to_vec().try_into().unwrap();
    let metadata = pallet_entities::Metadata { name, description: Default::default() };
    net.call(validator, entity, pallet_entities::Call::SetMetadata(metadata).into())
}

#[test]
fn who_submitted_a_call_whose_nonce_another_took_is_told() {
    let (_folder, mut net) = network();
    net.decide(3);
    let depositary = net.depositary;
    let (ours, other) = (renaming(&net, 0, depositary, "one"), renaming(&net, 0, depositary, "another"));
    let same = renaming(&net, 1, depositary, "two");
    // By its frame.
    let near = net.start(0, 3, 0);
    for call in [&ours, &same] {
        net.peers[near].machine.take(Input::Call(call.clone())).unwrap();
    }
    // And where the frame is skipped for a state, in which both nonces are used.
    let far = net.start(1, 3, 0);
    net.peers[far].machine.take(Input::Call(ours.clone())).unwrap();
    net.peers[far].machine.take(Input::Call(other.clone())).unwrap();
    let taken = net.peers[far].machine.environment().refused.pop().unwrap();
    assert_eq!(taken.0, other.get().hash(), "of two calls with one nonce the first counts");

    net.decide_on(SliceInputs { calls: vec![other, same], ..SliceInputs::default() });
    net.decide(2);
    let there = net.start(2, 6, 0);
    net.run(SECONDS(1));
    let error = pallet_entities::Error::NonceTooLow { expected: 1, found: 0 };
    let told = [(ours.get().hash(), Refusal::Unauthorised(error))];
    assert!(net.is_there(near) && net.is_there(far));
    for peer in [near, far] {
        assert_eq!(net.peers[peer].machine.environment().refused, told);
    }
    assert_eq!(net.asked(near, there, is_snapshot), 0);
}

#[test]
fn who_submitted_a_call_that_a_state_left_behind_is_told() {
    let (_folder, mut net) = network();
    let depositary = net.depositary;
    let (ours, other) = (renaming(&net, 0, depositary, "one"), renaming(&net, 0, depositary, "another"));
    let far = net.start(1, 0, 0);
    net.peers[far].machine.take(Input::Call(ours.clone())).unwrap();
    net.decide_on(SliceInputs { calls: vec![other], ..SliceInputs::default() });
    net.decide(80);
    let there = net.start(2, 81, 0);
    net.run(SECONDS(5));
    assert!(net.is_there(far) && net.asked(far, there, is_snapshot) > 0);
    let error = pallet_entities::Error::NonceTooLow { expected: 1, found: 0 };
    let told = [(ours.get().hash(), Refusal::Unauthorised(error))];
    assert_eq!(net.peers[far].machine.environment().refused, told);
}

/// A board of some validators.
fn board_of(net: &Net, validators: &[usize]) -> Board {
    let facts = net.genesis.facts().unwrap();
    let all = &facts.depositary_board;
    let key = |validator: &usize| net.secrets[*validator].public().unwrap();
    let members: Vec<_> =
        validators.iter().map(|validator| all.signer(&key(validator)).unwrap().clone()).collect();
    Board { members: members.try_into().unwrap(), threshold: 1, profile: Profile::Byzantine }
}

#[test]
fn who_is_no_member_founds_nothing() {
    let (_folder, mut net) = network();
    let board = board_of(&net, &[1, 2, 3]);
    let entity = board.entity();
    let one = net.start_voting(1);
    let create: RuntimeCall = pallet_entities::Call::Create { board }.into();
    let (stranger, member) = (net.call(0, entity, create.clone()), net.call(2, entity, create));
    let machine = &mut net.peers[one].machine;
    machine.take(Input::Call(stranger.clone())).unwrap();
    machine.turn().unwrap();
    assert_eq!(machine.deciding(&entity), None);
    let refused = core::mem::take(&mut machine.environment().refused);
    assert!(
        matches!(&refused[..], [(call, Refusal::Unauthorised(pallet_entities::Error::NotAMember { .. }))]
            if *call == stranger.get().hash()),
        "{refused:?}"
    );
    machine.take(Input::Call(member)).unwrap();
    machine.turn().unwrap();
    assert_eq!(machine.deciding(&entity), Some(1));
}

#[test]
fn an_entity_of_others_is_asked_for_once_and_in_few_bytes() {
    let (_folder, mut net) = network();
    net.decide(2);
    let board = board_of(&net, &[1, 2, 3]);
    let entity = board.entity();
    let create = net.call(1, entity, pallet_entities::Call::Create { board: board.clone() }.into());
    let inputs = SliceInputs { calls: vec![create], ..SliceInputs::default() };
    let first = net.frame(entity, &board, Timestamp::from_millis(5), inputs);
    let (outsider, member) = (net.start_voting(0), net.start_voting(2));
    let there = net.start(1, 2, 0);
    net.peers[there].machine.environment().frames.insert((entity, 1), codec::Encode::encode(&first));
    // It follows what it is not on the board of, as far as the others know.
    let standing = Standing { entity, height: 1, frame: first.header.hash() };
    net.tamper = Box::new(move |place, _, answer| match answer {
        Answer::Heights(mut digest) if place == there => {
            digest.try_push(standing).unwrap();
            Some(Answer::Heights(digest))
        }
        other => Some(other),
    });
    net.run(SECONDS(60));
    let first_of = |question: &Question| matches!(question, Question::Frames { from: 1, max_bytes: 1, .. });
    assert_eq!(net.asked(outsider, there, first_of), 1);
    assert_eq!(net.peers[outsider].machine.deciding(&entity), None);
    let follows = net.peers[member].shared.status().boards.iter().any(|board| board.entity == entity);
    assert!(follows, "who is on the board joins");
}

#[test]
fn an_entity_whose_certified_frame_does_not_execute_stays_halted_over_restarts() {
    let (_folder, mut net) = network();
    net.decide(3);
    let whole = net.start(0, 3, 0);
    // A quorum certifies a state to which the third frame does not lead.
    let mut wrong = net.history[2].clone();
    wrong.header.state_root = Hash::ZERO;
    wrong.certificate =
        certify(net.genesis.network, &board_of(&net, &[0, 1, 2, 3]), &wrong.header, &net.secrets);
    net.peers[whole].machine.environment().frames.insert((net.depositary, 3), wrong.encode());
    let halted = net.start(1, 2, 0);
    net.run(SECONDS(2));
    assert_eq!(net.height(halted), 2);
    let halts = net.peers[halted].machine.environment().halts.clone();
    assert!(
        matches!(&halts[..], [(entity, reason)] if *entity == net.depositary && reason.contains("frame 3"))
    );

    // The right frame does not help: what has been believed since then may be wrong.
    let status = |net: &Net, peer: usize| net.peers[peer].shared.status().boards[0].halted.clone();
    net.peers[whole].machine.environment().frames.insert((net.depositary, 3), net.history[2].encode());
    net.halts.clone_from(&halts);
    let again = net.start(2, 2, 0);
    net.run(SECONDS(12));
    assert_eq!((net.height(again), status(&net, again)), (2, Some(halts[0].1.clone())));
    // Nobody remembers it any more.
    net.halts.clear();
    let cleared = net.start(3, 2, 0);
    net.run(SECONDS(2));
    assert_eq!((net.is_there(cleared), status(&net, cleared)), (true, None));
}

/// What alice says to the depositary, so many times, with her board.
fn letters(net: &Net, count: u64) -> Vec<(Delivery, Board)> {
    let secret = dev_key("alice");
    let board = Board::single(secret.public().unwrap());
    let alice = Actor::member("alice", board.clone(), secret);
    let hub = net.genesis.entities.iter().find(|entity| entity.name == "hub-1").unwrap().id;
    let here = Genesis { hosted: Some([alice.id].into()), ..net.genesis.clone() };
    let mut server = here.build().unwrap();
    let keys = Keys::new(net.genesis.network, std::slice::from_ref(&alice));
    let say = |nonce| {
        let (asset, now) = (AssetId::named("usd"), Timestamp::from_millis(1 + nonce));
        let transfer = pallet_reserves::Call::Transfer { to: hub, asset, amount: Amount::new(1) };
        let call = alice.sign(net.genesis.network, alice.id, nonce, vec![transfer.into()]).unwrap();
        let calls = authenticate_calls(vec![call], net.genesis.network, now, [1; 32]);
        let calls = calls.into_iter().map(Result::unwrap).collect();
        let inputs = SliceInputs { calls, ..SliceInputs::default() };
        let executed = server.execute(now, Hash::ZERO, inputs, &keys).unwrap();
        drop(server.commit(&executed));
        (executed.outbox[0].clone(), board.clone())
    };
    (0..count).map(say).collect()
}

/// A server tells another what somebody said to a board, and nothing of where that somebody lives.
fn told(by: &Net, letter: &(Delivery, Board)) -> Input {
    let message = letter.0.certified().unwrap();
    let bytes = [&[0][..], &message.encode(), &letter.1.encode(), &[0]].concat();
    Input::Consensus { from: by.peers[1].id, code: Code::EntityTransaction, bytes }
}

#[test]
fn a_letter_that_is_told_again_after_it_was_executed_does_not_hold_up_the_next() {
    let (_folder, mut net) = network();
    let letters = letters(&net, 3);
    let (depositary, voter) = (net.depositary, net.start_voting(0));
    let there = net.start(1, 0, 0);
    assert_eq!((voter, there), (0, 1));
    let tell = |net: &mut Net, letter: usize| {
        let input = told(net, &letters[letter]);
        let machine = &mut net.peers[voter].machine;
        machine.take(input).unwrap();
        machine.turn().unwrap();
        machine.deciding(&depositary)
    };
    assert_eq!(tell(&mut net, 1), None, "the one before it is missing");
    assert_eq!(tell(&mut net, 0), Some(1));
    // The board decides the first alone, and another server brings the frame.
    let pair = (letters[0].0.certified().unwrap(), letters[0].1.clone());
    let messages = authenticate_messages(vec![pair], net.genesis.network, [2; 32]);
    let messages = messages.into_iter().map(Result::unwrap).collect();
    net.decide_on(SliceInputs { messages, ..SliceInputs::default() });
    let other = net.start(2, 1, 0);
    net.run(SECONDS(1));
    assert_eq!((net.height(voter), net.height(other)), (1, 1));
    let machine = &net.peers[voter].machine;
    assert_eq!(machine.deciding(&depositary), Some(2), "the second one waited");

    // Who does not have the frame yet tells the first again. The board decides the second, too.
    assert_eq!(tell(&mut net, 0), Some(2));
    let pair = (letters[1].0.certified().unwrap(), letters[1].1.clone());
    let messages = authenticate_messages(vec![pair], net.genesis.network, [2; 32]);
    let messages = messages.into_iter().map(Result::unwrap).collect();
    net.decide_on(SliceInputs { messages, ..SliceInputs::default() });
    net.start(3, 2, 0);
    net.run(SECONDS(1));
    assert_eq!(net.height(voter), 2);
    assert_eq!(tell(&mut net, 1), None, "what is executed is no reason to decide");
    assert_eq!(tell(&mut net, 2), Some(3), "and does not hold up the next");
}
