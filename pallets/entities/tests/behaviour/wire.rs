//! The bytes of calls.

use codec::Encode;
use pallet_entities::{Call, Error, Metadata};
use xln_primitives::{Board, EntityId, Origin, decode_exact};

use crate::mock::key;

#[test]
fn calls_have_the_codes_of_the_wire_and_read_back() {
    let create = Call::Create { board: Board::single(key(7)) };
    // Code, one member: signer, ed25519, key, no possession, weight 1, all permissions; threshold 1, crash-fault.
    let mut golden = vec![0x01, 0x04, 0x00, 0x00];
    golden.extend([7; 32]);
    golden.extend([0x00, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1]);
    assert_eq!(create.encode(), golden);
    assert_eq!(decode_exact::<Call>(&golden, 1_000), Ok(create));

    let name = b"hub".to_vec().try_into().unwrap();
    let set = Call::SetMetadata(Metadata { name, description: Default::default() });
    assert_eq!(set.encode(), [0x02, 0x0c, b'h', b'u', b'b', 0x00]);
    assert_eq!(decode_exact::<Call>(&set.encode(), 1_000), Ok(set));
}

#[test]
fn a_name_that_is_too_long_does_not_decode() {
    let mut bytes = vec![0x02];
    bytes.extend((vec![b'x'; 65], Vec::<u8>::new()).encode());
    assert!(decode_exact::<Call>(&bytes, 1_000).is_err());
}

#[test]
fn errors_carry_their_numbers_and_a_hint() {
    let gap = Error::NonceGap { expected: 3, found: 5 };
    assert_eq!(gap.to_string(), "nonce 5 leaves a gap, the next one is 3: send the calls between first");
    let origin = Origin::Entity(EntityId::registered(2));
    let refused = Error::OriginNotAllowed { origin };
    assert!(refused.to_string().starts_with("entity 0x0000"), "{refused}");
    assert_eq!(decode_exact::<Error>(&refused.encode(), 100), Ok(refused));
}
