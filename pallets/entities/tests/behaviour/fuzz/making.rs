//! Boards and members at random: most of them nearly sound, some far from it.

use std::sync::OnceLock;

use xln_primitives::{
    Board, Delegate, EntityId, Member, MemberId, Permissions, Profile, PublicKey, SecretKey, Weight,
    crypto::bls,
};

use crate::{mock, random::Random};

const KEYS: usize = 9;

/// One of a few BLS keys with its proof.
fn delegate(number: usize) -> Delegate {
    static ALL: OnceLock<Vec<Delegate>> = OnceLock::new();
    let make = |number: u8| {
        let secret = [number + 1; 32];
        let PublicKey::Bls(key) = SecretKey::Bls(secret.into()).public().unwrap() else { unreachable!() };
        Delegate { key, possession: bls::prove_possession(&secret).unwrap() }
    };
    ALL.get_or_init(|| (0..u8::try_from(KEYS).unwrap()).map(make).collect())[number % KEYS].clone()
}

pub(super) fn weight(random: &mut Random) -> Weight {
    match random.below(60) {
        0 => 0,
        1 => Weight::MAX,
        2 => Weight::MAX / 2,
        3 => Weight::MAX - Weight::try_from(random.below(8)).unwrap(),
        _ => Weight::try_from(random.below(4)).unwrap() + 1,
    }
}

fn permissions(random: &mut Random) -> Permissions {
    match random.below(10) {
        0 => Permissions::VOTE,
        1 => Permissions::PROPOSE,
        2 => Permissions::from_bits(u32::from(random.byte())),
        _ => Permissions::ALL,
    }
}

/// A key or an entity of a few, so that some come twice.
pub(super) fn member(random: &mut Random) -> Member {
    let number = random.below(KEYS);
    let short = u8::try_from(number).unwrap();
    let Delegate { key, mut possession } = delegate(number);
    if random.once_in(40) {
        possession = delegate(number + 1).possession;
    }
    if random.once_in(100) {
        possession[random.below(96)] ^= 1;
    }
    let delegate = Delegate { key, possession };
    let person = if random.once_in(2) { mock::key(short) } else { PublicKey::Secp256k1([short; 33]) };
    let id = match random.below(20) {
        0 | 1 => MemberId::Signer { key: person, possession: None },
        2..=4 => MemberId::Delegating { key: person, delegate },
        5 => MemberId::Entity { entity: EntityId::registered(number as u64), delegate: None },
        6 => MemberId::Entity { entity: EntityId::new([short; 32]), delegate: Some(delegate) },
        7 if random.once_in(3) => MemberId::Signer { key: person, possession: Some(possession) },
        8 if random.once_in(3) => MemberId::Signer { key: PublicKey::Bls(key), possession: None },
        9 if random.once_in(3) => MemberId::Delegating { key: PublicKey::Bls(key), delegate },
        _ => MemberId::Signer { key: PublicKey::Bls(key), possession: Some(possession) },
    };
    Member { id, weight: weight(random), permissions: permissions(random) }
}

pub(super) fn profile(random: &mut Random) -> Profile {
    if random.once_in(2) { Profile::Byzantine } else { Profile::CrashFault }
}

pub(super) fn threshold(total: Weight, random: &mut Random) -> Weight {
    match random.below(30) {
        0 => 0,
        1 => Weight::MAX,
        2 => total,
        3 => total.saturating_add(1),
        _ => Weight::try_from(random.below(5)).unwrap().min(total.saturating_sub(1)) + 1,
    }
}

pub(super) fn board(random: &mut Random) -> Board {
    let most = if random.once_in(50) { 257 } else { 7 };
    let count = random.below(most);
    let mut members: Vec<Member> = Vec::new();
    for _ in 0..count {
        let new = member(random);
        // One that comes twice now and then: with so few of them nearly every board would have one.
        let is_new = members.iter().all(|other| other.principal() != new.principal());
        if is_new || random.once_in(30) {
            members.push(new);
        }
    }
    let total = members.iter().fold(0, |sum: Weight, member| sum.saturating_add(member.weight));
    let (threshold, profile) = (threshold(total, random), profile(random));
    Board { members: members.try_into().unwrap(), threshold, profile }
}
