//! From precommits to the certificate.
//!
//! The signatures of a quorum's precommits are added up and the sum is checked once, against the board and with the board's
//! own quorum: what the engine counts and what everybody else will check are two computations. Different members may hold
//! different signers for one frame; a certificate is therefore no part of what it certifies.

use xln_primitives::{Board, BoundedVec, Certificate, CertificateError, FrameHash, Round, crypto::bls};

use crate::{BlsSignature, MemberIndex, Subject};

/// Makes the certificate of `frame`, decided in `round` by `precommits`, and checks it.
pub(crate) fn certify(
    subject: &Subject,
    board: &Board,
    round: Round,
    frame: FrameHash,
    precommits: &[(MemberIndex, BlsSignature)],
) -> Result<Certificate, CertificateError> {
    let mut bitmap = vec![0_u8; board.members.len().div_ceil(8)];
    let mut signatures = Vec::with_capacity(precommits.len());
    for (member, signature) in precommits {
        let (byte, bit) = (usize::from(member.0 / 8), 1 << (member.0 % 8));
        let slot = bitmap.get_mut(byte).ok_or(CertificateError::Form)?;
        if *slot & bit == 0 {
            *slot |= bit;
            signatures.push(*signature);
        }
    }
    let signature = bls::aggregate(&signatures)?;
    let signers = BoundedVec::try_from(bitmap).map_err(|_| CertificateError::Form)?;
    let certificate = Certificate::Aggregate { round, signers, signature };
    certificate.verify_frame(subject.network, board, subject.entity, subject.height, frame)?;
    Ok(certificate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Ballot, Step,
        electorate::tests::{board, secret},
    };
    use codec::Encode;
    use xln_primitives::{Network, Profile, Signature, Weight};

    fn precommit(subject: &Subject, member: u16) -> (MemberIndex, BlsSignature) {
        let frame = Some(FrameHash::new([5; 32]));
        let index = MemberIndex(member);
        let ballot = Ballot { member: index, step: Step::Precommit, round: 1, frame };
        let secret = secret(u8::try_from(member + 1).unwrap());
        let Signature::Bls(signature) = secret.sign(&subject.ballot_bytes(&ballot)).unwrap() else {
            unreachable!()
        };
        (index, signature)
    }

    fn size(members: u16) -> usize {
        let board = board(&vec![1; usize::from(members)], 1, Profile::Byzantine);
        let subject = Subject {
            network: Network::new([1; 32]),
            entity: board.entity(),
            board: board.hash(),
            height: 7,
        };
        let quorum = u16::try_from(board.quorum()).unwrap();
        let precommits: Vec<_> = (0..quorum).map(|member| precommit(&subject, member)).collect();
        let frame = FrameHash::new([5; 32]);
        let certificate = certify(&subject, &board, 1, frame, &precommits).unwrap();
        let short = certify(&subject, &board, 1, frame, &precommits[1..]);
        let weight: Weight = u32::from(quorum) - 1;
        assert_eq!(short, Err(CertificateError::NoQuorum { weight, quorum: board.quorum() }));
        assert!(certify(&subject, &board, 0, frame, &precommits).is_err(), "another round");
        certificate.encode().len()
    }

    #[test]
    fn a_certificate_grows_by_one_bit_for_each_member() {
        assert_eq!(size(4), 103);
        assert_eq!(size(100), 115);
    }
}
