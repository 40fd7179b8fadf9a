//! Tests of XLN with real processes and of whole servers.
