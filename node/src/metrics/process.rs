//! What the operating system says of this process, read when somebody asks. Nothing where there is no `/proc`.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Clock ticks per second in `/proc`: fixed for programs, whatever the kernel uses inside.
const TICKS: f64 = 100.0;

/// Reads `/proc`.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(bytes) = resident_bytes() {
            gauge(&mut encoder, "process_resident_memory_bytes", "Resident memory", bytes)?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            let count = i64::try_from(open.count()).unwrap_or(i64::MAX);
            let metric = ConstGauge::new(count);
            let help = "Open file descriptors";
            metric.encode(encoder.encode_descriptor(
                "process_open_fds",
                help,
                None,
                metric.metric_type(),
            )?)?;
        }
        if let Some((cpu, start)) = times() {
            let metric = ConstCounter::new(cpu);
            let help = "Processor time used";
            let name = "process_cpu_seconds";
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
            if let Some(boot) = boot_time() {
                let help = "When the process started, since the Unix epoch";
                gauge(&mut encoder, "process_start_time_seconds", help, boot + start)?;
            }
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    let metric = ConstGauge::new(value);
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Processor time used and start after boot, both in seconds.
fn times() -> Option<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses, which may contain anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |position: usize| fields.get(position)?.parse::<f64>().ok();
    Some(((ticks(11)? + ticks(12)?) / TICKS, ticks(19)? / TICKS))
}

fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}
