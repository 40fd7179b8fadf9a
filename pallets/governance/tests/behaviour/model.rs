//! Random proposals, votes, delegations, boards and moments, against rules that are written down a second time, as simply as
//! they can be said.

use std::collections::BTreeMap;

use pallet_governance::{Call, Status, expire, open_proposals, proposals};
use proptest::prelude::*;
use xln_primitives::{Board, Permissions, Timestamp};

use crate::mock::{Act, Machine, actions, board, signer, who};

const PEOPLE: u8 = 6;

/// Weight of each person, none for who is no member; the last bit of who may vote.
#[derive(Debug, Clone, PartialEq)]
struct Seats {
    weights: [u32; PEOPLE as usize],
    mute: [bool; PEOPLE as usize],
    threshold: u32,
}

impl Seats {
    fn board(&self) -> Board {
        let member = |n: u8| {
            let place = usize::from(n - 1);
            let mut member = signer(n, self.weights[place]);
            if self.mute[place] {
                member.permissions = Permissions::PROPOSE;
            }
            (member.weight > 0).then_some(member)
        };
        board((1..=PEOPLE).filter_map(member).collect(), self.threshold)
    }

    fn votes(&self, n: u8) -> u32 {
        let place = usize::from(n - 1);
        if self.mute[place] { 0 } else { self.weights[place] }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Propose { by: u8, board: Option<Seats>, lifetime_ms: u64 },
    Vote { by: u8, which: u64, approve: bool },
    Withdraw { by: u8, which: u64 },
    Delegate { by: u8, to: u8, for_ms: u64 },
    Rebuild(Seats),
    Wait { ms: u64 },
    Expire,
}

fn seats() -> impl Strategy<Value = Seats> {
    let weights = prop::array::uniform6(prop_oneof![Just(0_u32), 1..5_u32]);
    let mute = prop::array::uniform6(prop::bool::weighted(0.1));
    (weights, mute, 1..10_u32).prop_filter_map("a board has members and a threshold within reach", |parts| {
        let (weights, mute, threshold) = parts;
        let total: u32 = weights.iter().sum();
        (total > 0).then(|| Seats { weights, mute, threshold: threshold.min(total) })
    })
}

fn step() -> impl Strategy<Value = Step> {
    let person = 1..=PEOPLE;
    prop_oneof![
        3 => (person.clone(), prop::option::weighted(0.2, seats()), 1_000..9_000_u64)
            .prop_map(|(by, board, lifetime_ms)| Step::Propose { by, board, lifetime_ms }),
        10 => (person.clone(), 1..12_u64, prop::bool::weighted(0.6))
            .prop_map(|(by, which, approve)| Step::Vote { by, which, approve }),
        1 => (person.clone(), 1..12_u64).prop_map(|(by, which)| Step::Withdraw { by, which }),
        2 => (person.clone(), person, 0..5_000_u64)
            .prop_map(|(by, to, for_ms)| Step::Delegate { by, to, for_ms }),
        1 => seats().prop_map(Step::Rebuild),
        2 => (1..4_000_u64).prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Expire),
    ]
}

#[derive(Debug, Clone, PartialEq)]
enum Fate {
    Open,
    Executed,
    Rejected,
    Expired,
    Withdrawn,
}

#[derive(Debug, Clone)]
struct Paper {
    by: u8,
    board: Option<Seats>,
    ends: u64,
    votes: BTreeMap<u8, bool>,
    fate: Fate,
}

/// The rules, said simply.
struct Model {
    seats: Seats,
    now: u64,
    papers: Vec<Paper>,
    delegated: BTreeMap<u8, (u8, u64)>,
    executed: Vec<u8>,
}

impl Model {
    fn is_member(&self, n: u8) -> bool {
        self.seats.weights[usize::from(n - 1)] > 0
    }

    fn opinion(&self, paper: &Paper, n: u8) -> Option<bool> {
        let own = |n: u8| paper.votes.get(&n).copied().filter(|_| self.seats.votes(n) > 0);
        own(n).or_else(|| {
            let (to, until) = *self.delegated.get(&n)?;
            if until > self.now { own(to) } else { None }
        })
    }

    fn weight(&self, paper: &Paper, wanted: Option<bool>) -> u32 {
        (1..=PEOPLE).filter(|n| self.opinion(paper, *n) == wanted).map(|n| self.seats.votes(n)).sum()
    }

    /// Looks at the first open paper that is decided, again and again.
    fn settle(&mut self) {
        loop {
            let decided = self.papers.iter().enumerate().find_map(|(place, paper)| {
                if paper.fate != Fate::Open || paper.ends <= self.now {
                    return None;
                }
                let (yes, open) = (self.weight(paper, Some(true)), self.weight(paper, None));
                if yes >= self.seats.threshold {
                    Some((place, true))
                } else if yes + open < self.seats.threshold {
                    Some((place, false))
                } else {
                    None
                }
            });
            let Some((place, approved)) = decided else { return };
            self.papers[place].fate = if approved { Fate::Executed } else { Fate::Rejected };
            if approved {
                match self.papers[place].board.clone() {
                    Some(seats) => self.seats = seats,
                    None => self.executed.push(u8::try_from(place).unwrap()),
                }
            }
        }
    }

    fn open(&mut self, which: u64) -> Option<&mut Paper> {
        let now = self.now;
        let paper = self.papers.get_mut(usize::try_from(which).unwrap().checked_sub(1)?)?;
        (paper.fate == Fate::Open && paper.ends > now).then_some(paper)
    }

    /// Whether the step has an effect.
    fn take(&mut self, step: &Step) -> bool {
        match step {
            Step::Propose { by, board, lifetime_ms } => {
                let reach: u32 = (1..=PEOPLE).map(|n| self.seats.votes(n)).sum();
                let open = self.papers.iter().filter(|paper| paper.fate == Fate::Open).count();
                if !self.is_member(*by) || reach < self.seats.threshold || open >= 16 {
                    return false;
                }
                let votes = (self.seats.votes(*by) > 0).then_some((*by, true)).into_iter().collect();
                let ends = self.now + lifetime_ms;
                self.papers.push(Paper { by: *by, board: board.clone(), ends, votes, fate: Fate::Open });
            }
            Step::Vote { by, which, approve } => {
                if self.seats.votes(*by) == 0 {
                    return false;
                }
                let members: Vec<u8> = (1..=PEOPLE).filter(|n| self.is_member(*n)).collect();
                let Some(paper) = self.open(*which) else { return false };
                // Who left and comes back has to vote again if somebody voted meanwhile.
                paper.votes.retain(|voter, _| members.contains(voter));
                paper.votes.insert(*by, *approve);
            }
            Step::Withdraw { by, which } => {
                let Some(paper) = self.open(*which).filter(|paper| paper.by == *by) else { return false };
                paper.fate = Fate::Withdrawn;
                return true;
            }
            Step::Delegate { by, to, for_ms } => {
                if by == to || self.seats.votes(*by) == 0 || self.seats.votes(*to) == 0 || *for_ms == 0 {
                    return false;
                }
                self.delegated.insert(*by, (*to, self.now + for_ms));
                let gone: Vec<u8> = (1..=PEOPLE).filter(|n| !self.is_member(*n)).collect();
                self.delegated.retain(|n, _| !gone.contains(n));
            }
            Step::Rebuild(seats) => self.seats = seats.clone(),
            Step::Wait { ms } => {
                self.now += ms;
                return true;
            }
            Step::Expire => {
                let now = self.now;
                let over = |paper: &&mut Paper| paper.fate == Fate::Open && paper.ends <= now;
                let over: Vec<&mut Paper> = self.papers.iter_mut().filter(over).collect();
                let any = !over.is_empty();
                over.into_iter().for_each(|paper| paper.fate = Fate::Expired);
                return any;
            }
        }
        self.settle();
        true
    }
}

fn take(machine: &mut Machine, step: &Step, number: u8) -> bool {
    match step {
        Step::Propose { by, board, lifetime_ms } => {
            let act = match board {
                Some(seats) => Act::SetBoard(Box::new(seats.board())),
                None => Act::Mark(number),
            };
            let lifetime_ms = Some(*lifetime_ms);
            let open = open_proposals(&machine.state).unwrap().len();
            open < 16 && machine.ask(*by, Call::Propose { calls: actions(&[act]), lifetime_ms }).is_ok()
        }
        Step::Vote { by, which, approve } => machine.vote(*by, *which, *approve).is_ok(),
        Step::Withdraw { by, which } => machine.ask(*by, Call::Withdraw { proposal: *which }).is_ok(),
        Step::Delegate { by, to, for_ms } => {
            let until = machine.now.saturating_add(*for_ms);
            machine.ask(*by, Call::Delegate { to: Some(who(*to)), until }).is_ok()
        }
        Step::Rebuild(seats) => {
            machine.rebuild(seats.board());
            true
        }
        Step::Wait { ms } => {
            machine.now = machine.now.saturating_add(*ms);
            true
        }
        Step::Expire => machine.attempt(expire).is_ok(),
    }
}

fn fate(status: &Status) -> Fate {
    match status {
        Status::Pending => Fate::Open,
        Status::Executed => Fate::Executed,
        Status::Rejected => Fate::Rejected,
        Status::Expired => Fate::Expired,
        Status::Withdrawn => Fate::Withdrawn,
        Status::Failed { reason } => panic!("nothing fails here: {reason}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn boards_decide_as_the_rules_say(first in seats(), steps in prop::collection::vec(step(), 1..80)) {
        let mut machine = Machine::of(&[1], 1);
        machine.board = first.board();
        machine.now = Timestamp::from_millis(1_000);
        let mut model = Model {
            seats: first, now: 1_000, papers: Vec::new(), delegated: BTreeMap::new(), executed: Vec::new(),
        };
        for step in &steps {
            let number = u8::try_from(model.papers.len()).unwrap();
            let expected = model.take(step);
            prop_assert_eq!(take(&mut machine, step, number), expected, "{:?}", step);
            let fates: Vec<Fate> =
                proposals(&machine.state, None, usize::MAX).unwrap().iter().map(|(_, one)| fate(&one.status)).collect();
            let wanted: Vec<Fate> = model.papers.iter().map(|paper| paper.fate.clone()).collect();
            prop_assert_eq!(fates, wanted, "{:?}", step);
            prop_assert_eq!(&machine.marks, &model.executed);
            prop_assert_eq!(&machine.board, &model.seats.board());
        }
    }
}
