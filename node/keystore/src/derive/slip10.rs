//! SLIP-10 for ed25519: hardened levels only.

use xln_primitives::SecretKey;

use super::{DeriveError, Extended, expand};
use crate::{DerivationPath, path::HARDENED};

pub(crate) fn derive(seed: &[u8], path: &DerivationPath) -> Result<SecretKey, DeriveError> {
    let mut node = expand(b"ed25519 seed", &[seed]);
    for level in path.levels() {
        if level & HARDENED == 0 {
            return Err(DeriveError::NotHardened { path: path.clone() });
        }
        node = child(&node, *level);
    }
    Ok(SecretKey::Ed25519(node.secret))
}

fn child(parent: &Extended, index: u32) -> Extended {
    expand(parent.chain_code.as_ref(), &[&[0], parent.secret.as_ref(), &index.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::secret_bytes;

    fn at(seed: &str, path: &str) -> String {
        let key = derive(&hex::decode(seed).unwrap(), &path.parse().unwrap()).unwrap();
        hex::encode(secret_bytes(&key).as_ref())
    }

    /// SLIP-10, test vector 1 for ed25519.
    #[test]
    fn the_first_vectors_of_slip10_hold() {
        let vectors = [
            ("m", "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7"),
            ("m/0'", "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3"),
            ("m/0'/1'", "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2"),
            ("m/0'/1'/2'", "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9"),
            ("m/0'/1'/2'/2'", "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662"),
            ("m/0'/1'/2'/2'/1000000000'", "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793"),
        ];
        for (path, expected) in vectors {
            assert_eq!(at("000102030405060708090a0b0c0d0e0f", path), expected, "{path}");
        }
    }

    #[test]
    fn the_public_key_is_the_one_of_the_vectors() {
        let seed = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
        let key = derive(&seed, &"m/0'".parse().unwrap()).unwrap().public().unwrap();
        assert_eq!(
            hex::encode(key.as_bytes()),
            "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c"
        );
    }

    #[test]
    fn a_level_that_is_not_hardened_is_refused() {
        let path: DerivationPath = "m/0'/1".parse().unwrap();
        assert_eq!(derive(&[0; 64], &path).unwrap_err(), DeriveError::NotHardened { path });
    }
}
