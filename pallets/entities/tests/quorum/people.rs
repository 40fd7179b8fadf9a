//! People with keys of every scheme, and the boards that they sit on.

use std::{collections::BTreeMap, sync::OnceLock};

use pallet_entities::quorum::{Purpose, Statement};
use xln_primitives::{
    Board, Delegate, EntityId, Hash, Member, MemberId, Network, Permissions, Profile, PublicKey, SecretKey,
    Signature, Weight, crypto::bls,
};

/// How many people there are.
pub(crate) const PEOPLE: usize = 12;

/// Somebody with a key.
pub(crate) struct Person {
    secret: SecretKey,
    key: PublicKey,
    possession: Option<[u8; 96]>,
    delegate: Delegate,
}

/// The person with this number; a third has a BLS key, a third ed25519, a third secp256k1.
pub(crate) fn person(number: usize) -> &'static Person {
    static ALL: OnceLock<Vec<Person>> = OnceLock::new();
    let make = |number: usize| {
        let seed = [u8::try_from(number + 1).unwrap(); 32];
        let bls_secret = SecretKey::Bls(seed.into());
        let PublicKey::Bls(bls_key) = bls_secret.public().unwrap() else { unreachable!() };
        let possession = bls::prove_possession(&seed).unwrap();
        let secret = match number % 3 {
            0 => bls_secret,
            1 => SecretKey::Ed25519(seed.into()),
            _ => SecretKey::Secp256k1(seed.into()),
        };
        Person {
            key: secret.public().unwrap(),
            secret,
            possession: number.is_multiple_of(3).then_some(possession),
            delegate: Delegate { key: bls_key, possession },
        }
    };
    &ALL.get_or_init(|| (0..PEOPLE).map(make).collect())[number % PEOPLE]
}

impl Person {
    pub(crate) const fn key(&self) -> PublicKey {
        self.key
    }

    pub(crate) fn sign(&self, statement: &Statement) -> Signature {
        self.secret.sign(&statement.sign_bytes()).unwrap()
    }
}

/// A person as a member who may do everything.
pub(crate) fn member(number: usize, weight: Weight) -> Member {
    let Person { key, possession, .. } = person(number);
    let id = MemberId::Signer { key: *key, possession: *possession };
    Member { id, weight, permissions: Permissions::ALL }
}

/// A person whose key is no BLS key, with a delegate that has one.
pub(crate) fn delegating(number: usize, weight: Weight) -> Member {
    let Person { key, delegate, .. } = person(number);
    assert!(!matches!(key, PublicKey::Bls(_)), "a BLS key needs no delegate");
    let id = MemberId::Delegating { key: *key, delegate: delegate.clone() };
    Member { id, weight, permissions: Permissions::ALL }
}

/// An entity as a member.
pub(crate) fn nested(entity: EntityId, weight: Weight) -> Member {
    let id = MemberId::Entity { entity, delegate: None };
    Member { id, weight, permissions: Permissions::ALL }
}

pub(crate) fn board(members: Vec<Member>, threshold: Weight) -> Board {
    Board { members: members.try_into().unwrap(), threshold, profile: Profile::CrashFault }
}

/// What is signed in the tests.
pub(crate) fn statement(root: EntityId) -> Statement {
    let (network, purpose, hash) = (Network::new([9; 32]), Purpose::new([7; 16]), Hash::new([5; 32]));
    Statement { network, entity: root, purpose, hash }
}

/// What these people sign.
pub(crate) fn signatures(
    numbers: impl IntoIterator<Item = usize>,
    statement: &Statement,
) -> BTreeMap<PublicKey, Signature> {
    numbers.into_iter().map(|number| (person(number).key(), person(number).sign(statement))).collect()
}
