//! Bytes per channel: as rows of the state, and in the memory of a hub.
//!
//! `cargo bench -p xln-benches --bench state`. It prints figures and times nothing. Every channel has carried a payment
//! in each direction, so that positions, acknowledgements and proofs are all there.

use codec::Encode;
use pallet_channels::Call;
use xln_benches::{Side, resident_bytes};
use xln_primitives::{Amount, AssetId, EntityId, Storage, keccak256};
use xln_tree::{Config, Hasher, Tree};

const CHANNELS: u32 = 20_000;

fn entity(number: u32) -> EntityId {
    keccak256(&number.to_be_bytes()).into()
}

/// One payment, delivered to the end.
fn pay(payer: &mut Side, payee: &mut Side, asset: AssetId) {
    let call = Call::PayDirect { to: payee.id(), asset, amount: Amount::new(5) };
    pallet_channels::dispatch(payer, call).expect("there is capacity");
    let mut said = payer.end_frame().expect("sound state");
    let (mut speaker, mut listener) = (payer, payee);
    while !said.is_empty() {
        for (_, message) in said {
            pallet_channels::receive(listener, speaker.id(), &message).expect("a good message");
        }
        said = listener.end_frame().expect("sound state");
        core::mem::swap(&mut speaker, &mut listener);
    }
}

/// A hub after it has dealt with everybody, with the positions that its frames keep for each of them.
fn hub(channels: u32) -> Side {
    let asset = AssetId::named("usd");
    let mut hub = Side::new(entity(u32::MAX));
    for number in 0..channels {
        let mut user = Side::new(entity(number));
        hub.open(user.id(), asset, 1_000_000).expect("a new channel");
        user.open(hub.id(), asset, 1_000_000).expect("a new channel");
        pay(&mut hub, &mut user, asset);
        pay(&mut user, &mut hub, asset);
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
    let user = Side::new(entity(0)).id();
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
