//! How many proposals there may be.

use pallet_governance::{Error, KEPT, OPEN_MAX, OPEN_PER_MEMBER_MAX, Status, proposal, proposals};

use crate::mock::{Act, Machine};

#[test]
fn one_member_cannot_fill_the_board_with_proposals() {
    let mut machine = Machine::of(&[1; 5], 3);
    for _ in 0..OPEN_PER_MEMBER_MAX {
        machine.propose(1, &[Act::Mark(1)]).unwrap();
    }
    let (max, own_max) = (OPEN_MAX, OPEN_PER_MEMBER_MAX);
    let full = Error::TooManyOpen { open: own_max, own: own_max, max, own_max };
    assert_eq!(machine.propose(1, &[Act::Mark(1)]), Err(full));
    for n in 2..=4 {
        for _ in 0..OPEN_PER_MEMBER_MAX {
            machine.propose(n, &[Act::Mark(1)]).unwrap();
        }
    }
    let full = Error::TooManyOpen { open: max, own: 0, max, own_max };
    assert_eq!(machine.propose(5, &[Act::Mark(1)]), Err(full), "all together have a limit too");
    machine.vote(5, 1, true).unwrap();
    machine.vote(2, 1, true).unwrap();
    machine.propose(5, &[Act::Mark(1)]).unwrap();
}

#[test]
fn decided_proposals_are_kept_for_a_while_and_open_ones_for_as_long_as_they_are() {
    let mut machine = Machine::of(&[1, 2], 2);
    machine.propose(1, &[Act::Mark(1)]).unwrap();
    for _ in 0..KEPT + 5 {
        machine.propose(2, &[Act::Mark(2)]).unwrap();
    }
    assert_eq!(machine.status(1), Status::Pending);
    assert_eq!(proposal(&machine.state, 6), Ok(None), "decided, and {KEPT} later ones were made");
    let kept = proposals(&machine.state, None, usize::MAX).unwrap().len();
    assert_eq!(u64::try_from(kept).unwrap(), KEPT + 1);
    machine.vote(2, 1, false).unwrap();
    assert_eq!(proposal(&machine.state, 1), Ok(None), "what is that old is forgotten when it is decided");
}
