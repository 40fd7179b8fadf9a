//! One entity as a server hosts it.

use std::sync::Arc;

use codec::{Decode, Encode};
use xln_primitives::{
    Board, Certificate, EntityId, FrameHeader, Hash, Member, Nonce, PublicKey, SignerId, Storage,
};
use xln_tree::{Config, Hasher, Tree};

use crate::overlay::Overlay;

/// The layout of every entity's tree. Blake3: what a contract must open is hashed with keccak inside the state.
pub(crate) fn tree_config() -> Config {
    Config::default_for(Hasher::Blake3)
}

/// An entity: its state, its board and its latest frame. The board is the one that certifies the next frame; the latest may
/// have been certified by one before it.
#[derive(Debug, Clone)]
pub struct Entity {
    pub(crate) id: EntityId,
    pub(crate) tree: Tree,
    pub(crate) board: Arc<Board>,
    pub(crate) board_hash: Hash,
    /// Under whom its rows are kept. Does not change with the board: that would move all of them.
    pub(crate) signer: SignerId,
    /// The first signer of the board.
    pub(crate) first: SignerId,
    pub(crate) head: Option<Head>,
}

/// The latest frame of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// The header.
    pub header: FrameHeader,
    /// The board's certificate; the genesis frame (height 0) has none, since the chain spec stands for it.
    pub certificate: Option<Certificate>,
}

impl Entity {
    /// An entity without a frame yet.
    pub(crate) fn new(id: EntityId, tree: Tree, board: Board) -> Self {
        let board_hash = board.hash();
        let first = first_signer(&board);
        Self { id, tree, board: Arc::new(board), board_hash, signer: first, first, head: None }
    }

    /// With another board from now on.
    pub(crate) fn with_board(self, board: Board) -> Self {
        let (board_hash, first) = (board.hash(), first_signer(&board));
        Self { board: Arc::new(board), board_hash, first, ..self }
    }

    /// Who it is.
    #[must_use]
    pub const fn id(&self) -> EntityId {
        self.id
    }

    /// The signer under whom this server hosts it: the first of the board with which it began here.
    #[must_use]
    pub const fn signer(&self) -> SignerId {
        self.signer
    }

    /// Who speaks for it.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Its latest frame, if it has made one or was there from the start.
    #[must_use]
    pub const fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Its state, for proofs.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Its state, for the typed accessors. What is written goes away with the view: only a frame changes an entity.
    #[must_use]
    pub fn state(&self) -> impl Storage + '_ {
        Overlay::new(&self.tree)
    }

    /// Checks that `signer` may make it execute its call number `nonce`, exactly as the execution will: see
    /// [`pallet_entities::authorise`].
    pub fn authorise(&self, signer: &PublicKey, nonce: Nonce) -> Result<(), pallet_entities::Error> {
        pallet_entities::authorise_by(&self.board, &self.state(), signer, self.id_of(signer), nonce)
    }

    /// Whether its board votes on each of its frames.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.board.votes()
    }

    /// The identifier of a key; that of the only member of a board is known and not computed again.
    #[must_use]
    pub fn id_of(&self, signer: &PublicKey) -> SignerId {
        if self.board.sole_signer() == Some(signer) { self.first } else { signer.signer_id() }
    }

    /// Its key in the server's tree: signer ‖ entity.
    pub(crate) fn server_key(&self) -> [u8; 64] {
        let mut key = [0; 64];
        key[..32].copy_from_slice(self.signer.as_ref());
        key[32..].copy_from_slice(self.id.as_ref());
        key
    }
}

/// Boards of several are kept under their first signer; boards without one make no frames.
fn first_signer(board: &Board) -> SignerId {
    board.members.iter().find_map(Member::signer).map_or(SignerId::ZERO, PublicKey::signer_id)
}
