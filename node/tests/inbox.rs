//! Messages of other servers: only what proves itself reaches the author, in the order in which it came.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use xln_node::inbox::{Arrival, Inbox, InboxFull};
use xln_primitives::{
    Board, Certificate, CertifiedMessage, EntityId, FrameHash, FrameHeader, Hash, Message, Network,
    SecretKey, Timestamp, Vote, outputs::MerkleTree,
};
use xln_runtime::RuntimeMessage;

const NETWORK: Network = Network::new([9; 32]);

/// What a sender says in one frame.
fn arrivals(name: &str, first: u64, count: u64) -> Vec<Arrival> {
    let secret: SecretKey = xln_keystore::dev_key(name);
    let board = Board::single(secret.public().unwrap());
    let messages: Vec<_> = (first..first + count)
        .map(|sequence| {
            let call = pallet_entities::Call::Create { board: board.clone() };
            let call = RuntimeMessage::Request(call.into());
            Arc::new(Message { from: board.entity(), to: EntityId::new([2; 32]), sequence, call })
        })
        .collect();
    let outputs = MerkleTree::new(messages.iter().map(|message| message.leaf(&NETWORK)).collect());
    let header = FrameHeader {
        entity: board.entity(),
        height: first,
        parent: FrameHash::ZERO,
        timestamp: Timestamp::from_millis(1),
        board_hash: board.hash(),
        inputs_root: Hash::ZERO,
        state_root: Hash::ZERO,
        outputs_root: outputs.root(),
    };
    let vote = Vote::precommit(NETWORK, &header, 0).sign_bytes();
    let certificate = Certificate::Single(secret.sign(&vote).unwrap());
    let arrival = |(index, message): (u32, Arc<_>)| Arrival {
        message: Arc::new(CertifiedMessage {
            message,
            path: outputs.path(index).unwrap(),
            header: header.clone(),
            certificate: certificate.clone(),
        }),
        board: board.clone(),
    };
    (0..).zip(messages).map(arrival).collect()
}

fn inbox(messages_max: usize) -> (Arc<Inbox>, Arc<AtomicUsize>) {
    let told = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&told);
    let inbox = Inbox::new(NETWORK, messages_max, move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    (inbox.unwrap(), told)
}

#[test]
fn messages_come_out_in_the_order_in_which_they_came_whichever_batch_was_checked_first() {
    let (inbox, told) = inbox(10_000);
    for frame in 0..40 {
        inbox.submit(arrivals("alice", 1 + frame * 50, 50)).unwrap();
    }
    let taken = inbox.take_exactly(2_000);
    let sequences: Vec<u64> =
        taken.iter().map(|inbound| inbound.get().certified().message.sequence).collect();
    assert_eq!(sequences, (1..=2_000).collect::<Vec<_>>());
    assert!(inbox.is_empty() && told.load(Ordering::Relaxed) > 0);
}

#[test]
fn what_proves_nothing_is_dropped_and_counted_and_takes_nothing_else_with_it() {
    let (inbox, _) = inbox(100);
    let mut all = arrivals("alice", 1, 3);
    all.extend(arrivals("bob", 1, 3));
    // Signed by nobody; of another sender's board; not among the outputs of its frame.
    let mut unsigned = (*all[1].message).clone();
    unsigned.header.height += 1;
    all[1].message = Arc::new(unsigned);
    all[2].board = all[3].board.clone();
    let mut changed = (*all[4].message).clone();
    Arc::make_mut(&mut changed.message).sequence += 1;
    all[4].message = Arc::new(changed);
    let good: Vec<_> = [0, 3, 5].map(|index: usize| Arc::clone(&all[index].message)).into();

    inbox.submit(all).unwrap();
    let taken = inbox.take_exactly(6);
    let taken: Vec<_> = taken.iter().map(|inbound| Arc::clone(inbound.get().certified())).collect();
    assert_eq!(taken, good);
    let (rejected, reason) = inbox.rejected();
    assert_eq!(rejected, 3);
    assert!(reason.is_some());
}

#[test]
fn more_than_fits_is_refused_as_a_whole_and_says_how_much_fits() {
    let (inbox, _) = inbox(100);
    inbox.submit(arrivals("alice", 1, 90)).unwrap();
    let refusal = inbox.submit(arrivals("bob", 1, 11)).unwrap_err();
    assert_eq!(refusal, InboxFull { waiting: 90, max: 100 });
    inbox.submit(arrivals("bob", 1, 10)).unwrap();
    assert_eq!(inbox.take_exactly(100).len(), 100);
    inbox.submit(arrivals("carol", 1, 100)).unwrap();
}
