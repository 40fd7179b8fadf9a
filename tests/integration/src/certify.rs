//! Certificates of boards whose keys a test has.

use xln_primitives::{
    Board, Certificate, FrameHeader, Network, PublicKey, SecretKey, Signature, Vote, crypto::bls,
};

/// What the first members of a board who are a quorum say in the first round, with their keys, which may stand anywhere among
/// `secrets`.
#[must_use]
pub fn certify(network: Network, board: &Board, header: &FrameHeader, secrets: &[SecretKey]) -> Certificate {
    let message = Vote::precommit(network, header, 0).sign_bytes();
    let (mut signers, mut signatures, mut weight) = (vec![0; board.members.len().div_ceil(8)], Vec::new(), 0);
    for (place, member) in board.members.iter().enumerate() {
        let key = member.bls_key().map(|key| PublicKey::Bls(*key));
        let Some(secret) = secrets.iter().find(|secret| secret.public().ok() == key) else { continue };
        if weight < board.quorum() {
            let Ok(Signature::Bls(signature)) = secret.sign(&message) else { panic!("it is a BLS key") };
            signatures.push(signature);
            signers[place / 8] |= 1 << (place % 8);
            weight += member.weight;
        }
    }
    assert!(weight >= board.quorum(), "{weight} of {} is no quorum", board.quorum());
    Certificate::Aggregate {
        round: 0,
        signers: signers.try_into().expect("one bit for each member of a board"),
        signature: bls::aggregate(&signatures).expect("a quorum is somebody"),
    }
}
