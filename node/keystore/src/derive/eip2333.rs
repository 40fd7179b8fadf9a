//! EIP-2333 for BLS12-381, with the path notation of EIP-2334.

use blst::min_pk;
use xln_primitives::SecretKey;
use zeroize::Zeroizing;

use super::{DeriveError, NoKey};
use crate::{DerivationPath, path::HARDENED};

pub(super) fn derive(seed: &[u8], path: &DerivationPath) -> Result<SecretKey, DeriveError> {
    if path.levels().iter().any(|level| level & HARDENED != 0) {
        return Err(DeriveError::Hardened { path: path.clone() });
    }
    walk(seed, path.levels()).map(SecretKey::Bls).map_err(|NoKey| DeriveError::NoKey { path: path.clone() })
}

fn walk(seed: &[u8], levels: &[u32]) -> Result<Zeroizing<[u8; 32]>, NoKey> {
    // The library refuses seeds below 32 bytes only; ours have 64.
    let master = min_pk::SecretKey::derive_master_eip2333(seed).map_err(|_| NoKey)?;
    let key = levels.iter().fold(master, |key, level| key.derive_child_eip2333(*level));
    Ok(Zeroizing::new(key.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EIP-2333, test cases 0 to 2: seed, master key, index, child key. The numbers are in hexadecimal.
    const VECTORS: [(&str, &str, u32, &str); 3] = [
        (
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141\
             630c7a3c4ab7c81b2f001698e7463b04",
            "0d7359d57963ab8fbbde1852dcf553fedbc31f464d80ee7d40ae683122b45070",
            0,
            "2d18bd6c14e6d15bf8b5085c9b74f3daae3b03cc2014770a599d8c1539e50f8e",
        ),
        (
            "3141592653589793238462643383279502884197169399375105820974944592",
            "41c9e07822b092a93fd6797396338c3ada4170cc81829fdfce6b5d34bd5e7ec7",
            3141592653,
            "384843fad5f3d777ea39de3e47a8f999ae91f89e42bffa993d91d9782d152a0f",
        ),
        (
            "0099ff991111002299dd7744ee3355bbdd8844115566cc55663355668888cc00",
            "3cfa341ab3910a7d00d933d8f7c4fe87c91798a0397421d6b19fd5b815132e80",
            4294967295,
            "40e86285582f35b28821340f6a53b448588efa575bc4d88c32ef8567b8d9479b",
        ),
    ];

    #[test]
    fn the_test_cases_of_eip2333_hold() {
        for (seed, master, index, child) in VECTORS {
            let seed = hex::decode(seed).unwrap();
            assert_eq!(hex::encode(walk(&seed, &[]).unwrap().as_ref()), master);
            assert_eq!(hex::encode(walk(&seed, &[index]).unwrap().as_ref()), child);
        }
    }

    #[test]
    fn a_hardened_level_is_refused() {
        let path: DerivationPath = "m/12381/0'".parse().unwrap();
        assert_eq!(derive(&[0; 64], &path).unwrap_err(), DeriveError::Hardened { path });
    }
}
