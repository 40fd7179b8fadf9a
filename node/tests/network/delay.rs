//! How long a decision takes, on one machine and with servers far apart.

use std::time::Duration;

use serde_json::json;

use crate::servers::Servers;

/// How many decisions are measured.
fn commits() -> usize {
    std::env::var("XLN_COMMITS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// Decides one thing after the other, and says how long each took.
pub(crate) fn measure(what: &str, servers: &Servers, mut decide: impl FnMut(usize) -> Duration) -> Duration {
    // The first one finds connections that were never used.
    servers.decide(servers.hub());
    let processor = servers.processor();
    let mut times: Vec<Duration> = (0..commits()).map(&mut decide).collect();
    let processor = (servers.processor() - processor) / u32::try_from(times.len()).unwrap();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!(
        "{what}: p50 {:.0?}, p95 {:.0?}, most {:.0?} of {}; {processor:.0?} of processor time each, over all servers",
        at(50),
        at(95),
        at(100),
        times.len()
    );
    at(50)
}

#[test]
fn four_validators_decide_on_one_machine() {
    let servers = Servers::start(4, 2, 6);
    measure("4 validators, a transfer", &servers, |_| servers.commit());
    measure("4 validators, the last vote on a proposal, and two before it", &servers, |number| {
        let text = format!("decided {number} times");
        let rename = json!({ "rename": { "name": "depositary", "description": text } });
        servers.decide_by_vote(0, &[1, 2], &rename)
    });
}

#[test]
fn seven_validators_fifty_milliseconds_apart_decide_in_a_few_trips() {
    let servers = Servers::start(7, 2, 7);
    servers.proxy().change_all(|link| link.delay = Duration::from_millis(50));
    let p50 = measure("7 validators, 50 ms one way", &servers, |_| servers.commit());
    // A decision that needed a second round would take longer.
    assert!(p50 < Duration::from_millis(1_500), "{p50:?}");
}
