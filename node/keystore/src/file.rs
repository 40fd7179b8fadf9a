//! The key file: JSON with the public parts in clear and the secret encrypted.

use std::path::Path;

use codec::Encode;
use xln_primitives::{PublicKey, SignerId};
use zeroize::Zeroizing;

use crate::{
    Cost, DerivationPath, KeySigner, KeystoreError, Password, Scheme,
    cipher::{self, NONCE, SALT, Sealed},
    keystore::KeyInfo,
    scheme::secret_bytes,
    signer::Signer,
};

/// Version of the form.
const VERSION: u32 = 1;

/// Longest file in bytes; a real one has about 700.
pub(crate) const MAX_SIZE: u64 = 16 * 1024;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyFile {
    version: u32,
    scheme: Scheme,
    public: PublicKey,
    signer: SignerId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    path: Option<DerivationPath>,
    kdf: Kdf,
    cipher: Cipher,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kdf {
    name: KdfName,
    cost: Cost,
    salt: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
enum KdfName {
    #[serde(rename = "argon2id")]
    Argon2id,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Cipher {
    name: CipherName,
    nonce: String,
    ciphertext: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
enum CipherName {
    #[serde(rename = "xchacha20-poly1305")]
    XChaCha20Poly1305,
}

/// The public parts that the encryption binds.
fn public_parts(info: &KeyInfo) -> Vec<u8> {
    (VERSION, info.public, info.path.as_ref().map(ToString::to_string)).encode()
}

/// The bytes of a key's file.
pub(crate) fn write(
    signer: &KeySigner,
    path: Option<&DerivationPath>,
    password: &Password,
    cost: Cost,
) -> Result<Vec<u8>, KeystoreError> {
    let info = KeyInfo { signer: signer.id(), public: signer.public(), path: path.cloned() };
    let secret = secret_bytes(signer.secret());
    let sealed = cipher::seal(secret.as_ref(), &public_parts(&info), password, cost)?;
    let file = KeyFile {
        version: VERSION,
        scheme: Scheme::of(&info.public),
        public: info.public,
        signer: info.signer,
        path: info.path,
        kdf: Kdf { name: KdfName::Argon2id, cost: sealed.cost, salt: hex::encode(sealed.salt) },
        cipher: Cipher {
            name: CipherName::XChaCha20Poly1305,
            nonce: hex::encode(sealed.nonce),
            ciphertext: hex::encode(sealed.ciphertext),
        },
    };
    let mut json = serde_json::to_vec_pretty(&file).map_err(|error| KeystoreError::Format {
        path: file_name(&info.signer).into(),
        reason: error.to_string(),
    })?;
    json.push(b'\n');
    Ok(json)
}

/// The public parts of a file and its encrypted secret, without the password.
pub(crate) fn read(name: &Path, bytes: &[u8]) -> Result<(KeyInfo, Sealed), KeystoreError> {
    let wrong = |reason: String| KeystoreError::Format { path: name.to_path_buf(), reason };
    let file: KeyFile = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    if file.version != VERSION {
        return Err(wrong(format!("it has version {}, not {VERSION}", file.version)));
    }
    if file.scheme != Scheme::of(&file.public) || file.signer != file.public.signer_id() {
        return Err(wrong("scheme, public key and signer do not belong together".to_owned()));
    }
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    hex::decode_to_slice(&file.kdf.salt, &mut salt)
        .map_err(|_| wrong("the salt is not 32 bytes in hex".into()))?;
    hex::decode_to_slice(&file.cipher.nonce, &mut nonce)
        .map_err(|_| wrong("the nonce is not 24 bytes in hex".into()))?;
    let ciphertext =
        hex::decode(&file.cipher.ciphertext).map_err(|_| wrong("the ciphertext is not hex".into()))?;
    let info = KeyInfo { signer: file.signer, public: file.public, path: file.path };
    Ok((info, Sealed { cost: file.kdf.cost, salt, nonce, ciphertext }))
}

/// Opens the secret of a file.
pub(crate) fn open(
    name: &Path,
    info: &KeyInfo,
    sealed: &Sealed,
    password: &Password,
) -> Result<KeySigner, KeystoreError> {
    let wrong = || KeystoreError::WrongPassword { path: name.to_path_buf() };
    let secret = cipher::open(sealed, &public_parts(info), password)?.ok_or_else(wrong)?;
    let bytes: [u8; 32] = secret.as_slice().try_into().map_err(|_| wrong())?;
    let signer = KeySigner::new(Scheme::of(&info.public).secret(Zeroizing::new(bytes)))?;
    // The encryption binds the public key, so this fails only for a file that was never right.
    if signer.public() == info.public { Ok(signer) } else { Err(wrong()) }
}

/// Name of a key's file.
pub(crate) fn file_name(signer: &SignerId) -> String {
    format!("{}.json", hex::encode(signer))
}
