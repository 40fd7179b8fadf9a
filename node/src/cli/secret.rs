//! Where a password or a phrase comes from. Never from an argument, which every user of the machine can see.

use std::{
    env,
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
};

use clap::Args;
use serde::Serialize;
use xln_keystore::{Password, PasswordError};
use zeroize::Zeroizing;

/// Name of the systemd credential that holds the password.
const CREDENTIAL: &str = "xln-password";

/// Flags for the password of the keystore.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PasswordArgs {
    /// File with the password of the keys, readable by its owner only
    #[arg(long, value_name = "FILE", conflicts_with = "password_interactive")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_filename: Option<PathBuf>,
    /// Ask for the password on the terminal
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub password_interactive: bool,
}

/// Where the password of the keystore comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PasswordSource {
    /// From nowhere: keys are held in memory only.
    #[default]
    None,
    /// From the first line of a file.
    File(PathBuf),
    /// From the terminal.
    Terminal,
}

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No source was named.
    #[error("a password is needed; use --password-filename FILE or --password-interactive")]
    NoSource,
    /// The password is unusable, or its file.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The two passwords that were typed differ.
    #[error("the two passwords differ; nothing was changed")]
    Differ,
    /// The terminal or standard input failed.
    #[error("cannot read from the terminal: {0}")]
    Terminal(#[from] io::Error),
}

impl PasswordSource {
    /// From flags; without any, from the systemd credential `xln-password` if there is one.
    #[must_use]
    pub fn new(file: Option<PathBuf>, terminal: bool) -> Self {
        let credential = || {
            Some(PathBuf::from(env::var_os("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL))
                .filter(|p| p.is_file())
        };
        match (file, terminal) {
            (Some(file), _) => Self::File(file),
            (None, true) => Self::Terminal,
            (None, false) => credential().map_or(Self::None, Self::File),
        }
    }

    /// Reads the password; asks on the terminal with `prompt` if that is the source.
    pub fn read(&self, prompt: &str) -> Result<Password, SecretError> {
        match self {
            Self::None => Err(SecretError::NoSource),
            Self::File(path) => Ok(Password::from_file(path)?),
            Self::Terminal => {
                let text = Zeroizing::new(rpassword::prompt_password(format!("{prompt}: "))?);
                Ok(Password::new(text)?)
            }
        }
    }

    /// Reads a password that is new, from the terminal twice.
    pub fn read_new(&self) -> Result<Password, SecretError> {
        if *self != Self::Terminal {
            return self.read("");
        }
        let text = Zeroizing::new(rpassword::prompt_password("New password: ")?);
        let again = Zeroizing::new(rpassword::prompt_password("New password again: ")?);
        if *text != *again {
            return Err(SecretError::Differ);
        }
        Ok(Password::new(text)?)
    }
}

/// One line from standard input; without an echo if that is a terminal.
pub(crate) fn read_line(prompt: &str) -> Result<Zeroizing<String>, SecretError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(Zeroizing::new(rpassword::prompt_password(format!("{prompt}: "))?));
    }
    let mut line = Zeroizing::new(String::with_capacity(512));
    stdin.lock().read_line(&mut line)?;
    Ok(line)
}
