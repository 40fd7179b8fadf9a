//! Calls and messages: in order, each once.

use pallet_entities::{
    Error, accept_incoming, authorise, found, inbox, next_outgoing, nonce, outbox, try_state, use_nonce,
};
use proptest::prelude::*;
use xln_primitives::{Board, EntityId, Member, Permissions, storage::MemoryStorage};

use crate::mock::{board, key, signer};

const PEER: EntityId = EntityId::new([5; 32]);
const STRANGER: EntityId = EntityId::new([6; 32]);

#[test]
fn a_member_calls_with_exactly_the_next_nonce() {
    let mut state = MemoryStorage::default();
    found(&mut state, &Board::single(key(1))).unwrap();
    let id = key(1).signer_id();
    assert_eq!(nonce(&state, &id), Ok(0));
    assert_eq!(authorise(&state, &key(1), 1), Err(Error::NonceGap { expected: 0, found: 1 }));
    assert_eq!(authorise(&state, &key(1), 0), Ok(()));
    assert_eq!(nonce(&state, &id), Ok(0), "asking changes nothing");

    use_nonce(&mut state, &id, 0);
    assert_eq!(nonce(&state, &id), Ok(1));
    assert_eq!(authorise(&state, &key(1), 0), Err(Error::NonceTooLow { expected: 1, found: 0 }));
    assert_eq!(authorise(&state, &key(1), 3), Err(Error::NonceGap { expected: 1, found: 3 }));
    assert_eq!(authorise(&state, &key(1), 1), Ok(()));
    assert_eq!(nonce(&state, &key(2).signer_id()), Ok(0), "nonces are each signer's own");
    assert_eq!(try_state(&state), Ok(()));
}

#[test]
fn only_members_call() {
    let mut state = MemoryStorage::default();
    assert_eq!(authorise(&state, &key(1), 0), Err(Error::NotFounded));
    let voter = Member { permissions: Permissions::VOTE.with(Permissions::PROPOSE), ..signer(1) };
    found(&mut state, &board(vec![voter])).unwrap();
    let stranger = key(2).signer_id();
    assert_eq!(authorise(&state, &key(1), 0), Ok(()), "what it may do is not judged here");
    assert_eq!(authorise(&state, &key(2), 0), Err(Error::NotAMember { signer: stranger }));
}

#[test]
fn messages_to_each_entity_are_numbered_from_one() {
    let mut state = MemoryStorage::default();
    assert_eq!(outbox(&state, &PEER), Ok(0));
    for expected in 1..=3 {
        assert_eq!(next_outgoing(&mut state, &PEER), Ok(expected));
    }
    assert_eq!(next_outgoing(&mut state, &STRANGER), Ok(1));
    assert_eq!((outbox(&state, &PEER), outbox(&state, &STRANGER)), (Ok(3), Ok(1)));
    assert_eq!(inbox(&state, &PEER), Ok(0), "sending does not move the inbox");
    assert_eq!(try_state(&state), Ok(()));
}

#[test]
fn a_repeated_message_and_a_gap_leave_the_inbox_where_it_is() {
    let mut state = MemoryStorage::default();
    let gap = Error::SequenceGap { from: PEER, expected: 1, found: 2 };
    assert_eq!(accept_incoming(&mut state, &PEER, 2), Err(gap));
    assert_eq!(accept_incoming(&mut state, &PEER, 0), Err(Error::Repeated { from: PEER, last: 0, found: 0 }));
    assert_eq!(accept_incoming(&mut state, &PEER, 1), Ok(()));
    assert_eq!(accept_incoming(&mut state, &PEER, 1), Err(Error::Repeated { from: PEER, last: 1, found: 1 }));
    assert_eq!((inbox(&state, &PEER), inbox(&state, &STRANGER)), (Ok(1), Ok(0)));
}

#[test]
fn the_last_sequence_has_no_successor() {
    let mut state = MemoryStorage::default();
    let key = xln_primitives::StorageKey::new(xln_primitives::StorageType::Inboxes, 1).with(&PEER);
    xln_primitives::Storage::put(&mut state, key.as_ref(), vec![0xff; 16]);
    assert!(matches!(next_outgoing(&mut state, &PEER), Err(Error::Arithmetic(_))));
}

proptest! {
    #[test]
    fn whatever_arrives_each_message_is_executed_once_and_in_order(
        arrivals in proptest::collection::vec((any::<bool>(), 0_u64..12), 0..120),
    ) {
        let mut state = MemoryStorage::default();
        let mut executed = [Vec::new(), Vec::new()];
        for (first, sequence) in arrivals {
            let from = if first { PEER } else { STRANGER };
            if accept_incoming(&mut state, &from, sequence).is_ok() {
                executed[usize::from(first)].push(sequence);
            }
        }
        for (from, executed) in [(STRANGER, &executed[0]), (PEER, &executed[1])] {
            let last = inbox(&state, &from).unwrap();
            prop_assert_eq!(executed, &(1..=last).collect::<Vec<_>>());
        }
        prop_assert_eq!(try_state(&state), Ok(()));
    }
}
