//! `xln entity create|show|list|boards`, and the verbs with which boards decide.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use xln_rpc::{
    Calls, EntityRef, SignerRef,
    params::{EntityCreate, EntityGet, EntityList},
    view::EntityView,
};

use super::{
    boards,
    context::Context,
    decide,
    exit::Failure,
    json_file::read_json,
    output::{Cell, Report, Table},
    proposal, propose,
};

/// Entities: wallets, companies, hubs.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Host a new entity, with a board of one key or of several servers.
    Create(Create),
    /// An entity, its board and where it stands.
    Show(Show),
    /// Its boards, and the frames that each certified.
    Boards(boards::Boards),
    /// Its board at a height, with what proves it to others.
    BoardProof(boards::Proof),
    /// Entities that the node knows.
    List(List),
    /// Put something before the board: a transfer, a new member, a policy, any calls.
    Propose(Box<propose::Propose>),
    /// Vote on a proposal, or change a vote.
    Vote(decide::Vote),
    /// What is before the board.
    Proposals(proposal::Proposals),
    /// A proposal: who voted, what is missing, when it ends, what would happen.
    Proposal(proposal::Shown),
    /// Take an own proposal back.
    Withdraw(decide::Withdraw),
    /// Let another member's votes count for one's own weight, for a time.
    Delegate(decide::Delegate),
    /// What members may do alone: show, set.
    #[command(subcommand)]
    Policy(decide::Policy),
    /// Deal no more with an entity, or report what it has to do with it.
    Listing(decide::Listing),
    /// Register a board with the depositary: an entity that can change its board.
    Register(decide::Register),
}

/// Hosts a new entity.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xln entity create carol\n  xln entity create acme --board acme.json\n\n\
    A board of four servers, each of which votes with its BLS key (`xln-node key show` prints key and proof):\n  \
    {\"profile\": \"byzantine\", \"members\": [{\"key\": \"bls:0x…\", \"proofOfPossession\": \"0x…\"}, …]}\n\n\
    A member may be an entity, or a person whose key is of another scheme; a server orders frames for them:\n  \
    {\"entity\": \"acme\", \"weight\": 2, \"delegate\": {\"key\": \"bls:0x…\", \"proofOfPossession\": \"0x…\"}}\n  \
    {\"key\": \"ed25519:0x…\", \"delegate\": {…}, \"permissions\": [\"propose\", \"vote\"]}"
)]
pub(super) struct Create {
    /// Its name.
    name: String,
    /// The key of its board, by label or identifier; a new one if absent.
    #[arg(long)]
    signer: Option<SignerRef>,
    /// A file with its board, as in a chain spec, if several servers decide for it.
    #[arg(long, value_name = "FILE")]
    board: Option<PathBuf>,
}

/// Shows an entity.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Which: a name or a 0x identifier.
    entity: EntityRef,
}

/// Lists entities.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those that live on this node.
    #[arg(long)]
    hosted: bool,
    /// How many at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

fn properties(entity: &EntityView) -> Table {
    let mut rows = vec![
        ("id", Cell::both(entity.id.to_string(), entity.id.to_string())),
        ("name", Cell::maybe(entity.name.as_deref(), Cell::foreign)),
        ("frame", Cell::new(entity.height)),
        ("frame hash", Cell::id(entity.frame)),
        ("state root", Cell::id(entity.state_root)),
        ("lives here", Cell::new(if entity.hosted { "yes" } else { "no" })),
        ("channels", Cell::new(entity.channels)),
    ];
    if let Some(board) = &entity.board {
        rows.push(("board", Cell::id(board.hash)));
        rows.push(("threshold", Cell::new(board.threshold)));
        for member in &board.members {
            let id =
                member.signer.map(|id| id.to_string()).or_else(|| member.entity.map(|id| id.to_string()));
            let scheme = member.scheme.as_deref().unwrap_or("entity");
            let orders = member.delegate.as_ref().map(|key| format!(", frames ordered by bls:{key}"));
            let text = format!(
                "{} {scheme}, weight {}{}",
                id.unwrap_or_default(),
                member.weight,
                orders.unwrap_or_default()
            );
            rows.push(("member", Cell::foreign(&text)));
        }
    }
    rows.extend(entity.governance.iter().flat_map(decide::rows));
    for (key, value) in &entity.metadata {
        rows.push(("says", Cell::foreign(&format!("{key}: {value}"))));
    }
    Table::properties(rows)
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Create(Create { name, signer, board }) => {
                let board = board.map(|path| read_json(&path)).transpose()?;
                let request = EntityCreate { name: Some(name), signer, board };
                let entity =
                    context.ask("creating the entity", context.client.entity_create(&request)).await?;
                let name = entity.name.as_deref().unwrap_or("the entity");
                let summary = format!("{name} lives on this node; act as it with --as {name}");
                Ok(Report::new(&entity, properties(&entity))?.with_summary(summary))
            }
            Self::Propose(propose) => propose.run(context).await,
            Self::Vote(vote) => vote.run(context).await,
            Self::Boards(list) => list.run(context).await,
            Self::BoardProof(proof) => proof.run(context).await,
            Self::Proposals(list) => list.run(context).await,
            Self::Proposal(shown) => shown.run(context).await,
            Self::Withdraw(withdraw) => withdraw.run(context).await,
            Self::Delegate(delegate) => delegate.run(context).await,
            Self::Policy(policy) => policy.run(context).await,
            Self::Listing(listing) => listing.run(context).await,
            Self::Register(register) => register.run(context).await,
            Self::Show(Show { entity }) => {
                let request = EntityGet { entity };
                let entity = context.ask("asking", context.client.entity_get_state(&request)).await?;
                Report::new(&entity, properties(&entity))
            }
            Self::List(List { hosted, limit }) => {
                let request = EntityList { hosted: hosted.then_some(true), after: None, limit: Some(limit) };
                let entities = context.ask("asking", context.client.entity_list(&request)).await?;
                let mut table = Table::new(&["name", "id", "lives here", "frame", "channels", "role"]);
                for entity in &entities {
                    table.push(vec![
                        Cell::maybe(entity.name.as_deref(), Cell::foreign),
                        Cell::id(entity.id),
                        Cell::new(if entity.hosted { "yes" } else { "no" }),
                        Cell::new(entity.height),
                        Cell::new(entity.channels),
                        Cell::new(if entity.depositary { "depositary" } else { "" }),
                    ]);
                }
                Report::new(&entities, table)
            }
        }
    }
}
