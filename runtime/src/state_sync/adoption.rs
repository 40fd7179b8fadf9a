//! A state that takes the place of an older one.

use codec::{Decode, DecodeWithMemTracking, Encode};
use xln_primitives::{Certificate, EntityId, FrameHeader, Hash, Height, Sequence, Storage, Timestamp};
use xln_tree::Tree;

use super::{
    rows::{Rows, RowsError},
    succession::{Handovers, Succession},
};
use crate::{
    BoardProofError,
    entity::{Entity, Head},
    overlay::Overlay,
    server::Server,
};

/// A state that does not take the place of the one that is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// Nobody follows this entity here.
    #[error("entity {entity} is not followed here")]
    Unknown {
        /// Which entity.
        entity: EntityId,
    },
    /// Its board does not vote: its own server makes its frames, and no other may.
    #[error("entity {entity} makes its frames here; only those of boards that vote are followed")]
    NotFollowed {
        /// Which entity.
        entity: EntityId,
    },
    /// What is there is not older.
    #[error("the state is of frame {found} at {found_time}, frame {known} at {known_time} is here")]
    NotLater {
        /// The latest frame here.
        known: Height,
        /// Its time.
        known_time: Timestamp,
        /// Frame of the state.
        found: Height,
        /// Its time.
        found_time: Timestamp,
    },
    /// A change of the board that proves nothing.
    #[error(transparent)]
    Handover(#[from] BoardProofError),
    /// Another board has taken over meanwhile.
    #[error("board {named} decided the frame, and the boards that are proven here end with {known}")]
    OtherBoard {
        /// Hash of the last board that is known or proven.
        known: Hash,
        /// Hash of the one in the header.
        named: Hash,
    },
    /// Between the two something was said to an entity here, which only the frames tell.
    #[error(
        "message {said} was said to entity {to}, which has heard {heard}; follow the frames, which tell them"
    )]
    Unheard {
        /// To whom.
        to: EntityId,
        /// The last message to it.
        said: Sequence,
        /// The last that it can have heard.
        heard: Sequence,
    },
}

/// What the log of a slice says of a state that was taken over. Its rows are kept beside the log, in chunks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct Adopted {
    /// The frame after which it is the state.
    pub header: FrameHeader,
    /// That the board stands behind it.
    pub certificate: Certificate,
    /// How many chunks its rows have.
    pub chunks: u32,
    /// How that board came to speak for the entity.
    pub handovers: Handovers,
}

/// A state whose root is that of its frame.
#[derive(Debug, Clone)]
pub struct Adoption {
    adopted: Adopted,
    entity: Entity,
}

impl Adoption {
    /// With the tree that the frame commits to.
    pub(super) fn new(adopted: Adopted, tree: Tree) -> Result<Self, RowsError> {
        let entity = adopted.header.entity;
        let board = pallet_entities::board(&Overlay::new(&tree)).ok().flatten();
        let mut entity = Entity::new(entity, tree, board.ok_or(RowsError::NoBoard { entity })?);
        let (header, certificate) = (adopted.header.clone(), Some(adopted.certificate.clone()));
        entity.head = Some(Head { header, certificate });
        Ok(Self { adopted, entity })
    }

    /// A state that was taken over before, from the chunks that were kept. Its root is checked, its certificate is not.
    ///
    /// Errors: what is kept leads to another root.
    pub fn from_log<E: From<RowsError>>(
        adopted: &Adopted,
        chunks: impl IntoIterator<Item = Result<Vec<u8>, E>>,
    ) -> Result<Self, E> {
        let mut rows = Rows::new();
        for chunk in chunks {
            rows.take(&chunk?)?;
        }
        Ok(Self::new(adopted.clone(), rows.finish(&adopted.header)?)?)
    }

    /// What the log says of it.
    #[must_use]
    pub const fn adopted(&self) -> &Adopted {
        &self.adopted
    }

    /// Whose state it is.
    #[must_use]
    pub const fn entity(&self) -> EntityId {
        self.adopted.header.entity
    }

    /// The frame after which it is the state.
    #[must_use]
    pub const fn height(&self) -> Height {
        self.adopted.header.height
    }

    /// The entity as it will be here.
    pub(crate) const fn state(&self) -> &Entity {
        &self.entity
    }

    /// Checks that it may take the place of what `server` has. Returns the boards whose certificates prove it.
    pub(crate) fn check(
        &self,
        server: &Server,
        known: Option<&Entity>,
    ) -> Result<Succession<'_>, AdoptError> {
        let (id, header) = (self.entity(), &self.adopted.header);
        let known = known.ok_or(AdoptError::Unknown { entity: id })?;
        if !known.is_decided() {
            return Err(AdoptError::NotFollowed { entity: id });
        }
        let latest = known.head().map(|head| (head.header.height, head.header.timestamp));
        let (height, time) = latest.unwrap_or((0, server.facts().genesis_time));
        if header.height <= height || header.timestamp <= time {
            return Err(AdoptError::NotLater {
                known: height,
                known_time: time,
                found: header.height,
                found_time: header.timestamp,
            });
        }
        let succession = Succession::of(known, &self.adopted.handovers)?;
        let board_hash = succession.board.hash();
        if header.board_hash != board_hash {
            return Err(AdoptError::OtherBoard { known: board_hash, named: header.board_hash });
        }
        let (old, new) = (known.state(), self.entity.state());
        // Members of a board that votes are told by each other.
        for other in server.entities().filter(|other| other.id() != id && !other.is_decided()) {
            let to = other.id();
            // What cannot be read was never said.
            let said_in = |state: &dyn Storage| pallet_entities::outbox(state, &to).unwrap_or(0);
            let said = said_in(&new);
            let heard = said_in(&old).max(pallet_entities::inbox(&other.state(), &id).unwrap_or(0));
            if said > heard {
                return Err(AdoptError::Unheard { to, said, heard });
            }
        }
        Ok(succession)
    }
}
