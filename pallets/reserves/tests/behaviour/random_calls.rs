//! Whatever is called in whatever order, money is conserved.

use pallet_reserves::{Call, Settlement, SettlementRow, channel, totals};
use proptest::prelude::*;
use xln_primitives::{Amount, AssetId, ChannelId, Delta, EntityId, Side, Timestamp};

use crate::ledger::{ART, BRIDGE, LEFT, Ledger, OTHER, RIGHT, TOY, USD};

/// One step: who does what. Settlements name epoch and nonce relative to the channel's.
#[derive(Debug, Clone)]
enum Step {
    Call(EntityId, Call),
    Settle { by: Vec<Side>, body: Settlement, nonce_ahead: u64 },
    Wait(u64),
}

fn entity() -> impl Strategy<Value = EntityId> {
    prop_oneof![Just(LEFT), Just(RIGHT), Just(OTHER), Just(BRIDGE)]
}

fn asset() -> impl Strategy<Value = AssetId> {
    prop_oneof![4 => Just(USD), 3 => Just(TOY), 1 => Just(ART)]
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![20 => 0_u128..80, 1 => Just(u128::MAX), 1 => Just(i128::MAX.unsigned_abs())]
        .prop_map(Amount::new)
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Left), Just(Side::Right)]
}

fn diff() -> impl Strategy<Value = i128> {
    prop_oneof![20 => -40_i128..40, 1 => Just(i128::MAX), 1 => Just(i128::MIN)]
}

/// Mostly balanced.
fn row() -> impl Strategy<Value = SettlementRow> {
    (asset(), diff(), diff(), prop::bool::weighted(0.05), diff()).prop_map(
        |(asset, left, right, lie, ondelta)| {
            let collateral = left.wrapping_add(right).wrapping_neg().wrapping_add(i128::from(lie));
            SettlementRow {
                asset,
                left_reserve_diff: Delta::new(left),
                right_reserve_diff: Delta::new(right),
                collateral_diff: Delta::new(collateral),
                ondelta_diff: Delta::new(ondelta),
            }
        },
    )
}

fn settle() -> impl Strategy<Value = Step> {
    let by = prop_oneof![
        4 => Just(vec![Side::Left, Side::Right]),
        4 => Just(vec![Side::Right, Side::Left]),
        1 => side().prop_map(|side| vec![side]),
    ];
    let rows = proptest::collection::vec(row(), 0..3);
    (by, rows, prop::bool::weighted(0.2), 0_u64..300, prop_oneof![9 => Just(1_u64), 1 => 0_u64..3]).prop_map(
        |(by, rows, close, life, nonce_ahead)| {
            let body = Settlement {
                channel: ChannelId::between(&LEFT, &RIGHT),
                left: LEFT,
                right: RIGHT,
                epoch: 0,
                nonce: 0,
                expires: Timestamp::from_millis(life),
                close,
                rows: rows.try_into().unwrap(),
            };
            Step::Settle { by, body, nonce_ahead }
        },
    )
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        (asset(), entity(), amount()).prop_map(|(asset, to, amount)| {
            Call::Deposit { asset, to, amount, reference: Default::default() }
        }),
        (asset(), amount()).prop_map(|(asset, amount)| {
            Call::Withdraw { asset, amount, destination: Default::default() }
        }),
        (side(), asset(), amount()).prop_map(|(in_favour, asset, amount)| {
            Call::Allocate { left: LEFT, right: RIGHT, in_favour, asset, amount }
        }),
        (entity(), asset(), amount()).prop_map(|(to, asset, amount)| Call::Transfer { to, asset, amount }),
        (1_u64..6).prop_map(|id| Call::ConfirmWithdrawal { id }),
        (1_u64..6).prop_map(|id| Call::RejectWithdrawal { id }),
        any::<[u8; 32]>().prop_map(|preimage| Call::Reveal { preimage }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (entity(), call()).prop_map(|(origin, call)| Step::Call(origin, call)),
        3 => settle(),
        1 => (0_u64..200).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn money_is_conserved_and_nonces_step_by_one(steps in proptest::collection::vec(step(), 1..60)) {
        let mut ledger = Ledger::new();
        let id = ChannelId::between(&LEFT, &RIGHT);
        for step in steps {
            let before = channel(&ledger.state, &id).unwrap();
            let held = totals(&ledger.state, &USD).unwrap();
            // `Ledger::call` checks every invariant after every call, refused or not.
            match step {
                Step::Wait(millis) => ledger.now += millis,
                Step::Call(origin, call) => {
                    let outward = matches!(call, Call::Deposit { .. } | Call::ConfirmWithdrawal { .. });
                    let _ = ledger.call(origin, call);
                    let after = totals(&ledger.state, &USD).unwrap();
                    prop_assert!(outward || after.supply() == held.supply(), "only these change the supply");
                }
                Step::Settle { by, mut body, nonce_ahead } => {
                    body.epoch = before.epoch;
                    body.nonce = before.nonce + nonce_ahead;
                    body.expires = Timestamp::from_millis(ledger.now + body.expires.as_millis());
                    for side in by {
                        let origin = if side == Side::Left { LEFT } else { RIGHT };
                        let _ = ledger.call(origin, Call::Settle(body.clone()));
                    }
                    let after = totals(&ledger.state, &USD).unwrap();
                    prop_assert_eq!(after.supply(), held.supply());
                }
            }
            let after = channel(&ledger.state, &id).unwrap();
            prop_assert!(after.nonce - before.nonce <= 1);
            prop_assert!(after.epoch - before.epoch <= u32::from(after.nonce > before.nonce));
        }
    }
}
