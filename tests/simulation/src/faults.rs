//! Draws from the seed what goes wrong when.

use std::time::Duration;

use xln_integration::Random;

use crate::{
    happening::{Happening, Schedule},
    options::Options,
};

/// Schedules all faults of a run; after `options.faulty_ms` there are none.
pub(crate) fn schedule(options: &Options, random: &mut Random, schedule: &mut Schedule) {
    let servers = options.validators + 2;
    let end = options.faulty_ms;
    let any = |random: &mut Random| usize::try_from(random.below(servers as u64)).unwrap();
    let ms = Duration::from_millis;
    for _ in 0..options.crashes {
        let (server, at) = (any(random), random.below(end));
        schedule.at(ms(at), Happening::Crash { server });
        schedule.at(ms(at + random.between(1, 1_500)), Happening::Start { server });
    }
    for _ in 0..options.disk_faults {
        let (at, after, written) = (random.below(end), random.below(6), random.chance(50));
        let server = usize::try_from(random.below(options.validators as u64)).unwrap();
        schedule.at(ms(at), Happening::FailDisk { server, after, written });
        schedule.at(ms(at + random.between(500, 2_000)), Happening::Start { server });
    }
    // Of one server only: of four, two that may not vote at an open height would hold it up for ever. And of one where nobody
    // lives: who hosts others needs a backup.
    let wiped = usize::try_from(random.between(2, options.validators as u64 - 1)).unwrap();
    for _ in 0..options.wipes {
        let at = random.below(end);
        schedule.at(ms(at), Happening::Wipe { server: wiped });
        schedule.at(ms(at + random.between(1, 200)), Happening::Start { server: wiped });
    }
    for _ in 0..options.restores {
        let at = random.below(end);
        let later = at + random.between(20, 3_000);
        schedule.at(ms(at), Happening::Backup { server: wiped });
        schedule.at(ms(later), Happening::Restore { server: wiped });
        schedule.at(ms(later + random.between(1, 200)), Happening::Start { server: wiped });
    }
    for _ in 0..options.pauses {
        let (server, at) = (any(random), random.below(end));
        let until = ms(at + random.between(100, 3_000));
        schedule.at(ms(at), Happening::Pause { server, until });
    }
    for _ in 0..options.partitions {
        let at = random.below(end);
        let part = (0..servers).filter(|_| random.chance(40)).collect();
        schedule.at(ms(at), Happening::Partition { part, one_way: random.chance(40) });
        schedule.at(ms(at + random.between(200, 2_000)), Happening::Heal);
    }
}
