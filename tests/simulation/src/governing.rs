//! The consortium's own board changes while everybody pays: a server that followed takes a seat, validators leave and come back.
//!
//! One of the validators, who always stays, puts one change after the other before the board; its threshold is one, so it decides
//! alone and at once, and what is tried is the change itself, under faults. The server behind the validators, on which a hub
//! lives, has a voting key that no chain spec names.

use codec::Encode;
use pallet_entities::{BoardChange, Call as Entities};
use pallet_governance::Call as Governance;
use xln_integration::Random;
use xln_primitives::{Board, Height, Member, Principal};
use xln_runtime::{Executed, RuntimeCall, Server};

use crate::{
    cast::{Cast, User, validator},
    simulation::Simulation,
};

/// The next change that the operator asks for.
pub(crate) fn govern(cast: &Cast, user: &User, server: &Server, random: &mut Random) -> RuntimeCall {
    let board = server.depositary().map_or(&cast.board, |depositary| depositary.board());
    let change = RuntimeCall::from(Entities::ChangeBoard(next(cast, board, user, random))).encode();
    let calls = vec![change.try_into().unwrap()].try_into().unwrap();
    Governance::Propose { calls, lifetime_ms: None }.into()
}

fn next(cast: &Cast, board: &Board, user: &User, random: &mut Random) -> BoardChange {
    let newcomer = validator(cast.validators);
    let is_on = |member: &Member| board.members.contains(member);
    if !is_on(&newcomer) && random.chance(10) {
        // Nobody who is there would stay: refused. One who is there could stay alone, and the operator would be out.
        return BoardChange::SetBoard(Board { members: vec![newcomer].try_into().unwrap(), ..board.clone() });
    }
    if !is_on(&newcomer) {
        return BoardChange::Add(newcomer);
    }
    if let Some(away) = cast.board.members.iter().find(|member| !is_on(member)) {
        return BoardChange::Add(away.clone());
    }
    // A liar is known by its place, which it keeps if only those behind it come and go.
    let others: Vec<&Member> = cast
        .board
        .members
        .iter()
        .filter(|member| member.principal() != Principal::Signer(user.signer()))
        .collect();
    let leaves = random.pick(&others).filter(|_| !cast.lies && random.chance(50));
    BoardChange::Remove(leaves.map_or(&newcomer, |member| *member).principal())
}

impl Simulation {
    /// The judge is told which board decides what comes after a frame.
    pub(crate) fn note_boards(&mut self, server: usize, executed: &Executed) {
        let id = self.cast.genesis.depositary;
        let frames = executed.slice.frames.iter().map(|frame| &frame.header);
        let adopted = executed.slice.adopted.iter().map(|adopted| &adopted.header);
        let heights: Vec<Height> =
            frames.chain(adopted).filter(|header| header.entity == id).map(|header| header.height).collect();
        let Some(depositary) = self.nodes[server].state().and_then(|state| state.depositary()) else {
            return;
        };
        for height in heights {
            let at = |height| pallet_entities::board_at(&depositary.state(), height).unwrap().unwrap();
            let (before, board) = (at(height), at(height + 1));
            if before != board {
                self.changed.insert(height + 1);
            }
            self.agreement.board(id, height + 1, board);
        }
    }
}
