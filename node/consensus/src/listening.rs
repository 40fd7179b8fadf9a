//! A key that may have voted on what this store does not know: listen before voting.
//!
//! A store that comes from a backup, or was made anew, is older than what its key signed since. Heights that were decided
//! meanwhile come back by catch-up with their certificates. The danger is a height still open in which this key may have
//! voted: voting again, without the log of that vote, would be a double vote.
//!
//! ```text
//!   backup ──── decided since ──── h ─── h+1 ────── h+2 ...
//!                                  │      │          └─ first height to vote in
//!                                  │      └─ the highest in which we may have voted
//!                                  └─ the highest that a member says it decides next
//! ```
//!
//! We vote in height v only after v−1 was decided by a quorum, each of whom precommitted at v−1 and so decides v−1 or
//! later next. If the members heard from share an honest one with every quorum, the highest height heard is at least v−1.
//! So we vote again from two above it. A member that lies about its height can keep us silent; it cannot make us vote twice.
//!
//! Who knows up to which height the key voted ([`VoteHistory::UpTo`]) need not hear anybody: it votes above that.
//!
//! **The first start of a network** looks like a lost disk to everybody at once, and if all listened, nobody would ever vote.
//! A key of which nobody knows anything ([`VoteHistory::Unknown`]) may therefore begin at the first height as soon as every
//! other voter says that it decides the first height next. Had this key voted before, then at that height, and no certificate
//! of it is known to anybody who votes; the votes of one member twice are what every quorum tolerates, and what its evidence
//! would show. That is the price, paid once, by whoever moves a key to another machine before its network has decided anything.

use std::collections::BTreeMap;

use xln_primitives::{Height, Weight};

use crate::{Electorate, MemberIndex, VoteHistory};

/// The height that comes first.
const FIRST: Height = 1;

#[derive(Debug, Clone)]
pub(crate) struct Listening {
    heard: BTreeMap<MemberIndex, Height>,
    /// Known once enough members were heard. What they decide after that, nobody voted on with this key meanwhile.
    votes_from: Option<Height>,
    /// Whether it may begin with a network that has decided nothing.
    may_begin: bool,
}

impl Listening {
    /// With a history that is not whole.
    pub(crate) fn new(history: VoteHistory) -> Self {
        let votes_from = match history {
            VoteHistory::Whole => Some(FIRST),
            VoteHistory::UpTo(height) => Some(height.saturating_add(1)),
            VoteHistory::Restored | VoteHistory::Unknown => None,
        };
        Self { heard: BTreeMap::new(), votes_from, may_begin: history == VoteHistory::Unknown }
    }

    /// A member other than us, `own`, says that it decides `height` next.
    pub(crate) fn hear(
        &mut self,
        member: MemberIndex,
        height: Height,
        own: MemberIndex,
        electorate: &Electorate,
    ) {
        if self.votes_from.is_some() {
            return;
        }
        let known = self.heard.entry(member).or_insert(height);
        *known = height.max(*known);
        let highest = self.heard.values().max().copied().unwrap_or(FIRST);
        if self.may_begin && highest <= FIRST {
            // Nobody has decided anything, as far as we heard: wait for all.
            let mut others = electorate.voters().filter(|(voter, ..)| *voter != own);
            if others.all(|(voter, ..)| self.heard.contains_key(&voter)) {
                self.votes_from = Some(FIRST);
            }
        } else if electorate.weigh(self.heard.keys()) >= enough(electorate) {
            self.votes_from = Some(highest.saturating_add(2));
        }
    }

    /// Whether voting at `height` is safe.
    pub(crate) fn may_vote(&self, height: Height) -> bool {
        self.votes_from.is_some_and(|from| height >= from)
    }
}

/// Weight that shares an honest member with every quorum.
fn enough(electorate: &Electorate) -> Weight {
    electorate.total().saturating_sub(electorate.quorum()).saturating_add(electorate.honest())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::electorate::tests::board;
    use xln_primitives::Profile;

    const OWN: MemberIndex = MemberIndex(0);

    fn four() -> Electorate {
        Electorate::new(&board(&[1, 1, 1, 1], 1, Profile::Byzantine)).unwrap()
    }

    #[test]
    fn it_votes_two_above_what_enough_members_say() {
        let electorate = four();
        let mut listening = Listening::new(VoteHistory::Restored);
        assert!(!listening.may_vote(Height::MAX), "nothing heard");
        listening.hear(MemberIndex(1), 7, OWN, &electorate);
        listening.hear(MemberIndex(2), 9, OWN, &electorate);
        listening.hear(MemberIndex(2), 3, OWN, &electorate);
        assert!(!listening.may_vote(100), "two of three others");
        listening.hear(MemberIndex(3), 8, OWN, &electorate);
        listening.hear(MemberIndex(3), 50, OWN, &electorate);
        assert!(!listening.may_vote(10));
        assert!(listening.may_vote(11));
    }

    #[test]
    fn who_knows_where_it_voted_hears_nobody() {
        let listening = Listening::new(VoteHistory::UpTo(6));
        assert!(!listening.may_vote(6));
        assert!(listening.may_vote(7));
    }

    #[test]
    fn a_key_of_which_nobody_knows_anything_begins_when_all_say_that_nothing_is_decided() {
        let seven = Electorate::new(&board(&[1; 7], 1, Profile::Byzantine)).unwrap();
        let mut listening = Listening::new(VoteHistory::Unknown);
        for member in 1..6 {
            listening.hear(MemberIndex(member), 1, OWN, &seven);
            assert!(!listening.may_vote(1), "{member} of six others");
        }
        listening.hear(MemberIndex(6), 1, OWN, &seven);
        assert!(listening.may_vote(1));

        // One has decided: then enough of them tell from where on.
        let mut listening = Listening::new(VoteHistory::Unknown);
        for (member, height) in [(1, 1), (2, 1), (3, 2), (4, 1)] {
            listening.hear(MemberIndex(member), height, OWN, &seven);
            assert!(!listening.may_vote(9));
        }
        listening.hear(MemberIndex(5), 1, OWN, &seven);
        assert!(!listening.may_vote(3));
        assert!(listening.may_vote(4));

        // A restored store may not begin, whatever others say.
        let mut listening = Listening::new(VoteHistory::Restored);
        for member in 1..7 {
            listening.hear(MemberIndex(member), 1, OWN, &seven);
        }
        assert!(!listening.may_vote(2));
        assert!(listening.may_vote(3));
    }
}
