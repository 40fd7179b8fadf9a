//! `xln entity boards|board-proof`: who spoke for an entity when, and how to show it to others.

use clap::Args;
use xln_primitives::Profile;
use xln_rpc::{
    Calls, EntityRef, U64,
    params::{EntityBoards, EntityGetBoardProof},
    view::{BoardProofView, TermView},
};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

/// Lists the boards of an entity.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xln entity boards acme")]
pub(super) struct Boards {
    /// Whose: a name or a 0x identifier.
    entity: EntityRef,
    /// Only those that spoke after this height.
    #[arg(long, value_name = "HEIGHT")]
    after: Option<U64>,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// Proves a board.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  xln entity board-proof acme\n  \
    xln entity board-proof acme --height 40 -o json > proof.json\n\n\
    The proof is a row of a certified state: of the depositary for a registered entity, of its own for the depositary. The\n\
    identifier of a lazy entity is the hash of its board, and needs none.")]
pub(super) struct Proof {
    /// Whose: a name or a 0x identifier.
    entity: EntityRef,
    /// The height of a frame that the board certifies; the board of now if absent.
    #[arg(long)]
    height: Option<U64>,
}

fn heights(term: &TermView) -> String {
    match term.last {
        Some(last) => format!("{} to {last}", term.first),
        None => format!("from {} on", term.first),
    }
}

fn facts(view: &BoardProofView) -> Table {
    let members = view.term.board.members.len();
    let mut rows = vec![
        ("entity", Cell::foreign(&view.entity.label())),
        ("board", Cell::id(view.term.board.hash)),
        ("frames", Cell::new(heights(&view.term))),
        ("members", Cell::new(members)),
        ("threshold", Cell::new(view.term.board.threshold)),
    ];
    match &view.proof {
        Some(proof) => {
            let (keeper, height) = (proof.header.entity.label(), proof.header.height);
            // That the board of now did not change before is in no row of its own state.
            if view.term.last.is_none() && proof.header.entity.id == view.entity.id {
                rows.push(("proven", Cell::new(format!("for frames after {height}"))));
            }
            rows.push(("in the state of", Cell::foreign(&format!("{keeper}, after frame {height}"))));
            rows.push(("state root", Cell::id(proof.header.state_root)));
            rows.push(("certified by", Cell::id(proof.header.board_hash)));
            rows.push(("path", Cell::new(format!("{} bytes", proof.proof.0.len()))));
        }
        None => rows.push(("proof", Cell::new("the identifier is the hash of the board"))),
    }
    Table::properties(rows)
}

impl Boards {
    /// Lists them.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { entity, after, limit } = self;
        let request = EntityBoards { entity, after, limit: Some(limit) };
        let terms = context.ask("asking", context.client.entity_boards(&request)).await?;
        let mut table = Table::new(&["frames", "board", "members", "threshold", "profile"]);
        for term in &terms {
            table.push(vec![
                Cell::new(heights(term)),
                Cell::id(term.board.hash),
                Cell::new(term.board.members.len()),
                Cell::new(term.board.threshold),
                Cell::new(match term.board.profile {
                    Profile::Byzantine => "Byzantine",
                    Profile::CrashFault => "crash-fault",
                }),
            ]);
        }
        Ok(Report::new(&terms, table)?.or_if_empty("no board spoke after that height"))
    }
}

impl Proof {
    /// Shows it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let Self { entity, height } = self;
        let request = EntityGetBoardProof { entity, height };
        let proof = context.ask("asking", context.client.entity_get_board_proof(&request)).await?;
        Report::new(&proof, facts(&proof))
    }
}
