//! Bytes per channel: as rows of the state, and in the memory of a hub.
//!
//! `cargo bench -p xln-benches --bench state`. It prints figures and times nothing. Every channel has carried a payment
//! in each direction, so that positions, acknowledgements and proofs are all there.

use codec::Encode;
use xln_benches::{Side, resident_bytes};
use xln_primitives::{AssetId, Storage};
use xln_tree::{Config, Hasher, Tree};

const CHANNELS: u32 = 20_000;

/// A hub after it has dealt with everybody, with the positions that its frames keep for each of them.
fn hub(channels: u32) -> Side {
    let asset = AssetId::named("usd");
    let mut hub = Side::numbered(u32::MAX);
    for number in 0..channels {
        let mut user = Side::numbered(number);
        hub.open(user.id(), asset, 1_000_000).expect("a new channel");
        user.open(hub.id(), asset, 1_000_000).expect("a new channel");
        hub.pay(&mut user, asset, 5);
        user.pay(&mut hub, asset, 5);
        for sequence in 1..=2 {
            pallet_entities::accept_incoming(&mut hub, &user.id(), sequence).expect("in order");
            pallet_entities::next_outgoing(&mut hub, &user.id()).expect("few messages");
        }
    }
    hub
}

fn main() {
    xln_benches::describe("state", "0", &format!("{CHANNELS} channels of one hub"));
    let hub = hub(CHANNELS);
    let rows = hub.scan(&[], None, usize::MAX);
    let per = |total: usize| total as f64 / f64::from(CHANNELS);
    let keys: usize = rows.iter().map(|(key, _)| key.len()).sum();
    let values: usize = rows.iter().map(|(_, value)| value.len()).sum();
    println!("rows per channel:            {:.1}", per(rows.len()));
    println!("bytes of keys per channel:   {:.1}", per(keys));
    println!("bytes of values per channel: {:.1}", per(values));
    let user = Side::numbered(0).id();
    let channel = xln_primitives::ChannelId::between(&user, &hub.id());
    let stored = pallet_channels::view::channel(&hub, channel).expect("readable").expect("it is there");
    println!("of them the channel itself:  {}", stored.channel.encoded_size());
    drop(hub);

    let before = resident_bytes();
    let mut tree = Tree::new(Config::default_for(Hasher::Blake3));
    tree.apply(rows.iter().map(|(key, value)| (key, Some(value)))).expect("within the limits");
    tree.commit();
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        let grown = usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX);
        println!("resident bytes per channel:  {:.1} (tree with hashes, committed)", per(grown));
    }
    drop(tree);
}
