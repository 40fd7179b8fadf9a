//! Who certifies the frames that a server makes.

use xln_primitives::{Board, Certificate, EntityId, FrameHeader};

/// A frame that nobody here can certify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("frame {height} of entity {entity} cannot be certified: {reason}")]
pub struct CertifyError {
    /// Whose frame.
    pub entity: EntityId,
    /// Its number.
    pub height: u64,
    /// Why not.
    pub reason: String,
}

/// Gives frames their certificates: live from the keys that the node holds, in replay from the log.
///
/// The runtime holds no key. It asks for the certificates of all frames of a delivery round, possibly from several
/// threads at once; `ordinal` is the number of the frame within its slice, counted in the order in which the
/// certificates are logged.
pub trait Certifier: Sync {
    /// Whether frames of this entity, whose board this is, can be certified here now. An entity that cannot does not
    /// advance: what others say to it waits in the outbox, and nothing of others waits for it.
    fn can_certify(&self, entity: EntityId, board: &Board) -> bool;

    /// The board's certificate of `header`.
    fn certify(
        &self,
        ordinal: usize,
        board: &Board,
        header: &FrameHeader,
    ) -> Result<Certificate, CertifyError>;

    /// Checks the certificate of a frame that was decided elsewhere, or of a state after such a frame, against the board that
    /// speaks for the entity at that height. Whoever hands such frames over has checked them before.
    fn check_decided(
        &self,
        _board: &Board,
        _header: &FrameHeader,
        _certificate: &Certificate,
    ) -> Result<(), CertifyError> {
        Ok(())
    }
}

/// Hands out logged certificates again, after checking that each still fits its frame.
///
/// That a certificate fits shows at once, at the exact frame, when a replay takes another course than the first
/// execution did.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The network of the certificates.
    pub network: xln_primitives::Network,
    /// All certificates of the slice, in order.
    pub certificates: &'a [Certificate],
    /// Entities that could not certify then, ascending.
    pub absent: &'a [EntityId],
    /// Whether to check signatures. A log whose checksums were verified may be trusted for speed.
    pub verify: bool,
}

impl Certifier for Recorded<'_> {
    fn can_certify(&self, entity: EntityId, _board: &Board) -> bool {
        self.absent.binary_search(&entity).is_err()
    }

    fn certify(
        &self,
        ordinal: usize,
        board: &Board,
        header: &FrameHeader,
    ) -> Result<Certificate, CertifyError> {
        let refused = |reason: String| CertifyError { entity: header.entity, height: header.height, reason };
        let certificate = self
            .certificates
            .get(ordinal)
            .ok_or_else(|| refused("the log has no certificate for it".into()))?;
        self.check_decided(board, header, certificate)?;
        Ok(certificate.clone())
    }

    fn check_decided(
        &self,
        board: &Board,
        header: &FrameHeader,
        certificate: &Certificate,
    ) -> Result<(), CertifyError> {
        if !self.verify {
            return Ok(());
        }
        certificate.verify(self.network, board, header).map_err(|error| CertifyError {
            entity: header.entity,
            height: header.height,
            reason: format!("the logged certificate is of another frame: {error}"),
        })
    }
}
