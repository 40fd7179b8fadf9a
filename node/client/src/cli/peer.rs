//! `xln peer list|allow|disallow|add|remove|refused`.

use clap::{Args, Subcommand};
use xln_rpc::{
    Calls,
    params::{NoParams, PeerAt, PeerName},
    view::{PeerChanged, PeerDirection, PeerView},
};

use super::{
    context::Context,
    exit::Failure,
    output::{Cell, Report, Table},
};

const EXAMPLES: &str = "\
Examples:
  Who is there, how fast, and how much was said:
    xln peer list
  Let a server in that the chain spec does not name, and seek it:
    xln peer allow 12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo
    xln peer add /ip4/192.0.2.7/tcp/30333/p2p/12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo
  Shut one out at once, by its name in the chain spec, and let it in again:
    xln peer disallow hub-2
    xln peer allow hub-2
  Who knocked in vain, and why:
    xln peer refused

Changes hold for the node that is asked, at once and after restarts; other servers are told by their own operators.";

/// Other servers.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// Who is connected, who may be, and what was said.
    List,
    /// Let a server in from now on.
    Allow(Named),
    /// Shut a server out at once and for good.
    ///
    /// Its connections end. A server that votes counts as one that fails while it is out: of four, no other may be away then.
    Disallow(Named),
    /// Seek a server at a further address, and stay connected to it whatever the limits of connections say.
    Add(At),
    /// Do not seek a server any more.
    ///
    /// A connection that is open stays, and it may connect to the node: `disallow` shuts it out.
    Remove(Named),
    /// Who was refused last, for what, and how often.
    Refused,
}

/// Which server.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Its name in the chain spec, its identifier 12D3Koo…, or its key ed25519:0x….
    peer: String,
}

/// Where a server is.
#[derive(Debug, Args)]
pub(super) struct At {
    /// /ip4/192.0.2.7/tcp/30333/p2p/12D3Koo…, or with /udp/30333/quic-v1; host names are not resolved.
    address: String,
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for next in units {
        if value < 1_000.0 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// A time as people read it.
fn age(millis: u64) -> String {
    match millis / 1_000 {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

fn yes(is_so: bool) -> Cell {
    Cell::new(if is_so { "yes" } else { "no" })
}

fn table(peers: &[PeerView]) -> Table {
    let mut table =
        Table::new(&["name", "id", "connected", "address", "ping", "sent", "received", "allowed", "votes"]);
    for peer in peers {
        let connected = match (peer.connected, peer.direction) {
            (false, _) | (true, None) => Cell::new(if peer.connected { "yes" } else { "no" }),
            (true, Some(direction)) => {
                let word = match direction {
                    PeerDirection::Out => "out",
                    PeerDirection::In => "in",
                };
                let since = peer.connected_ms.map(|millis| format!(", {}", age(millis.0)));
                Cell::both(format!("{word}{}", since.unwrap_or_default()), word)
            }
        };
        let ping = |micros: xln_rpc::U64| {
            let (whole, rest) = (micros.0 / 1_000, micros.0 % 1_000 / 10);
            Cell::both(format!("{whole}.{rest:02} ms"), micros.to_string())
        };
        table.push(vec![
            Cell::maybe(peer.name.as_deref(), Cell::foreign),
            Cell::both(tail(&peer.id), &peer.id),
            connected,
            Cell::maybe(peer.addresses.first().map(String::as_str), Cell::foreign),
            Cell::maybe(peer.round_trip_us, ping),
            Cell::both(size(peer.bytes_sent.0), peer.bytes_sent.to_string()),
            Cell::both(size(peer.bytes_received.0), peer.bytes_received.to_string()),
            yes(peer.allowed),
            yes(peer.validator),
        ]);
    }
    table
}

/// Identifiers of servers begin alike, so people see the end.
fn tail(id: &str) -> String {
    let start = id.char_indices().rev().nth(7).map_or(0, |(start, _)| start);
    format!("…{}", id.get(start..).unwrap_or(id))
}

fn done(changed: &PeerChanged, done: &str, before: &str) -> Result<Report, Failure> {
    let who = changed.name.as_deref().unwrap_or(&changed.id);
    let mut text =
        format!("{} {}", super::output::harmless(who), if changed.changed { done } else { before });
    if let Some(note) = &changed.note {
        text.push_str(&format!("\n{}", super::commands::in_commands(note)));
    }
    Ok(Report::new(changed, Table::new(&[]))?.with_summary(text))
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, context: &Context) -> Result<Report, Failure> {
        let client = &context.client;
        match self {
            Self::List => {
                let peers = context.ask("asking", client.system_peers(&NoParams {})).await?;
                let connected = peers.iter().filter(|peer| peer.connected).count();
                let report = Report::new(&peers, table(&peers))?;
                let empty = "there are no other servers: the chain spec names none";
                Ok(match peers.len() {
                    0 => report.or_if_empty(empty),
                    known => report.with_summary(format!("{connected} of {known} servers are connected")),
                })
            }
            Self::Allow(Named { peer }) => {
                let changed = context.ask("allowing", client.system_allow_peer(&PeerName { peer })).await?;
                done(&changed, "is allowed from now on", "was allowed before")
            }
            Self::Disallow(Named { peer }) => {
                let changed =
                    context.ask("disallowing", client.system_disallow_peer(&PeerName { peer })).await?;
                done(&changed, "is shut out", "was shut out before")
            }
            Self::Add(At { address }) => {
                let changed = context.ask("adding", client.system_add_peer(&PeerAt { address })).await?;
                done(&changed, "is sought there from now on", "was sought there before")
            }
            Self::Remove(Named { peer }) => {
                let changed = context.ask("removing", client.system_remove_peer(&PeerName { peer })).await?;
                done(&changed, "is not sought any more", "was not sought before")
            }
            Self::Refused => {
                let refusals = context.ask("asking", client.system_refusals(&NoParams {})).await?;
                let mut table = Table::new(&["last", "who", "address", "reason", "times", "detail"]);
                for refused in &refusals.last {
                    table.push(vec![
                        Cell::moment(refused.last),
                        match &refused.name {
                            Some(name) => Cell::foreign(name),
                            None => Cell::foreign(&refused.peer),
                        },
                        Cell::maybe(refused.address.as_deref(), Cell::foreign),
                        Cell::foreign(&refused.reason),
                        Cell::new(refused.times),
                        Cell::foreign(&refused.detail),
                    ]);
                }
                let counts = |counts: &std::collections::BTreeMap<String, xln_rpc::U64>| {
                    let words: Vec<String> =
                        counts.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
                    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
                };
                let text = format!(
                    "refused since the start: by the network {}; by boards {}",
                    counts(&refusals.network),
                    counts(&refusals.consensus)
                );
                Ok(Report::new(&refusals, table)?.with_summary(super::output::harmless(&text)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_sizes_times_and_the_end_of_identifiers() {
        assert_eq!([size(999), size(1_000), size(12_345_678)], ["999 B", "1.0 kB", "12.3 MB"]);
        assert_eq!([age(119_999), age(7_199_000), age(200_000_000)], ["119 s", "119 min", "2 d"]);
        assert_eq!(tail("12D3KooWQYhTNQdm"), "…QYhTNQdm");
        assert_eq!(tail("é"), "…é");
    }
}
