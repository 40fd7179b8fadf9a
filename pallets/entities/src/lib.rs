//! Boards, nonces and entity identity.
