//! All figures as one table.

use crate::measure::Figures;

pub fn print(all: &[Figures]) {
    println!("batches of 10,000 random updates with the root, keys of 32 bytes, values of 100 bytes");
    println!(
        "| tree | entries | filled, k/s | updates, k/s (best) | B/entry in memory | on disk | proof, µs | bytes |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for figures in all {
        println!(
            "| {} | {} | {:.0} | {:.0} ({:.0}) | {:.0} | {} | {:.1} | {:.0} |",
            figures.tree,
            figures.entries,
            figures.fill_per_second / 1e3,
            figures.updates_per_second / 1e3,
            figures.best_updates_per_second / 1e3,
            figures.resident_bytes_per_entry,
            figures.disk_bytes_per_entry.map_or("–".to_owned(), |bytes| format!("{bytes:.0}")),
            figures.proof_microseconds,
            figures.proof_bytes,
        );
    }
}
