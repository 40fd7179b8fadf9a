//! `xln state tree|get`.

use clap::{Args, Subcommand};
use xln_rpc::{
    Bytes, Calls, EntityRef,
    params::{StateKey, StateTree},
    view::{TreeNodeKind, TreeNodeView, TreeView},
};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table, harmless},
};

/// The state: the tree of the server and those of its entities.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look into the tree: root › signer › entity › storage › keys.
    Tree(Tree),
    /// What stands under a key, with a proof if wanted.
    Get(Get),
}

/// Shows a part of the tree.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xln state tree                                 signers of the server
  xln state tree --depth 64                      their entities
  xln state tree hub                             what the hub stores, by type
  xln state tree hub --prefix 0300 --depth 32    its channels, one by one")]
pub(super) struct Tree {
    /// Whose tree; the server's if absent.
    entity: Option<EntityRef>,
    /// Only keys that begin with these hexadecimal digits.
    #[arg(long, value_name = "HEX", value_parser = bytes)]
    prefix: Option<Bytes>,
    /// By how many bytes behind the prefix keys are told apart.
    #[arg(long, value_name = "N")]
    depth: Option<u32>,
    /// Go on after this node of an earlier page.
    #[arg(long, value_name = "HEX", value_parser = bytes)]
    after: Option<Bytes>,
    /// How many nodes at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// Shows what stands under a key.
#[derive(Debug, Args)]
pub(super) struct Get {
    /// Whose state.
    entity: EntityRef,
    /// The key in hexadecimal digits, storage type first.
    #[arg(value_parser = bytes)]
    key: Bytes,
    /// With the path to the root of a certified frame; also of a key that is not there.
    #[arg(long)]
    proof: bool,
}

/// Hexadecimal digits, with 0x or without.
fn bytes(text: &str) -> Result<Bytes, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    format!("0x{digits}").parse::<Bytes>().map_err(|error| error.to_string())
}

const fn word(kind: TreeNodeKind) -> &'static str {
    match kind {
        TreeNodeKind::Signer => "signer",
        TreeNodeKind::Entity => "entity",
        TreeNodeKind::Storage => "storage",
        TreeNodeKind::Group => "group",
        TreeNodeKind::Entry => "entry",
    }
}

/// The way from the root, such as `root › 0x12345678… › alice › 0x03`.
fn place(view: &TreeView) -> String {
    let mut way = vec!["root".to_owned()];
    if let Some(signer) = view.signer {
        let signer = signer.to_string();
        way.push(signer.get(..10).map_or_else(|| signer.clone(), |start| format!("{start}…")));
    }
    way.extend(view.entity.as_ref().map(|entity| harmless(&entity.label())));
    if !view.prefix.0.is_empty() {
        way.push(view.prefix.to_string());
    }
    let keys = if view.entries.0 == 1 { "key" } else { "keys" };
    format!("{}: {} {keys}, root hash {}", way.join(" › "), view.entries, view.root)
}

fn row(node: &TreeNodeView) -> Vec<Cell> {
    let prefix = node.prefix.to_string();
    vec![
        Cell::new(word(node.kind)),
        Cell::maybe(node.name.as_deref(), Cell::foreign),
        // People get to see enough of a key to go on with it as a prefix.
        if prefix.len() > 26 {
            Cell::both(format!("{}…", &prefix[..26]), &prefix)
        } else {
            Cell::new(&prefix)
        },
        Cell::new(node.entries),
        Cell::maybe(node.value.as_ref(), |value| Cell::new(value.0.len())),
        Cell::maybe(node.hash, Cell::id),
    ]
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Tree(Tree { entity, prefix, depth, after, limit }) => {
                let request = StateTree { entity, prefix, depth, after, limit: Some(limit) };
                let view = context.ask("asking", context.client.state_tree(&request)).await?;
                let mut table = Table::new(&["node", "name", "key", "keys", "bytes", "hash"]);
                for node in &view.nodes {
                    table.push(row(node));
                }
                let more = view.next.as_ref().map(|next| format!("\nthere is more: --after {next}"));
                let summary = format!("{}{}", place(&view), more.unwrap_or_default());
                Ok(Report::new(&view, table)?.with_summary(summary))
            }
            Self::Get(Get { entity, key, proof: false }) => {
                let request = StateKey { entity, key };
                let state = context.ask("asking", context.client.state_get(&request)).await?;
                let rows = vec![
                    ("key", Cell::new(&state.key)),
                    ("value", Cell::maybe(state.value.as_ref(), Cell::new)),
                    ("frame", Cell::new(state.height)),
                ];
                Report::new(&state, Table::properties(rows))
            }
            Self::Get(Get { entity, key, proof: true }) => {
                let request = StateKey { entity, key };
                let proven = context.ask("asking", context.client.state_get_proof(&request)).await?;
                let rows = vec![
                    ("key", Cell::new(&proven.key)),
                    ("value", Cell::maybe(proven.value.as_ref(), Cell::new)),
                    ("proof", Cell::new(&proven.proof)),
                    ("frame", Cell::new(proven.header.height)),
                    (
                        "frame hash",
                        Cell::both(proven.header.hash.to_string(), proven.header.hash.to_string()),
                    ),
                    ("state root", Cell::new(proven.header.state_root)),
                    ("certificate", Cell::new(&proven.certificate)),
                ];
                Report::new(&proven, Table::properties(rows))
            }
        }
    }
}
