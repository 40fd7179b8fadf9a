//! The tests of the tests: each safeguard is taken away in turn, and the oracle must notice.
//!
//! A mutation is either a driver that breaks its contract (no log, one key in two places) or an engine that breaks its own
//! (a quorum less one, no lock), put in place of the real one through [`Engine`]. Blinding is taken away beside its code,
//! in `verify.rs` and in the primitives' `bls.rs`.

use xln_consensus::{
    Ballot, Content, Engine, EngineError, Entry, Input, Malachite, MemberIndex, Output, RoundCertificate,
    RoundProof, Setup, Sign, Signed, Step, Timer, Verified, VoteHistory,
};
use xln_primitives::{Profile, Round};

use crate::net::{CALM, Happening, Net, Options, board, secret};

/// Decides with a quorum less one.
struct WeakQuorum(Malachite);

impl Engine for WeakQuorum {
    fn new(setup: &Setup) -> Self {
        Self(Malachite::new(&Setup { quorum: setup.quorum - 1, ..setup.clone() }))
    }

    fn start(&mut self, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        self.0.start(sign)
    }

    fn step(&mut self, input: Input, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        self.0.step(input, sign)
    }

    fn begin_replay(&mut self, entries: &[Entry]) {
        self.0.begin_replay(entries);
    }

    fn end_replay(&mut self) {
        self.0.end_replay();
    }

    fn round(&self) -> Round {
        self.0.round()
    }
}

/// Forgets its lock whenever a round begins: an engine that never was in an earlier round.
struct NoLock {
    engine: Malachite,
    setup: Setup,
}

impl NoLock {
    /// A new engine that is led to `round` by others' precommits for nothing.
    fn forget(&mut self, round: Round, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        let before = round - 1;
        let votes = (0..self.setup.electorate.size())
            .map(|index| MemberIndex(u16::try_from(index).unwrap()))
            .filter(|member| *member != self.setup.own)
            .map(|member| Signed {
                statement: Ballot { member, step: Step::Precommit, round: before, frame: None },
                signature: [0; 96],
            })
            .collect();
        self.engine = Malachite::new(&self.setup);
        let mut outputs = self.engine.start(sign)?;
        let certificate = RoundCertificate { round: before, proof: RoundProof::Precommits, votes };
        outputs.extend(self.engine.step(Input::RoundCertificate(Verified::vouched(certificate)), sign)?);
        outputs.extend(self.engine.step(Input::Elapsed(Timer::Precommit, before), sign)?);
        let entered =
            outputs.iter().rposition(|output| *output == Output::Round(round)).expect("it was led there");
        Ok(outputs.split_off(entered))
    }
}

impl Engine for NoLock {
    fn new(setup: &Setup) -> Self {
        Self { engine: Malachite::new(setup), setup: setup.clone() }
    }

    fn start(&mut self, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        self.engine.start(sign)
    }

    fn step(&mut self, input: Input, sign: &dyn Sign) -> Result<Vec<Output>, EngineError> {
        let mut outputs = self.engine.step(input, sign)?;
        if let Some(at) =
            outputs.iter().rposition(|output| matches!(output, Output::Round(round) if *round > 0))
        {
            outputs.truncate(at);
            outputs.extend(self.forget(self.engine.round(), sign)?);
        }
        Ok(outputs)
    }

    fn begin_replay(&mut self, entries: &[Entry]) {
        self.engine.begin_replay(entries);
    }

    fn end_replay(&mut self) {
        self.engine.end_replay();
    }

    fn round(&self) -> Round {
        self.engine.round()
    }
}

fn net<E: Engine>(seed: u64, options: Options) -> Net<E> {
    let mut net = Net::new(seed, board(&[1; 4], Profile::Byzantine), options);
    net.run(10);
    net
}

#[test]
fn a_quorum_less_one_is_caught() {
    let mut net: Net<WeakQuorum> = net(1, CALM);
    net.work_until(3);
    net.run(5_000);
    // The certificate is checked against the board, not against what the engine counted.
    assert!(net.servers.iter().any(|server| server.halted.is_some()));
    assert!(!net.run_until(3, 20_000));
}

/// All members crash while a height is open and come back.
fn crash_everybody(seed: u64, forgets_log: bool) -> Vec<String> {
    let mut net: Net<Malachite> = net(seed, Options { forgets_log, ..CALM });
    net.work_until(3);
    for round in 0..6 {
        for server in 0..4 {
            net.at(round * 40 + 9, Happening::Crash { server });
            net.at(round * 40 + 12, Happening::Restart { server });
        }
    }
    for _ in 0..10 {
        net.run(40);
        net.work();
    }
    net.oracle.violations
}

#[test]
fn no_log_is_caught() {
    assert!(
        (0..5).any(|seed| crash_everybody(seed, true).iter().any(|violation| violation.starts_with("S3")))
    );
    for seed in 0..5 {
        assert_eq!(crash_everybody(seed, false), Vec::<String>::new());
    }
}

/// Member 3 decides in round 0 alone and falls silent; 0 and 1 are locked; 2 saw no proposal.
fn a_decision_that_only_one_saw<E: Engine>() -> Vec<String> {
    let mut net: Net<E> = net(1, CALM);
    // A height whose round 0 belongs to neither the silent nor the blind member.
    let electorate = xln_consensus::Electorate::new(&net.board).unwrap();
    let height = (2..100).find(|height| electorate.proposer(*height, 0).0 < 2).unwrap();
    let calm = usize::try_from(height).unwrap() - 1;
    net.work_until(calm);
    assert!(net.run_until(calm, 20_000));
    net.run(5_000);
    net.filter = Box::new(move |from, to, message| {
        if message.height != height {
            return from != 3;
        }
        match &message.content {
            Content::Proposal { offer, .. } => offer.statement.round > 0 || to != 2,
            Content::Vote(vote) => {
                from != 3 || (vote.statement.step == Step::Prevote && vote.statement.round == 0)
            }
            _ => from != 3,
        }
    });
    net.work_until(calm + 1);
    net.run(500);
    let decided: Vec<_> = net.servers.iter().map(|server| server.frames.len() == calm + 1).collect();
    assert_eq!(decided, [false, false, false, true]);
    net.at(0, Happening::Crash { server: 3 });
    net.run(20_000);
    assert_eq!(net.servers[0].frames.len(), calm + 1, "the other three decide");
    assert_eq!(net.servers[3].frames.len(), calm + 1, "member 3 did before");
    net.oracle.violations
}

#[test]
fn no_lock_is_caught() {
    assert_eq!(a_decision_that_only_one_saw::<Malachite>(), Vec::<String>::new());
    let violations = a_decision_that_only_one_saw::<NoLock>();
    assert!(violations.iter().any(|violation| violation.starts_with("S1")), "{violations:?}");
}

/// A member loses its disk while a height is open, at every moment of it, and comes back.
fn wipe_one(history: VoteHistory) -> Vec<String> {
    let mut violations = Vec::new();
    for moment_ms in (0..30).step_by(2) {
        let mut net: Net<Malachite> = net(moment_ms, CALM);
        let server = usize::try_from(moment_ms / 2 % 4).unwrap();
        net.work_until(4);
        net.at(moment_ms, Happening::Crash { server });
        net.run(moment_ms + 1);
        net.servers[server].wipe();
        net.servers[server].history = history;
        net.at(0, Happening::Restart { server });
        net.run(2);
        net.digest();
        net.work();
        for _ in 0..20 {
            net.run(500);
            net.digest();
        }
        violations.append(&mut net.oracle.violations);
    }
    violations
}

#[test]
fn a_wiped_member_that_does_not_listen_is_caught() {
    let violations = wipe_one(VoteHistory::Whole);
    assert!(violations.iter().any(|violation| violation.starts_with("S3")), "{violations:?}");
    assert_eq!(wipe_one(VoteHistory::Restored), Vec::<String>::new());
}

#[test]
fn one_key_in_two_processes_is_caught() {
    let mut net: Net<Malachite> = net(2, CALM);
    net.servers[3].crash();
    net.servers[3].steal(secret(2));
    net.at(0, Happening::Restart { server: 3 });
    net.work_until(20);
    net.options.loss_percent = 20;
    net.run(20_000);
    assert!(net.oracle.violations.iter().any(|violation| violation.starts_with("S3")));
}
