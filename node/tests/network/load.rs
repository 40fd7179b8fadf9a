//! Users who pay and transfer as fast as they are answered, while servers fail.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use serde_json::json;

use crate::{process::call, servers::Servers};

/// What users know.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Payments that succeeded: server of the payer, payer and number.
    pub(crate) payments: BTreeSet<(usize, &'static str, String)>,
    /// Transfers that were answered.
    pub(crate) transfers: u64,
    /// What did not succeed, and was begun anew.
    failures: Vec<String>,
}

/// Users at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    known: Arc<Mutex<Known>>,
    /// Where each server answers; none while it does not run.
    urls: Arc<Mutex<Vec<Option<String>>>>,
    users: Vec<JoinHandle<()>>,
}

impl Load {
    /// Alice and bob pay each other over both hubs, and transfer to each other at the depositary.
    pub(crate) fn start(servers: &Servers) -> Self {
        let mut load =
            Self { stop: Arc::default(), known: Arc::default(), urls: Arc::default(), users: Vec::new() };
        load.moved(servers);
        for (hub, payer, payee) in [(servers.hub(), "alice", "bob"), (servers.hub() + 1, "bob", "alice")] {
            for method in ["payment.send", "depositary.transfer"] {
                let (stop, known, urls) =
                    (Arc::clone(&load.stop), Arc::clone(&load.known), Arc::clone(&load.urls));
                let request =
                    json!({ "entity": payer, "to": payee, "asset": "usd", "amount": "3", "wait": true });
                load.users.push(std::thread::spawn(move || {
                    while !stop.load(Ordering::Acquire) {
                        let url = urls.lock().unwrap()[hub].clone();
                        let answer = url.ok_or_else(String::new).and_then(|url| call(&url, method, &request));
                        let mut known = known.lock().unwrap();
                        match answer {
                            Ok(payment) if payment["status"] == "succeeded" => {
                                let number = payment["number"].as_str().unwrap().to_owned();
                                assert!(
                                    known.payments.insert((hub, payer, number)),
                                    "acknowledged twice: {payment}"
                                );
                            }
                            Ok(_) if method == "depositary.transfer" => known.transfers += 1,
                            failed => {
                                known.failures.push(format!("{method} of {payer}: {failed:?}"));
                                drop(known);
                                std::thread::park_timeout(std::time::Duration::from_millis(20));
                            }
                        }
                    }
                }));
            }
        }
        load
    }

    /// Servers were stopped or started.
    pub(crate) fn moved(&self, servers: &Servers) {
        *self.urls.lock().unwrap() = servers.all().map(|place| servers.url(place)).collect();
    }

    /// How much was acknowledged so far.
    pub(crate) fn acknowledged(&self) -> (usize, u64) {
        let known = self.known.lock().unwrap();
        (known.payments.len(), known.transfers)
    }

    /// What did not succeed so far.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.known.lock().unwrap().failures.clone()
    }

    /// Lets everybody finish.
    pub(crate) fn stop(self) -> Known {
        self.stop.store(true, Ordering::Release);
        for user in self.users {
            user.join().unwrap();
        }
        Arc::try_unwrap(self.known).unwrap().into_inner().unwrap()
    }
}
