//! Recovery phrases, BIP-39, English.

use bip39::{Language, Mnemonic};
use zeroize::{Zeroize, Zeroizing};

/// Entropy of a new phrase in bytes: 24 words.
const ENTROPY: usize = 32;

/// Words from which keys are derived: 12, 15, 18, 21 or 24 of them. Erased when dropped, never shown by `Debug`.
pub struct Phrase(Mnemonic);

/// What a phrase and an optional passphrase expand to: 64 bytes, erased when dropped, never shown.
pub struct Seed(Zeroizing<[u8; 64]>);

/// Why there is no phrase. Never repeats the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Not a number of words that BIP-39 knows.
    #[error("a recovery phrase has 12, 15, 18, 21 or 24 words, not {found}")]
    WordCount {
        /// How many there are.
        found: usize,
    },
    /// A word is not in the list, at this position counted from 1.
    #[error("word {position} is not one of the 2048 English words of BIP-39")]
    UnknownWord {
        /// Its position.
        position: usize,
    },
    /// The last word does not fit the others.
    #[error("the phrase does not fit its own checksum: a word is wrong or out of place")]
    Checksum,
    /// The passphrase has characters whose encoding is ambiguous.
    #[error("the passphrase of a phrase may have ASCII characters only")]
    Passphrase,
    /// The operating system gives no random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Randomness(#[from] getrandom::Error),
}

impl Phrase {
    /// A new phrase of 24 words, from the operating system's randomness.
    pub fn generate() -> Result<Self, PhraseError> {
        let mut entropy = Zeroizing::new([0; ENTROPY]);
        getrandom::fill(entropy.as_mut())?;
        Self::from_entropy(&entropy)
    }

    /// The phrase of this entropy.
    fn from_entropy(entropy: &[u8; ENTROPY]) -> Result<Self, PhraseError> {
        Mnemonic::from_entropy(entropy).map(Self).map_err(refusal)
    }

    /// Reads a phrase: words in any case, separated by white space.
    pub fn parse(words: &str) -> Result<Self, PhraseError> {
        let mut plain = Zeroizing::new(String::with_capacity(words.len()));
        for word in words.split_whitespace() {
            if !plain.is_empty() {
                plain.push(' ');
            }
            plain.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
        }
        Mnemonic::parse_in_normalized(Language::English, &plain).map(Self).map_err(refusal)
    }

    /// The words, separated by spaces: to be shown to their owner once, and nowhere else.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        let mut words = Zeroizing::new(String::with_capacity(24 * 9));
        for word in self.0.words() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        words
    }

    /// Expands the phrase. The passphrase is the optional extra word of BIP-39; another one gives other keys, and
    /// none is wrong. ASCII only, since other characters have several encodings.
    pub fn seed(&self, passphrase: &str) -> Result<Seed, PhraseError> {
        if !passphrase.is_ascii() {
            return Err(PhraseError::Passphrase);
        }
        let mut bytes = self.0.to_seed_normalized(passphrase);
        let seed = Seed::new(&bytes);
        bytes.zeroize();
        Ok(seed)
    }
}

impl Seed {
    pub(crate) fn new(bytes: &[u8; 64]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// Our words for the library's errors, whose texts may repeat the phrase.
fn refusal(error: bip39::Error) -> PhraseError {
    match error {
        bip39::Error::BadWordCount(found) => PhraseError::WordCount { found },
        bip39::Error::UnknownWord(index) => PhraseError::UnknownWord { position: index + 1 },
        _ => PhraseError::Checksum,
    }
}

impl core::fmt::Debug for Phrase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Phrase(hidden)")
    }
}

impl core::fmt::Debug for Seed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seed(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABANDON: &str =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    #[test]
    fn a_phrase_expands_as_the_vectors_of_bip39_say() {
        let seed = Phrase::parse(ABANDON).unwrap().seed("TREZOR").unwrap();
        assert_eq!(
            hex::encode(seed.as_bytes()),
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141\
             630c7a3c4ab7c81b2f001698e7463b04"
        );
    }

    #[test]
    fn entropy_becomes_the_words_of_the_vectors_of_bip39() {
        let words = Phrase::from_entropy(&[0x7f; 32]).unwrap().words();
        assert_eq!(
            words.as_str(),
            "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful \
             legal winner thank year wave sausage worth title"
        );
    }

    #[test]
    fn a_new_phrase_has_24_words_and_reads_back() {
        let phrase = Phrase::generate().unwrap();
        assert_eq!(phrase.words().split(' ').count(), 24);
        assert_eq!(Phrase::parse(&phrase.words()).unwrap().words(), phrase.words());
        assert_ne!(Phrase::generate().unwrap().words(), phrase.words());
    }

    #[test]
    fn case_and_white_space_do_not_matter() {
        let spread = ABANDON.to_uppercase().replace(' ', " \n\t");
        assert_eq!(Phrase::parse(&spread).unwrap().words().as_str(), ABANDON);
    }

    #[test]
    fn a_mistake_is_named_by_its_position_without_the_word() {
        let refused = |text: &str| Phrase::parse(text).unwrap_err();
        assert_eq!(refused("abandon"), PhraseError::WordCount { found: 1 });
        let misspelt = ABANDON.replacen("abandon", "abandom", 1);
        assert_eq!(refused(&misspelt), PhraseError::UnknownWord { position: 1 });
        assert!(!refused(&misspelt).to_string().contains("abandom"));
        assert_eq!(refused(&ABANDON.replace("about", "abandon")), PhraseError::Checksum);
        assert_eq!(Phrase::parse(ABANDON).unwrap().seed("ä").unwrap_err(), PhraseError::Passphrase);
    }

    #[test]
    fn neither_words_nor_seed_are_shown() {
        let phrase = Phrase::parse(ABANDON).unwrap();
        assert_eq!(format!("{phrase:?} {:?}", phrase.seed("").unwrap()), "Phrase(hidden) Seed(hidden)");
    }
}
