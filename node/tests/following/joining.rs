//! Following over changes of the board.

use codec::Encode;
use pallet_entities::{BoardChange, Call as Entities};
use pallet_governance::Call as Governance;
use xln_integration::Actor;
use xln_keystore::{Scheme, dev_secret};
use xln_node::consortium::Input;
use xln_primitives::{Member, MemberId, Permissions, Timestamp, crypto::bls};
use xln_runtime::{RuntimeCall, SliceInputs, authenticate_calls};

use crate::{
    SECONDS,
    net::{Net, is_chunk, is_frames},
    network,
};

/// A validator that no chain spec names.
fn newcomer() -> Member {
    let secret = dev_secret("validator-5", Scheme::Bls).unwrap();
    let xln_primitives::SecretKey::Bls(scalar) = &secret else { unreachable!("it is a BLS key") };
    let possession = Some(bls::prove_possession(scalar).unwrap());
    let id = MemberId::Signer { key: secret.public().unwrap(), possession };
    Member { id, weight: 1, permissions: Permissions::ALL }
}

impl Net {
    /// Three validators decide to change the depositary's board, as its proposal number `number`.
    fn change(&mut self, number: u64, change: BoardChange) {
        let change = RuntimeCall::from(Entities::ChangeBoard(change)).encode();
        let calls = vec![change.try_into().unwrap()].try_into().unwrap();
        let propose = Governance::Propose { calls, lifetime_ms: None };
        let vote = Governance::Vote { proposal: number, approve: true };
        let network = self.genesis.network;
        let asked =
            [propose, vote.clone(), vote].into_iter().zip(&self.secrets[..3]).map(|(call, secret)| {
                let actor = Actor::member("", self.board.clone(), secret.clone());
                let nonce = self.nonce(&actor.signer().unwrap());
                actor.sign(network, self.depositary, nonce, vec![call.into()]).unwrap()
            });
        let calls = authenticate_calls(asked.collect(), network, Timestamp::from_millis(1), [1; 32]);
        let calls = calls.into_iter().map(Result::unwrap).collect();
        self.decide_on(SliceInputs { calls, ..SliceInputs::default() });
    }
}

/// A network whose board of four became one of five and one of four others, with frames before, between and after.
fn changed(between: usize) -> (tempfile::TempDir, Net) {
    let (folder, mut net) = network();
    net.secrets.push(dev_secret("validator-5", Scheme::Bls).unwrap());
    net.decide(5);
    net.change(1, BoardChange::Add(newcomer()));
    assert_eq!(net.board.members.len(), 5);
    net.decide(between);
    let first = net.board.members[0].principal();
    net.change(2, BoardChange::Remove(first));
    assert_eq!((net.board.members.len(), net.board.members[3].clone()), (4, newcomer()));
    net.decide(5);
    (folder, net)
}

#[test]
fn who_was_away_follows_the_frames_over_changes_of_the_board() {
    let (_folder, mut net) = changed(10);
    let all = net.history.len();
    let there = net.start(0, all, 0);
    let late = net.start(1, 2, 0);
    net.run(SECONDS(3));
    assert!(net.is_there(late), "it stands at {}", net.height(late));
    assert!(net.asked(late, there, is_frames) >= 3, "one question for each board");
}

#[test]
fn a_state_behind_changes_of_the_board_comes_with_the_proofs_of_the_changes() {
    let (_folder, mut net) = changed(80);
    let all = net.history.len();
    let there = net.start(0, all, 0);
    let late = net.start(1, 2, 0);
    net.run(SECONDS(1));
    assert!(net.is_there(late), "it stands at {}", net.height(late));
    assert_eq!(net.asked(late, there, is_frames), 0);
    assert_eq!(net.peers[late].machine.environment().handovers.len(), 2);

    // It has no frame of the past, and passes on what it learned.
    let third = net.start(2, 0, 0);
    let gone = net.peers[there].id;
    net.peers[third].machine.take(Input::Disconnected(gone)).unwrap();
    net.run(SECONDS(2));
    assert!(net.is_there(third), "it stands at {}", net.height(third));
    assert!(net.asked(third, late, is_chunk) > 0);
}

#[test]
fn who_gives_a_state_without_the_proofs_of_a_change_is_left_for_one_that_has_them_or_for_the_frames() {
    for another in [true, false] {
        let (_folder, mut net) = changed(80);
        let all = net.history.len();
        let forgetful = net.start(0, all, 0);
        net.peers[forgetful].machine.environment().handovers.remove(1);
        let other = net.start(1, all, 0);
        if !another {
            net.peers[other].machine.environment().handovers.clear();
        }
        let late = net.start(2, 2, 0);
        net.run(SECONDS(5));
        assert!(net.is_there(late), "it stands at {}", net.height(late));
        let chunks = net.asked(late, other, is_chunk);
        let frames = net.asked(late, forgetful, is_frames) + net.asked(late, other, is_frames);
        assert_eq!((chunks > 0, frames > 0), (another, !another));
        assert!(net.peers[late].shared.status().refused_states.is_empty(), "nobody lied");
    }
}

#[test]
fn who_begins_between_two_changes_knows_the_board_of_now_from_its_state() {
    let (_folder, mut net) = changed(10);
    let all = net.history.len();
    net.start(0, all, 0);
    // After the first change: it knows of the newcomer by its state alone.
    let late = net.start(1, 8, 0);
    net.run(SECONDS(3));
    assert!(net.is_there(late), "it stands at {}", net.height(late));
}
