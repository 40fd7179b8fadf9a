//! What others voted for and we do not have.
//!
//! A proposal that is lost on the way to us is not sent again by itself. Whoever voted for its frame has it. It is asked for
//! once when a quorum prevoted or anybody precommitted, since then the height may hang on it; and, of the next voter in
//! turn, each time the clock says that this round is slow.

use std::collections::BTreeMap;

use xln_primitives::{FrameHash, Round, Weight};

use crate::{MemberIndex, Step, witness::Witness};

/// A request to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) round: Round,
    pub(crate) frame: FrameHash,
    pub(crate) from: MemberIndex,
}

/// How often each proposal was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Missing(BTreeMap<(Round, FrameHash), usize>);

impl Missing {
    /// What to ask for now. `slow`: the time of the round ran out, so ask for all that was voted for, and again.
    pub(crate) fn wanted(
        &mut self,
        witness: &Witness,
        has_body: impl Fn(FrameHash) -> bool,
        own: MemberIndex,
        quorum: Weight,
        slow: bool,
    ) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for (round, frame, step, tally) in witness.tallies() {
            if witness.was_offered(round, frame) && has_body(frame) {
                continue;
            }
            let pressing = step == Step::Precommit || tally.weight >= quorum;
            let attempts = self.0.get(&(round, frame)).copied().unwrap_or(0);
            if !(slow || (pressing && attempts == 0))
                || wanted.iter().any(|w| (w.round, w.frame) == (round, frame))
            {
                continue;
            }
            let others: Vec<_> = tally.members.iter().copied().filter(|member| *member != own).collect();
            let Some(position) = attempts.checked_rem(others.len()) else { continue };
            if let Some(from) = others.get(position) {
                self.0.insert((round, frame), attempts.saturating_add(1));
                wanted.push(Wanted { round, frame, from: *from });
            }
        }
        wanted
    }

    /// What came was not it: ask again at once.
    pub(crate) fn again(&mut self, frame: FrameHash) {
        self.0.retain(|(_, wanted), _| *wanted != frame);
    }

    /// Forgets rounds before `round`.
    pub(crate) fn prune(&mut self, round: Round) {
        self.0.retain(|(of, _), _| *of >= round);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ballot, Electorate, Signed, Subject, electorate::tests::board};
    use xln_primitives::{EntityId, Hash, Network, Profile};

    #[test]
    fn a_frame_with_a_quorum_is_asked_for_once_and_then_of_the_next_when_it_is_slow() {
        let electorate = Electorate::new(&board(&[1; 4], 1, Profile::Byzantine)).unwrap();
        let subject =
            Subject { network: Network::ZERO, entity: EntityId::ZERO, board: Hash::ZERO, height: 1 };
        let frame = FrameHash::new([1; 32]);
        let mut witness = Witness::new(subject);
        let mut missing = Missing::default();
        let mut ask = |witness: &Witness, slow| -> Vec<u16> {
            let wanted = missing.wanted(witness, |_| false, MemberIndex(0), 3, slow);
            wanted.iter().map(|wanted| wanted.from.0).collect()
        };
        for member in 0..4 {
            assert!(ask(&witness, false).is_empty() || member == 3);
            let statement =
                Ballot { member: MemberIndex(member), step: Step::Prevote, round: 0, frame: Some(frame) };
            witness.ballot(&Signed { statement, signature: [0; 96] }, &electorate);
        }
        assert!(ask(&witness, false).is_empty(), "asked already");
        assert_eq!([ask(&witness, true), ask(&witness, true), ask(&witness, true)], [[2], [3], [1]]);
    }
}
