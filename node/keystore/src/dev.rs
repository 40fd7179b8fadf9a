//! Keys that everybody knows, for `--dev` networks and tests. **Never for anything of value.**

use xln_primitives::{SecretKey, keccak256};

use crate::{
    DerivationPath, Phrase, Scheme, Seed,
    derive::{DeriveError, derive},
};

/// The development phrase that Substrate made well known. Whoever reads this has every key below it.
pub const DEV_PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

/// The names that the development network uses.
pub const DEV_NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "eve", "ferdie", "hub", "depositary"];

/// The ed25519 key of a name, as [`dev_secret`] derives it.
#[must_use]
pub fn dev_key(name: &str) -> SecretKey {
    #[expect(clippy::expect_used, reason = "the standard ed25519 path is hardened; nothing else can fail")]
    dev_secret(name, Scheme::Ed25519).expect("a hardened path always leads to an ed25519 key")
}

/// The key of a name: at the standard path of the scheme under [`DEV_PHRASE`], with the first 31 bits of the
/// name's keccak-256 as index. Any name has keys; upper and lower case are the same.
pub fn dev_secret(name: &str, scheme: Scheme) -> Result<SecretKey, DeriveError> {
    let digest = keccak256(name.to_ascii_lowercase().as_bytes());
    let [a, b, c, d, ..] = *digest.as_bytes();
    let index = u32::from_be_bytes([a, b, c, d]) >> 1;
    derive(&seed(), scheme, &DerivationPath::standard(scheme, index))
}

fn seed() -> Seed {
    #[expect(clippy::expect_used, reason = "the constant is a valid phrase, as every test here shows")]
    Phrase::parse(DEV_PHRASE).and_then(|phrase| phrase.seed("")).expect("the development phrase is valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_has_its_own_key_of_every_scheme() {
        let mut keys = BTreeSet::new();
        for name in DEV_NAMES {
            for scheme in [Scheme::Ed25519, Scheme::Secp256k1, Scheme::Bls] {
                keys.insert(dev_secret(name, scheme).unwrap().public().unwrap());
            }
        }
        assert_eq!(keys.len(), DEV_NAMES.len() * 3);
    }

    #[test]
    fn the_keys_of_the_development_network_never_change() {
        let keys = DEV_NAMES.map(|name| dev_key(name).public().unwrap().to_string());
        let expected = [
            "ed25519:0x8af556a5892706818bc231cb4e78b0ffcb2cb05a12d56eab572178fb4ef7fd8c",
            "ed25519:0x11c72c82697ad217733579ce582acd8e8f35ffedb2b43545fa52e15bb1c7d943",
            "ed25519:0xd6c00bbe73208d03bca47803470e104895e149a843968b16b870e79639e9ef7b",
            "ed25519:0x4424a191600a1487e0d92aee084988d005a34b7b4f155234393b6b60eed95fe4",
            "ed25519:0xd7ab1153de3dbdec9cb0efee0b2f6cdd12565b87c78e9c3d61e53651f0dc629c",
            "ed25519:0x15bec3d589dd19fefb8d013df2b787d57bd6271cbaddf2ff3eedd312c1079cab",
            "ed25519:0x43139f727cbb6908253bacecc001c90442f3c67c699f86203323dbc956d1931f",
            "ed25519:0x66976b7236148e2c7409b6f3697523e9bb9c7efa7adf8d6842b1034248a1b489",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_name_has_the_same_key_in_any_case() {
        assert_eq!(dev_key("Alice").public(), dev_key("alice").public());
    }
}
