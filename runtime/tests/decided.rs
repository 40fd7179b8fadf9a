//! Frames that a board decided, followed by two servers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod consortium;
mod network;

use std::sync::Arc;

use consortium::{Consortium, transfer};
use network::USD;
use pallet_channels::PeerMessage;
use xln_primitives::{Amount, AssetId, Certificate, EntityId, Hash, Timestamp};
use xln_runtime::{
    BodyError, DecidedError, DecidedFrame, DueBoards, FrameBody, RuntimeMessage, Server, ServerInput,
    SliceInputs,
};

#[test]
fn every_server_makes_the_frames_that_the_board_decided() {
    let mut net = Consortium::new();
    let bob = net.keys.id("bob");
    net.call(1, "alice", 0, transfer(bob, 30));
    assert_eq!((net.reserve(0, "bob"), net.reserve(1, "bob")), (Amount::new(1000), Amount::new(1000)));
    net.settle();
    assert_eq!((net.reserve(0, "bob"), net.reserve(1, "bob")), (Amount::new(1030), Amount::new(1030)));
    let root = |server: &Server| server.depositary().unwrap().head().unwrap().header.state_root;
    assert_eq!(root(&net.servers[0]), root(&net.servers[1]));
}

#[test]
fn a_payment_crosses_servers_and_collateral_follows_from_the_depositary() {
    let mut net = Consortium::new();
    let (alice, hub) = (net.keys.id("alice"), net.keys.id("hub"));
    let asset = AssetId::named(USD);
    let pay = pallet_channels::Call::PayDirect { to: hub, asset, amount: Amount::new(25) };
    net.call(1, "alice", 0, pay.into());
    assert!(matches!(net.waiting[0].message.call, RuntimeMessage::Channel(PeerMessage::Frame(_))));
    net.settle();
    let (left, right) = if alice < hub { (alice, hub) } else { (hub, alice) };
    let in_favour = xln_primitives::Side::of(&alice, &hub).unwrap();
    let amount = Amount::new(100);
    let allocate = pallet_reserves::Call::Allocate { left, right, in_favour, asset, amount };
    net.call(1, "alice", 1, allocate.into());
    net.settle();
    let channel = xln_primitives::ChannelId::between(&alice, &hub);
    let copy = |server: &Server, whose: &EntityId| {
        pallet_channels::view::channel(&server.entity(whose).unwrap().state(), channel).unwrap().unwrap()
    };
    let (hubs, alices) = (copy(&net.servers[0], &hub), copy(&net.servers[1], &alice));
    assert_eq!(hubs.channel.state_hash, alices.channel.state_hash);
    assert_eq!(hubs.channel.subchannels[0].collateral, Amount::new(500));
    assert_eq!(net.reserve(0, "alice"), Amount::new(900));
}

#[test]
fn a_frame_is_followed_once_and_in_order() {
    let mut net = Consortium::new();
    let bob = net.keys.id("bob");
    net.call(1, "alice", 0, transfer(bob, 1));
    let frame = net.decide(net.propose().unwrap());
    let frames = vec![frame.clone(), frame.clone()];
    let executed = net.run(0, SliceInputs { frames, ..Default::default() });
    assert_eq!(executed.slice.frames.len(), 1);
    let depositary = net.genesis.depositary;
    let again = BodyError::OtherHeight { entity: depositary, last: 1, found: 1 };
    assert_eq!(executed.unfit, [(depositary, again)]);
    let mut later = frame.clone();
    later.body.height = 3;
    let executed = net.run(1, SliceInputs { frames: vec![later], ..Default::default() });
    assert!(matches!(executed.unfit[..], [(_, BodyError::OtherHeight { last: 0, found: 3, .. })]));
    assert_eq!((executed.frames, net.reserve(1, "bob")), (0, Amount::new(1000)));
}

#[test]
fn bodies_that_a_member_must_not_vote_for_are_told_apart() {
    let mut net = Consortium::new();
    let bob = net.keys.id("bob");
    net.call(1, "alice", 0, transfer(bob, 1));
    let (body, header) = net.propose().unwrap();
    let server = &net.servers[1];
    assert_eq!(server.draft(&body), Ok(header));
    let empty = FrameBody { messages: Vec::new(), ..body.clone() };
    assert_eq!(server.draft(&empty), Err(BodyError::Empty));
    let stopped = FrameBody { timestamp: Timestamp::from_millis(1), ..body.clone() };
    assert!(matches!(server.draft(&stopped), Err(BodyError::TimeStandsStill { .. })));
    let messages = [&body.messages[..], &body.messages].concat();
    let twice = FrameBody { messages, ..body.clone() };
    assert_eq!(server.draft(&twice), Err(BodyError::Refused { found: 1 }));
    let orphan = FrameBody { parent: xln_primitives::FrameHash::ZERO, ..body.clone() };
    assert!(matches!(server.draft(&orphan), Err(BodyError::OtherParent { .. })));
    let foreign = net.keys.call("alice", 1, [transfer(bob, 1)]);
    let foreign = FrameBody { calls: vec![foreign], ..body.clone() };
    assert_eq!(server.draft(&foreign), Err(BodyError::Refused { found: 1 }));
}

#[test]
fn a_certified_header_with_another_body_is_told_from_a_frame() {
    let mut net = Consortium::new();
    let bob = net.keys.id("bob");
    net.call(1, "alice", 0, transfer(bob, 1));
    let frame = net.decide(net.propose().unwrap());
    let (network, board) = (net.genesis.network, &net.validators.board);
    assert_eq!(frame.verify(network, board), Ok(()));
    // The boards beside it are for those who vote; the frame does not depend on them.
    let bare = DecidedFrame { body: FrameBody { boards: Vec::new(), ..frame.body.clone() }, ..frame.clone() };
    assert_eq!(bare.verify(network, board), Ok(()));
    let bodies = [
        FrameBody { entropy: Hash::ZERO, ..frame.body.clone() },
        FrameBody { timestamp: Timestamp::from_millis(999), ..frame.body.clone() },
        FrameBody { messages: Vec::new(), ..frame.body.clone() },
        FrameBody {
            messages: [&frame.body.messages[..], &frame.body.messages].concat(),
            ..frame.body.clone()
        },
    ];
    let other = DecidedError::OtherBody { entity: net.genesis.depositary, height: 1 };
    for body in bodies {
        assert_eq!(DecidedFrame { body, ..frame.clone() }.verify(network, board), Err(other.clone()));
    }
    let mut certificate = frame.body.clone();
    Arc::make_mut(&mut certificate.messages[0]).certificate = frame.certificate.clone();
    let swapped = DecidedFrame { body: certificate, ..frame.clone() };
    assert_eq!(swapped.verify(network, board), Err(other), "how a message proves itself is part of the body");
}

#[test]
fn a_proposal_with_forged_or_unproven_messages_is_refused() {
    let mut net = Consortium::new();
    let (alice, bob) = (net.keys.id("alice"), net.keys.id("bob"));
    net.call(1, "alice", 0, transfer(bob, 1));
    let (body, _) = net.propose().unwrap();
    let server = &net.servers[0];
    let check = |body: &FrameBody| body.authenticate(server, Timestamp::from_millis(500), [5; 32]);
    assert_eq!(check(&body), Ok(()));
    let bare = FrameBody { boards: Vec::new(), ..body.clone() };
    assert_eq!(check(&bare), Err(BodyError::NoBoard { entity: alice }));
    let mut forged = body.clone();
    let message = Arc::make_mut(&mut forged.messages[0]);
    let said = Arc::make_mut(&mut message.message);
    said.call = RuntimeMessage::Request(transfer(bob, 999));
    assert!(matches!(check(&forged), Err(BodyError::Message(_))));
}

#[test]
fn a_body_reads_back_and_a_log_with_decided_frames_replays() {
    let mut net = Consortium::new();
    let bob = net.keys.id("bob");
    net.call(1, "alice", 0, transfer(bob, 5));
    let frame = net.decide(net.propose().unwrap());
    let bytes = codec::Encode::encode(&frame);
    assert_eq!(xln_primitives::decode_exact::<DecidedFrame>(&bytes, bytes.len()), Ok(frame.clone()));
    let mut fresh = net.servers[0].clone();
    let executed = net.run(0, SliceInputs { frames: vec![frame], ..Default::default() });
    let logged = xln_primitives::decode_exact(&executed.log, executed.log.len()).unwrap();
    let mut forged: xln_runtime::Slice = logged;
    let Certificate::Aggregate { signature, .. } = &mut forged.frames[0].certificate else { unreachable!() };
    signature[90] ^= 1;
    assert!(matches!(fresh.replay(&forged, true), Err(xln_runtime::ReplayError::Frame { slice: 1, .. })));
    let logged = xln_primitives::decode_exact(&executed.log, executed.log.len()).unwrap();
    fresh.replay(&logged, true).unwrap();
    assert_eq!(fresh.depositary().unwrap().head(), net.servers[0].depositary().unwrap().head());
}

#[test]
fn a_deadline_waits_for_a_frame_of_the_depositary_and_then_needs_none() {
    let mut net = Consortium::new();
    let (depositary, hub) = (net.genesis.depositary, net.keys.id("hub"));
    let pay = pallet_channels::Call::Pay {
        to: hub,
        asset: AssetId::named(USD),
        amount: Amount::new(25),
        route: xln_primitives::BoundedVec::default(),
        hash: Some(pallet_channels::PaymentHash::new([1; 32])),
        max_fee: Amount::ZERO,
        timeout_ms: 60_000,
    };
    // The hub's server never hears of it.
    net.call(1, "alice", 0, pay.into());
    net.waiting.clear();
    assert_eq!(net.servers[1].due_boards(net.now, 8), DueBoards::default());
    net.now = net.now.saturating_add(120_000);
    assert_eq!(net.servers[0].due_boards(net.now, 8), DueBoards::default());
    let awaited = DueBoards { awaited: Some(depositary), ..DueBoards::default() };
    assert_eq!(net.servers[1].due_boards(net.now, 8), awaited);
    assert_eq!(net.servers[1].due(net.now, 8), [], "the heartbeat is for the board to decide");

    let heartbeat = net.servers[1].due_of(depositary, net.now, 8);
    assert_eq!(heartbeat, [ServerInput::Heartbeat { entity: depositary }]);
    let inputs = SliceInputs { server: heartbeat, ..Default::default() };
    let proposal = net.servers[1].propose(depositary, net.now, Hash::ZERO, inputs, &net.boards).unwrap();
    let frame = net.decide(proposal.unwrap());
    net.run(1, SliceInputs { frames: vec![frame], ..Default::default() });
    assert_eq!(net.servers[1].due_boards(net.now, 8), DueBoards::default());
    assert!(matches!(net.servers[1].due(net.now, 8)[..], [ServerInput::ConditionExpired { .. }]));
}
