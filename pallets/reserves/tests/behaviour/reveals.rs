//! Preimages that are published.

use pallet_reserves::{Call, Event, Revelation, reveal_key, revealed};
use xln_primitives::{Hash, Storage, Timestamp};

use crate::ledger::{Ledger, OTHER};
use codec::Decode;

const PREIMAGE: [u8; 32] = [0; 32];
/// SHA-256 of 32 zero bytes.
const HASH: &str = "0x66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925";

#[test]
fn a_preimage_counts_from_the_first_time_that_it_is_published() {
    let mut ledger = Ledger::new();
    let hash: Hash = HASH.parse().unwrap();
    assert_eq!(revealed(&ledger.state, &hash), Ok(None));
    assert_eq!(ledger.state.get(reveal_key(&hash).as_ref()), None, "absence is what a proof shows");

    assert_eq!(ledger.call(OTHER, Call::Reveal { preimage: PREIMAGE }), Ok(()));
    ledger.now = 5_000;
    assert_eq!(ledger.call(OTHER, Call::Reveal { preimage: PREIMAGE }), Ok(()));
    let first = Revelation { at: Timestamp::from_millis(1_000), preimage: PREIMAGE };
    assert_eq!(revealed(&ledger.state, &hash), Ok(Some(first)));
    assert_eq!(ledger.events, [Event::Revealed { hash, preimage: PREIMAGE }]);
    let stored = ledger.state.get(reveal_key(&hash).as_ref()).map(|mut bytes| Revelation::decode(&mut bytes));
    assert_eq!(stored, Some(Ok(first)));
}
