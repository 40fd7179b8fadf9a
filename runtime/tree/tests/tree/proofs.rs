//! Proofs prove what is true, and nothing else.

use codec::{Decode, DecodeAll, DecodeWithMemLimit, Encode};
use proptest::prelude::*;
use xln_tree::{Config, Hasher, Proof, ProofError, Tree};

use crate::{
    keys::{any_changes, any_config, any_key},
    map::{change, tree_of},
    reference::Map,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_proof_shows_the_value_of_a_key_or_that_there_is_none(
        config in any_config(),
        changes in any_changes(),
        keys in prop::collection::vec(any_key(), 20),
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        let root = tree.root();
        for key in map.keys().take(20).chain(&keys) {
            let proof = tree.prove(key);
            let decoded = Proof::decode_all(&mut &proof.encode()[..]).unwrap();
            prop_assert_eq!(&decoded, &proof);
            prop_assert_eq!(decoded.verify(&root, key, config.hasher()), Ok(map.get(key).cloned()));
        }
        tree.commit();
        for key in &keys {
            prop_assert_eq!(tree.prove(key).verify(&root, key, config.hasher()), Ok(map.get(key).cloned()));
        }
    }

    #[test]
    fn a_proof_is_the_same_bytes_in_every_layout(
        config in any_config(),
        other in any_config(),
        changes in any_changes(),
        keys in prop::collection::vec(any_key(), 20),
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        let other = Config::new(other.bit_width(), other.leaf_threshold(), config.hasher()).unwrap();
        let other = tree_of(other, &map);
        for key in &keys {
            prop_assert_eq!(tree.prove(key), other.prove(key));
        }
    }

    #[test]
    fn a_proof_with_one_bit_flipped_verifies_nothing(
        config in any_config(),
        changes in any_changes(),
        key in any_key(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 30),
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        let (root, bytes) = (tree.root(), tree.prove(&key).encode());
        for (place, bit) in flips {
            let mut tampered = bytes.clone();
            tampered[place.index(bytes.len())] ^= 1 << bit;
            if let Ok(proof) = Proof::decode_all(&mut &tampered[..]) {
                prop_assert!(proof.verify(&root, &key, config.hasher()).is_err());
            }
        }
    }

    #[test]
    fn a_proof_for_one_key_shows_nothing_false_about_another(
        config in any_config(),
        changes in any_changes(),
        keys in prop::collection::vec(any_key(), 12),
    ) {
        let (mut tree, mut map) = (Tree::new(config), Map::new());
        changes.iter().for_each(|step| change(&mut tree, &mut map, step));
        let root = tree.root();
        for key in &keys {
            let proof = tree.prove(key);
            for other in &keys {
                if let Ok(proven) = proof.verify(&root, other, config.hasher()) {
                    prop_assert_eq!(proven.as_ref(), map.get(other));
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut input = &bytes[..];
        if let Ok(proof) = Proof::decode(&mut input) {
            let taken = bytes.len() - input.len();
            prop_assert_eq!(proof.encode(), &bytes[..taken]);
            prop_assert!(proof.verify(&[0; 32], b"key", Hasher::Blake3).is_err());
        }
    }

    #[test]
    fn a_proof_cut_short_or_garbled_is_decoded_or_refused(
        key in any_key(),
        cut in any::<prop::sample::Index>(),
        garble in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let map: Map = (0..50).map(|index| (crate::keys::key(index), vec![1])).collect();
        let mut bytes = tree_of(Config::default(), &map).prove(&key).encode();
        for (place, byte) in garble {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let cut = cut.index(bytes.len() + 1);
        if let Ok(proof) = Proof::decode_all(&mut &bytes[..cut]) {
            prop_assert_eq!(proof.encode(), &bytes[..cut]);
        }
    }
}

#[test]
fn a_proof_does_not_verify_under_another_root_or_hash_function() {
    let mut tree = Tree::new(Config::default());
    let root = tree.apply([("a", Some("1")), ("b", Some("2"))]).unwrap();
    let proof = tree.prove(b"a");
    assert!(matches!(proof.verify(&[1; 32], b"a", Hasher::Blake3), Err(ProofError::Root { .. })));
    assert!(matches!(proof.verify(&root, b"a", Hasher::Keccak256), Err(ProofError::Root { .. })));
    assert!(matches!(proof.verify(&root, &[0; 128], Hasher::Blake3), Err(ProofError::Key(_))));
}

#[test]
fn a_proof_claims_no_more_memory_than_its_bytes_are_worth() {
    // 1,024 forks, or a value of 16 MiB, of which nothing follows; then more than either limit.
    assert!(Proof::decode(&mut &[0x01, 0x10][..]).is_err());
    assert!(Proof::decode(&mut &[0x00, 0x01, 0x02, 0x00, 0x00, 0x04][..]).is_err());
    assert!(Proof::decode(&mut &[0x05, 0x10][..]).is_err());
    assert!(Proof::decode(&mut &[0x00, 0x01, 0x06, 0x00, 0x00, 0x04][..]).is_err());

    let mut tree = Tree::new(Config::default());
    tree.insert("key", [7; 10_000]).unwrap();
    let bytes = tree.prove(b"key").encode();
    assert!(Proof::decode_with_mem_limit(&mut &bytes[..], 20_000).is_ok());
    assert!(Proof::decode_with_mem_limit(&mut &bytes[..], 9_000).is_err());
}

#[test]
fn a_proof_in_a_tree_of_twenty_thousand_hashed_keys_takes_about_500_bytes() {
    let keys: Vec<[u8; 32]> =
        (0..20_000u32).map(|index| *blake3::hash(&index.to_be_bytes()).as_bytes()).collect();
    let mut tree = Tree::new(Config::default());
    tree.apply(keys.iter().map(|key| (key, Some([1; 16])))).unwrap();
    let sample = keys.iter().step_by(20);
    let total: usize = sample.clone().map(|key| tree.prove(key).encode().len()).sum();
    // 14.3 + 0.3 forks of 33 bytes and the value; ten million keys have nine forks more.
    let average = total / sample.count();
    assert!((480..520).contains(&average), "{average}");
}
