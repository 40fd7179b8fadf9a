//! A keystore in a folder, as a node uses it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use xln_keystore::{
    Cost, DEV_PHRASE, DerivationPath, Keystore, KeystoreError, Password, PasswordError, Phrase, Scheme,
    dev_key,
};
use zeroize::Zeroizing;

const SCHEMES: [Scheme; 3] = [Scheme::Ed25519, Scheme::Secp256k1, Scheme::Bls];

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.to_owned())).unwrap()
}

struct Place {
    _parent: TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("node").join("keys");
    Place { _parent: parent, path }
}

impl Place {
    fn open(&self, text: &str) -> Result<Keystore, KeystoreError> {
        Keystore::open_with(&self.path, password(text), Cost::LIGHT)
    }

    fn key_files(&self) -> Vec<PathBuf> {
        let paths = fs::read_dir(&self.path).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_of_every_scheme_survive_a_restart_and_sign_alike() {
    let place = place();
    let keys = place.open("pass").unwrap();
    let made = SCHEMES.map(|scheme| keys.generate(scheme).unwrap());
    let signatures = made.map(|key| keys.signer(&key.signer_id()).unwrap().sign(b"frame").unwrap());
    let listed = keys.list();
    drop(keys);

    let keys = place.open("pass").unwrap();
    assert_eq!(keys.list(), listed);
    for (key, signature) in made.iter().zip(signatures) {
        let signer = keys.signer(&key.signer_id()).unwrap();
        assert_eq!(signer.public(), *key);
        assert_eq!(signer.sign(b"frame").unwrap(), signature);
        assert_eq!(key.verify(b"frame", &signature), Ok(()));
    }
}

#[test]
fn a_folder_and_its_files_belong_to_their_owner_alone() {
    let place = place();
    let keys = place.open("pass").unwrap();
    keys.generate(Scheme::Ed25519).unwrap();
    assert_eq!(mode(&place.path), 0o700);
    for entry in fs::read_dir(&place.path).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn a_folder_or_file_that_others_may_use_is_refused_with_the_cure() {
    let place = place();
    place.open("pass").unwrap().generate(Scheme::Ed25519).unwrap();
    let file = place.key_files().remove(0);

    set_mode(&file, 0o640);
    let refusal = place.open("pass").unwrap_err();
    assert!(matches!(&refusal, KeystoreError::Loose { path, mode: 0o640, wanted: 0o600 } if *path == file));
    assert!(refusal.to_string().contains("mode 0640"));
    assert!(refusal.to_string().contains(&format!("chmod 600 {}", file.display())));

    set_mode(&file, 0o600);
    set_mode(&place.path, 0o755);
    let refusal = place.open("pass").unwrap_err();
    assert!(matches!(refusal, KeystoreError::Loose { mode: 0o755, wanted: 0o700, .. }));
    assert!(Keystore::inspect(&place.path).is_err());
}

#[test]
fn a_wrong_password_and_a_changed_file_give_the_same_answer() {
    let place = place();
    place.open("pass").unwrap().generate(Scheme::Secp256k1).unwrap();
    let wrong = place.open("word").unwrap_err();
    assert!(matches!(wrong, KeystoreError::WrongPassword { .. }));

    let file = place.key_files().remove(0);
    let text = fs::read_to_string(&file).unwrap();
    for field in ["ciphertext", "nonce", "salt"] {
        let start = text.find(&format!("\"{field}\": \"")).unwrap() + field.len() + 5;
        let other = if text[start..].starts_with('0') { '1' } else { '0' };
        let mut changed = text.clone();
        changed.replace_range(start..=start, &other.to_string());
        fs::write(&file, changed).unwrap();
        assert_eq!(place.open("pass").unwrap_err().to_string(), wrong.to_string(), "{field}");
    }
    fs::write(&file, text).unwrap();
    assert_eq!(place.open("pass").unwrap().list().len(), 1);
}

#[test]
fn public_parts_cannot_be_changed_unnoticed() {
    let place = place();
    let keys = place.open("pass").unwrap();
    let phrase = Phrase::parse(DEV_PHRASE).unwrap();
    let path = DerivationPath::standard(Scheme::Ed25519, 5);
    keys.import_mnemonic(&phrase, "", Scheme::Ed25519, &path).unwrap();
    drop(keys);
    let file = place.key_files().remove(0);
    let text = fs::read_to_string(&file).unwrap();

    fs::write(&file, text.replace("0'/5'", "0'/6'")).unwrap();
    assert!(matches!(place.open("pass").unwrap_err(), KeystoreError::WrongPassword { .. }));
    for (from, to) in [
        ("\"scheme\": \"ed25519\"", "\"scheme\": \"bls\""),
        ("\"signer\": \"0x", "\"signer\": \"0y"),
        ("\"version\": 1", "\"version\": 2"),
        ("\"version\": 1", "\"version\": 1, \"extra\": 1"),
        ("argon2id", "argon2d"),
    ] {
        fs::write(&file, text.replace(from, to)).unwrap();
        let refusal = place.open("pass").unwrap_err();
        assert!(matches!(refusal, KeystoreError::Format { .. }), "{from}: {refusal}");
    }
    fs::write(&file, text.replace("\"memoryKib\": 64", "\"memoryKib\": 4000000000")).unwrap();
    assert!(matches!(place.open("pass").unwrap_err(), KeystoreError::Cost { .. }));
    fs::write(&file, " ".repeat(20_000)).unwrap();
    assert!(matches!(place.open("pass").unwrap_err(), KeystoreError::Format { .. }));
}

#[test]
fn a_phrase_brings_back_the_same_keys_and_their_paths() {
    let (one, other) = (Keystore::in_memory(), Keystore::in_memory());
    let phrase = Phrase::generate().unwrap();
    let copy = Phrase::parse(&phrase.words()).unwrap();
    for scheme in SCHEMES {
        let path = DerivationPath::standard(scheme, 0);
        let key = one.import_mnemonic(&phrase, "", scheme, &path).unwrap();
        assert_eq!(other.import_mnemonic(&copy, "", scheme, &path).unwrap(), key);
        assert_ne!(one.import_mnemonic(&phrase, "extra", scheme, &path).unwrap(), key);
    }
    assert!(other.list().iter().all(|key| key.path.is_some()));
}

#[test]
fn keys_can_be_listed_without_the_password() {
    let place = place();
    let keys = place.open("pass").unwrap();
    for scheme in SCHEMES {
        keys.generate(scheme).unwrap();
    }
    assert_eq!(Keystore::inspect(&place.path).unwrap(), keys.list());
}

#[test]
fn a_removed_key_is_gone_for_good() {
    let place = place();
    let keys = place.open("pass").unwrap();
    let id = keys.generate(Scheme::Ed25519).unwrap().signer_id();
    assert!(keys.has(&id));
    assert!(keys.remove(&id).unwrap());
    assert!(!keys.has(&id) && keys.signer(&id).is_none());
    assert!(!keys.remove(&id).unwrap());
    drop(keys);
    assert!(place.open("pass").unwrap().list().is_empty());
}

#[test]
fn a_key_is_added_once() {
    let place = place();
    let keys = place.open("pass").unwrap();
    let key = keys.insert(dev_key("alice")).unwrap();
    let refusal = keys.insert(dev_key("alice")).unwrap_err();
    assert!(matches!(refusal, KeystoreError::Exists { signer } if signer == key.signer_id()));
}

#[test]
fn a_changed_password_opens_every_key_and_the_old_one_none() {
    let place = place();
    let keys = place.open("old").unwrap();
    for scheme in SCHEMES {
        keys.generate(scheme).unwrap();
    }
    keys.change_password(password("new")).unwrap();
    keys.generate(Scheme::Ed25519).unwrap();
    let listed = keys.list();
    drop(keys);
    assert!(matches!(place.open("old").unwrap_err(), KeystoreError::WrongPassword { .. }));
    assert_eq!(place.open("new").unwrap().list(), listed);
    assert_eq!(fs::read_dir(&place.path).unwrap().count(), 5, "four keys and the lock");
}

#[test]
fn a_keystore_has_one_owner_at_a_time() {
    let place = place();
    let keys = place.open("pass").unwrap();
    assert!(matches!(place.open("pass").unwrap_err(), KeystoreError::Locked { .. }));
    drop(keys);
    place.open("pass").unwrap();
}

#[test]
fn no_secret_is_on_disk_or_in_debug() {
    let place = place();
    let keys = place.open("correct horse").unwrap();
    let secret = [0xa5; 32];
    keys.insert(xln_primitives::SecretKey::Ed25519(Zeroizing::new(secret))).unwrap();
    let text = fs::read_to_string(place.key_files().remove(0)).unwrap();
    assert!(!text.contains(&hex::encode(secret)));
    let shown = format!("{keys:?} {:?} {:?}", password("correct horse"), keys.signer(&keys.list()[0].signer));
    assert!(!shown.contains("a5a5") && !shown.contains("165, 165") && !shown.contains("horse"));
}

#[test]
fn a_password_file_is_private_and_loses_one_newline() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("password");
    let read = |bytes: &[u8], mode| {
        fs::write(&path, bytes).unwrap();
        set_mode(&path, mode);
        Password::from_file(&path)
    };
    assert!(matches!(read(b"pass\n", 0o644), Err(PasswordError::Loose { mode: 0o644, .. })));
    assert!(matches!(read(b"\n", 0o600), Err(PasswordError::Empty)));
    assert!(matches!(read(&[b'x'; 2000], 0o600), Err(PasswordError::TooLong)));
    assert!(read(&[b'x'; 1024], 0o400).is_ok());
    fs::remove_file(&path).unwrap();
    assert!(matches!(Password::from_file(&path), Err(PasswordError::File { .. })));

    let place = place();
    drop(
        Keystore::open_with(&place.path, read(b"pass\r\n", 0o600).unwrap(), Cost::LIGHT)
            .unwrap()
            .generate(Scheme::Ed25519),
    );
    assert!(place.open("pass").is_ok());
    assert!(Keystore::open_with(&place.path, read(b"pass\n\n", 0o600).unwrap(), Cost::LIGHT).is_err());
}

#[test]
fn a_key_at_full_cost_opens_with_its_own_cost() {
    let place = place();
    let keys = Keystore::open(&place.path, password("pass")).unwrap();
    keys.generate(Scheme::Ed25519).unwrap();
    drop(keys);
    let text = fs::read_to_string(place.key_files().remove(0)).unwrap();
    assert!(text.contains("\"memoryKib\": 65536") && text.contains("\"iterations\": 3"));
    assert_eq!(place.open("pass").unwrap().list().len(), 1);
}
