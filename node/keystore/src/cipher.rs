//! Secrets under a password: argon2id, then XChaCha20-Poly1305.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

use crate::{KeystoreError, Password};

/// Bytes of a salt.
pub(crate) const SALT: usize = 32;

/// Bytes of a nonce: long enough to be chosen at random.
pub(crate) const NONCE: usize = 24;

/// What one guess of the password costs (argon2id, RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq, codec::Encode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cost {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl Cost {
    /// 64 MiB, three passes: a tenth of a second on a server. For everything real.
    pub const STRONG: Self = Self { memory_kib: 64 * 1024, iterations: 3, lanes: 1 };

    /// 64 KiB, one pass: no protection. For tests only.
    pub const LIGHT: Self = Self { memory_kib: 64, iterations: 1, lanes: 1 };

    /// A cost of one's own: 8 KiB per lane to 1 GiB, 1 to 64 iterations, 1 to 16 lanes.
    pub fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Result<Self, KeystoreError> {
        let cost = Self { memory_kib, iterations, lanes };
        cost.params()?;
        Ok(cost)
    }

    /// Bounded, since a file that asks for more would keep the node from starting.
    fn params(&self) -> Result<Params, KeystoreError> {
        let Self { memory_kib, iterations, lanes } = *self;
        let refused = KeystoreError::Cost { memory_kib, iterations, lanes };
        if memory_kib > 1 << 20 || iterations > 64 || lanes > 16 {
            return Err(refused);
        }
        Params::new(memory_kib, iterations, lanes, Some(32)).map_err(|_| refused)
    }
}

/// An encrypted secret and what is needed, besides the password, to open it.
pub(crate) struct Sealed {
    pub(crate) cost: Cost,
    pub(crate) salt: [u8; SALT],
    pub(crate) nonce: [u8; NONCE],
    pub(crate) ciphertext: Vec<u8>,
}

fn cipher(password: &Password, salt: &[u8], cost: Cost) -> Result<XChaCha20Poly1305, KeystoreError> {
    let params = cost.params()?;
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, key.as_mut())
        .map_err(|_| KeystoreError::Cost {
            memory_kib: cost.memory_kib,
            iterations: cost.iterations,
            lanes: cost.lanes,
        })?;
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

/// Encrypts `secret` and binds `public` to it, with fresh salt and nonce.
pub(crate) fn seal(
    secret: &[u8],
    public: &[u8],
    password: &Password,
    cost: Cost,
) -> Result<Sealed, KeystoreError> {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    getrandom::fill(&mut salt)?;
    getrandom::fill(&mut nonce)?;
    #[expect(clippy::expect_used, reason = "the cipher refuses messages above 256 GiB only")]
    let ciphertext = cipher(password, &salt, cost)?
        .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &bound(public, &salt, cost) })
        .expect("32 bytes are not too long to encrypt");
    Ok(Sealed { cost, salt, nonce, ciphertext })
}

/// Decrypts; `None` if the password, the public parts or the ciphertext are not those that were sealed.
pub(crate) fn open(
    sealed: &Sealed,
    public: &[u8],
    password: &Password,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeystoreError> {
    let aad = bound(public, &sealed.salt, sealed.cost);
    let payload = Payload { msg: &sealed.ciphertext, aad: &aad };
    let cipher = cipher(password, &sealed.salt, sealed.cost)?;
    Ok(cipher.decrypt(&XNonce::from(sealed.nonce), payload).ok().map(Zeroizing::new))
}

/// Everything that must not change unnoticed.
fn bound(public: &[u8], salt: &[u8; SALT], cost: Cost) -> Vec<u8> {
    codec::Encode::encode(&(b"XLN key file 1", public, salt, cost))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(Zeroizing::new(text.to_owned())).unwrap()
    }

    #[test]
    fn only_the_same_password_and_public_parts_open() {
        let sealed = seal(b"secret", b"public", &password("one"), Cost::LIGHT).unwrap();
        let opened = open(&sealed, b"public", &password("one")).unwrap().unwrap();
        assert_eq!(opened.as_slice(), b"secret");
        assert!(open(&sealed, b"publik", &password("one")).unwrap().is_none());
        assert!(open(&sealed, b"public", &password("two")).unwrap().is_none());
        let changed: [fn(&mut Sealed); 4] =
            [|s| s.salt[0] ^= 1, |s| s.nonce[0] ^= 1, |s| s.ciphertext[0] ^= 1, |s| s.cost.iterations = 2];
        for change in changed {
            let mut sealed = seal(b"secret", b"public", &password("one"), Cost::LIGHT).unwrap();
            change(&mut sealed);
            assert!(open(&sealed, b"public", &password("one")).unwrap().is_none());
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike() {
        let sealed = || seal(b"secret", b"public", &password("one"), Cost::LIGHT).unwrap();
        assert_ne!(sealed().ciphertext, sealed().ciphertext);
    }

    #[test]
    fn a_cost_that_would_stop_the_node_is_refused() {
        for (memory, iterations, lanes) in
            [(2 << 20, 1, 1), (64, 65, 1), (1 << 20, 1, 17), (7, 1, 1), (64, 0, 1)]
        {
            assert!(matches!(Cost::new(memory, iterations, lanes), Err(KeystoreError::Cost { .. })));
        }
        assert_eq!(Cost::new(64 * 1024, 3, 1).unwrap(), Cost::STRONG);
    }
}
