//! Random networks with random faults. `XLN_MANIFESTS=24` runs so many, from `XLN_MANIFESTS_SEED`; each is printed before it
//! runs, and the same seed is the same manifest.

use std::{fmt, time::Duration};

use crate::{
    faults::wait,
    judge::{judge, wealth},
    load::Load,
    process::eventually,
    proxy::{Link, Passage},
    random::Random,
    servers::Servers,
};

/// What happens to whom, for so many milliseconds.
#[derive(Debug, Clone)]
struct Step {
    fault: Fault,
    places: Vec<usize>,
    ms: u64,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Kill,
    Pause,
    Cut,
    Silence,
    Breaks,
}

/// A network and what happens to it.
#[derive(Debug)]
struct Manifest {
    seed: u64,
    validators: usize,
    link: Link,
    steps: Vec<Step>,
}

impl Manifest {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let validators = if random.below(2) == 0 { 4 } else { 7 };
        let link = Link {
            delay: Duration::from_millis(random.below(20)),
            jitter: Duration::from_millis(random.below(20)),
            lost: random.below(10),
            bytes_per_second: if random.below(2) == 0 { None } else { Some(2 << 20) },
            ..Link::default()
        };
        let servers = validators + 2;
        let steps = (0..4 + random.below(4)).map(|_| {
            let fault = match random.below(5) {
                0 => Fault::Kill,
                1 => Fault::Pause,
                2 => Fault::Cut,
                3 => Fault::Silence,
                _ => Fault::Breaks,
            };
            // Up to half of them, also hubs, also more than the board tolerates.
            let mut places: Vec<usize> = (0..=random.below(servers as u64 / 2))
                .map(|_| usize::try_from(random.below(servers as u64)).unwrap())
                .collect();
            places.sort_unstable();
            places.dedup();
            Step { fault, places, ms: 200 + random.below(4_000) }
        });
        let steps = steps.collect();
        Self { seed, validators, link, steps }
    }

    fn run(&self) {
        println!("{self}");
        let mut servers = Servers::start(self.validators, 2, self.seed);
        let before = eventually("a quiet network", || wealth(&servers));
        servers.proxy().change_all(|link| *link = self.link);
        let load = Load::start(&servers);
        for Step { fault, places, ms } in &self.steps {
            for place in places {
                match fault {
                    Fault::Kill => servers.kill(*place),
                    Fault::Pause => servers.pause(*place),
                    Fault::Cut => servers.proxy().part(places, Passage::Cut),
                    Fault::Silence => servers.proxy().part(places, Passage::Silent),
                    Fault::Breaks => self.breaks(&servers, *place, 100),
                }
            }
            load.moved(&servers);
            wait(Duration::from_millis(*ms));
            servers.proxy().heal();
            for place in places {
                match fault {
                    Fault::Kill => servers.run(*place),
                    Fault::Pause => servers.resume(*place),
                    Fault::Breaks => self.breaks(&servers, *place, 0),
                    Fault::Cut | Fault::Silence => {}
                }
            }
            load.moved(&servers);
        }
        servers.proxy().change_all(|link| *link = Link::default());
        let known = load.stop();
        let frames = judge(&servers, &known, before);
        println!("  {} payments, {} transfers, {frames} frames", known.payments.len(), known.transfers);
    }

    fn breaks(&self, servers: &Servers, place: usize, breaks: u64) {
        for other in servers.all().filter(|other| *other != place) {
            servers.proxy().change(place, other, |link| link.breaks = breaks);
        }
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link { delay, jitter, lost, bytes_per_second, .. } = self.link;
        write!(
            f,
            "manifest {}: {} validators, {delay:?} to {:?}",
            self.seed,
            self.validators,
            delay + jitter
        )?;
        write!(
            f,
            ", {lost} of 1000 lost, {} bytes/s;",
            bytes_per_second.map_or("any".to_owned(), |rate| rate.to_string())
        )?;
        for Step { fault, places, ms } in &self.steps {
            write!(f, " {fault:?} {places:?} {ms} ms;")?;
        }
        Ok(())
    }
}

#[test]
fn whatever_happens_to_servers_they_end_in_one_state_with_all_that_was_acknowledged() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("XLN_MANIFESTS_SEED").unwrap_or(1);
    for seed in first..first + number("XLN_MANIFESTS").unwrap_or(1) {
        Manifest::new(seed).run();
    }
}
