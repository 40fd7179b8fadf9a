//! Votes on the height before ours.
//!
//! A member that still votes on a decided height is answered with the frame and its certificate. But the last votes of a
//! healthy height come after its decision too, from members who decide it themselves a moment later. So the first two
//! votes of a member for the decided frame are not answered; whatever else it says is a call for help.

use std::collections::BTreeMap;

use xln_primitives::{FrameHash, Height};

use crate::{ANSWERS_MAX, Content, MemberIndex};

/// The height that was decided last.
#[derive(Debug, Clone)]
pub(crate) struct Stale {
    height: Height,
    frame: Option<FrameHash>,
    heard: BTreeMap<MemberIndex, u32>,
}

impl Stale {
    /// Of a height, with the frame if it was decided here.
    pub(crate) const fn new(height: Height, frame: Option<FrameHash>) -> Self {
        Self { height, frame, heard: BTreeMap::new() }
    }

    /// Whether to answer `member`, who says `content` about `height`.
    pub(crate) fn answers(&mut self, member: MemberIndex, height: Height, content: &Content) -> bool {
        if matches!(content, Content::Decided { .. }) {
            return false;
        }
        let heard = self.heard.entry(member).or_insert(0);
        *heard = heard.saturating_add(1);
        let on_its_way = match content {
            Content::Vote(vote) => self.frame.is_some() && vote.statement.frame == self.frame,
            _ => false,
        };
        let expected = height == self.height && *heard <= 2 && on_its_way;
        !expected && *heard <= ANSWERS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ballot, Signed, Step};

    fn vote(step: Step, frame: u8) -> Content {
        let frame = Some(FrameHash::new([frame; 32]));
        let statement = Ballot { member: MemberIndex(1), step, round: 0, frame };
        Content::Vote(Signed { statement, signature: [0; 96] })
    }

    #[test]
    fn the_last_votes_of_a_healthy_height_are_not_answered_and_their_repetition_is() {
        let mut stale = Stale::new(4, Some(FrameHash::new([1; 32])));
        let member = MemberIndex(1);
        assert!(!stale.answers(member, 4, &vote(Step::Prevote, 1)));
        assert!(!stale.answers(member, 4, &vote(Step::Precommit, 1)));
        assert!(stale.answers(member, 4, &vote(Step::Precommit, 1)));
        assert!(stale.answers(MemberIndex(2), 4, &vote(Step::Precommit, 2)), "for another frame");
        assert!(stale.answers(MemberIndex(3), 3, &vote(Step::Prevote, 1)), "an older height");
        let answered = (0..100).filter(|_| stale.answers(member, 4, &vote(Step::Prevote, 1))).count();
        assert_eq!(answered, 29, "and not without end");
    }
}
