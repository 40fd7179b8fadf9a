//! Processor time by thread, as the operating system counts it, and memory in use.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Serialize;

/// Clock ticks per second in `/proc`: fixed for programs, whatever the kernel uses inside.
const TICKS: f64 = 100.0;

/// Processor time of threads of one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Used {
    /// Threads.
    pub threads: u32,
    /// Seconds in our own code.
    pub user_s: f64,
    /// Seconds in the kernel on our behalf.
    pub system_s: f64,
}

/// Processor time of all threads, by name without its number.
#[derive(Debug, Clone, Default)]
pub struct Threads(BTreeMap<String, Used>);

impl Threads {
    /// As of now; nothing where there is no `/proc`.
    #[must_use]
    pub fn now() -> Self {
        let mut threads = Self::default();
        for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
            threads.add(&stat);
        }
        threads
    }

    /// Adds the time of a thread.
    fn add(&mut self, stat: &str) {
        let Some((name, time)) = parse(stat) else { return };
        let name = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '-');
        let used = self.0.entry(name.to_owned()).or_default();
        used.threads = used.threads.saturating_add(1);
        used.user_s += time.user_s;
        used.system_s += time.system_s;
    }

    /// What was used since `before`, by threads that still run.
    #[must_use]
    pub fn since(mut self, before: &Self) -> BTreeMap<String, Used> {
        for (name, used) in &mut self.0 {
            if let Some(before) = before.0.get(name) {
                used.user_s = (used.user_s - before.user_s).max(0.0);
                used.system_s = (used.system_s - before.system_s).max(0.0);
            }
        }
        self.0.retain(|_, used| used.user_s + used.system_s > 0.0);
        self.0
    }
}

/// Name and time of a process or thread from its line in `/proc`.
fn parse(stat: &str) -> Option<(&str, Used)> {
    // The second field is the name in parentheses, which may contain anything.
    let (head, rest) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let seconds = |place: usize| Some(fields.get(place)?.parse::<f64>().ok()? / TICKS);
    Some((name, Used { threads: 1, user_s: seconds(11)?, system_s: seconds(12)? }))
}

/// Processor time of the process whose folder in `/proc` this is; nothing where there is none.
pub(super) fn used_in(folder: &Path) -> Used {
    let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
    parse(&stat).map(|(_, used)| used).unwrap_or_default()
}

/// Memory of the process whose folder in `/proc` this is that is in use, in bytes; `None` where the system does not
/// tell.
pub(super) fn resident_in(folder: &Path) -> Option<u64> {
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Memory of this process that is in use, in bytes.
pub(super) fn resident_bytes() -> Option<u64> {
    resident_in(Path::new("/proc/self"))
}

/// Model and number of processors.
#[must_use]
pub(super) fn machine() -> (String, usize) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    (model.unwrap_or_else(|| "unknown processor".to_owned()), cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_one_name_count_together_whatever_their_numbers() {
        let mut threads = Threads::default();
        threads.add("1 (verify-0) S 0 0 0 0 0 0 0 0 0 0 150 50 0 0");
        threads.add("2 (verify-1) S 0 0 0 0 0 0 0 0 0 0 50 0 0 0");
        threads.add("3 (odd) name) S 0 0 0 0 0 0 0 0 0 0 1 0 0 0");
        let used = threads.since(&Threads::default());
        assert_eq!(used["verify"], Used { threads: 2, user_s: 2.0, system_s: 0.5 });
        assert!(used.contains_key("odd) name"));
    }
}
