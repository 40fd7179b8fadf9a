//! `xln signer create|list`.

use clap::{Args, Subcommand, ValueEnum};
use xln_rpc::{
    Calls,
    params::{NoParams, SignerCreate},
    view::SignerView,
};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

/// Keys that the node holds.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key in the node's keystore.
    Create(Create),
    /// The keys, their public halves only.
    List,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scheme {
    /// Fast; the default.
    Ed25519,
    /// Ethereum's.
    Secp256k1,
}

/// Makes a key.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// What to call it.
    label: Option<String>,
    /// Which kind.
    #[arg(long, value_enum, default_value = "ed25519")]
    scheme: Scheme,
}

fn table(signers: &[SignerView]) -> Table {
    let mut table = Table::new(&["label", "id", "scheme", "public key", "entities"]);
    for signer in signers {
        table.push(vec![
            Cell::maybe(signer.label.as_deref(), Cell::foreign),
            Cell::id(signer.id),
            Cell::foreign(&signer.scheme),
            Cell::id(&signer.public_key),
            Cell::new(signer.entities.len()),
        ]);
    }
    table
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        match self {
            Self::Create(Create { label, scheme }) => {
                let scheme = match scheme {
                    Scheme::Ed25519 => "ed25519",
                    Scheme::Secp256k1 => "secp256k1",
                };
                let request = SignerCreate { label, scheme: Some(scheme.into()) };
                let signer = context.ask("making a key", context.client.signer_create(&request)).await?;
                Report::new(&signer, table(core::slice::from_ref(&signer)))
            }
            Self::List => {
                let signers = context.ask("asking", context.client.signer_list(&NoParams {})).await?;
                Ok(Report::new(&signers, table(&signers))?.or_if_empty("the node holds no keys"))
            }
        }
    }
}
