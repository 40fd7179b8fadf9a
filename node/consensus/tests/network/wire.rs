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
    let written = format!("{} bytes {}", bytes.len(), keccak256(&bytes));
    assert_eq!(written, expected, "the encoding of {value:?} changed");
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
    pin(
        &message(Content::Proposal { offer: offer(None), body: body.clone() }),
        "180 bytes 0xa0aec04b37309b25f66665bd96a8a53bf6d5391bb5ed5c48d7e140871fc74e36",
    );
    pin(
        &message(Content::Proposal { offer: offer(Some(1)), body: body.clone() }),
        "184 bytes 0xf1bc3594bfb23b30c1376e3de296614c00199a73dc95d407861a364f30baf805",
    );
    pin(
        &message(Content::Vote(ballot(Step::Prevote, None))),
        "145 bytes 0x3c72e12f075dc00992b7d32cc821606bfbe12bc9231af76834341e42f517433f",
    );
    pin(
        &message(Content::Vote(ballot(Step::Precommit, Some(FRAME)))),
        "177 bytes 0x51d3667d240362b3839432c9d95807158e5a640c33256d534f2b081b05232d23",
    );
    let signers = vec![0b111].try_into().unwrap();
    let certificate = Certificate::Aggregate { round: 3, signers, signature: [4; 96] };
    pin(
        &message(Content::Decided { frame: FRAME, certificate, body }),
        "180 bytes 0x4e420ef80dc49cc35415b280bd8cf5630de3b39d11d2db85590cf88be187b5da",
    );
    let prevotes = vec![(MemberIndex(0), [1; 96]), (MemberIndex(1), [2; 96])];
    let polka = Polka { round: 3, frame: FRAME, prevotes };
    pin(
        &message(Content::Polka(polka)),
        "274 bytes 0xa5ca45743cc51b0743cce4d8f13deda273fae545391bc1730ad823a75c7bfcd2",
    );
    let votes = vec![ballot(Step::Precommit, None)];
    let certificate = RoundCertificate { round: 3, proof: RoundProof::Precommits, votes };
    pin(
        &message(Content::RoundCertificate(certificate)),
        "151 bytes 0xcfa222f0b6fd3b0c74ec6522ab4755296a8aed30dd87e0cda7a9050c5e384b2e",
    );
    pin(
        &message(Content::Request { round: 3, frame: FRAME }),
        "77 bytes 0x3838f16fbed6be2011a88fa0f2ef7922418835fd53ed5dbd8dc0050c316656c8",
    );
}

#[test]
fn rows_of_the_log_are_pinned() {
    pin(
        &Entry::Offer(offer(Some(1))),
        "140 bytes 0xd64f1181264fcc6b1a06356ff8deb0e4323f47e4d2eddc2f54091b9090808432",
    );
    pin(
        &Entry::Ballot(ballot(Step::Prevote, Some(FRAME))),
        "137 bytes 0xb1341ef874ed82e1ba5298a032ce546479ca8264565c1f2892ec77cd9f5eb4f7",
    );
    pin(
        &Entry::Polka(Polka { round: 3, frame: FRAME, prevotes: vec![(MemberIndex(0), [1; 96])] }),
        "136 bytes 0x9e300af52d5a0aa280e52cb1ccb4dc660ff527dcc73214ca5f3a149bfee014fe",
    );
    let value = |body| Entry::Value { round: 3, member: MemberIndex(2), frame: FRAME, body };
    pin(&value(None), "40 bytes 0x0d9fb1adc46fc21160beeb2daee239d39a6399385715abfa59cdbf81a99a36c8");
    pin(
        &value(Some(Arc::new(vec![7; 3]))),
        "44 bytes 0xa7e6788f7c9b287fe5789d5693fa59ad9ec1adb561c4f2cccb24a4be5b2eaad1",
    );
    pin(
        &Entry::ProposeTimeout(3),
        "5 bytes 0x6cdefc8f7a3e1ae12d0aedf558e481ba19756c86da1e52c1796abc669d942e55",
    );
    pin(
        &Entry::VoteTimeout(Step::Precommit, 3),
        "6 bytes 0x56dbb80f312c9111ac435acb4fe1b3e9343564f1e8dba3abe9810be03359f50a",
    );
    let row = Row { entity: EntityId::new([1; 32]), height: 2, sequence: 3, entry: Entry::ProposeTimeout(3) };
    let key = format!("{}{}{}", "01".repeat(32), "0000000000000002", "0000000000000003");
    let hex: String = row.key().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, key);
}

#[test]
fn evidence_is_pinned() {
    let (entity, board) = (EntityId::new([1; 32]), Hash::new([3; 32]));
    let (first, second) = (ballot(Step::Prevote, None), ballot(Step::Prevote, Some(FRAME)));
    pin(
        &Evidence::Ballots { entity, height: 2, board, first, second },
        "313 bytes 0x97032425c16716b89b0b032609e8dc3f5e1aef89823fe573ad5e6f7866bc437c",
    );
    pin(
        &Evidence::Offers { entity, height: 2, board, first: offer(None), second: offer(Some(1)) },
        "347 bytes 0x4aafb63c0dc049b3a1214119677ef1142b7543bc6ac3557fee6ea1e59fb59d40",
    );
}
