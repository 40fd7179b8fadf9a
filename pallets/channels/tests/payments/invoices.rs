//! Invoices, and what payer and payee may take back.

use pallet_channels::{
    Call, Error, FailReason, Failure, InvoiceStatus, PaymentStatus, PeerMessage, TransitionError, view,
};
use xln_primitives::{Amount, EntityId, Timestamp};

use crate::{
    ALICE, BOB, HUB, assert_nothing_held, failure,
    harness::{entity, hold_invoice, pay, preimage},
    held_by_bob, network,
};

#[test]
fn an_invoice_is_paid_once_and_a_hash_is_not_paid_twice() {
    let mut world = network();
    held_by_bob(&mut world);
    let hash = preimage(7).hash();
    assert_eq!(
        world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(hash))),
        Err(Error::DuplicatePayment { hash })
    );
    world.call(HUB, pay(BOB, 5, &[], 0, Some(hash))).unwrap();
    world.settle();
    assert!(matches!(
        world.node(HUB).payment(1).status,
        PaymentStatus::Failed { failure: Failure { hop: 1, reason: FailReason::AlreadyPaid } }
    ));
}

#[test]
fn the_beneficiary_may_give_up_at_any_time_and_the_invoice_can_be_paid_again() {
    let mut world = network();
    held_by_bob(&mut world);
    let hash = preimage(7).hash();
    world.call(BOB, Call::Cancel { hash }).unwrap();
    world.settle();
    assert_eq!(failure(&mut world), Failure { hop: 2, reason: FailReason::Cancelled });
    assert_nothing_held(&mut world);
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(hash))).unwrap();
    world.settle();
    world.call(BOB, Call::Fulfil { preimage: preimage(7) }).unwrap();
    world.settle();
    assert!(matches!(world.node(ALICE).payment(2).status, PaymentStatus::Succeeded { .. }));
    assert_eq!(world.call(BOB, Call::Fulfil { preimage: preimage(7) }), Err(Error::UnknownPayment { hash }));
}

#[test]
fn a_payer_may_cancel_only_what_was_not_sent() {
    let mut world = network();
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, None)).unwrap();
    world.call(ALICE, Call::CancelPayment { payment: 1 }).unwrap();
    world.settle();
    assert_eq!(failure(&mut world).reason, FailReason::Cancelled);
    let mut world = network();
    held_by_bob(&mut world);
    assert_eq!(
        world.call(ALICE, Call::CancelPayment { payment: 1 }),
        Err(Error::UnknownRequest { request: 1 })
    );
    let hash = preimage(7).hash();
    assert_eq!(world.call(ALICE, Call::Cancel { hash }), Err(Error::UnknownPayment { hash }));
}

#[test]
fn calls_that_ask_too_much_are_refused_with_the_numbers() {
    let mut world = network();
    let mut call = pay(BOB, 100, &[HUB], 3, None);
    if let Call::Pay { max_fee, .. } = &mut call {
        *max_fee = Amount::new(2);
    }
    let error = Error::FeeAboveLimit { needed: Amount::new(3), max_fee: Amount::new(2) };
    assert_eq!(world.call(ALICE, call), Err(error));
    let mut call = pay(BOB, 100, &[HUB], 0, None);
    if let Call::Pay { timeout_ms, .. } = &mut call {
        *timeout_ms = 5;
    }
    assert!(matches!(world.call(ALICE, call), Err(Error::TimeoutOutOfRange { found_ms: 5, .. })));
    assert!(matches!(world.call(ALICE, pay(BOB, u128::MAX, &[HUB], 1, None)), Err(Error::Arithmetic(_))));
    assert!(matches!(
        world.call(ALICE, pay(BOB, 2_000, &[HUB], 0, None)),
        Err(Error::Transition(TransitionError::InsufficientCapacity { .. }))
    ));
    assert_eq!(world.call(ALICE, pay(ALICE, 1, &[], 0, None)), Err(Error::OwnEntity));
    assert_eq!(view::payments(&world.node(ALICE).storage, None, 9).unwrap(), []);
}

#[test]
fn an_answer_to_a_request_is_taken_from_the_payee_only() {
    let mut world = network();
    world.call(ALICE, pay(BOB, 10, &[HUB], 0, None)).unwrap();
    let answer =
        |request| PeerMessage::InvoiceIssued { request, hash: preimage(1).hash(), expires: Timestamp::MAX };
    assert_eq!(world.inject(HUB, ALICE, answer(1)), Err(Error::UnknownRequest { request: 1 }));
    assert_eq!(world.inject(BOB, ALICE, answer(2)), Err(Error::UnknownRequest { request: 2 }));
    world.settle();
    assert!(matches!(world.node(ALICE).payment(1).status, PaymentStatus::Succeeded { .. }));
}

#[test]
fn invoices_are_withdrawn_and_listed() {
    let mut world = network();
    let hash = preimage(7).hash();
    world.call(BOB, hold_invoice(hash)).unwrap();
    assert_eq!(world.call(BOB, hold_invoice(hash)), Err(Error::DuplicateInvoice { hash }));
    world.call(BOB, Call::CancelInvoice { hash }).unwrap();
    assert_eq!(world.call(BOB, Call::CancelInvoice { hash }), Err(Error::UnknownPayment { hash }));
    let invoice = view::invoice(&world.node(BOB).storage, hash).unwrap().unwrap();
    assert_eq!(invoice.status, InvoiceStatus::Cancelled);
    world.call(ALICE, pay(BOB, 100, &[HUB], 0, Some(hash))).unwrap();
    world.settle();
    assert_eq!(failure(&mut world).reason, FailReason::UnknownInvoice);
    let by_hash = view::payment_by_hash(&world.node(ALICE).storage, hash).unwrap();
    assert_eq!(by_hash.map(|payment| payment.number), Some(1));
    let peers: Vec<EntityId> = view::channels(&world.node(HUB).storage, None, 9)
        .unwrap()
        .into_iter()
        .map(|view| view.channel.entity(view.channel.side_of(&entity(HUB)).other()))
        .collect();
    assert_eq!(peers.len(), 2);
}
