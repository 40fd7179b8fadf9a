//! One entity in memory, with calls that do what a test wants.

use codec::{Decode, Encode};
use pallet_governance::{
    Actions, Call, CallFacts, Config, EncodedCall, Error, Event, MemberLetter, Policy, Preset, Proposal,
    ProposalId, Spend, Status, dispatch, proposal, settle, try_state,
};
use xln_primitives::{
    Amount, AssetId, Board, BoundedVec, Corrupt, EntityId, Environment, Hash, Member, MemberId, Network,
    Origin, Permissions, Principal, Profile, PublicKey, SignerId, Storage, Timestamp, Weight,
    storage::MemoryStorage,
};

pub(crate) const GOLD: AssetId = AssetId::new([0x01; 32]);

/// A call of the mock.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub(crate) enum Act {
    /// Leaves a mark.
    Mark(u8),
    /// Leaves a mark and fails.
    Fail(u8),
    /// Replaces the board.
    SetBoard(Box<Board>),
    /// A call of the pallet itself.
    Own(Box<Call>),
    /// Something that costs.
    Pay(u128),
    /// Deals with somebody.
    DealWith(EntityId),
}

impl Act {
    /// Marks have the code that is their number.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Mark(code) | Self::Fail(code) => *code,
            Self::SetBoard(_) => 0x03,
            Self::Own(call) => call.encode()[0],
            Self::Pay(_) => 0x20,
            Self::DealWith(_) => 0x11,
        }
    }
}

/// These acts as a proposal has them.
pub(crate) fn actions(acts: &[Act]) -> Actions {
    let encoded = |act: &Act| EncodedCall::try_from(act.encode()).unwrap();
    acts.iter().map(encoded).collect::<Vec<_>>().try_into().unwrap()
}

#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) state: MemoryStorage,
    pub(crate) board: Board,
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<Event>,
    pub(crate) marks: Vec<u8>,
    pub(crate) sent: Vec<(EntityId, MemberLetter)>,
}

impl Machine {
    /// Whose members have these weights and may do everything.
    pub(crate) fn of(weights: &[Weight], threshold: Weight) -> Self {
        let members = (1_u8..).zip(weights).map(|(n, weight)| signer(n, *weight)).collect();
        Self::with(members, threshold)
    }

    pub(crate) fn with(members: Vec<Member>, threshold: Weight) -> Self {
        Self {
            state: MemoryStorage::default(),
            board: board(members, threshold),
            now: Timestamp::from_millis(1_000),
            events: Vec::new(),
            marks: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// What member `n` asks, all or nothing, as the runtime does it.
    pub(crate) fn ask(&mut self, n: u8, call: Call) -> Result<(), Error> {
        self.attempt(|machine| dispatch(machine, Origin::Signer(id(n)), call))
    }

    pub(crate) fn attempt<E>(&mut self, run: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let before = self.clone();
        let result = run(self);
        if result.is_err() {
            *self = before;
        }
        try_state(&self.state).unwrap();
        result
    }

    pub(crate) fn propose(&mut self, n: u8, acts: &[Act]) -> Result<(), Error> {
        self.ask(n, Call::Propose { calls: actions(acts), lifetime_ms: None })
    }

    pub(crate) fn vote(&mut self, n: u8, proposal: ProposalId, approve: bool) -> Result<(), Error> {
        self.ask(n, Call::Vote { proposal, approve })
    }

    pub(crate) fn proposal(&self, id: ProposalId) -> Proposal {
        proposal(&self.state, id).unwrap().unwrap()
    }

    pub(crate) fn status(&self, id: ProposalId) -> Status {
        self.proposal(id).status
    }

    /// The board changes by another way than a proposal of this pallet.
    pub(crate) fn rebuild(&mut self, board: Board) {
        self.board = board;
        self.attempt(settle).unwrap();
    }
}

impl Storage for Machine {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.state.get(key)
    }
    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.state.put(key, value);
    }
    fn remove(&mut self, key: &[u8]) {
        self.state.remove(key);
    }
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.state.scan(prefix, after, limit)
    }
}

impl Environment for Machine {
    fn network(&self) -> Network {
        Network::new([9; 32])
    }
    fn entity(&self) -> EntityId {
        EntityId::registered(1)
    }
    fn now(&self) -> Timestamp {
        self.now
    }
    fn secret(&self, _purpose: &[u8]) -> Hash {
        Hash::ZERO
    }
}

impl Config for Machine {
    fn deposit_event(&mut self, event: Event) {
        self.events.push(event);
    }
    fn board(&self) -> Result<Board, Corrupt> {
        Ok(self.board.clone())
    }
    fn default_policy(&self, board: &Board) -> Policy {
        Preset::of(board).policy()
    }
    fn facts(&self, call: &[u8]) -> Option<CallFacts> {
        let act = Act::decode(&mut &*call).ok()?;
        let facts = CallFacts::new(act.code());
        Some(match act {
            Act::Pay(amount) => {
                CallFacts { spends: vec![Spend { asset: GOLD, amount: Amount::new(amount) }], ..facts }
            }
            Act::DealWith(entity) => CallFacts { parties: vec![entity], ..facts },
            Act::Own(call) => CallFacts {
                by_board: !matches!(
                    *call,
                    Call::Propose { .. } | Call::Vote { .. } | Call::Withdraw { .. } | Call::Delegate { .. }
                ),
                ..facts
            },
            Act::SetBoard(_) => CallFacts { proposable_with: Some(Permissions::ADD_VALIDATOR), ..facts },
            Act::Mark(_) | Act::Fail(_) => facts,
        })
    }
    fn execute(&mut self, calls: &[EncodedCall]) -> Result<(), String> {
        let before = self.clone();
        for call in calls {
            let done = match Act::decode(&mut call.as_slice()).unwrap() {
                Act::Mark(mark) => {
                    self.marks.push(mark);
                    Ok(())
                }
                Act::Fail(mark) => {
                    self.marks.push(mark);
                    Err(format!("mark {mark} fails"))
                }
                Act::SetBoard(board) => {
                    self.board = *board;
                    Ok(())
                }
                Act::Own(call) => dispatch(self, Origin::Board, *call).map_err(|error| error.to_string()),
                Act::Pay(_) | Act::DealWith(_) => Ok(()),
            };
            if let Err(reason) = done {
                *self = before;
                return Err(reason);
            }
        }
        Ok(())
    }
    fn send(&mut self, to: EntityId, letter: MemberLetter) {
        self.sent.push((to, letter));
    }
}

pub(crate) fn key(n: u8) -> PublicKey {
    PublicKey::Ed25519([n; 32])
}

pub(crate) fn id(n: u8) -> SignerId {
    key(n).signer_id()
}

pub(crate) fn who(n: u8) -> Principal {
    Principal::Signer(id(n))
}

pub(crate) fn signer(n: u8, weight: Weight) -> Member {
    Member { id: MemberId::Signer { key: key(n), possession: None }, weight, permissions: Permissions::ALL }
}

pub(crate) fn board(members: Vec<Member>, threshold: Weight) -> Board {
    Board { members: BoundedVec::truncate_from(members), threshold, profile: Profile::CrashFault }
}
