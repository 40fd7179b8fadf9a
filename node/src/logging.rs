//! Logs: events of `tracing` as text or JSON lines on standard error, so that standard output stays data.

use std::io::{IsTerminal, Write, stderr};

use serde::{Deserialize, Serialize};
use tracing::Subscriber;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line, for collectors.
    Json,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not of the form `LEVEL` or `TARGET=LEVEL`, comma-separated.
    #[error("log filter {filter:?}: {reason}; write for example info or xln_node=debug,xln_rpc=trace")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else in this process took the log already.
    #[error("the log was set up twice")]
    Twice,
}

/// Libraries that tell every step of theirs; a filter that names them overrules it.
const QUIET: &str = "arc_malachitebft_core_consensus=warn,libp2p_swarm=warn";

/// Sends everything that passes `filter` (`LEVEL` or `TARGET=LEVEL`, comma-separated) to standard error.
pub fn init(filter: &str, format: LogFormat) -> Result<(), LogError> {
    let subscriber = subscriber(filter, format, stderr().is_terminal(), stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)
}

fn subscriber<W>(
    filter: &str,
    format: LogFormat,
    colours: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'w> MakeWriter<'w, Writer: Write> + Send + Sync + 'static,
{
    let parsed = EnvFilter::builder()
        .parse(format!("{QUIET},{filter}"))
        .map_err(|error| LogError::Filter { filter: filter.to_owned(), reason: error.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(writer).with_ansi(colours);
    Ok(match format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: LogFormat) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(filter, format, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "xln_node", height = 7_u64, "sealed");
            tracing::debug!(target: "xln_rpc", "asked");
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_json_line_carries_its_fields() {
        let text = logged("info", LogFormat::Json);
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["message"], "sealed");
        assert_eq!(line["height"], 7);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn a_filter_raises_one_part_and_leaves_the_others() {
        assert!(!logged("info", LogFormat::Text).contains("asked"));
        assert!(logged("warn,xln_rpc=debug", LogFormat::Text).contains("asked"));
        assert!(!logged("warn,xln_rpc=debug", LogFormat::Text).contains("sealed"));
    }

    #[test]
    fn a_filter_that_means_nothing_is_an_error_with_an_example() {
        let message = subscriber("xln_node=lound", LogFormat::Text, false, stderr).err().unwrap().to_string();
        assert!(message.contains("xln_node=lound") && message.contains("xln_rpc=trace"), "{message}");
    }
}
