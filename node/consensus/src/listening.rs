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
}

impl Listening {
    /// A member other than us says that it decides `height` next.
    pub(crate) fn hear(&mut self, member: MemberIndex, height: Height) {
        let known = self.heard.entry(member).or_insert(height);
        *known = height.max(*known);
    }

    /// Whether voting at `height` is safe.
    pub(crate) fn may_vote(&self, height: Height, electorate: &Electorate) -> bool {
        let highest = self.heard.values().max().copied().unwrap_or(Height::MAX);
        electorate.weigh(self.heard.keys()) >= enough(electorate) && height >= highest.saturating_add(2)
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
        assert!(!listening.may_vote(Height::MAX - 1, &electorate), "nothing heard");
        listening.hear(MemberIndex(1), 7);
        listening.hear(MemberIndex(2), 9);
        listening.hear(MemberIndex(2), 3);
        assert!(!listening.may_vote(100, &electorate), "two of three others");
        listening.hear(MemberIndex(3), 8);
        assert!(!listening.may_vote(10, &electorate));
        assert!(listening.may_vote(11, &electorate));
    }
}
