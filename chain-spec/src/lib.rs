//! The file that starts a network, and its genesis hash.
