//! A running XLN server.
