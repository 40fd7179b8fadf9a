//! Questions of a server that is behind, and their answers.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{BoundedVec, ConstU32, EntityId, FrameHash, Hash, Height};

use crate::{Code, Envelope, EnvelopeError};

/// Most entities of a digest.
pub const HEIGHTS_MAX: u32 = 10_000;
/// Most frames of an answer.
pub const FRAMES_MAX: u32 = 10_000;

/// Where an entity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Standing {
    /// The entity.
    pub entity: EntityId,
    /// Height of its last frame.
    pub height: Height,
    /// That frame.
    pub frame: FrameHash,
}

/// Where entities stand.
pub type Digest = BoundedVec<Standing, ConstU32<HEIGHTS_MAX>>;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Question {
    /// Where do the entities stand that we share? Tells where the asker has them.
    #[codec(index = 0)]
    Heights(Digest),
    /// The frames of an entity from a height on, with certificates, in order.
    #[codec(index = 1)]
    Frames {
        /// The entity.
        entity: EntityId,
        /// The first height.
        from: Height,
        /// Most bytes of the answer; at least one frame comes if it fits into an answer at all.
        max_bytes: u32,
    },
    /// The manifest of the newest certified immutable snapshot, at this height of the entity or later.
    #[codec(index = 2)]
    Snapshot {
        /// Whose frame certifies it.
        entity: EntityId,
        /// What the asker has already.
        above: Height,
    },
    /// A chunk of a snapshot.
    #[codec(index = 3)]
    Chunk {
        /// Hash of the manifest.
        snapshot: Hash,
        /// Which chunk.
        index: u32,
    },
}

/// What is answered. The asker checks all of it: hashes, certificates, roots.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum Answer {
    /// Where the entities stand here.
    #[codec(index = 0)]
    Heights(Digest),
    /// Frames, each as the consensus encodes a frame with its certificate.
    #[codec(index = 1)]
    Frames(BoundedVec<Vec<u8>, ConstU32<FRAMES_MAX>>),
    /// A manifest as the store encodes it.
    #[codec(index = 2)]
    Snapshot(Vec<u8>),
    /// A chunk as the store has it.
    #[codec(index = 3)]
    Chunk(Vec<u8>),
    /// It is not here.
    #[codec(index = 4)]
    Unknown,
    /// Not now: ask somebody else, or later.
    #[codec(index = 5)]
    Busy,
}

impl Question {
    pub(crate) fn envelope(&self) -> Envelope {
        Envelope { code: self.code(), body: self.encode() }
    }

    const fn code(&self) -> Code {
        if matches!(self, Self::Heights(_)) { Code::Ping } else { Code::SyncRequest }
    }

    pub(crate) fn from_envelope(envelope: &Envelope) -> Result<Self, EnvelopeError> {
        let question: Self = envelope.value()?;
        if question.code() == envelope.code {
            Ok(question)
        } else {
            Err(EnvelopeError::Code(envelope.code as u8))
        }
    }
}

impl Answer {
    pub(crate) fn envelope(&self) -> Envelope {
        Envelope { code: self.code(), body: self.encode() }
    }

    const fn code(&self) -> Code {
        if matches!(self, Self::Heights(_)) { Code::Pong } else { Code::SyncResponse }
    }

    pub(crate) fn from_envelope(envelope: &Envelope) -> Result<Self, EnvelopeError> {
        let answer: Self = envelope.value()?;
        if answer.code() == envelope.code {
            Ok(answer)
        } else {
            Err(EnvelopeError::Code(envelope.code as u8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_come_back_and_their_codes_must_fit() {
        let entity = EntityId::new([1; 32]);
        let digest: Digest =
            vec![Standing { entity, height: 7, frame: FrameHash::new([2; 32]) }].try_into().unwrap();
        let questions = [
            Question::Heights(digest.clone()),
            Question::Frames { entity, from: 8, max_bytes: 1 << 20 },
            Question::Snapshot { entity, above: 9 },
            Question::Chunk { snapshot: Hash::new([3; 32]), index: 4 },
        ];
        for question in questions {
            let mut envelope = question.envelope();
            assert_eq!(Question::from_envelope(&envelope), Ok(question));
            envelope.code = if envelope.code == Code::Ping { Code::SyncRequest } else { Code::Ping };
            assert!(Question::from_envelope(&envelope).is_err());
        }
        let frames = vec![vec![1, 2], vec![3]].try_into().unwrap();
        let answers = [
            Answer::Heights(digest),
            Answer::Frames(frames),
            Answer::Chunk(vec![9; 9]),
            Answer::Unknown,
            Answer::Busy,
        ];
        for answer in answers {
            let mut envelope = answer.envelope();
            assert_eq!(Answer::from_envelope(&envelope), Ok(answer));
            envelope.body.push(0);
            assert!(Answer::from_envelope(&envelope).is_err());
        }
    }
}
