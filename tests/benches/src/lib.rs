//! Measurements of XLN.
