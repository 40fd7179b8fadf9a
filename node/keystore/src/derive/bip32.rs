//! BIP-32 for secp256k1.

use xln_primitives::SecretKey;
use zeroize::Zeroizing;

use super::{DeriveError, Extended, NoKey, expand};
use crate::{DerivationPath, path::HARDENED};

/// Order of the group, big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
    0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

pub(super) fn derive(seed: &[u8], path: &DerivationPath) -> Result<SecretKey, DeriveError> {
    walk(seed, path).map_err(|NoKey| DeriveError::NoKey { path: path.clone() })
}

fn walk(seed: &[u8], path: &DerivationPath) -> Result<SecretKey, NoKey> {
    let mut node = expand(b"Bitcoin seed", &[seed]);
    for level in path.levels() {
        node = child(&node, *level)?;
    }
    let key = SecretKey::Secp256k1(node.secret);
    key.public()?;
    Ok(key)
}

fn child(parent: &Extended, index: u32) -> Result<Extended, NoKey> {
    let key = parent.chain_code.as_ref();
    let index_bytes = index.to_be_bytes();
    let tweak = if index & HARDENED == 0 {
        let public = SecretKey::Secp256k1(parent.secret.clone()).public()?;
        expand(key, &[public.as_bytes(), &index_bytes])
    } else {
        expand(key, &[&[0], parent.secret.as_ref(), &index_bytes])
    };
    if *tweak.secret >= ORDER {
        return Err(NoKey);
    }
    Ok(Extended { secret: add(&tweak.secret, &parent.secret), chain_code: tweak.chain_code })
}

/// `a + b` modulo the order, both below it.
fn add(a: &[u8; 32], b: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut sum = Zeroizing::new([0; 32]);
    let mut carry = 0;
    for ((to, a), b) in sum.iter_mut().zip(a).zip(b).rev() {
        [*to, carry] = (u16::from(*a) + u16::from(*b) + u16::from(carry)).to_le_bytes();
    }
    if carry == 0 && *sum < ORDER {
        return sum;
    }
    let mut borrow = false;
    for (to, order) in sum.iter_mut().zip(ORDER).rev() {
        let (difference, first) = to.overflowing_sub(order);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        (*to, borrow) = (difference, first || second);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Phrase, scheme::secret_bytes};

    fn at(seed: &[u8], path: &str) -> String {
        hex::encode(secret_bytes(&derive(seed, &path.parse().unwrap()).unwrap()).as_ref())
    }

    /// BIP-32, test vector 1; the keys as SLIP-10 prints them.
    #[test]
    fn the_first_vectors_of_bip32_hold() {
        let seed = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
        let vectors = [
            ("m", "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"),
            ("m/0'", "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"),
            ("m/0'/1", "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"),
            ("m/0'/1/2'", "cbce0d719ecf7431d88e6a89fa1483e02e35092af60c042b1df2ff59fa424dca"),
            ("m/0'/1/2'/2", "0f479245fb19a38a1954c5c7c0ebab2f9bdfd96a17563ef28a6a4b1a2a764ef4"),
            ("m/0'/1/2'/2/1000000000", "471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8"),
        ];
        for (path, expected) in vectors {
            assert_eq!(at(&seed, path), expected, "{path}");
        }
    }

    #[test]
    fn the_words_that_ethereum_tools_share_give_their_first_key() {
        let words = "test test test test test test test test test test test junk";
        let seed = Phrase::parse(words).unwrap().seed("").unwrap();
        assert_eq!(
            at(seed.as_bytes(), "m/44'/60'/0'/0/0"),
            "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
        );
    }

    #[test]
    fn sums_wrap_at_the_order_of_the_group() {
        let mut one = [0; 32];
        one[31] = 1;
        let mut largest = ORDER;
        largest[31] -= 1;
        assert_eq!(*add(&largest, &one), [0; 32]);
        let mut second_largest = largest;
        second_largest[31] -= 1;
        assert_eq!(*add(&largest, &largest), second_largest);
        assert_eq!(*add(&one, &[0; 32]), one);
    }
}
