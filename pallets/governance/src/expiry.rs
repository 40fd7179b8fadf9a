//! The end of the time in which a proposal can be voted on.

use xln_primitives::{Corrupt, Storage, Timestamp};

use crate::{Config, Error, Status, decide, proposal};

/// When the first open proposal expires; none if none is open.
pub fn next_due(storage: &(impl Storage + ?Sized)) -> Result<Option<Timestamp>, Corrupt> {
    Ok(proposal::open(storage)?.iter().map(|open| open.expires).min())
}

/// Closes every proposal whose time is over. By the server, when the time has come.
///
/// Errors: [`Error::NothingExpired`].
pub fn expire<T: Config>(env: &mut T) -> Result<(), Error> {
    let now = env.now();
    let over: Vec<_> = proposal::open(env)?.into_iter().filter(|open| open.expires <= now).collect();
    if over.is_empty() {
        return Err(Error::NothingExpired { now });
    }
    for open in over {
        if let Some(found) = proposal::proposal(env, open.id)? {
            decide::close(env, open.id, found, Status::Expired)?;
        }
    }
    Ok(())
}
