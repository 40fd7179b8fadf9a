//! `xln entity create|show|list`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use xln_rpc::{
    Calls, EntityRef, SignerRef,
    params::{EntityCreate, EntityGet, EntityList},
    view::EntityView,
};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

/// Entities: wallets, companies, hubs.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Host a new entity, with a board of one key or of several servers.
    Create(Create),
    /// An entity, its board and where it stands.
    Show(Show),
    /// Entities that the node knows.
    List(List),
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
    for (key, value) in &entity.metadata {
        rows.push(("says", Cell::foreign(&format!("{key}: {value}"))));
    }
    Table::properties(rows)
}

fn read_board(path: &Path) -> Result<serde_json::Value, Failure> {
    let text = std::fs::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|error| Failure::Usage {
        message: format!("{} is no JSON: {error}", path.display()),
        hint: "a board is {\"profile\": …, \"members\": [{\"key\": …, \"proofOfPossession\": …}, …]}"
            .to_owned(),
    })
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Create(Create { name, signer, board }) => {
                let board = board.map(|path| read_board(&path)).transpose()?;
                let request = EntityCreate { name: Some(name), signer, board };
                let entity =
                    context.ask("creating the entity", context.client.entity_create(&request)).await?;
                let name = entity.name.as_deref().unwrap_or("the entity");
                let summary = format!("{name} lives on this node; act as it with --as {name}");
                Ok(Report::new(&entity, properties(&entity))?.with_summary(summary))
            }
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
