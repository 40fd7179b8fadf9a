//! How the process ends: the codes of `sysexits.h`, so that scripts and supervisors can tell what to do.

use std::process::ExitCode;

/// Why the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Ok = 0,
    /// The command line is wrong.
    Usage = 64,
    /// Input data is wrong: a chain spec, a key, a damaged database.
    Data = 65,
    /// An input file is not there or not readable.
    NoInput = 66,
    /// Something that is needed is not available: a port or a database in use.
    Unavailable = 69,
    /// A defect of ours.
    Software = 70,
    /// Reading or writing failed.
    Io = 74,
    /// Not allowed: a wrong password, a file that others can read.
    NoPermission = 77,
    /// The configuration is wrong.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // The discriminants are the codes.
        Self::from(exit as u8)
    }
}
