//! The bytes of every wire type, pinned: a change here is a change of the protocol.
//!
//! Short encodings are spelled out; those above 80 bytes are pinned by their length and keccak-256. Hashes and signed
//! bytes that other implementations must recompute are pinned beside the type that they belong to.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its values fails")]

mod pin;

use codec::{Decode, DecodeWithMemTracking, Encode};
use pin::{pin, written};
use xln_primitives::{
    Address, Amount, ArithmeticError, AssetId, BlockHeader, Board, BoardError, BoundedVec, CALL_VERSION,
    CallBody, CallHash, Certificate, CertifiedMessage, ChannelId, Corrupt, DecodeError, Delegate, Delta,
    EntityId, FrameHash, FrameHeader, Hash, Kind, Member, MemberId, Message, Network, Origin, Permissions,
    Principal, Profile, PublicKey, Receipt, SecretKey, Side, Signature, SignerId, StateChange, StorageType,
    Timestamp, Vote, VoteKind, decode_exact,
    outputs::{MerklePath, MerkleTree},
};

/// Stands for the runtime's calls, messages, events and errors.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
struct Payload(u16);

impl Kind for Payload {
    fn kind(&self) -> u8 {
        0x20
    }
}

#[track_caller]
fn pin_bytes(bytes: &[u8], expected: &str) {
    assert_eq!(written(bytes), expected, "the bytes to sign changed");
}

fn filled(byte: u8) -> [u8; 32] {
    [byte; 32]
}

fn secret(byte: u8) -> SecretKey {
    SecretKey::Ed25519(filled(byte).into())
}

fn ed25519() -> PublicKey {
    PublicKey::Ed25519(filled(1))
}

fn board() -> Board {
    let members = vec![
        Member {
            id: MemberId::Signer { key: ed25519(), possession: None },
            weight: 1,
            permissions: Permissions::ALL,
        },
        Member {
            id: MemberId::Entity { entity: EntityId::registered(7), delegate: None },
            weight: 2,
            permissions: Permissions::PROPOSE.with(Permissions::VOTE),
        },
    ];
    Board { members: BoundedVec::truncate_from(members), threshold: 3, profile: Profile::Byzantine }
}

fn header() -> FrameHeader {
    FrameHeader {
        entity: EntityId::new(filled(1)),
        height: 2,
        parent: FrameHash::new(filled(3)),
        timestamp: Timestamp::from_millis(4),
        board_hash: Hash::new(filled(5)),
        inputs_root: Hash::new(filled(6)),
        state_root: Hash::new(filled(7)),
        outputs_root: Hash::new(filled(8)),
    }
}

fn message() -> Message<Payload> {
    Message {
        from: EntityId::new(filled(1)),
        to: EntityId::new(filled(2)),
        sequence: 3,
        call: Payload(0x0405),
    }
}

fn body() -> CallBody<Payload> {
    CallBody {
        version: CALL_VERSION,
        network: Network::new(filled(9)),
        signer: secret(1).public().unwrap(),
        entity: EntityId::new(filled(2)),
        nonce: 3,
        valid_until: Timestamp::from_millis(4),
        calls: BoundedVec::truncate_from(vec![Payload(5), Payload(6)]),
        tip: Amount::new(7),
    }
}

fn path() -> MerklePath {
    let leaves = (1..=3).map(|byte| Hash::new(filled(byte))).collect();
    MerkleTree::new(leaves).path(2).unwrap()
}

#[test]
fn quantities_are_little_endian_and_of_fixed_width() {
    pin(&Amount::new(0x0102), "02010000000000000000000000000000");
    pin(&Amount::MAX, "ffffffffffffffffffffffffffffffff");
    pin(&Delta::new(-2), "feffffffffffffffffffffffffffffff");
    pin(&Delta::MAX, "ffffffffffffffffffffffffffffff7f");
    pin(&Timestamp::from_millis(0x0102_0304), "0403020100000000");
    assert_eq!(ArithmeticError.encode(), [0; 0], "it has one value");
}

#[test]
fn identifiers_are_their_32_bytes() {
    pin(&Hash::new(filled(1)), "0101010101010101010101010101010101010101010101010101010101010101");
    pin(&FrameHash::new(filled(2)), "0202020202020202020202020202020202020202020202020202020202020202");
    pin(&Network::new(filled(3)), "0303030303030303030303030303030303030303030303030303030303030303");
    pin(&SignerId::new(filled(4)), "0404040404040404040404040404040404040404040404040404040404040404");
    pin(&EntityId::new(filled(5)), "0505050505050505050505050505050505050505050505050505050505050505");
    pin(&EntityId::registered(0x0102), "0000000000000000000000000000000000000000000000000000000000000102");
    pin(&ChannelId::new(filled(6)), "0606060606060606060606060606060606060606060606060606060606060606");
    pin(&AssetId::new(filled(7)), "0707070707070707070707070707070707070707070707070707070707070707");
    pin(&CallHash::new(filled(8)), "0808080808080808080808080808080808080808080808080808080808080808");
    pin(&Side::Left, "00");
    pin(&Side::Right, "01");
}

#[test]
fn identifiers_are_derived_from_what_they_name() {
    let (one, other) = (EntityId::new(filled(1)), EntityId::new(filled(2)));
    pin(
        &ChannelId::between(&one, &other),
        "346d8c96a2454213fcc0daff3c96ad0398148181b9fa6488f7ae2c0af5b20aa0",
    );
    pin(&AssetId::named("USD"), "691e209837ed9eb21839490acc30cf2a6d5948036fd2a2f950350b9b74e13512");
    pin(&ed25519().signer_id(), "b11a95f7ddcfbdc542f175f12554edd00d11d2bdc67124e3e3f39f1a1e54bc4a");
    pin(&board().entity(), "012a78987c96dee7d311f322b556c01934507a4b743622568736c80163df86ab");
    let address = Address::entity(&SignerId::new(filled(1)), &one).channel(&ChannelId::new(filled(3)));
    pin(&address, "0000000000000000010101010101010101010101010101010303030303030303");
}

#[test]
fn keys_and_signatures_begin_with_their_scheme() {
    pin(&ed25519(), "000101010101010101010101010101010101010101010101010101010101010101");
    pin(
        &PublicKey::Secp256k1([2; 33]),
        "01020202020202020202020202020202020202020202020202020202020202020202",
    );
    pin(
        &PublicKey::Bls([3; 48]),
        "02030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303",
    );
    pin(
        &Signature::Ed25519([4; 64]),
        "0004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404",
    );
    pin(
        &Signature::Secp256k1([5; 65]),
        "010505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505",
    );
    pin(
        &Signature::Bls([6; 96]),
        "97 bytes 0x4b1ab2db42f0571c4c7960752d70005d35a845f983ea6d846a61a0b27a1a8fbd",
    );
}

#[test]
fn boards_list_their_members_in_order() {
    pin(&Permissions::NONE, "00000000");
    pin(&Permissions::ADD_VALIDATOR.with(Permissions::REMOVE_VALIDATOR), "18000000");
    pin(&Permissions::EXECUTE, "04000000");
    pin(&Profile::Byzantine, "00");
    pin(&Profile::CrashFault, "01");
    pin(
        &MemberId::Signer { key: ed25519(), possession: None },
        "0000010101010101010101010101010101010101010101010101010101010101010100",
    );
    pin(
        &MemberId::Signer { key: PublicKey::Bls([3; 48]), possession: Some([4; 96]) },
        "147 bytes 0xd9cb08fad8a62b68e28d7ebb06c62d32172d1591b6379f75f6b43ebf724da284",
    );
    pin(
        &MemberId::Entity { entity: EntityId::registered(7), delegate: None },
        "01000000000000000000000000000000000000000000000000000000000000000700",
    );
    let delegate = Delegate { key: [3; 48], possession: [4; 96] };
    pin(
        &MemberId::Delegating { key: ed25519(), delegate: delegate.clone() },
        "178 bytes 0x37c74a0b5b791133c02795ffc7323c75f25eeda2ba52a49eccd30ca0398c0b0a",
    );
    pin(
        &MemberId::Entity { entity: EntityId::registered(7), delegate: Some(delegate) },
        "178 bytes 0xe37716787adca3a850ba0a24363894c9b908ffcac10869c79541574589ec6683",
    );
    pin(
        &Principal::Signer(SignerId::new(filled(2))),
        "000202020202020202020202020202020202020202020202020202020202020202",
    );
    pin(
        &Principal::Entity(EntityId::registered(7)),
        "010000000000000000000000000000000000000000000000000000000000000007",
    );
    pin(
        &board().members[1],
        "010000000000000000000000000000000000000000000000000000000000000007000200000003000000",
    );
    pin(
        &Board::single(ed25519()),
        "04000001010101010101010101010101010101010101010101010101010101010101010001000000ffffffff0100000001",
    );
    pin(&board(), "91 bytes 0x012a78987c96dee7d311f322b556c01934507a4b743622568736c80163df86ab");
}

#[test]
fn reasons_against_a_board_are_numbered() {
    pin(&BoardError::Empty, "00");
    pin(&BoardError::WeightlessMember(2), "0102000000");
    pin(&BoardError::TooHeavy, "02");
    pin(&BoardError::Threshold { threshold: 3, total: 2 }, "030300000002000000");
    pin(&BoardError::DuplicateMember(1), "0401000000");
    pin(&BoardError::Possession(1), "0501000000");
}

#[test]
fn origins_and_storage_types_are_numbered() {
    pin(
        &Origin::Signer(SignerId::new(filled(1))),
        "000101010101010101010101010101010101010101010101010101010101010101",
    );
    pin(
        &Origin::Entity(EntityId::new(filled(2))),
        "010202020202020202020202020202020202020202020202020202020202020202",
    );
    pin(&Origin::Board, "02");
    pin(&Origin::Server, "03");
    let types = [
        StorageType::Proposals,
        StorageType::OrderBooks,
        StorageType::Channels,
        StorageType::Board,
        StorageType::Reserves,
        StorageType::Metadata,
        StorageType::Inboxes,
    ];
    for (kind, byte) in types.iter().zip(1_u8..) {
        pin(kind, &hex::encode([byte]));
        assert_eq!(*kind as u8, byte, "keys have the same byte");
    }
    pin(&Corrupt { key: vec![3, 4] }, "080304");
}

#[test]
fn a_frame_header_is_hashed_as_abi_words() {
    pin(&header(), "208 bytes 0xbcbc39fbc614c50468cd81910de201813307e0a7a53e43e1271611c1dae8e928");
    pin(&header().hash(), "4791ac24ead6835f2c8744462d826b0a3b2efa8edb07b512f948059bbf1fad91");
}

#[test]
fn a_vote_is_signed_as_one_row_of_fields() {
    pin(&VoteKind::Proposal, "10");
    pin(&VoteKind::Prevote, "11");
    pin(&VoteKind::Precommit, "12");
    let vote = Vote::precommit(Network::new(filled(9)), &header(), 2);
    pin_bytes(
        &vote.sign_bytes(),
        "157 bytes 0x3b753d2b8bab6bfcc5fc59926fc19f1d0c0844f00ee183291a56d70d844bc33e",
    );
    let nil = Vote { frame: None, kind: VoteKind::Prevote, ..vote };
    pin_bytes(
        &nil.sign_bytes(),
        "157 bytes 0x5a9e03d2b6fe0bd7fe8e1c4f061a876e35306f504611543582a228fe5d9f936c",
    );
}

#[test]
fn certificates_are_one_signature_or_an_aggregate() {
    pin(
        &Certificate::Single(Signature::Ed25519([4; 64])),
        "000004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404",
    );
    let signers = BoundedVec::truncate_from(vec![0b101]);
    pin(
        &Certificate::Aggregate { round: 1, signers, signature: [6; 96] },
        "103 bytes 0xf6617a0cf8b12d96e6db44a741c2dbfb12bad06f14a4e29286714c1b56ec7635",
    );
}

#[test]
fn a_block_header_is_hashed_as_it_is_encoded() {
    let block = BlockHeader {
        number: 1,
        parent: Hash::new(filled(2)),
        timestamp: Timestamp::from_millis(3),
        first_slice: 4,
        slices: 5,
        inputs_root: Hash::new(filled(6)),
        state_root: Hash::new(filled(7)),
        receipts_root: Hash::new(filled(8)),
    };
    pin(&block, "156 bytes 0x9827833350a9aa54b3fcefcb721d896fa8c251482ea6f03880905d0838234545");
    pin(&block.hash(), "9827833350a9aa54b3fcefcb721d896fa8c251482ea6f03880905d0838234545");
}

#[test]
fn a_message_is_proven_by_its_leaf_and_path() {
    pin(
        &message(),
        "0101010101010101010101010101010101010101010101010101010101010101020202020202020202020202020202020202020202020202020202020202020203000000000000000504",
    );
    pin(
        &message().leaf(&Network::new(filled(9))),
        "95e36cef68e97ed065af68cefcc8ededa71ff01d6148b89e185ffa6352f9dd25",
    );
    pin(&path(), "0200000003000000047dfb6d5986153fae21ad072c102d9b029a7c247f7e4019dc0ad217145a4a3485");
    pin(
        &path().root(Hash::new(filled(3))).unwrap(),
        "8058bb7e51198a98bc0cf6d40d74f2deadf68c983f717fdeebed43f6533cf2fd",
    );
    let certified = CertifiedMessage {
        message: std::sync::Arc::new(message()),
        path: path(),
        header: header(),
        certificate: Certificate::Single(Signature::Ed25519([4; 64])),
    };
    pin(&certified, "389 bytes 0x38c9f76273683b1e0b4fc2209a2924d077b73d373a369ce641c0db9fc7814d9d");
}

#[test]
fn a_call_is_signed_by_the_hash_of_what_it_says() {
    pin(&body(), "135 bytes 0x6775c945e05ae6d745a79fa49299f215d8c7533de00d48520f30352faa1748a9");
    pin(&body().hash(), "6775c945e05ae6d745a79fa49299f215d8c7533de00d48520f30352faa1748a9");
    pin_bytes(
        &body().sign_bytes(),
        "584c4e207369676e65642063616c6c316775c945e05ae6d745a79fa49299f215d8c7533de00d48520f30352faa1748a9",
    );
    pin(
        &body().sign(&secret(1)).unwrap(),
        "200 bytes 0x2826f18baabfca1f2d4beb2d0f79385e6ec835c5768f6f506b43afe86180f406",
    );
}

#[test]
fn a_receipt_lists_events_and_changes() {
    let change = StateChange { key: vec![3, 0], old: None, new: Some(vec![1]) };
    pin(&change, "08030000010401");
    let receipt = |result: Result<(), Payload>| Receipt::<Payload, Payload> {
        call: CallHash::new(filled(1)),
        entity: EntityId::new(filled(2)),
        height: 3,
        result,
        events: vec![Payload(4)],
        changes: vec![change.clone()],
    };
    pin(&receipt(Ok(())), "84 bytes 0xaab9dead4f077c1b3997e790c58ab816b7d1b5cd12da431bb2454089d40b3fc1");
    pin(
        &receipt(Err(Payload(5))),
        "86 bytes 0xd544da834060a3dc50fff675228a7ad10f1618e562b24c9121ed99a7bfcd0f8f",
    );
    pin(&receipt(Ok(())).hash(), "aab9dead4f077c1b3997e790c58ab816b7d1b5cd12da431bb2454089d40b3fc1");
}

#[test]
fn another_encoding_of_the_same_value_is_refused() {
    // A compact length of 1, written in two bytes instead of one.
    assert_eq!(Corrupt { key: vec![7] }.encode(), [4, 7]);
    assert!(matches!(
        decode_exact::<Corrupt>(&[5, 0, 7], 3),
        Err(DecodeError::Malformed(_) | DecodeError::NotCanonical)
    ));
}

#[test]
fn an_unknown_variant_is_refused() {
    assert!(decode_exact::<Side>(&[2], 1).is_err());
    assert!(decode_exact::<VoteKind>(&[0x13], 1).is_err());
    assert!(decode_exact::<PublicKey>(&[3; 34], 34).is_err());
    assert!(decode_exact::<Certificate>(&[2; 70], 70).is_err());
    assert!(decode_exact::<Origin>(&[4], 1).is_err());
}

#[test]
fn a_list_longer_than_its_bound_is_refused() {
    let calls = vec![Payload(1); 65];
    assert!(decode_exact::<BoundedVec<Payload, xln_primitives::ConstU32<64>>>(&calls.encode(), 200).is_err());
    let siblings = (0_u32, 1_u32, vec![Hash::ZERO; 33]).encode();
    assert!(decode_exact::<MerklePath>(&siblings, siblings.len()).is_err());
}
