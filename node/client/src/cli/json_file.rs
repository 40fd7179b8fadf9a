//! Files of JSON that commands take: boards, members, policies, calls.

use std::path::Path;

use serde_json::Value;

use super::exit::Failure;

/// Longest file that is read, in bytes: the largest board has a tenth of it.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a file.
pub(super) fn read_json(path: &Path) -> Result<Value, Failure> {
    let wrong = |message: String| Failure::Usage {
        message: format!("{}: {message}", path.display()),
        hint: "xln entity create --help and xln entity propose --help show what such a file holds".to_owned(),
    };
    let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > MAX_BYTES {
        return Err(wrong(format!("{length} bytes are more than the {MAX_BYTES} that are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(format!("it is no JSON: {error}")))
}
