//! The bytes of everything that leaves this crate, pinned: a change here is a change of the protocol or of the disk.

use std::sync::Arc;

use codec::{Decode, Encode};
use xln_consensus::{
    Ballot, BoardMessage, Content, Entry, Evidence, MemberIndex, Offer, Polka, RoundCertificate, RoundProof,
    Row, Signed, Step,
};
use xln_primitives::{Certificate, EntityId, FrameHash, Hash, decode_exact, keccak256};

#[track_caller]
fn pin<T: Encode + Decode + PartialEq + core::fmt::Debug>(value: &T, expected: &str) {
    let bytes = value.encode();
    assert_eq!(
        format!("{} bytes {}", bytes.len(), keccak256(&bytes)),
        expected,
        "the encoding of {value:?} changed"
    );
    assert_eq!(decode_exact::<T>(&bytes, bytes.len()).as_ref(), Ok(value));
    for length in 0..bytes.len() {
        assert!(decode_exact::<T>(&bytes[..length], length).is_err(), "{length} bytes of it are refused");
    }
}

fn ballot(step: Step, frame: Option<FrameHash>) -> Signed<Ballot> {
    Signed { statement: Ballot { member: MemberIndex(2), step, round: 3, frame }, signature: [4; 96] }
}

fn offer(valid_round: Option<u32>) -> Signed<Offer> {
    let statement = Offer { member: MemberIndex(2), round: 3, valid_round, frame: FrameHash::new([5; 32]) };
    Signed { statement, signature: [4; 96] }
}

fn message(content: Content) -> BoardMessage {
    BoardMessage { entity: EntityId::new([1; 32]), height: 2, content }
}

const FRAME: FrameHash = FrameHash::new([5; 32]);

#[test]
fn messages_between_members_are_pinned() {
    let body = Arc::new(vec![7; 3]);
    pin(&message(Content::Proposal { offer: offer(None), body: body.clone() }), "");
    pin(&message(Content::Proposal { offer: offer(Some(1)), body: body.clone() }), "");
    pin(&message(Content::Vote(ballot(Step::Prevote, None))), "");
    pin(&message(Content::Vote(ballot(Step::Precommit, Some(FRAME)))), "");
    let signers = vec![0b111].try_into().unwrap();
    let certificate = Certificate::Aggregate { round: 3, signers, signature: [4; 96] };
    pin(&message(Content::Decided { frame: FRAME, certificate, body }), "");
    let prevotes = vec![(MemberIndex(0), [1; 96]), (MemberIndex(1), [2; 96])];
    let polka = Polka { round: 3, frame: FRAME, prevotes };
    pin(&message(Content::Polka(polka)), "");
    let votes = vec![ballot(Step::Precommit, None)];
    let certificate = RoundCertificate { round: 3, proof: RoundProof::Precommits, votes };
    pin(&message(Content::RoundCertificate(certificate)), "");
    pin(&message(Content::Request { round: 3, frame: FRAME }), "");
}

#[test]
fn rows_of_the_log_are_pinned() {
    pin(&Entry::Offer(offer(Some(1))), "");
    pin(&Entry::Ballot(ballot(Step::Prevote, Some(FRAME))), "");
    pin(&Entry::Polka(Polka { round: 3, frame: FRAME, prevotes: vec![(MemberIndex(0), [1; 96])] }), "");
    let value = |body| Entry::Value { round: 3, member: MemberIndex(2), frame: FRAME, body };
    pin(&value(None), "");
    pin(&value(Some(Arc::new(vec![7; 3]))), "");
    pin(&Entry::ProposeTimeout(3), "");
    pin(&Entry::VoteTimeout(Step::Precommit, 3), "");
    let row = Row { entity: EntityId::new([1; 32]), height: 2, sequence: 3, entry: Entry::ProposeTimeout(3) };
    let key = format!("{}{}{}", "01".repeat(32), "0000000000000002", "0000000000000003");
    let hex: String = row.key().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, key);
}

#[test]
fn evidence_is_pinned() {
    let (entity, board) = (EntityId::new([1; 32]), Hash::new([3; 32]));
    let (first, second) = (ballot(Step::Prevote, None), ballot(Step::Prevote, Some(FRAME)));
    pin(&Evidence::Ballots { entity, height: 2, board, first, second }, "");
    pin(&Evidence::Offers { entity, height: 2, board, first: offer(None), second: offer(Some(1)) }, "");
}
