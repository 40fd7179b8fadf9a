//! Encrypted keys, their derivation, and the Signer trait.
