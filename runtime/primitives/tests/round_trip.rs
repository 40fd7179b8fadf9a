//! Any value of a wire type survives its encoding, and no bytes make a decoder panic or accept a second encoding.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use proptest::{collection::vec, option, prelude::*};
use xln_primitives::{
    Address, Amount, BlockHeader, Board, BoardError, BoundedVec, CallBody, CallHash, Certificate,
    CertifiedMessage, Corrupt, Delegate, Delta, EntityId, FrameHash, FrameHeader, Hash, Member, MemberId,
    Message, Network, Origin, Permissions, Profile, PublicKey, Receipt, Side, Signature, SignedCall,
    SignerId, StateChange, StorageType, Timestamp, VoteKind, decode_exact, outputs::MerklePath,
};

/// More than any value that the generators below make.
const SIZE_MAX: usize = 1 << 20;

/// Stands for the runtime's calls, messages, events and errors: with a length and a choice in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
enum Payload {
    Bytes(Vec<u8>),
    Number(u32),
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![vec(any::<u8>(), 0..40).prop_map(Payload::Bytes), any::<u32>().prop_map(Payload::Number)]
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash::new)
}

fn entity() -> impl Strategy<Value = EntityId> {
    prop_oneof![any::<[u8; 32]>().prop_map(EntityId::new), any::<u64>().prop_map(EntityId::registered)]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn key() -> impl Strategy<Value = PublicKey> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(PublicKey::Ed25519),
        any::<[u8; 33]>().prop_map(PublicKey::Secp256k1),
        any::<[u8; 48]>().prop_map(PublicKey::Bls),
    ]
}

fn signature() -> impl Strategy<Value = Signature> {
    prop_oneof![
        any::<[u8; 64]>().prop_map(Signature::Ed25519),
        any::<[u8; 65]>().prop_map(Signature::Secp256k1),
        any::<[u8; 96]>().prop_map(Signature::Bls),
    ]
}

fn permissions() -> impl Strategy<Value = Permissions> {
    const EACH: [Permissions; 6] = [
        Permissions::PROPOSE,
        Permissions::VOTE,
        Permissions::EXECUTE,
        Permissions::ADD_VALIDATOR,
        Permissions::REMOVE_VALIDATOR,
        Permissions::ALL,
    ];
    vec(prop::sample::select(EACH.as_slice()), 0..4)
        .prop_map(|chosen| chosen.into_iter().fold(Permissions::NONE, Permissions::with))
}

fn member() -> impl Strategy<Value = Member> {
    let signer = (key(), option::of(any::<[u8; 96]>()))
        .prop_map(|(key, possession)| MemberId::Signer { key, possession });
    let delegate =
        || (any::<[u8; 48]>(), any::<[u8; 96]>()).prop_map(|(key, possession)| Delegate { key, possession });
    let nested = (entity(), option::of(delegate()))
        .prop_map(|(entity, delegate)| MemberId::Entity { entity, delegate });
    let person = (key(), delegate()).prop_map(|(key, delegate)| MemberId::Delegating { key, delegate });
    let id = prop_oneof![signer, nested, person];
    (id, any::<u32>(), permissions()).prop_map(|(id, weight, permissions)| Member { id, weight, permissions })
}

fn board() -> impl Strategy<Value = Board> {
    let profile = prop_oneof![Just(Profile::Byzantine), Just(Profile::CrashFault)];
    (vec(member(), 0..20), any::<u32>(), profile).prop_map(|(members, threshold, profile)| Board {
        members: BoundedVec::truncate_from(members),
        threshold,
        profile,
    })
}

fn board_error() -> impl Strategy<Value = BoardError> {
    prop_oneof![
        Just(BoardError::Empty),
        any::<u32>().prop_map(BoardError::WeightlessMember),
        Just(BoardError::TooHeavy),
        any::<(u32, u32)>().prop_map(|(threshold, total)| BoardError::Threshold { threshold, total }),
        any::<u32>().prop_map(BoardError::DuplicateMember),
        any::<u32>().prop_map(BoardError::Possession),
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|signer| Origin::Signer(SignerId::new(signer))),
        entity().prop_map(Origin::Entity),
        Just(Origin::Board),
        Just(Origin::Server),
    ]
}

fn certificate() -> impl Strategy<Value = Certificate> {
    prop_oneof![
        signature().prop_map(Certificate::Single),
        (any::<u32>(), vec(any::<u8>(), 0..=32), any::<[u8; 96]>()).prop_map(
            |(round, signers, signature)| Certificate::Aggregate {
                round,
                signers: BoundedVec::truncate_from(signers),
                signature,
            }
        ),
    ]
}

fn frame_header() -> impl Strategy<Value = FrameHeader> {
    (entity(), any::<u64>(), any::<[u8; 32]>(), timestamp(), [hash(), hash(), hash(), hash()]).prop_map(
        |(entity, height, parent, timestamp, [board_hash, inputs_root, state_root, outputs_root])| {
            FrameHeader {
                entity,
                height,
                parent: FrameHash::new(parent),
                timestamp,
                board_hash,
                inputs_root,
                state_root,
                outputs_root,
            }
        },
    )
}

fn block_header() -> impl Strategy<Value = BlockHeader> {
    (any::<(u64, u64, u32)>(), timestamp(), [hash(), hash(), hash(), hash()]).prop_map(
        |((number, first_slice, slices), timestamp, [parent, inputs_root, state_root, receipts_root])| {
            BlockHeader {
                number,
                parent,
                timestamp,
                first_slice,
                slices,
                inputs_root,
                state_root,
                receipts_root,
            }
        },
    )
}

fn path() -> impl Strategy<Value = MerklePath> {
    (any::<u32>(), any::<u32>(), vec(hash(), 0..=32)).prop_map(|(index, count, siblings)| MerklePath {
        index,
        count,
        siblings: BoundedVec::truncate_from(siblings),
    })
}

fn message() -> impl Strategy<Value = Message<Payload>> {
    (entity(), entity(), any::<u64>(), payload()).prop_map(|(from, to, sequence, call)| Message {
        from,
        to,
        sequence,
        call,
    })
}

fn certified() -> impl Strategy<Value = CertifiedMessage<Payload>> {
    (message(), path(), frame_header(), certificate()).prop_map(|(message, path, header, certificate)| {
        CertifiedMessage { message: std::sync::Arc::new(message), path, header, certificate }
    })
}

fn body() -> impl Strategy<Value = CallBody<Payload>> {
    let calls = vec(payload(), 0..=64).prop_map(BoundedVec::truncate_from);
    (any::<u8>(), any::<[u8; 32]>(), key(), entity(), any::<u64>(), timestamp(), calls, any::<u128>())
        .prop_map(|(version, network, signer, entity, nonce, valid_until, calls, tip)| CallBody {
            version,
            network: Network::new(network),
            signer,
            entity,
            nonce,
            valid_until,
            calls,
            tip: Amount::new(tip),
        })
}

fn change() -> impl Strategy<Value = StateChange> {
    let value = || option::of(vec(any::<u8>(), 0..40));
    (vec(any::<u8>(), 0..120), value(), value()).prop_map(|(key, old, new)| StateChange { key, old, new })
}

fn receipt() -> impl Strategy<Value = Receipt<Payload, Payload>> {
    let result = prop_oneof![Just(Ok(())), payload().prop_map(Err)];
    let lists = (vec(payload(), 0..5), vec(change(), 0..5));
    (any::<[u8; 32]>(), entity(), any::<u64>(), result, lists).prop_map(
        |(call, entity, height, result, (events, changes))| Receipt {
            call: CallHash::new(call),
            entity,
            height,
            result,
            events,
            changes,
        },
    )
}

fn address() -> impl Strategy<Value = Address> {
    any::<[[u8; 8]; 4]>().prop_map(|[server, signer, entity, leaf]| Address { server, signer, entity, leaf })
}

/// The value survives, alone and with a damaged byte; a damaged encoding is refused or is another value.
fn survives<T: Encode + Decode + PartialEq + core::fmt::Debug>(
    value: &T,
    damage: prop::sample::Index,
) -> Result<(), TestCaseError> {
    let mut bytes = value.encode();
    let decoded = decode_exact::<T>(&bytes, SIZE_MAX);
    prop_assert_eq!(decoded.as_ref(), Ok(value));
    if !bytes.is_empty() {
        let place = damage.index(bytes.len());
        bytes[place] ^= 1 << damage.index(8);
        if let Ok(other) = decode_exact::<T>(&bytes, SIZE_MAX) {
            prop_assert_ne!(&other, value, "two encodings of one value");
        }
    }
    Ok(())
}

/// Whatever the bytes: refused, or the one encoding of some value.
fn decodes_canonically<T: Encode + Decode>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = decode_exact::<T>(bytes, SIZE_MAX) {
        prop_assert_eq!(value.encode(), bytes);
    }
    Ok(())
}

/// An encoding is never longer than its type says.
fn fits<T: Encode + MaxEncodedLen>(value: &T) -> Result<(), TestCaseError> {
    prop_assert!(value.encoded_size() <= T::max_encoded_len());
    Ok(())
}

macro_rules! every_type_survives {
    ($($test:ident: $strategy:expr;)+) => {
        proptest! {
            $(
                #[test]
                fn $test(value in $strategy, damage in any::<prop::sample::Index>()) {
                    survives(&value, damage)?;
                }
            )+
        }
    };
}

every_type_survives! {
    keys_survive: key();
    signatures_survive: signature();
    members_survive: member();
    boards_survive: board();
    reasons_against_boards_survive: board_error();
    origins_survive: origin();
    certificates_survive: certificate();
    frame_headers_survive: frame_header();
    block_headers_survive: block_header();
    paths_survive: path();
    messages_survive: message();
    certified_messages_survive: certified();
    call_bodies_survive: body();
    signed_calls_survive: (body(), signature()).prop_map(|(body, signature)| SignedCall { body, signature });
    state_changes_survive: change();
    receipts_survive: receipt();
    addresses_survive: address();
    amounts_survive: any::<u128>().prop_map(Amount::new);
    deltas_survive: any::<i128>().prop_map(Delta::new);
    stored_keys_survive: vec(any::<u8>(), 0..120).prop_map(|key| Corrupt { key });
}

proptest! {
    #[test]
    fn no_value_is_longer_than_its_type_says(
        board in board(), header in frame_header(), block in block_header(), path in path(),
        certificate in certificate(), key in key(), signature in signature(), origin in origin(),
    ) {
        fits(&board)?;
        fits(&header)?;
        fits(&block)?;
        fits(&path)?;
        fits(&certificate)?;
        fits(&key)?;
        fits(&signature)?;
        fits(&origin)?;
    }

    /// Small numbers are frequent, so that variants, lengths and options are often plausible.
    #[test]
    fn random_bytes_never_panic_a_decoder(
        bytes in vec(prop_oneof![0_u8..4, any::<u8>()], 0..600)
    ) {
        decodes_canonically::<Amount>(&bytes)?;
        decodes_canonically::<Delta>(&bytes)?;
        decodes_canonically::<Timestamp>(&bytes)?;
        decodes_canonically::<Hash>(&bytes)?;
        decodes_canonically::<EntityId>(&bytes)?;
        decodes_canonically::<Side>(&bytes)?;
        decodes_canonically::<Address>(&bytes)?;
        decodes_canonically::<PublicKey>(&bytes)?;
        decodes_canonically::<Signature>(&bytes)?;
        decodes_canonically::<Permissions>(&bytes)?;
        decodes_canonically::<Profile>(&bytes)?;
        decodes_canonically::<MemberId>(&bytes)?;
        decodes_canonically::<Member>(&bytes)?;
        decodes_canonically::<Board>(&bytes)?;
        decodes_canonically::<BoardError>(&bytes)?;
        decodes_canonically::<Origin>(&bytes)?;
        decodes_canonically::<VoteKind>(&bytes)?;
        decodes_canonically::<StorageType>(&bytes)?;
        decodes_canonically::<Certificate>(&bytes)?;
        decodes_canonically::<FrameHeader>(&bytes)?;
        decodes_canonically::<BlockHeader>(&bytes)?;
        decodes_canonically::<MerklePath>(&bytes)?;
        decodes_canonically::<Message<Payload>>(&bytes)?;
        decodes_canonically::<CertifiedMessage<Payload>>(&bytes)?;
        decodes_canonically::<CallBody<Payload>>(&bytes)?;
        decodes_canonically::<SignedCall<Payload>>(&bytes)?;
        decodes_canonically::<StateChange>(&bytes)?;
        decodes_canonically::<Receipt<Payload, Payload>>(&bytes)?;
        decodes_canonically::<Corrupt>(&bytes)?;
    }
}
