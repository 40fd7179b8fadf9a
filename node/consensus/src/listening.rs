//! After a restore: listen before voting.
//!
//! A store that comes from a backup is older than what its key signed since. Heights that were decided meanwhile come back
//! by catch-up with their certificates. The danger is a height still open in which this key may have voted: voting again,
//! without the log of that vote, would be a double vote.
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

use std::collections::BTreeMap;

use xln_primitives::{Height, Weight};

use crate::{Electorate, MemberIndex};

#[derive(Debug, Clone, Default)]
pub(crate) struct Listening {
    heard: BTreeMap<MemberIndex, Height>,
    /// Known once enough members were heard. What they decide after that, nobody voted on with this key meanwhile.
    votes_from: Option<Height>,
}

impl Listening {
    /// A member other than us says that it decides `height` next.
    pub(crate) fn hear(&mut self, member: MemberIndex, height: Height, electorate: &Electorate) {
        if self.votes_from.is_some() {
            return;
        }
        let known = self.heard.entry(member).or_insert(height);
        *known = height.max(*known);
        if electorate.weigh(self.heard.keys()) >= enough(electorate) {
            self.votes_from = self.heard.values().max().map(|highest| highest.saturating_add(2));
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

    #[test]
    fn it_votes_two_above_what_enough_members_say() {
        let electorate = Electorate::new(&board(&[1, 1, 1, 1], 1, Profile::Byzantine)).unwrap();
        let mut listening = Listening::default();
        assert!(!listening.may_vote(Height::MAX), "nothing heard");
        listening.hear(MemberIndex(1), 7, &electorate);
        listening.hear(MemberIndex(2), 9, &electorate);
        listening.hear(MemberIndex(2), 3, &electorate);
        assert!(!listening.may_vote(100), "two of three others");
        listening.hear(MemberIndex(3), 8, &electorate);
        listening.hear(MemberIndex(3), 50, &electorate);
        assert!(!listening.may_vote(10));
        assert!(listening.may_vote(11));
    }
}
