//! The bytes of calls and letters.

use codec::Encode;
use pallet_governance::{Call, Error, Listing, MemberAct, MemberLetter, Need, Policy, Preset, Share, Status};
use xln_primitives::{EntityId, Hash, Timestamp, decode_exact};

use crate::mock::{Act, actions, who};

#[test]
fn calls_have_the_codes_of_the_wire_and_read_back() {
    let calls = actions(&[Act::Mark(7)]);
    let cases = [
        (Call::Propose { calls: calls.clone(), lifetime_ms: None }, "30040800070000"[..12].to_owned()),
        (Call::Vote { proposal: 2, approve: true }, "31020000000000000001".to_owned()),
        (Call::Withdraw { proposal: 2 }, "320200000000000000".to_owned()),
        (
            Call::Delegate { to: Some(who(1)), until: Timestamp::from_millis(5) },
            format!("330100{}0500000000000000", hex(who(1).encode().get(1..).unwrap())),
        ),
        (Call::SetPolicy(Preset::Wallet.policy()), "34000104000000000000240c24000000"[..10].to_owned()),
        (
            Call::SetListing { entity: EntityId::registered(1), listing: Some(Listing::Watched) },
            format!("35{}0101", hex(EntityId::registered(1).as_ref())),
        ),
        (
            Call::Instruct {
                entity: EntityId::registered(1),
                act: MemberAct::Vote { proposal: 1, approve: false },
            },
            format!("36{}31010000000000000000", hex(EntityId::registered(1).as_ref())),
        ),
    ];
    for (call, golden) in cases {
        let bytes = call.encode();
        assert!(hex(&bytes).starts_with(&golden), "{call:?}: {} {golden}", hex(&bytes));
        assert_eq!(decode_exact::<Call>(&bytes, bytes.len()), Ok(call));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn letters_read_back() {
    for letter in [
        MemberLetter::Act(MemberAct::Withdraw { proposal: 9 }),
        MemberLetter::Opened { proposal: 1, calls: Hash::ZERO, expires: Timestamp::MAX },
    ] {
        assert_eq!(decode_exact::<MemberLetter>(&letter.encode(), 200), Ok(letter));
    }
}

#[test]
fn a_proposal_within_a_proposal_is_only_bytes() {
    // Calls are bytes in a proposal: however deep somebody nests them, reading takes no more stack.
    let mut calls = actions(&[Act::Mark(1)]);
    for _ in 0..1_000 {
        let inner = Call::Propose { calls, lifetime_ms: None }.encode();
        calls = vec![inner.try_into().unwrap()].try_into().unwrap();
    }
    let bytes = Call::Propose { calls, lifetime_ms: None }.encode();
    assert!(decode_exact::<Call>(&bytes, bytes.len()).is_ok());
}

#[test]
fn policies_are_readable_as_json_too() {
    let policy = Preset::Company.policy();
    let text = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    assert_eq!(serde_json::to_string(&Need::Vote(Share::ALL)).unwrap(), r#"{"vote":10000}"#);
}

#[test]
fn errors_carry_their_numbers_and_a_hint() {
    assert_eq!(
        Error::NeedsVote { code: 0x43 }.to_string(),
        "calls with code 0x43 need a vote of the board: propose it"
    );
    let decided = Error::Decided { proposal: 3, status: Status::Rejected };
    assert_eq!(decided.to_string(), "proposal 3 cannot be voted on: it is rejected");
}
