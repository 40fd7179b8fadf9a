//! Bech32m (BIP-350): text for bytes that survives reading aloud, with a checksum over prefix and data.
//!
//! BIP-173's limit of 90 characters is not kept, as in Lightning: the checksum still finds every single changed
//! character and all but one in 2³⁰ of other changes.

/// Characters of the data part, by value.
const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// What the checksum of a good text comes to, for bech32m.
const CHECK: u32 = 0x2bc8_30a3;
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
/// Characters of the checksum.
const CHECKSUM: usize = 6;

/// A text that is not bech32m.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Bech32Error {
    /// Upper and lower case together.
    #[error("upper and lower case are mixed")]
    MixedCase,
    /// No `1` between prefix and data, or too little behind it.
    #[error("there is no prefix, or nothing behind it")]
    NoSeparator,
    /// A character that data cannot have.
    #[error("{0:?} is no character of an invoice")]
    Character(char),
    /// The checksum does not fit: a character is wrong or missing.
    #[error("the checksum does not fit: a character is wrong or missing")]
    Checksum,
    /// Bits are left over.
    #[error("the data does not end at a byte")]
    Padding,
}

fn step(check: u32, value: u8) -> u32 {
    let top = check >> 25;
    let shifted = (check & 0x01ff_ffff) << 5 ^ u32::from(value);
    let mix = |check: u32, (bit, generator): (usize, &u32)| {
        if top >> bit & 1 == 1 { check ^ generator } else { check }
    };
    GENERATOR.iter().enumerate().fold(shifted, mix)
}

/// The checksum's state after the prefix.
fn prefix_check(prefix: &str) -> u32 {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    high.chain([0]).chain(low).fold(1, step)
}

/// Groups of `from` bits as groups of `to` bits, with the bits that are left over and how many they are.
fn regroup(values: impl Iterator<Item = u8>, from: u32, to: u32) -> (Vec<u8>, u32, u32) {
    let (mut groups, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for value in values {
        bits = (bits << from | u32::from(value)) & 0xfff;
        count += from;
        while count >= to {
            count -= to;
            groups.push(u8::try_from(bits >> count & ((1 << to) - 1)).unwrap_or_default());
        }
    }
    (groups, bits & ((1 << count) - 1), count)
}

/// The text of `bytes` under a prefix in lower case.
pub(super) fn encode(prefix: &str, bytes: &[u8]) -> String {
    let (mut values, rest, count) = regroup(bytes.iter().copied(), 8, 5);
    if count > 0 {
        values.push(u8::try_from(rest << (5 - count)).unwrap_or_default());
    }
    let check = values.iter().copied().chain([0; CHECKSUM]).fold(prefix_check(prefix), step) ^ CHECK;
    let checksum =
        (0..CHECKSUM).rev().map(|place| u8::try_from(check >> (5 * place) & 31).unwrap_or_default());
    let mut text = format!("{prefix}1");
    for value in values.into_iter().chain(checksum) {
        text.push(CHARSET.get(usize::from(value)).copied().map_or('q', char::from));
    }
    text
}

/// Prefix and bytes of a text.
pub(super) fn decode(text: &str) -> Result<(String, Vec<u8>), Bech32Error> {
    if text.chars().any(|c| c.is_ascii_lowercase()) && text.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(Bech32Error::MixedCase);
    }
    let text = text.to_ascii_lowercase();
    let (prefix, data) = text.rsplit_once('1').ok_or(Bech32Error::NoSeparator)?;
    if prefix.is_empty() || data.len() < CHECKSUM {
        return Err(Bech32Error::NoSeparator);
    }
    let value = |letter: char| {
        let place = CHARSET.iter().position(|known| char::from(*known) == letter);
        place.and_then(|place| u8::try_from(place).ok()).ok_or(Bech32Error::Character(letter))
    };
    let values = data.chars().map(value).collect::<Result<Vec<u8>, _>>()?;
    if values.iter().copied().fold(prefix_check(prefix), step) != CHECK {
        return Err(Bech32Error::Checksum);
    }
    let payload = values.len() - CHECKSUM;
    let (bytes, rest, count) = regroup(values.into_iter().take(payload), 5, 8);
    if count >= 5 || rest != 0 {
        return Err(Bech32Error::Padding);
    }
    Ok((prefix.to_owned(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_bip_350_have_good_checksums() {
        for good in ["A1LQFN3A", "a1lqfn3a", "split1checkupstagehandshakeupstreamerranterredcaperredlc445v"] {
            assert!(!matches!(decode(good), Err(Bech32Error::Checksum)), "{good}");
        }
        assert_eq!(decode("a1lqfn3a"), Ok(("a".into(), vec![])));
        assert_eq!(decode("A1lqfn3a"), Err(Bech32Error::MixedCase));
        assert_eq!(decode("a1lqfn3b"), Err(Bech32Error::Character('b')));
        assert_eq!(decode("a1lqfn3q"), Err(Bech32Error::Checksum));
        assert_eq!(decode("1lqfn3a"), Err(Bech32Error::NoSeparator));
    }

    proptest! {
        #[test]
        fn bytes_read_back_and_a_changed_character_is_found(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            place in any::<proptest::sample::Index>(),
        ) {
            let text = encode("xln", &bytes);
            prop_assert_eq!(decode(&text), Ok(("xln".to_owned(), bytes)));
            let mut letters: Vec<char> = text.chars().collect();
            let place = 4 + place.index(letters.len() - 4);
            letters[place] = if letters[place] == 'q' { 'p' } else { 'q' };
            prop_assert_eq!(decode(&letters.into_iter().collect::<String>()), Err(Bech32Error::Checksum));
        }
    }
}
