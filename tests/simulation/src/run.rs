//! One seed: faults, then none, then everything must be where it belongs.

use std::time::Duration;

use xln_oracles::{Whole, copies_agree};
use xln_primitives::crypto::bls;
use xln_runtime::{Entity, Server, invariants};

use crate::{options::Options, simulation::Simulation};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was violated, in words; empty if nothing was.
    pub violations: Vec<String>,
    /// Frames that the board of the depositary decided.
    pub frames: u64,
    /// Calls that were included.
    pub calls: usize,
    /// Messages between servers.
    pub messages: u64,
    /// Pieces of evidence that servers found.
    pub evidence: u64,
    /// Payments over hubs that reached their receiver.
    pub payments: u64,
    /// Proposals that boards decided, one way or the other.
    pub proposals: usize,
    /// How often the depositary's board changed.
    pub changes: usize,
    /// States that servers took over instead of frames.
    pub states: u64,
    /// Of those, states that another board certified than the one that was known.
    pub successions: u64,
    /// The state roots of all servers at the end.
    pub roots: Vec<xln_primitives::Hash>,
}

/// Plays a seed. The servers share the memory of signatures that held: what one has proven, another reads.
#[must_use]
pub fn run(seed: u64, options: Options) -> Outcome {
    bls::remember();
    let mut simulation = Simulation::new(seed, options);
    let faulty = Duration::from_millis(simulation.options.faulty_ms);
    simulation.run_until(faulty);
    if simulation.violations.is_empty() && simulation.agreement.violations.is_empty() {
        simulation.calm();
        liveness(&mut simulation);
    }
    conclude(simulation)
}

/// L1: what users ask for after the faults is done, and everything that was begun before ends.
fn liveness(simulation: &mut Simulation) {
    let before: Vec<u64> = simulation.errands.iter().map(|errand| errand.done).collect();
    let limit = simulation.now + Duration::from_millis(simulation.options.settled_ms);
    let more = |simulation: &Simulation| {
        simulation.errands.iter().zip(&before).all(|(errand, before)| errand.done >= before + 2)
    };
    while !more(simulation) && simulation.now < limit {
        simulation.run_until(simulation.now + Duration::from_millis(200));
    }
    simulation.busy = false;
    let mut reason = String::from("calls wait");
    let mut step = Duration::from_millis(200);
    while simulation.now < limit {
        simulation.run_until(simulation.now + step);
        if simulation.is_quiet() {
            match settled(simulation) {
                Ok(()) => return,
                Err(error) => reason = error,
            }
            // What waits for a deadline waits long.
            step = (step * 2).min(Duration::from_secs(10));
        }
    }
    simulation.violations.push(format!("L1: {reason}"));
}

/// Whether nothing is under way and everything is where it belongs.
fn settled(simulation: &mut Simulation) -> Result<(), String> {
    let states = simulation.whole().ok_or("a server is down")?;
    let whole = Whole::new(&states);
    copies_agree(&whole)?;
    for state in &states {
        invariants::check_settled(state).map_err(|violation| violation.to_string())?;
    }
    simulation.books.compare(&whole)?;
    simulation.promises.kept(&whole, |_, _| true)
}

fn conclude(mut simulation: Simulation) -> Outcome {
    simulation.agreement.judge_evidence();
    let mut violations = core::mem::take(&mut simulation.violations);
    violations.append(&mut simulation.agreement.violations);
    for node in &simulation.nodes {
        let Some(running) = &node.running else { continue };
        for board in running.shared.status().boards {
            if let Some(reason) = board.halted {
                violations.push(format!("server {} halted {}: {reason}", node.index, board.entity));
            }
        }
    }
    let mut roots = Vec::new();
    for node in &mut simulation.nodes {
        let genesis = node.genesis.clone();
        let (Some(state), Some(disk)) = (node.state().cloned(), node.disk()) else { continue };
        let again: Server = disk.replay(genesis);
        if again.state_root() != state.state_root() {
            violations.push(format!("B1: the log of server {} leads elsewhere", node.index));
        }
        roots.push(state.state_root());
    }
    let proposals = simulation.nodes.iter_mut().find_map(|node| Some(decided(node.state()?))).unwrap_or(0);
    let payments = simulation.books.tally.get("payments that succeeded").copied().unwrap_or(0);
    Outcome {
        violations,
        frames: simulation.agreement.height(simulation.cast.genesis.depositary),
        calls: simulation.promises.count(),
        messages: simulation.messages,
        evidence: simulation.evidence,
        states: simulation.states,
        successions: simulation.successions,
        payments,
        changes: simulation.changed.len(),
        proposals,
        roots,
    }
}

/// How many proposals of entities on a server came to an end.
fn decided(server: &Server) -> usize {
    let ended = |entity: &Entity| {
        let all = pallet_governance::proposals(&entity.state(), None, usize::MAX).unwrap_or_default();
        all.iter().filter(|(_, proposal)| proposal.status != pallet_governance::Status::Pending).count()
    };
    server.entities().map(ended).sum()
}
