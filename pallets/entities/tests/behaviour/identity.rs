//! Founding, creating and describing an entity.

use pallet_entities::{
    Call, Error, Event, Metadata, created, dispatch, found, metadata, set_metadata, try_state,
};
use xln_primitives::{Board, BoardError, EntityId, MemberId, Origin, Timestamp};

use crate::mock::{Machine, board, key, member, signer};

const OTHER: Origin = Origin::Entity(EntityId::new([5; 32]));

fn own() -> Origin {
    Origin::Signer(key(1).signer_id())
}

/// The entity of a board of one, as the runtime founds it at its first call.
fn founded() -> (Machine, Board) {
    let board = Board::single(key(1));
    let mut machine = Machine::of(board.entity());
    found(&mut machine, &board).unwrap();
    (machine, board)
}

#[test]
fn a_lazy_entity_is_created_by_its_own_signer_and_only_once() {
    let (mut machine, board) = founded();
    assert_eq!(pallet_entities::board(&machine), Ok(Some(board.clone())));
    assert_eq!(created(&machine), Ok(None));

    let create = Call::Create { board };
    assert_eq!(dispatch(&mut machine, own(), create.clone()), Ok(()));
    assert_eq!(machine.events, [Event::Created { entity: machine.entity }]);
    assert_eq!(created(&machine), Ok(Some(Timestamp::from_millis(1_000))));

    let again = dispatch(&mut machine, own(), create);
    assert_eq!(again, Err(Error::AlreadyCreated { entity: machine.entity }));
    assert_eq!(try_state(&machine), Ok(()));
}

#[test]
fn nobody_else_creates_an_entity_and_no_other_board_does() {
    let (mut machine, board) = founded();
    for origin in [OTHER, Origin::Server] {
        let refused = dispatch(&mut machine, origin, Call::Create { board: board.clone() });
        assert_eq!(refused, Err(Error::OriginNotAllowed { origin }));
    }
    let foreign = Board::single(key(2));
    let refused = dispatch(&mut machine, own(), Call::Create { board: foreign.clone() });
    assert_eq!(refused, Err(Error::OtherBoard { expected: machine.entity, found: foreign.entity() }));

    let mut empty = Machine::of(board.entity());
    assert_eq!(dispatch(&mut empty, own(), Call::Create { board }), Err(Error::NotFounded));
    assert_eq!(machine.events, []);
}

#[test]
fn an_entity_is_founded_once() {
    let (mut machine, board) = founded();
    assert_eq!(found(&mut machine, &board), Err(Error::AlreadyFounded));
}

#[test]
fn boards_whose_members_cannot_sign_one_certificate_are_not_hosted() {
    let mut machine = Machine::of(EntityId::ZERO);
    let nested = member(MemberId::Entity { entity: EntityId::new([7; 32]), delegate: None });
    let cases = [(vec![signer(1), signer(2)], 2), (vec![nested.clone()], 1), (vec![signer(1), nested], 2)];
    for (members, quorum) in cases {
        let refused = found(&mut machine, &board(members));
        assert_eq!(refused, Err(Error::CannotAgree { voting: 0, quorum }));
    }
    assert_eq!(pallet_entities::board(&machine), Ok(None));
}

#[test]
fn unsound_boards_are_not_hosted() {
    let mut machine = Machine::of(EntityId::ZERO);
    assert_eq!(found(&mut machine, &board(vec![])), Err(Error::Board(BoardError::Empty)));
    let unreachable = Board { threshold: 2, ..board(vec![signer(1)]) };
    let error = BoardError::Threshold { threshold: 2, total: 1 };
    assert_eq!(found(&mut machine, &unreachable), Err(Error::Board(error)));
}

fn described(name: &[u8], description: &[u8]) -> Metadata {
    Metadata {
        name: name.to_vec().try_into().unwrap(),
        description: description.to_vec().try_into().unwrap(),
    }
}

#[test]
fn an_entity_describes_itself_and_nobody_else_does() {
    let (mut machine, _) = founded();
    assert_eq!(metadata(&machine), Ok(Metadata::default()));
    let hub = described(b"hub", "Zürich, 24 h".as_bytes());
    let refused = dispatch(&mut machine, OTHER, Call::SetMetadata(hub.clone()));
    assert_eq!(refused, Err(Error::OriginNotAllowed { origin: OTHER }));
    assert_eq!(dispatch(&mut machine, own(), Call::SetMetadata(hub.clone())), Ok(()));
    assert_eq!(dispatch(&mut machine, Origin::Board, Call::SetMetadata(hub.clone())), Ok(()));
    assert_eq!(metadata(&machine), Ok(hub.clone()));
    assert_eq!(machine.events.last(), Some(&Event::MetadataSet(hub)));
}

#[test]
fn a_description_is_text_that_cannot_disturb_a_terminal() {
    let (mut machine, _) = founded();
    for bad in [described(&[0xff], b""), described(b"", &[0xc3]), described(b"\x1b[31m", b"")] {
        assert_eq!(set_metadata(&mut machine, &bad), Err(Error::NotText));
    }
}
