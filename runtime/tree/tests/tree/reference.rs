//! The root as the crate's first page defines it, without any cleverness.

use std::collections::BTreeMap;

use xln_tree::{Hash, Hasher};

pub(crate) type Map = BTreeMap<Vec<u8>, Vec<u8>>;

pub(crate) fn root(hasher: Hasher, map: &Map) -> Hash {
    let leaves: Vec<([u8; 128], Hash)> = map
        .iter()
        .map(|(key, value)| {
            let mut bits = [0; 128];
            bits[..key.len()].copy_from_slice(key);
            bits[127] = u8::try_from(key.len()).unwrap();
            let entry = [&plain(hasher, value)[..], key].concat();
            (bits, in_domain(hasher, b"xln-tree/entry", 0, &entry))
        })
        .collect();
    if leaves.is_empty() { in_domain(hasher, b"xln-tree/empty", 0, b"") } else { fork(hasher, &leaves) }
}

fn fork(hasher: Hasher, leaves: &[([u8; 128], Hash)]) -> Hash {
    let ((first, hash), (last, _)) = (leaves.first().unwrap(), leaves.last().unwrap());
    let bit = |bits: &[u8; 128], position: u16| bits[usize::from(position / 8)] >> (7 - position % 8) & 1;
    let Some(position) = (0..1024).find(|position| bit(first, *position) != bit(last, *position)) else {
        return *hash;
    };
    let (left, right) = leaves.split_at(leaves.partition_point(|(bits, _)| bit(bits, position) == 0));
    let children = [fork(hasher, left), fork(hasher, right)].concat();
    in_domain(hasher, b"xln-tree/fork", position, &children)
}

fn plain(hasher: Hasher, bytes: &[u8]) -> Hash {
    match hasher {
        Hasher::Keccak256 => sp_crypto_hashing::keccak_256(bytes),
        Hasher::Blake3 => *blake3::hash(bytes).as_bytes(),
    }
}

fn in_domain(hasher: Hasher, name: &[u8], position: u16, message: &[u8]) -> Hash {
    let mut domain = [0; 32];
    domain[..name.len()].copy_from_slice(name);
    domain[30..].copy_from_slice(&position.to_be_bytes());
    match hasher {
        Hasher::Keccak256 => sp_crypto_hashing::keccak_256(&[&domain[..], message].concat()),
        Hasher::Blake3 => *blake3::keyed_hash(&domain, message).as_bytes(),
    }
}
