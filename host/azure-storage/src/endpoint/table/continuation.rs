//! Where a list goes on: keys in a form that fits into headers, and that clients hand back as it is.
//!
//! As in Azure, a token is `1!`, a length, `!` and base64, so that no token is empty even where a key is.

use crate::endpoint::error::{ServiceError, code};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The token for a key.
pub(super) fn token(key: &str) -> String {
    let encoded = URL_SAFE_NO_PAD.encode(key);
    format!("1!{}!{encoded}", encoded.len())
}

/// The key of a token that came in a parameter of that name.
pub(super) fn key(parameter: &str, token: &str) -> Result<String, ServiceError> {
    decode(token).ok_or_else(|| {
        code::INVALID_INPUT.because(&format!(
            "{parameter} is no continuation of a list: '{token}'. Send back what the x-ms-continuation header said."
        ))
    })
}

fn decode(token: &str) -> Option<String> {
    let (length, encoded) = token.strip_prefix("1!")?.split_once('!')?;
    if length.parse() != Ok(encoded.len()) {
        return None;
    }
    String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}
