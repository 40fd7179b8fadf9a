//! The author's own thread.

use std::{
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    thread::JoinHandle,
};

use tokio::sync::oneshot;

use super::{Author, AuthorError};
use crate::{http::Health, pool::Pool};

/// A running author. Dropping it stops it and waits for its last block.
pub struct AuthorThread {
    stop: Arc<AtomicBool>,
    pool: Arc<Pool>,
    ended: oneshot::Receiver<()>,
    thread: Option<JoinHandle<Result<(), AuthorError>>>,
}

impl AuthorThread {
    /// Starts an author. If it fails, `health` tells why.
    pub fn start(author: Author, health: Health) -> std::io::Result<Self> {
        let (stop, pool) = (Arc::clone(&author.stop), Arc::clone(&author.pool));
        let waiting = Arc::clone(&pool);
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("author".into()).spawn(move || {
            let result = author.run();
            waiting.close();
            if let Err(error) = &result {
                tracing::error!(%error, "the author has stopped: nothing is executed any more");
                health.unready(error.to_string());
            }
            // Whoever no longer waits for the end need not be told.
            let _ = end.send(());
            result
        })?;
        Ok(Self { stop, pool, ended, thread: Some(thread) })
    }

    /// Completes when the author has stopped.
    pub async fn ended(&mut self) {
        // An error says that the thread is gone, which is the same.
        let _ = (&mut self.ended).await;
    }

    /// Stops it and waits for its last block; none if it has panicked.
    pub fn join(mut self) -> Option<Result<(), AuthorError>> {
        self.finish()
    }

    fn finish(&mut self) -> Option<Result<(), AuthorError>> {
        self.stop.store(true, Ordering::Release);
        self.pool.wake();
        self.thread.take()?.join().ok()
    }
}

impl Drop for AuthorThread {
    fn drop(&mut self) {
        self.finish();
    }
}
