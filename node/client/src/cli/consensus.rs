//! `xln consensus status|evidence`.

use clap::{Args, Subcommand};
use xln_rpc::{
    Calls, EntityRef, U64,
    params::{ConsensusEvidence, NoParams},
    view::StatementKind,
};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

const EXAMPLES: &str = "\
Examples:
  Where the boards stand that this node follows or votes on:
    xln consensus status
  Who signed two things for one place, with both signatures, for a court or another program:
    xln -o json consensus evidence";

/// Boards that vote.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// Heights, rounds, what waits, and what has halted.
    Status,
    /// Proof of members who signed two things for one place.
    ///
    /// Such a member lies, or its key runs in two processes. The table shows what contradicts what; -o json and -o csv have the
    /// proof itself, which verifies with the network and the board alone.
    Evidence(Evidence),
}

/// Which evidence.
#[derive(Debug, Args)]
pub(super) struct Evidence {
    /// Only of this entity's board.
    entity: Option<EntityRef>,
    /// Only from this height on.
    #[arg(long, value_name = "HEIGHT")]
    from: Option<U64>,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

const fn word(kind: StatementKind) -> &'static str {
    match kind {
        StatementKind::Proposal => "proposal",
        StatementKind::Prevote => "prevote",
        StatementKind::Precommit => "precommit",
    }
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Status => {
                let boards = context.ask("asking", context.client.consensus_status(&NoParams {})).await?;
                let mut table =
                    Table::new(&["entity", "next height", "round", "behind", "waiting", "votes", "halted"]);
                for board in &boards {
                    table.push(vec![
                        Cell::foreign(&board.entity.label()),
                        Cell::new(board.height),
                        Cell::maybe(board.round, Cell::new),
                        Cell::new(board.behind),
                        Cell::new(board.waiting),
                        Cell::new(if board.votes { "yes" } else { "no" }),
                        Cell::maybe(board.halted.as_deref(), Cell::foreign),
                    ]);
                }
                Ok(Report::new(&boards, table)?.or_if_empty("no entity here has a board that votes"))
            }
            Self::Evidence(Evidence { entity, from, limit }) => {
                let request = ConsensusEvidence { entity, from, limit: Some(limit) };
                let evidence = context.ask("asking", context.client.consensus_evidence(&request)).await?;
                let mut table = Table::new(&[
                    "entity",
                    "height",
                    "round",
                    "member",
                    "server",
                    "kind",
                    "one frame",
                    "other frame",
                    "evidence",
                ]);
                for piece in &evidence {
                    let frame = |frame: &Option<_>| match frame {
                        Some(frame) => Cell::id(frame),
                        None => Cell::new("none"),
                    };
                    table.push(vec![
                        Cell::foreign(&piece.entity.label()),
                        Cell::new(piece.height),
                        Cell::new(piece.round),
                        Cell::new(piece.member),
                        Cell::maybe(piece.server.as_deref(), Cell::foreign),
                        Cell::new(word(piece.kind)),
                        frame(&piece.first.frame),
                        frame(&piece.second.frame),
                        Cell::id(&piece.evidence),
                    ]);
                }
                Ok(Report::new(&evidence, table)?.or_if_empty("no member of a board is known to have lied"))
            }
        }
    }
}
