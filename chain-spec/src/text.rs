//! Which texts may be names.

use crate::SpecError;

/// Checks a text that people see: 1 to 64 bytes.
pub(crate) fn title(path: &str, text: &str) -> Result<(), SpecError> {
    check(path, text, !text.trim().is_empty() && text.len() <= 64, "it must be 1–64 bytes of text")
}

/// Checks a name that commands and folders use.
pub(crate) fn name(path: &str, text: &str) -> Result<(), SpecError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let good = (1..=64).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('.')
        && !text.starts_with("0x");
    check(path, text, good, "a name is 1–64 of a–z 0–9 - _ . and starts neither with a dot nor with 0x")
}

/// Checks the symbol of an asset. It starts with a letter, so that `500usd` can be taken apart.
pub(crate) fn symbol(path: &str, text: &str) -> Result<(), SpecError> {
    let good = (1..=16).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && text.starts_with(|first: char| first.is_ascii_lowercase());
    check(path, text, good, "a symbol is 1–16 of a–z 0–9 and starts with a letter")
}

/// An error with the place and the value, unless `good`.
pub(crate) fn check(
    path: &str,
    value: impl std::fmt::Display,
    good: bool,
    rule: &'static str,
) -> Result<(), SpecError> {
    if good {
        return Ok(());
    }
    Err(SpecError::Range { path: path.to_owned(), value: value.to_string(), rule })
}
