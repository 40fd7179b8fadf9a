//! The payers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use xln_chain_spec::SpecError;
use xln_client::Client;
use xln_keystore::PasswordError;
use xln_primitives::{Amount, EntityId};
use xln_rpc::{
    Calls, EntityRef,
    params::{PaymentSend, Subscribe},
    view::{Body, PaymentStatus},
};

use super::super::{BenchmarkError, Parties, latency::Latency, progress};
use crate::recovery::RecoveryError;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Why a run over RPC failed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The chain spec cannot be written.
    #[error("the chain spec: {0}")]
    Json(#[from] serde_json::Error),
    /// The chain spec is wrong.
    #[error("the chain spec: {0}")]
    Spec(#[from] SpecError),
    /// The password is unusable.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The node did not start.
    #[error("the node did not start; its log:\n{log}")]
    NotStarted {
        /// What it wrote to standard error.
        log: String,
    },
    /// The node did not answer, or refused.
    #[error("the node: {0}")]
    Client(#[from] xln_client::Error),
    /// A payment came to nothing.
    #[error("payment {number} of payer {payer} ended as {status:?}")]
    Payment {
        /// Whose.
        payer: usize,
        /// Which of theirs, counted from 0.
        number: u64,
        /// How.
        status: PaymentStatus,
    },
    /// What is on the node's disk cannot be recovered.
    #[error("the node's database: {0}")]
    Recovery(#[from] Box<RecoveryError>),
}

/// What the payers do.
pub(super) struct Load<'a> {
    pub(super) url: String,
    pub(super) parties: &'a Parties,
    pub(super) payments: u64,
    /// Payments per second, all payers together; as fast as they are answered if none.
    pub(super) rate: Option<u32>,
}

/// What was measured.
pub(super) struct Paid {
    pub(super) elapsed: Duration,
    pub(super) latency: Latency,
    pub(super) block_interval: Latency,
    /// What each user has more, or less, than at the start.
    pub(super) balances: Vec<i128>,
}

impl Load<'_> {
    /// Pays until everything is paid.
    pub(super) fn run(&self) -> Result<Paid, BenchmarkError> {
        let threads = tokio::runtime::Runtime::new()
            .map_err(|error| BenchmarkError::system("threads for payers", &error))?;
        threads.block_on(self.pay())
    }

    async fn pay(&self) -> Result<Paid, BenchmarkError> {
        let bar = progress::bar("pay over RPC", self.payments);
        let stop = Arc::new(AtomicBool::new(false));
        let blocks = tokio::spawn(block_intervals(self.url.clone(), Arc::clone(&stop)));
        let users: Vec<EntityId> = self.parties.users().iter().map(super::super::Party::id).collect();
        let mut balances = vec![0_i128; users.len()];
        let mut clients = Vec::with_capacity(users.len());
        for _ in &users {
            clients.push(Client::connect(&self.url, TIMEOUT).await.map_err(LoadError::from)?);
        }
        let (count, start) = (users.len() as u64, Instant::now());
        let mut payers = Vec::with_capacity(users.len());
        for (number, client) in clients.into_iter().enumerate() {
            // Whoever pays is paid too, by somebody else.
            let payee = (number + users.len().div_ceil(2)) % users.len();
            let place = number as u64;
            let payments = self.payments / count + u64::from(place < self.payments % count);
            let sum = i128::from(payments);
            for (user, sum) in [(number, -sum), (payee, sum)] {
                if let Some(balance) = balances.get_mut(user) {
                    *balance += sum;
                }
            }
            let (Some(from), Some(to)) = (users.get(number), users.get(payee)) else { continue };
            let told = bar.clone();
            let payer = Payer {
                client,
                number,
                from: *from,
                to: *to,
                payments,
                start,
                // The payers take turns.
                pace: self.rate.map(|rate| {
                    let one = Duration::from_secs(1) / rate.max(1);
                    let turns = u32::try_from(count).unwrap_or(u32::MAX);
                    let first = u32::try_from(place).unwrap_or(u32::MAX);
                    (one.saturating_mul(first), one.saturating_mul(turns))
                }),
            };
            payers.push(tokio::spawn(payer.run(move || told.inc(1))));
        }
        let mut latency = Latency::new()?;
        for payer in payers {
            let paid = payer.await.map_err(|_| BenchmarkError::Ended("a payer"))??;
            latency.merge(&paid);
        }
        let elapsed = start.elapsed();
        stop.store(true, Ordering::Release);
        let block_interval = blocks.await.map_err(|_| BenchmarkError::Ended("who watches blocks"))??;
        bar.finish_and_clear();
        Ok(Paid { elapsed, latency, block_interval, balances })
    }
}

/// Who pays one payment after the other over a connection of their own.
struct Payer {
    client: Client,
    number: usize,
    from: EntityId,
    to: EntityId,
    payments: u64,
    start: Instant,
    /// When the first payment comes after the start, and how much later each next one.
    pace: Option<(Duration, Duration)>,
}

impl Payer {
    async fn run(self, paid: impl Fn()) -> Result<Latency, BenchmarkError> {
        let request = PaymentSend {
            entity: Some(EntityRef::Id(self.from)),
            to: Some(EntityRef::Id(self.to)),
            amount: Some(Amount::new(1)),
            wait: true,
            ..PaymentSend::default()
        };
        let mut latency = Latency::new()?;
        for number in 0..self.payments {
            let came = match self.pace {
                Some((first, each)) => {
                    let turn = u32::try_from(number).unwrap_or(u32::MAX);
                    let due = self.start + first + each.saturating_mul(turn);
                    tokio::time::sleep_until(due.into()).await;
                    due
                }
                None => Instant::now(),
            };
            let payment = self.client.payment_send(&request).await;
            let payment = payment.map_err(|error| LoadError::from(xln_client::Error::from(error)))?;
            if payment.status != PaymentStatus::Succeeded {
                let (payer, status) = (self.number, payment.status);
                return Err(LoadError::Payment { payer, number, status }.into());
            }
            latency.add(came.elapsed());
            paid();
        }
        Ok(latency)
    }
}

/// The time between the timestamps of blocks, until told to stop.
async fn block_intervals(url: String, stop: Arc<AtomicBool>) -> Result<Latency, BenchmarkError> {
    let client = Client::connect(&url, TIMEOUT).await.map_err(LoadError::from)?;
    let request = Subscribe { channels: vec![xln_rpc::params::Topic::Blocks], from: None };
    let mut blocks = client.notifications(&request).await.map_err(LoadError::from)?;
    let (mut intervals, mut last) = (Latency::new()?, None);
    while !stop.load(Ordering::Acquire) {
        let next = tokio::time::timeout(Duration::from_millis(500), blocks.next()).await;
        let Ok(Some(Ok(notification))) = next else { continue };
        let Body::Block(block) = notification.body else { continue };
        let time = block.timestamp.as_millis();
        if let Some(last) = last.replace(time) {
            intervals.add(Duration::from_millis(time.saturating_sub(last)));
        }
    }
    Ok(intervals)
}
